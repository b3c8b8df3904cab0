# SPDX-License-Identifier: Apache-2.0
"""AlpaGasus: which rating is read from a review, and that 4.5 is enough and 4.4 is not."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "alpagasus.yaml")

# The rating that a person reads, or None.
REVIEWS = [
    ("4.5\nA good answer.", 4.5),
    ("  5  ", 5),
    ("4.4", 4.4),
    ("4/5\nOne step is missing.", 4),
    ("3.\nHalf of it is right.", 3),
    ("0\nNothing of it is right, score: 5 would be a joke.", 0),
    ("Score: 4.5\nGood.", 4.5),
    ("The answer is right.\nscore: 5", 5),
    ("A fine answer, with a rating of none of the numbers.\n**Score:** 3", 3),
    ("Rating = 2 because it is short.", 2),
    ("In 2023 it was right. Score: 4", 4),
    ("10\nMore than right.", None),
    ("45\nA comma was meant.", None),
    ("7\nAbove the scale.", None),
    ("-1", None),
    ("five", None),
    ("", None),
    ("I cannot give a score.", None),
]

MODEL = '''
import json, sys
reviews = json.load(open("reviews.json"))
for line in sys.stdin:
    request = json.loads(line)
    number = int(request["messages"][-1]["content"].split("task ")[1].split()[0])
    print(json.dumps({"id": request["id"], "text": reviews[number]}), flush=True)
'''


class AlpaGasus(harness.Case):
    def rate(self, *sets):
        self.write("model.py", MODEL)
        self.write("reviews.json", json.dumps([review for review, _ in REVIEWS]))
        self.write("records.jsonl", "".join(
            json.dumps({"instruction": f"task {i} ", "input": "", "output": "x"}) + "\n"
            for i in range(len(REVIEWS))))
        words = []
        for value in ("models.teacher={ use: exec, command: [python3, model.py] }",
                      f"params.records={self.path('records.jsonl')}",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets):
            words += ["--set", value]
        self.xylem("run", "-q", "--fresh", RECIPE, *words)
        kept = {int(row["instruction"].split()[1]): row["rating"]
                for row in self.records("data.jsonl")}
        self.assertEqual(len(kept) + len(self.records("rejects.jsonl")), len(REVIEWS))
        return kept

    def test_ratings(self):
        """With the bound at 0 everything that has a rating is kept, with the rating."""
        expected = {i: rating for i, (_, rating) in enumerate(REVIEWS) if rating is not None}
        self.assertEqual(self.rate("params.least=0"), expected)

    def test_enough(self):
        expected = {i: rating for i, (_, rating) in enumerate(REVIEWS)
                    if rating is not None and rating >= 4.5}
        self.assertEqual(self.rate(), expected)
        self.assertIn(4.5, expected.values())


if __name__ == "__main__":
    harness.main()
