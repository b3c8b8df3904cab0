# SPDX-License-Identifier: Apache-2.0
"""What a stage finds wrong with its options in open() is told by `check`, and before a run pays."""
import json

import harness

HEAD = """xylem: 1
name: p
models: { m: { use: openai, base_url: "URL", model: x }, e: { use: exec, command: [cat] } }
steps:
  - { use: grid, with: { topic: [a, b] } }
  - { use: generate, model: m, prompt: "Name {{ topic }}." }
"""
FIRST = HEAD.count("\n") + 1


class Open(harness.Case):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(harness.Server())

    def pipeline(self, steps):
        self.write("p.yaml", HEAD.replace("URL", self.server.url) + steps)

    def refused(self, steps, *expected):
        """Each of `expected` is told with its line, by `check` and by a `run` that pays nothing."""
        self.pipeline(steps)
        told = json.loads(self.xylem("check", "--json", "p.yaml", code=2).stdout)["errors"]
        self.assertEqual([error["line"] for error in told], [FIRST + line for line, _ in expected])
        run = self.xylem("run", "p.yaml", code=2).stderr
        for error, (line, words) in zip(told, expected):
            self.assertIn(words, error["message"])
            self.assertRegex(run, rf"p\.yaml:{FIRST + line}:\d+: .*" + words)
        self.assertEqual(self.server.stats()["requests"], 0)

    def test_a_whole_dataset_stage_behind_a_call(self):
        self.refused("  - { use: confident_learning }\n", (0, "`learner` or `probabilities`"))

    def test_several_at_once(self):
        self.refused("  - { use: language, with: { keep: [xx] } }\n"
                     "  - { use: confident_learning }\n",
                     (0, "no language `xx`"), (1, "`learner` or `probabilities`"))

    def test_inside_a_repeat(self):
        self.refused("  - repeat: 2\n    steps:\n"
                     "      - { use: language, with: { keep: [xx] } }\n",
                     (2, "no language `xx`"))

    def test_an_outputs_format(self):
        self.refused("write: { path: out.csv, with: { delimiter: ';;' } }\n",
                     (0, "`delimiter` is `;;`"))

    def test_what_an_option_points_to_is_there(self):
        """A learner and a data set count as given, a model as able, though none is ready."""
        self.write("old.jsonl", '{"text": "old"}\n')
        self.pipeline("  - { use: set, with: { label: \"'x'\" } }\n"
                      "  - use: confident_learning\n"
                      "    with: { learner: { use: softmax } }\n"
                      "  - { use: semantic, with: { embed: m, within: false, against: old.jsonl } }"
                      "\n")
        self.xylem("check", "p.yaml")

    def test_what_a_model_cannot_do(self):
        """`check` opens no model; a run has opened all of them before its first call."""
        self.pipeline("  - { use: semantic, with: { embed: e } }\n")
        self.xylem("check", "p.yaml")
        run = self.xylem("run", "p.yaml", code=1).stderr
        self.assertRegex(run, rf"p\.yaml:{FIRST}:\d+: .*cannot embed texts")
        self.assertEqual(self.server.stats()["requests"], 0)


if __name__ == "__main__":
    harness.main()
