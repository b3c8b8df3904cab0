# SPDX-License-Identifier: Apache-2.0
"""LAB: leaves do not see each other, and exactly what the ratings let through stays."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "lab.yaml")
LEAVES = ["writing/email", "maths/percentages", "kitchen/substitutes"]

# A teacher whose questions are numbered, and whose ratings follow from the number: a question of
# n % 5 == 0 is rated 0; a pair gets 1 + n % 3. It keeps every prompt.
TEACHER = '''
import json, re, sys
count = 0
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    with open("prompts.jsonl", "a") as file:
        file.write(json.dumps("\\n".join(m["content"] for m in request["messages"])) + "\\n")
    number = int((re.findall(r"number (\\d+)", prompt) or [0])[-1])
    if "new questions" in prompt:
        text = json.dumps({"questions": [f"Question number {count + i}?" for i in range(4)]})
        count += 4
    elif "question_score" in prompt:
        text = json.dumps({"question_score": int(number % 5 != 0)})
    elif "pair_score" in prompt:
        text = json.dumps({"pair_score": 1 + number % 3})
    else:
        text = f"The answer to number {number}."
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


class Lab(harness.Case):
    def run_recipe(self, examples, *sets):
        self.write("teacher.py", TEACHER)
        self.write("examples.jsonl", "".join(json.dumps(row) + "\n" for row in examples))
        words = []
        for value in [f"params.examples={self.path('examples.jsonl')}",
                      "models.teacher={ use: exec, command: [python3, teacher.py] }",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets]:
            words += ["--set", value]
        self.xylem("run", "-q", RECIPE, *words)
        return self.records("data.jsonl"), self.records("rejects.jsonl")

    @staticmethod
    def examples(leaves):
        """Five for each leaf; each says its leaf in a word of its own."""
        return [{"leaf": leaf, "question": f"example-of-leaf-{LEAVES.index(leaf)} {i}?",
                 "answer": f"answer-of-leaf-{LEAVES.index(leaf)} {i}"}
                for i in range(5) for leaf in leaves]

    def test_leaves_do_not_see_each_other(self):
        self.run_recipe(self.examples(LEAVES), "params.questions=4", "params.prompts=3")
        shown = []
        for prompt in self.records("prompts.jsonl"):
            leaves = set(re.findall(r"-of-leaf-(\d)", prompt))
            self.assertLessEqual(len(leaves), 1, prompt)
            if "new questions" in prompt:
                self.assertEqual(len(re.findall(r"example-of-leaf", prompt)), 3)
                shown.append(leaves.pop())
        self.assertEqual(sorted(shown), sorted("012" * 3))

    def test_ratings_decide(self):
        data, rejects = self.run_recipe(self.examples(LEAVES), "params.questions=4",
                                        "params.prompts=3")
        numbers = range(3 * 3 * 4)  # prompts of each leaf, leaves, questions of each
        asked = [n for n in numbers if n % 5 != 0]
        kept = [n for n in asked if n % 3 >= 1]
        found = [int(re.search(r"\d+", row["question"]).group()) for row in data]
        self.assertEqual(sorted(found), kept)
        for row in data:
            self.assertEqual(row["question_score"], 1)
            self.assertGreaterEqual(row["pair_score"], 2)
        steps = [row["trail"][-1]["step"] for row in rejects]
        self.assertEqual(steps.count("good_question"), len(numbers) - len(asked))
        self.assertEqual(steps.count("good_pair"), len(asked) - len(kept))

    def test_a_leaf_without_examples(self):
        data, rejects = self.run_recipe(self.examples(LEAVES[:2]), "params.questions=4")
        self.assertEqual({row["leaf"] for row in data}, set(LEAVES[:2]))
        reasons = [row["trail"][-1]["reason"] for row in rejects
                   if row["trail"][-1]["step"] == "shown"]
        self.assertEqual(len(reasons), 1)
        self.assertIn('no more with `leaf` = "kitchen/substitutes"', reasons[0])


if __name__ == "__main__":
    harness.main()
