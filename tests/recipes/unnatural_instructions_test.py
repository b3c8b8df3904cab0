# SPDX-License-Identifier: Apache-2.0
"""Unnatural Instructions: what may pass; an expansion keeps its core's input and output."""
import unittest

import scripted
from scripted import harness

MODEL = '''
count = 0
def answer(prompt, system, number):
    global count
    if "in other words." in prompt:
        task = prompt.split("Instruction: ")[-1].split("\\n")[0]
        return json.dumps({"wordings": [task + " (again)", "Once more: " + task, "too many"]})
    if "Write example 4" in prompt:
        count += 1
        made = [("Task A", "in A", "c"), ("Task B", "", "c"), (" ", "in C", "c"),
                ("Task A.", "IN a", "other"), ("Task D", "Grate the peel of two lemons.", "c"),
                ("Task E", "in E", "None")][(count - 1) % 6]
        return json.dumps(dict(zip(("instruction", "input", "constraints"), made)))
    return "output of " + " | ".join(prompt.split("\\n"))
'''


class UnnaturalInstructions(scripted.Case):
    def test_core_to_full(self):
        seeds = self.write("seeds.jsonl", "".join(
            '{"instruction": "s%d", "input": "%s", "constraints": "None"}\n' % (i, text)
            for i, text in enumerate(["Grate the peel of two lemons.", "x", "y"])))
        run = self.recipe("unnatural_instructions", MODEL, f"params.seeds={seeds}",
                          "params.count=6", "models.teacher.processes=1",
                          "models.teacher.concurrency=1")
        steps = [r["trail"][-1]["step"] for r in run["rejects"]]
        self.assertEqual(sorted(steps), ["has_input", "has_instruction", "new_examples",
                                         "not_a_demonstration"])
        self.assertEqual([(r["instruction"], r["wording"]) for r in run["data"]],
                         [(w, i) for t in ("Task A", "Task E") for i, w in
                          enumerate([t, f"{t} (again)", f"Once more: {t}"])])
        for core in ("A", "E"):
            family = [r for r in run["data"] if f"Task {core}" in r["instruction"]]
            self.assertEqual({(r["input"], r["output"], r["constraints"]) for r in family},
                             {(family[0]["input"], family[0]["output"], family[0]["constraints"])})
        # The constraints stand in the request for the output, unless there are none.
        self.assertIn("| Constraints: c |", run["data"][0]["output"])
        self.assertNotIn("Constraints", run["data"][3]["output"])

    def test_three_different_demonstrations(self):
        run = self.recipe("unnatural_instructions", MODEL, "params.count=30",
                          "models.teacher.concurrency=1")
        prompts = [a["prompt"] for a in run["asked"] if "Write example 4" in a["prompt"]]
        self.assertEqual(len(prompts), 30)
        for prompt in prompts:
            shown = [line for line in prompt.split("\n") if line.startswith("Instruction: ")]
            self.assertEqual(len(set(shown)), 3)
        self.assertGreater(len(set(prompts)), 20)  # of 120 ordered draws of 3 from 6


if __name__ == "__main__":
    harness.main()
