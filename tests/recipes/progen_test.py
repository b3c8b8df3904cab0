# SPDX-License-Identifier: Apache-2.0
"""ProGen: what its feedback shows, with a teacher of which one text in five has the wrong label."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "progen.yaml")

# Texts are "<meant> text <n> for <asked>"; for one n in five what is meant is not what was asked.
TEACHER = '''
import json, re, sys
count = 0
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    asked = re.search(r"sentence of a (\\w+) review", prompt).group(1)
    with open("prompts.jsonl", "a") as file:
        file.write(json.dumps(prompt) + "\\n")
    other = {"positive": "negative", "negative": "positive"}[asked]
    meant = other if count % 5 == 3 else asked
    text = f"{meant} text {count} for {asked}"
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
    count += 1
'''

# What a text means lies along the first axis, all else is noise.
EMBEDDER = '''
import hashlib, json, sys
for line in sys.stdin:
    request = json.loads(line)
    vectors = []
    for text in request["texts"]:
        noise = [(byte - 127.5) / 300 for byte in hashlib.md5(text.encode()).digest()]
        vectors.append([1.5 if text.startswith("positive") else -1.5] + noise)
    print(json.dumps({"id": request["id"], "vectors": vectors}), flush=True)
'''


class ProGen(harness.Case):
    def run_recipe(self, *sets):
        self.write("teacher.py", TEACHER)
        self.write("embedder.py", EMBEDDER)
        words = []
        for value in ["models.teacher={ use: exec, command: [python3, teacher.py] }",
                      "models.embedder={ use: exec, command: [python3, embedder.py], "
                      "operations: [embed] }",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets]:
            words += ["--set", value]
        return self.xylem("run", "-q", RECIPE, *words)

    def test_feedback(self):
        """96 different prompts without examples, then three rounds of 64 texts."""
        self.run_recipe("params.first=96", "params.rounds=3", "params.more=64",
                        "params.keep=10", "params.demonstrations=3")
        data = self.records("data.jsonl")
        wrong = sum(not row["text"].startswith(row["label"]) for row in data)
        self.assertGreater(wrong, 0.1 * len(data))
        given = [row for row in data if row["demos"] is not None]
        shown = [row for row in given if row["demos"]]
        # Half of them, to five standard deviations; texts asked twice are dropped without examples.
        self.assertAlmostEqual(len(shown) / len(given), 0.5, delta=0.2)
        for row in shown:
            self.assertEqual(len(row["demos"]), 3)
            for demo in row["demos"]:
                self.assertTrue(demo["text"].endswith(f"for {row['label']}"))  # the same label
        # And what they mean is what they were asked for, but for few.
        mistaken = [not demo["text"].startswith(row["label"]) for row in shown
                    for demo in row["demos"]]
        print(f"wrong labels: {wrong} of {len(data)} texts, "
              f"{sum(mistaken)} of {len(mistaken)} shown")
        self.assertLess(sum(mistaken) / len(mistaken), 0.25 * wrong / len(data))
        # Later rounds show texts of earlier rounds.
        numbers = [int(re.search(r"\d+", demo["text"]).group()) for row in shown
                   for demo in row["demos"]]
        self.assertGreater(max(numbers), 96)


if __name__ == "__main__":
    harness.main()
