# SPDX-License-Identifier: Apache-2.0
"""Alpaca: the parser on replies of every kind, the longer black list, seeds as demonstrations."""
import json
import os
import unittest

import scripted
from scripted import harness

SEEDS = os.path.join(harness.ROOT, "examples", "data", "self_instruct_seeds.jsonl")


def model(reply, finish="stop"):
    return f"def answer(prompt, system, number):\n    return {dict(text=reply, finish=finish)!r}\n"


INVENTIVE = '''
def answer(prompt, system, number):
    words = ["".join("bcdfghklmn"[int(d)] + "aeiou"[int(d) % 5] for d in str(1000 + number * 9 + k))
             for k in range(9)]
    return f"4. Instruction: {' '.join(words)}\\n4. Input:\\n<noinput>\\n4. Output:\\nYes."
'''


class Alpaca(scripted.Case):
    def made(self, reply, finish="stop", tasks=20, code=0):
        run = self.recipe("alpaca", model(reply, finish), "params.rounds=1", "params.prompts=1",
                          f"params.tasks={tasks}", "params.count=1", code=code)
        kept = run["data"] + [r["fields"] for r in run["rejects"]
                              if r["trail"][-1]["step"] == "accept"]
        self.rejects = [(r["trail"][-1]["step"], r["fields"].get("instruction"))
                        for r in run["rejects"] if r["trail"][-1]["step"] not in
                        ("accept", "machine_made")]
        return [(r["instruction"], r["input"], r["output"]) for r in kept]

    def test_replies(self):
        whole = ("4. Instruction: Name a warm colour of the evening.\n4. Input:\n<noinput>\n"
                 "4. Output:\nRed.\n###\n5. Instruction: Add the two numbers given.\n"
                 "5. Input:\n1.5\nand 2\n"
                 "5. Output:\n3.5\n\nThat is all.\n###\n")
        two = [("Name a warm colour of the evening.", "", "Red."),
               ("Add the two numbers given.", "1.5\nand 2", "3.5\n\nThat is all.")]
        self.assertEqual(self.made(whole), two)
        self.assertEqual(self.made("Sure! Here you are:\n\n###\n" + whole), two)
        self.assertEqual(self.made(whole.replace("###\n", "")), two)
        self.assertEqual(self.made(whole.replace("5. Output:\n", "5. Output: ")), two)
        self.assertEqual(self.made(whole.replace("<noinput>", "<noInput>")), two)
        # Cut off: the last task is not trusted, although it parses.
        self.assertEqual(self.made(whole, finish="length"), two[:1])

    def test_broken_entries_are_passed_over(self):
        reply = ("4. Instruction: This one has no input at all.\n4. Output:\nx\n###\n"
                 "5. Instruction: Spell the word backwards, please.\n5. Input:\nstar\n"
                 "5. Output:\nrats\n###\n"
                 "6. Instruction: This one has no output.\n6. Input:\nx\n###\n"
                 "7. Instruction:\n7. Input:\nx\n7. Output:\ny\n###\n"
                 "8. Instruction: The output is empty in this one.\n8. Input:\nx\n"
                 "8. Output:\n\n###\n")
        self.assertEqual(self.made(reply), [("Spell the word backwards, please.", "star", "rats")])
        self.assertEqual(self.rejects, [("has_output", "The output is empty in this one.")])

    def test_no_list_and_an_empty_reply(self):
        self.assertEqual(self.made("I would rather not.", code=3), [])
        self.assertEqual(self.rejects, [("parse", None)])
        self.assertEqual(self.made("4. Instruction: A task that was cut", "length", code=3), [])

    def test_longer_black_list(self):
        words = ["video", "Audio", "music", "flowchart", "diagram", "image", "plot"]
        reply = "\n###\n".join(
            f"{i + 4}. Instruction: Please talk about the {word} of {'abcdefgh'[i] * 9} and "
            f"{i * 'z'}q.\n"
            f"{i + 4}. Input:\n<noinput>\n{i + 4}. Output:\nok" for i, word in
            enumerate([*words, "musician"]))
        self.assertEqual(len(self.made(reply)), 1)
        self.assertEqual([step for step, _ in self.rejects], ["words_alone"] * len(words))

    def test_seeds_alone_are_shown(self):
        with open(SEEDS, encoding="utf-8") as file:
            seeds = {json.loads(line)["instruction"] for line in file}
        run = self.recipe("alpaca", INVENTIVE, "params.rounds=3", "params.prompts=4",
                          "params.count=12")
        self.assertEqual(len(run["asked"]), 12)
        for asked in run["asked"]:
            shown = [line.split("Instruction: ")[1] for line in asked["prompt"].split("\n")
                     if ". Instruction: " in line]
            self.assertEqual(len(set(shown)), 3)
            self.assertTrue(set(shown) <= seeds)
        self.assertEqual(run["accepted"], 12)


if __name__ == "__main__":
    harness.main()
