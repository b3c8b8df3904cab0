# SPDX-License-Identifier: Apache-2.0
"""S3's loop (Wang et al. 2023): what is prompted from, how many rounds, and how it fails."""
import collections
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "s3.yaml")
GOLD = os.path.join(harness.ROOT, "examples", "data", "reviews_labelled.jsonl")
ERROR = re.compile(r"A student took this (\w+) sentence for a (\w+) one:\n(.*)\n")

# A teacher whose texts say their number, and the words that the test gives for a label.
MODEL = '''
import json, sys
words = json.loads(sys.argv[2])
for number, line in enumerate(sys.stdin):
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    with open(sys.argv[1], "a") as file:
        file.write(json.dumps(prompt) + "\\n")
    label = "positive" if " positive " in prompt.split("review,")[0] else "negative"
    text = f"{words[label]} number{number}"
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


class S3(harness.Case):
    def setUp(self):
        super().setUp()
        self.runs = 0
        with open(GOLD, encoding="utf-8") as file:
            self.gold = [json.loads(line) for line in file]

    def run_recipe(self, words, *sets, code=0):
        self.write("model.py", MODEL)
        command = json.dumps(["python3", self.path("model.py"), self.path("prompts.jsonl"),
                              json.dumps(words)])
        sets = [f"models.teacher={{ use: exec, concurrency: 1, command: {command} }}",
                f"write.path={self.path('data.jsonl')}", "params.count=8",
                f"write.rejects={self.path('rejects.jsonl')}", *sets]
        options = [word for value in sets for word in ("--set", value)]
        self.runs += 1  # a folder of runs each: else the answers would come from the last one
        return self.xylem("run", "-q", "--json", "--runs", self.path(f"runs{self.runs}"), RECIPE,
                          *options, code=code)

    def errors_of(self, done):
        """How many of the gold rows the student got wrong, round by round."""
        return [int(score["value"]) for score in json.loads(done.stdout)["report"]["scores"]
                if score["step"] == "mistakes" and score["name"] == "errors"]

    def prompted(self):
        """(label, predicted, text) of each prompt that extrapolates."""
        return [ERROR.match(prompt).groups() for prompt in self.records("prompts.jsonl")
                if ERROR.match(prompt)]

    WORDS = {"positive": "splendid and lovely", "negative": "dreadful and ugly"}

    def test_prompts_are_the_errors(self):
        for rounds in (1, 2, 3):
            done = self.run_recipe(self.WORDS, f"params.rounds={rounds}", "params.for_each_error=2")
            wrong = self.errors_of(done)
            self.assertEqual(len(wrong), rounds)  # never more than q
            self.assertGreater(min(wrong), 0)
            prompted = self.prompted()
            self.assertEqual(len(prompted), 2 * sum(wrong))
            labels = {row["text"]: row["label"] for row in self.gold}
            for label, predicted, text in prompted:
                self.assertEqual(label, labels[text])
                self.assertNotEqual(label, predicted)
            # Each gold row is, in each round, an error or right, and in the rejects when right.
            right = collections.Counter(
                record["fields"]["text"] for record in self.records("rejects.jsonl")
                if record["trail"][-1]["step"] == "mistakes")
            asked = collections.Counter(text for _, _, text in prompted)
            for row in self.gold:
                self.assertEqual(right[row["text"]] + asked[row["text"]] // 2, rounds)
            # What was written for an error has its label.
            made = [row for row in self.records("data.jsonl") if row["made_in_round"] is not None]
            self.assertEqual(len(made), 2 * sum(wrong))
            os.remove(self.path("prompts.jsonl"))

    def test_ends_early(self):
        """A student that has seen every gold row's words gets all of them right."""
        words = {label: " ".join(row["text"] for row in self.gold if row["label"] == label)
                 for label in ("positive", "negative")}
        done = self.run_recipe(words, "params.rounds=5")
        self.assertEqual(self.errors_of(done), [0])
        self.assertEqual(self.prompted(), [])
        self.assertIn("gets all 8 records right", done.stderr)

    def test_one_label_only(self):
        done = self.run_recipe(self.WORDS, "steps.plan.with.label=[positive]", code=None)
        self.assertNotIn(done.returncode, (0, 3))
        self.assertIn("all 8 records of `train` have the label `positive`: a student needs two "
                      "labels at least", done.stderr)
        self.assertIn("s3.yaml:", done.stderr)

    def test_no_gold_rows(self):
        self.write("gold.jsonl", '{"text": "no label here"}\n')
        done = self.run_recipe(self.WORDS, f"steps.gold.with.path={self.path('gold.jsonl')}",
                               code=None)
        self.assertNotIn(done.returncode, (0, 3))
        self.assertIn("the student cannot be asked about any", done.stderr)


if __name__ == "__main__":
    harness.main()
