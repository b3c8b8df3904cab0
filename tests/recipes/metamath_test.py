# SPDX-License-Identifier: Apache-2.0
"""MetaMath: what each of the four ways makes of a problem; a masked number and its inverse."""
import collections
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

PROBLEMS = [(a, b) for a in range(2, 6) for b in range(3, 6)]

# The model solves a backward question by trying numbers until the arithmetic gives the answer told.
BACKWARD = '''
import json, re
def answer(prompt, system, number):
    if prompt.startswith("Say this problem"):
        return json.dumps({"question": "In other words: " + prompt.split(": ", 1)[1]})
    if prompt.startswith("Make one statement"):
        text = prompt.rsplit("Problem: ", 1)[1].split(" Answer: ")
        return json.dumps({"statement": text[0].split("?")[0] + " is " + text[1].split()[0] + "."})
    question = prompt.rsplit("Q: ", 1)[1].split("A:")[0]
    numbers = [int(n) for n in re.findall("[0-9]+", question)]
    if "unknown x" in question:
        value = next(x for x in range(1000) if x * numbers[0] == numbers[1])
        return f"{numbers[1]} / {numbers[0]} = {value}. The answer is {value}."
    product = numbers[0] * numbers[1]
    return f"{numbers[0]} * {numbers[1]} = {product}. The answer is {product}."
'''


class MetaMath(scripted.Case):
    def test_mask_and_inverse(self):
        rows = [{"question": f"What is {a} times {b}?", "answer": a * b} for a, b in PROBLEMS]
        path = self.write("problems.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        summary = self.recipe("metamath", BACKWARD, f"params.problems={path}",
                              f"params.limit={len(rows)}", "params.solutions=1")
        kinds = collections.Counter(row["kind"] for row in summary["data"])
        self.assertEqual(kinds, dict.fromkeys(["answer augmentation", "rephrasing",
                                               "self-verification", "FOBAR"], len(rows)))
        gold = {row["question"]: row["answer"] for row in rows}
        for row in summary["data"]:
            a, b = map(int, re.findall(r"\d+", row["original"]))
            if row["kind"] in ("answer augmentation", "rephrasing"):
                self.assertEqual(row["answer"], gold[row["original"]])
                continue
            self.assertEqual(row["answer"], a)          # the masked number is asked for,
            self.assertIn(" x times ", row["question"])
            self.assertNotIn(f"is {a} times", row["question"])
            self.assertIn(str(a * b), row["question"])  # and the old answer is told
            if row["kind"] == "FOBAR":  # with the number put back it is the original
                back = row["question"].split(" If we know")[0].replace(" x ", f" {a} ")
                self.assertEqual(back, row["original"])


if __name__ == "__main__":
    scripted.harness.main()
