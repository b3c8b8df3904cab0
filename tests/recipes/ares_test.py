# SPDX-License-Identifier: Apache-2.0
"""ARES on the recipe's own answers, judged as its recorded case has it: the estimates by hand."""
import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

ROOT = scripted.harness.ROOT


class Ares(scripted.Case):
    def test_estimates(self):
        answers = os.path.join(ROOT, "tests", "golden", "ares", "answers.jsonl")
        sets = [f"models.judge={{ use: replay, file: '{answers}' }}",
                f"write.path={self.path('data.jsonl')}",
                f"write.rejects={self.path('rejects.jsonl')}"]
        done = self.xylem("run", "-q", "--json", "--runs", self.path("runs"),
                          os.path.join(ROOT, "pipelines", "ares.yaml"),
                          *[word for value in sets for word in ("--set", value)])
        report = json.loads(done.stdout)["report"]
        scores = {f"{score['step']}.{score['name']}": score for score in report["scores"]}
        # Six records have people's labels, eight do not. Context: the judge is right on all six and
        # says yes of 7 in 8. Faithful: it calls one of six good in error, and says yes of 6 in 8.
        for name, said, error in (("context", 7 / 8, 0), ("faithful", 6 / 8, 1 / 6),
                                  ("relevant", 1, 0)):
            estimate = scores[f"{name}.estimate"]
            half = 1.959963984540054 * math.sqrt(said * (1 - said) / 8 + error * (1 - error) / 6)
            self.assertAlmostEqual(estimate["value"], said - error, delta=1e-9)
            self.assertAlmostEqual(estimate["high"] - estimate["value"], half, delta=1e-9)
            self.assertAlmostEqual(estimate["value"] - estimate["low"], half, delta=1e-9)
            self.assertEqual(scores[f"{name}.labelled"]["value"], 6)
        systems = report["details"]["faithful.systems"]
        self.assertEqual([one["system"] for one in systems], ["large", "small"])
        self.assertAlmostEqual(systems[0]["estimate"], 1 - 1 / 6, delta=1e-9)
        self.assertAlmostEqual(systems[1]["estimate"], 1 / 2 - 1 / 6, delta=1e-9)


if __name__ == "__main__":
    scripted.harness.main()
