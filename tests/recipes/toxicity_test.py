# SPDX-License-Identifier: Apache-2.0
"""The recipe toxicity_cascade: which step stops which post, and whom the judge is asked about."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "toxicity_cascade.yaml")
ANSWERS = os.path.join(harness.ROOT, "tests", "golden", "toxicity_cascade", "answers.jsonl")


class Toxicity(harness.Case):
    def run_recipe(self, *sets):
        values = [f"models.judge={json.dumps({'use': 'replay', 'file': ANSWERS})}",
                  f"write.path={self.path('data.jsonl')}",
                  f"write.rejects={self.path('rejects.jsonl')}", *sets]
        self.runs = getattr(self, "runs", 0) + 1
        done = self.xylem("run", "-q", "--json", "--runs", self.path(f"runs{self.runs}"), RECIPE,
                          *[word for value in values for word in ("--set", value)])
        summary = json.loads(done.stdout)
        stopped = {reject["fields"]["text"].split()[0:2][-1]: reject["trail"][-1]
                   for reject in self.records("rejects.jsonl")}
        return summary, stopped

    def test_each_step_stops_its_own(self):
        summary, stopped = self.run_recipe()
        self.assertEqual({word: last["step"] for word, last in stopped.items()}, {
            "a": "list", "your": "list",           # nitwit, watch your back
            "are": "learner", "wants": "learner",  # the words of its examples
            "cook": "judged", "sourdough": "judged"})  # insults without such words
        self.assertIn("insult, \"nitwit\"", stopped["a"]["reason"])
        self.assertIn("the learner takes it for toxic", stopped["are"]["reason"])
        # Three posts, one of them an oven's fault, and once no post at all.
        self.assertEqual([model["calls"] for model in summary["models"]], [4])
        kept = [record["text"] for record in self.records("data.jsonl")]
        self.assertIn("My oven is stupid and burns everything at the back.", kept)
        self.assertEqual(len(kept), 6)

    def test_bounds_divide_the_work(self):
        # From where the learner is sure of all, nobody is asked.
        summary, stopped = self.run_recipe("params.safe=0.5", "params.sure=0.5")
        self.assertEqual([model["calls"] for model in summary["models"]], [0])
        self.assertEqual({last["step"] for last in stopped.values()}, {"list", "learner"})


if __name__ == "__main__":
    harness.main()
