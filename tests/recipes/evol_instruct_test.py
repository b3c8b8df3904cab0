# SPDX-License-Identifier: Apache-2.0
"""Evol-Instruct: operators, the four rules of elimination, failed ones tried again, lineages."""
import json
import unittest

import scripted
from scripted import harness

# A task grows by one mark in each evolution. What its first word says happens to it.
MODEL = '''
def answer(prompt, system, number):
    if "Do the two tasks below" in prompt:
        same = "equal task" in prompt
        return json.dumps({"verdict": "Equal" if same else "Different"})
    if "Write the task alone" in prompt:
        task = prompt.strip().split("\\n")[-1]
        kind = task.split()[0]
        evolved = {"copies1": "Here is the rewritten prompt: go on", "copies2": "#New Task#: go on",
                   "copies3": "The given task, but harder"}.get(kind, task + " +")
        return evolved
    kind = prompt.split()[0]
    return {"sorry": "I am sorry, I cannot do that.",
            "sorry80": "Sorry, but " + "word " * 90,
            "stop1": "The, of: it!", "stop2": "... ?! --",
            "brief": "Yes."}.get(kind, "A fine answer to " + prompt)
'''

# Fails the first time that it sees a task, and gets on the second time.
SECOND_TIME = '''
seen = set()
def answer(prompt, system, number):
    if "Do the two tasks below" in prompt:
        return json.dumps({"verdict": "Different"})
    if "Write the task alone" in prompt:
        task = prompt.strip().split("\\n")[-1]
        first = task not in seen
        seen.add(task)
        return "#Rewritten Prompt#" if first else task + " +"
    return "A fine answer."
'''


class EvolInstruct(scripted.Case):
    def seeds(self, tasks):
        return "params.seeds=" + self.write("seeds.jsonl", "".join(
            json.dumps({"instruction": t, "input": "", "output": "o"}) + "\n" for t in tasks))

    def test_operators_are_drawn_uniformly(self):
        count = 600
        run = self.recipe("evol_instruct", MODEL, self.seeds(f"task {i} x" for i in range(count)),
                          f"params.count={count}", "params.rounds=1")
        drawn = {}
        for record in run["data"]:
            drawn[record["operator"]] = drawn.get(record["operator"], 0) + 1
        self.assertEqual(drawn.pop("seed"), count)
        self.assertEqual(sorted(drawn), ["breadth", "complicate", "concrete", "constraint",
                                         "deepen", "reasoning"])
        # Binomial, n = 600 and p = 1/6: mean 100, and five standard deviations are 45.6.
        self.assertTrue(all(54 < n < 146 for n in drawn.values()), drawn)

    def test_prompts_say_what_the_operator_does(self):
        run = self.recipe("evol_instruct", MODEL, self.seeds(f"task {i} x" for i in range(60)),
                          "params.count=60", "params.rounds=1")
        says = {"constraint": "one more constraint", "deepen": "in more depth",
                "concrete": "more specific concepts", "reasoning": "ask for several",
                "complicate": "more complicated input", "breadth": "Invent a task"}
        asked = {a["text"]: a["prompt"] for a in run["asked"] if "Write the task alone" in
                 a["prompt"]}
        for record in run["data"]:
            if record["depth"] == 0:
                continue
            prompt = asked[record["instruction"]]
            self.assertEqual([name for name, text in says.items() if text in prompt],
                             [record["operator"]])
            self.assertEqual("10 to 20 words" in prompt, record["operator"] != "breadth")

    def test_the_four_rules(self):
        rules = {"copies1 task": "no_leftovers", "copies2 task": "no_leftovers",
                 "copies3 task": "no_leftovers", "equal task": "gains",
                 "sorry task": "no_refusal", "stop1 task": "says_something",
                 "stop2 task": "says_something"}
        good = ["plain task", "sorry80 task", "brief task"]
        run = self.recipe("evol_instruct", MODEL, self.seeds([*rules, *good]), "params.count=10",
                          "params.rounds=1")
        steps = {r["fields"]["origin"]: r["trail"][-1]["step"] for r in run["rejects"]}
        self.assertEqual(steps, rules)
        self.assertEqual([r["origin"] for r in run["data"] if r["depth"] == 1], good)
        self.assertEqual(len([r for r in run["data"] if r["depth"] == 0]), 10)

    def test_lineages_keep_their_depth(self):
        run = self.recipe("evol_instruct", MODEL, self.seeds(["one task", "equal task"]),
                          "params.count=2", "params.rounds=4")
        one = [r for r in run["data"] if r["origin"] == "one task"]
        self.assertEqual([(r["depth"], r["instruction"]) for r in one],
                         [(n, "one task" + " +" * n) for n in range(5)])
        # Each generation was answered as it reads, and the seed kept its answer.
        self.assertEqual([r["output"] for r in one],
                         ["o"] + ["A fine answer to one task" + " +" * n for n in range(1, 5)])
        equal = [r["depth"] for r in run["data"] if r["origin"] == "equal task"]
        self.assertEqual(equal, [0])
        self.assertEqual(len(run["rejects"]), 4)  # tried again each time

    def test_failed_ones_return_to_the_pool(self):
        run = self.recipe("evol_instruct", SECOND_TIME, self.seeds(["a task", "b task"]),
                          "params.count=2", "params.rounds=4")
        for origin in ("a task", "b task"):
            self.assertEqual([r["depth"] for r in run["data"] if r["origin"] == origin], [0, 1, 2])
        self.assertEqual(len(run["rejects"]), 4)


if __name__ == "__main__":
    harness.main()
