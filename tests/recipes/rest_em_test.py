# SPDX-License-Identifier: Apache-2.0
"""ReST-EM: verified solutions, a cap for each problem, and what the next round is shown."""
import collections
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

# Each problem is "What is A times B?"; the model's sample n is wrong where (A + B + n) % 3 is 0.
MODEL = '''
import collections, re
asked = collections.Counter()
def answer(prompt, system, number):
    question = prompt.rsplit("Q: ", 1)[1]
    a, b = map(int, re.findall("[0-9]+", question)[:2])
    asked[prompt] += 1
    n = asked[prompt]
    value = a * b + (1 if (a + b + n) % 3 == 0 else 0)
    return f"Way {n} in {number}: {a} * {b} = {value}. The answer is {value}."
'''

PROBLEMS = [(a, b) for a in range(2, 6) for b in range(3, 6)]


class RestEm(scripted.Case):
    def run_recipe(self, *sets):
        rows = [{"question": f"What is {a} times {b}?", "answer": a * b} for a, b in PROBLEMS]
        path = self.write("problems.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        return self.recipe("rest_em", MODEL, f"params.problems={path}",
                           "models.teacher.concurrency=1", *sets)

    def test_verifier_and_cap(self):
        summary = self.run_recipe("params.rounds=1", "params.samples=6", "params.cap=3")
        kept = collections.Counter(row["question"] for row in summary["data"])
        self.assertEqual(set(kept.values()), {3})  # four of six are right, three stay
        self.assertEqual(len(kept), len(PROBLEMS))
        for row in summary["data"]:
            a, b = map(int, re.findall(r"\d+", row["question"]))
            end = f"{a} * {b} = {a * b}. The answer is {a * b}."
            self.assertTrue(row["rationale"].endswith(end))
        wrong = [r for r in summary["rejects"] if r["trail"][-1]["step"] == "right"]
        self.assertEqual(len(wrong), 2 * len(PROBLEMS))

    def test_what_was_kept_is_shown_next(self):
        summary = self.run_recipe("params.rounds=2", "params.samples=3", "params.cap=1")
        prompts = [one["prompt"] for one in summary["asked"]]
        self.assertEqual(len(prompts), 2 * 3 * len(PROBLEMS))
        first, second = prompts[:3 * len(PROBLEMS)], prompts[3 * len(PROBLEMS):]
        self.assertFalse(any("Way" in prompt for prompt in first))
        for prompt in second:
            *shown, asked = prompt.split("Q: ")[1:]
            own = [one for one in shown if "Way" in one]
            self.assertEqual(len(own), 2)  # second_k
            for one in own:
                a, b = map(int, re.findall(r"\d+", one)[:2])
                self.assertIn(f"The answer is {a * b}.", one)              # only right ones,
                self.assertNotEqual(one.split("\n")[0], asked.split("\n")[0])  # of other problems


if __name__ == "__main__":
    scripted.harness.main()
