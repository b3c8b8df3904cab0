# SPDX-License-Identifier: Apache-2.0
"""A run that waits for people: an exit code of its own, nothing paid twice, killed in between, and
at the end byte for byte what a run gives that had its answers from the start."""
import json
import os
import random
import signal
import time

import harness

PIPELINE = """
xylem: 1
name: pause
seed: 4
codebook:
  task: Is it about food?
  labels: {{ food: It is., other: It is not. }}
models:
  teacher: {{ use: openai, base_url: "{url}", model: test-model, concurrency: 4 }}
steps:
  - {{ id: plan, use: grid, with: {{ topic: [{topics}] }} }}
  - id: draft
    use: generate
    model: teacher
    prompt: "Write about {{{{ topic }}}}."
  - {{ id: guess, use: set, with: {{ label: "'food'" }} }}
  - id: people
    use: human
    with: {{ queue: queue/people.jsonl, answers: answers.jsonl, only: "topic != 'topic0'" }}
  - id: again
    use: generate
    model: teacher
    prompt: "Shorten ({{{{ label }}}}): {{{{ text }}}}"
    output: short
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
"""
COUNT = 40


class Pause(harness.Case):
    def pipeline(self, server):
        topics = ", ".join(f"topic{i}" for i in range(COUNT))
        self.write("pause.yaml", PIPELINE.format(url=server.url, topics=topics))

    def rows(self):
        return self.records("queue/people.jsonl")

    def answer(self, rows):
        return "".join(json.dumps({"id": row["id"], "annotator": "anna",
                                   "label": "other" if i % 3 else "food",
                                   "discard": i % 7 == 6}) + "\n" for i, row in enumerate(rows))

    def test_a_queue_that_nobody_named(self):
        """It stays among the runs, also those of the pipeline as it is changed, in a file of the
        format that is asked for."""
        with harness.Server() as server:
            self.pipeline(server)
            text = self.read("pause.yaml").decode()
            for options, name in (("", "queue.jsonl"), ("format: csv, ", "queue.csv"),
                                  ("format: label_studio, ", "queue.json")):
                self.write("pause.yaml", text.replace(
                    "queue: queue/people.jsonl, answers: answers.jsonl, ", options))
                self.xylem("check", "pause.yaml")
                said = self.xylem("run", "pause.yaml", code=6).stderr
                path = f".xylem/pause/steps/people/{name}"
                self.assertIn(f"into the rows of {path}\n", said)
                self.assertTrue(os.path.exists(self.path(path)))
            path = self.path(".xylem/pause/steps/people/queue.jsonl")
            rows = self.records(path)
            self.assertEqual(len(rows), COUNT - 1)
            for row in rows:
                row.update(label="food", annotator="anna")
            self.write(path, "".join(json.dumps(row) + "\n" for row in rows))
            self.pipeline(server)
            text = text.replace("queue: queue/people.jsonl, answers: answers.jsonl, ", "")
            self.write("pause.yaml", text.replace("output: short", "output: shorter"))
            self.xylem("run", "pause.yaml")
            self.assertEqual({record["label"] for record in self.records("out.jsonl")}, {"food"})

    def test_pauses_and_goes_on(self):
        with harness.Server() as server:
            self.pipeline(server)
            said = self.xylem("run", "pause.yaml", code=6)
            self.assertIn(f"paused: step `people`: {COUNT - 1} of {COUNT - 1} records wait for "
                          "people", said.stderr)
            self.assertIn("queue/people.jsonl, or answers to", said.stderr)
            self.assertIn("the same command goes on", said.stderr)
            self.assertFalse(os.path.exists(self.path("out.jsonl")))
            rows = self.rows()
            self.assertEqual(len(rows), COUNT - 1)
            self.assertEqual(rows[0]["instructions"],
                             "Is it about food?\n\nfood: It is.\nother: It is not.")
            self.assertEqual(rows[0]["suggestion"], "food")
            self.assertEqual(server.stats()["requests"], COUNT)
            # The same command with nothing new: paused again, nothing paid, the file untouched.
            before = os.stat(self.path("queue/people.jsonl"))
            summary = json.loads(self.xylem("run", "-q", "--json", "pause.yaml", code=6).stdout)
            self.assertEqual(summary["end"], "paused")
            after = os.stat(self.path("queue/people.jsonl"))
            self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))
            self.write("answers.jsonl", self.answer(rows[:10]))
            said = self.xylem("run", "-q", "pause.yaml", code=6)
            self.assertIn(f"{COUNT - 11} of {COUNT - 1} records wait", said.stderr)
            self.assertEqual(server.stats()["requests"], COUNT)
            self.write("answers.jsonl", self.answer(rows))
            said = self.xylem("run", "pause.yaml")
            self.assertNotIn("changed since", said.stderr)
            data, rejects = self.records("out.jsonl"), self.records("rejects.jsonl")
            discarded = sum(i % 7 == 6 for i in range(COUNT - 1))
            self.assertEqual((len(data), len(rejects)), (COUNT - discarded, discarded))
            self.assertEqual(rejects[0]["trail"][-1]["reason"], "discarded by anna")
            self.assertEqual(server.stats()["requests"], COUNT + len(data))
            self.assertEqual({row["topic"]: row.get("model_label") for row in data}["topic0"], None)
            self.assertEqual([row["label"] for row in data[1:4]], ["food", "other", "other"])

    def test_the_program_tells_what_waits(self):
        with harness.Server() as server:
            self.pipeline(server)
            self.xylem("run", "-q", "pause.yaml", code=6)
            said = self.xylem("runs").stdout
            self.assertIn("paused", said)

    def test_killed_in_between(self):
        draws = random.Random(7)
        with harness.Server("--latency-ms", "3", "--jitter-ms", "3") as server:
            self.pipeline(server)
            self.xylem("run", "-q", "pause.yaml", "--runs", "calm", code=6)
            answers = self.answer(self.rows())
            self.write("answers.jsonl", answers)
            self.xylem("run", "-q", "pause.yaml", "--runs", "calm")
            expected, rejects = self.read("out.jsonl"), self.read("rejects.jsonl")
            for name in ("out.jsonl", "rejects.jsonl", "answers.jsonl", "queue/people.jsonl"):
                os.remove(self.path(name))
            server.reset()
            kills = 0
            for ended in (6, 0):
                for attempt in range(40):
                    process = self.start("run", "-q", "pause.yaml", "--runs", "wild")
                    if attempt < 6:
                        time.sleep(draws.uniform(0.01, 0.09))
                        process.send_signal(signal.SIGKILL)
                    process.stderr.read()
                    process.stderr.close()
                    code = process.wait()
                    kills += code == -signal.SIGKILL
                    if attempt >= 6:
                        break
                self.assertEqual(code, ended)
                if ended == 6:
                    self.assertEqual(len(self.rows()), COUNT - 1)
                    self.write("answers.jsonl", answers)
            self.assertEqual(self.read("out.jsonl"), expected)
            self.assertEqual(self.read("rejects.jsonl"), rejects)
            stats = server.stats()
            self.assertGreater(kills, 3)
            self.assertLessEqual(stats["answered_again"], kills * 4)
            print(f"{kills} kills, {stats['answered_again']} answers paid for again, at most "
                  f"{kills * 4} could have been in flight")

    def test_an_empty_queue_goes_on(self):
        self.write("empty.yaml", """
xylem: 1
name: empty
steps:
  - { use: grid, with: { text: [a, b] } }
  - { use: human, id: people, with: { queue: queue/people.jsonl, only: "text == 'z'" } }
write: { path: out.jsonl }
""")
        self.xylem("run", "-q", "empty.yaml")
        self.assertEqual(len(self.records("out.jsonl")), 2)
        self.assertFalse(os.path.exists(self.path("queue")))

    def test_what_is_wrong_with_an_answer(self):
        with harness.Server() as server:
            self.pipeline(server)
            self.xylem("run", "-q", "pause.yaml", code=6)
            row = self.rows()[0]
            self.write("answers.jsonl", "\n" + json.dumps({"id": row["id"], "label": "fod"}) + "\n")
            said = self.xylem("run", "-q", "pause.yaml", code=1)
            self.assertIn("answers.jsonl:2: `fod` is none of the 2 labels; did you mean `food`?",
                          said.stderr)
            self.assertEqual(server.stats()["requests"], COUNT)


if __name__ == "__main__":
    harness.main()
