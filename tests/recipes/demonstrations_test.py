# SPDX-License-Identifier: Apache-2.0
"""What the recipes with growing pools show in each round: mixed_pool and dissimilar_demos."""
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

# Numbers its texts, so that it can be told when one was written, and says what it was asked for.
TEACHER = '''
import json, re, sys
count = 0
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    asked = re.search(r"kind \\((\\w+)\\)", prompt)
    text = f"written {count} {asked.group(1) if asked else 'question'}"
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
    count += 1
'''

EMBEDDER = '''
import json, sys
sys.path.insert(0, sys.argv[1])
from demonstrations_test import place
for line in sys.stdin:
    request = json.loads(line)
    vectors = [place(text) for text in request["texts"]]
    print(json.dumps({"id": request["id"], "vectors": vectors}), flush=True)
'''


def place(text):
    return [(byte - 127.5) / 128 for byte in hashlib.md5(text.encode()).digest()]


def cosine(a, b):
    def inner(x, y):
        return sum(p * q for p, q in zip(x, y))
    return inner(a, b) / (inner(a, a) * inner(b, b)) ** 0.5


class Demonstrations(harness.Case):
    def run_recipe(self, name, *sets):
        self.write("teacher.py", TEACHER)
        self.write("embedder.py", EMBEDDER)
        words = []
        for value in ["models.teacher={ use: exec, command: [python3, teacher.py] }",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets]:
            words += ["--set", value]
        self.xylem("run", "-q", os.path.join(harness.ROOT, "pipelines", f"{name}.yaml"), *words)
        return self.records("data.jsonl")

    def test_people_and_machine(self):
        """4 rounds of 12: 7 by people in the first, then 5 by people and 2 of the machine's own."""
        intents = ["alarm", "music", "weather"]
        self.write("seeds.jsonl", "".join(
            json.dumps({"text": f"by people {i} {intent}", "intent": intent}) + "\n"
            for i in range(9) for intent in intents))
        data = self.run_recipe("mixed_pool", f"params.seeds={self.path('seeds.jsonl')}",
                               "params.rounds=4", "params.count=12", "params.demonstrations=7",
                               "params.own=2")
        self.assertEqual(len(data), 48)
        first_own = 0
        for i, row in enumerate(data):
            texts = [demo["text"] for demo in row["demos"]]
            own = [text for text in texts if text.startswith("written")]
            self.assertEqual(len(texts), 7)
            self.assertEqual(len(set(texts)), 7)
            self.assertTrue(all(text.endswith(row["intent"]) for text in texts))
            self.assertEqual(len(own), 2 if i >= 12 else 0)
            for text in own:  # of an earlier round
                self.assertLess(int(text.split()[1]), i // 12 * 12)
            first_own += texts[0] in own
        # Shuffled: the first is the machine's in 2 of 7, 10.3 of 36, a standard deviation of 2.7.
        self.assertTrue(1 <= first_own <= 23, first_own)

    def test_least_like_what_there_is(self):
        pool = [f"example {i}?" for i in range(20)]
        self.write("pool.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in pool))
        data = self.run_recipe(
            "dissimilar_demos", f"params.pool={self.path('pool.jsonl')}", "params.rounds=4",
            "params.count=6", "params.keep=4", "params.demonstrations=2",
            "models.embedder={ use: exec, operations: [embed], command: [python3, embedder.py, "
            f"{os.path.dirname(os.path.abspath(__file__))}] }}")
        self.assertEqual(len(data), 24)
        for i, row in enumerate(data):
            before = [place(other["text"]) for other in data[:i // 6 * 6]]
            alike = {text: max((cosine(place(text), other) for other in before), default=0)
                     for text in pool}
            allowed = sorted(pool, key=alike.get)[:4] if before else pool
            self.assertEqual(len(row["demos"]), 2)
            for demo in row["demos"]:
                self.assertIn(demo["text"], allowed)
        shown = {demo["text"] for row in data for demo in row["demos"]}
        self.assertGreater(len(shown), 8)


if __name__ == "__main__":
    harness.main()
