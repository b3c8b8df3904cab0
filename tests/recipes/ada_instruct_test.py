# SPDX-License-Identifier: Apache-2.0
"""Ada-Instruct's stand-in: the lengths that pass, whatever lengths the model prefers."""
import unittest

import scripted
from scripted import harness

# Two answers of three are short, whatever was asked for; the third has the length in the middle.
SHORT = r'''
import random
def answer(prompt, system, number):
    if "Think step by step" in prompt:
        return "The answer is 1"
    least, most = re.search(r"of (\d+) to (\d+) words", prompt).groups()
    draw = random.Random(number)
    words = 12 if number % 3 else (int(least) + int(most)) // 2
    return " ".join("".join(draw.choice("bcdfgklm") + draw.choice("aeiou") for _ in range(4))
                    for _ in range(words))
'''
RANGES = [(10, 24), (25, 39), (40, 59), (60, 90)]


class AdaInstruct(scripted.Case):
    def histogram(self, texts):
        counts = [sum(low <= len(text.split()) <= high for text in texts) for low, high in RANGES]
        return [count / len(texts) for count in counts]

    def test_lengths_are_as_wanted(self):
        run = self.recipe("ada_instruct", SHORT, "params.count=10")
        self.assertEqual(len(run["data"]), 40)
        passed = self.histogram([r["instruction"] for r in run["data"]])
        self.assertEqual(passed, [0.25] * 4)
        for record in run["data"]:
            low, high = map(int, record["words"].split("-"))
            self.assertTrue(low <= len(record["instruction"].split()) <= high)
        # What the model wrote is far from that: half the sum of the differences is above 0.3.
        written = self.histogram([a["text"] for a in run["asked"] if "Think" not in a["prompt"]])
        self.assertGreater(sum(abs(w - 0.25) for w in written) / 2, 0.3)

    def test_a_model_that_only_writes_short_ones(self):
        run = self.recipe("ada_instruct", SHORT.replace(
            "12 if number % 3 else", "12 if True else"), "params.count=2", code=3)
        self.assertEqual({r["words"] for r in run["data"]}, {"10-24"})
        self.assertIn("6 records short", run["said"])


if __name__ == "__main__":
    harness.main()
