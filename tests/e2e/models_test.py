# SPDX-License-Identifier: Apache-2.0
"""What stands around a run: models of one's own, recorded answers, its cost, what counts."""
import json

import harness
from run_test import RunCase, server_model


class Around(RunCase):
    def test_a_file_of_models_serves_any_pipeline(self):
        self.write("answers.jsonl", "".join(
            json.dumps({"prompt": str(n), "text": f"recorded {n}"}) + "\n" for n in range(1, 5)))
        self.pipeline("""
            models: { t: { use: exec, command: [cat] } }
            steps:
              - { use: grid, with: { n: [1, 2] } }
              - { use: generate, prompt: "{{ n }}" }
            write: { path: out.jsonl }
            """)
        self.write("mine.yaml", """
            models:
              t: { use: replay, file: answers.jsonl }
              other: { use: openai, base_url: "http://127.0.0.1:9", model: unused }
            """)
        self.xylem("run", "-q", "p.yaml", "--models", "mine.yaml")
        self.assertEqual([record["text"] for record in self.records("out.jsonl")],
                         ["recorded 1", "recorded 2"])
        self.xylem("check", "p.yaml", "-m", "mine.yaml")
        self.write("mine.yaml", "models:\n  t: { use: replay, fil: answers.jsonl }\n")
        self.assertIn("mine.yaml:2:21: model `t` has no option `fil` (did you mean `file`?)",
                      self.xylem("run", "p.yaml", "-m", "mine.yaml", code=2).stderr)
        self.write("mine.yaml", "model:\n  t: {}\n")
        self.assertIn("mine.yaml:1:1: a file of models: unknown key `model`",
                      self.xylem("run", "p.yaml", "-m", "mine.yaml", code=2).stderr)

    def test_recorded_answers_replay_to_the_same_bytes(self):
        with harness.Server() as server:
            self.pipeline(f"""
                models: {{ t: {server_model(server)} }}
                steps:
                  - {{ use: grid, with: {{ topic: [a, b] }} }}
                  - {{ use: generate, samples: 3,
                      prompt: {{ system: "Be brief.", user: "About {{{{ topic }}}}" }} }}
                write: {{ path: out.jsonl }}
                """)
            self.xylem("run", "-q", "p.yaml", "--record", "made/answers.jsonl")
            wrote = self.read("out.jsonl")
            recorded = self.records("made/answers.jsonl")
            self.assertEqual(len(recorded), 6)
            self.assertEqual({line["sample"] for line in recorded}, {0, 1, 2})
            self.xylem("run", "-q", "p.yaml", "--record", "again.jsonl")  # from the journal
            self.assertEqual(sorted(self.read("again.jsonl").splitlines()),
                             sorted(self.read("made/answers.jsonl").splitlines()))
        self.xylem("run", "-q", "p.yaml", "--set",
                   "models.t={ use: replay, file: made/answers.jsonl }")
        self.assertEqual(self.read("out.jsonl"), wrote)
        self.assertIn("cannot", self.xylem("run", "-q", "p.yaml", "--record", "/proc/no/file",
                                           code=1).stderr)

    def test_expectations_carry_the_estimate_over_filters(self):
        def estimate(expect, accept="", within=1):
            self.pipeline(f"""
                models: {{ t: {{ use: exec, command: [cat] }} }}
                steps:
                  - {{ use: grid, with: {{ n: [1, 2, 3, 4, 5, 6, 7, 8] }} }}
                  - {{ id: draft, use: generate, prompt: "{{{{ n }}}}" }}
                  - {{ id: good, use: length, with: {{ field: text, min: 3 }}, {expect} }}
                  - id: rounds
                    repeat: 3
                    expect: {within}
                    steps:
                      - {{ id: better, use: generate, prompt: "{{{{ text }}}}", when: n > 1,
                           expect_calls: 0.5 }}
                {accept}
                write: {{ path: out.jsonl }}
                """)
            said = json.loads(self.xylem("check", "--json", "p.yaml").stdout)
            return said["calls"], said["records"], said["exact"]

        # 8 drafts, then half a call for each record that is expected to be left.
        self.assertEqual(estimate(""), (8 + 4, 8, True))
        self.assertEqual(estimate("expect: 0.5"), (8 + 2, 8, True))
        self.assertEqual(estimate("expect: 0.5", within=3), (8 + 6, 8, True))
        # 12 are wanted and 4 of 8 pass: three times the source, and everything after it.
        self.assertEqual(estimate("expect: 0.5", accept="accept: { count: 12 }"),
                         (24 + 6, 24, True))
        self.assertIn("`expect`: expected a number from 0 up, found `-1`",
                      self.xylem("check", "p.yaml", "--set", "steps.good.expect=-1",
                                 code=2).stderr)

    def test_two_forms_of_the_same_records_are_accepted_once(self):
        self.pipeline("""
            steps:
              - { id: all, use: grid, with: { n: [1, 2, 3] } }
              - { id: odd, use: expression, with: { keep: n != 2 } }
            write:
              - { path: out.jsonl }
              - { path: out.csv }
              - { path: all.jsonl, from: all }
            """)
        summary = self.summary()
        self.assertEqual((summary["accepted"], summary["rejected"]), (2 + 3, 1))


if __name__ == "__main__":
    harness.main()
