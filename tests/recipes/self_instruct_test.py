# SPDX-License-Identifier: Apache-2.0
"""Self-Instruct: what the prompts are made of, every rejection rule by rows, bad models."""
import json
import os
import re
import unittest

import scripted
from scripted import harness

SEEDS = os.path.join(harness.ROOT, "examples", "data", "self_instruct_seeds.jsonl")

# Answers to the steps behind the pool: no classification, one plain instance.
REST = '''
def rest(prompt):
    if "Answer with Yes or No" in prompt:
        return json.dumps({"classification": "No"})
    return json.dumps([{"input": "", "output": "Done: " + prompt[-20:].strip() + "."}])
'''

# Every task is made of words that no other has: nothing is too similar, nothing breaks a rule.
INVENTIVE = REST + '''
def word(n):
    return "".join("bcdfghklmn"[int(d)] + "aeiou"[int(d) % 5] for d in str(n + 1000))
def answer(prompt, system, number):
    if "Continue the list" not in prompt:
        return rest(prompt)
    lines = []
    for i in range(4):
        words = [word(((number * 4) + i) * 6 + k) for k in range(6)]
        lines.append(f"{9 + i}. Explain {' '.join(words)}")
    return "\\n".join(lines)
'''

REPEATING = REST + '''
def answer(prompt, system, number):
    if "Continue the list" not in prompt:
        return rest(prompt)
    return "9. Name a river that flows to the north."
'''

TALKATIVE = REST + '''
def answer(prompt, system, number):
    return "I am sorry, but as a language model I would rather not." \\
        if "Continue the list" in prompt else rest(prompt)
'''


def rules(tasks):
    """A model that answers with these tasks, once."""
    return REST + f'''
def answer(prompt, system, number):
    if "Continue the list" not in prompt:
        return rest(prompt)
    return "\\n".join(f"{{9 + i}}. {{task}}" for i, task in enumerate({tasks!r}))
'''


def instances(lists):
    """A model whose n-th task has the n-th list of instances."""
    names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"][:len(lists)]
    tasks = [f"{name} {name} {name} {name}." for name in names]
    return f'''
def answer(prompt, system, number):
    if "Continue the list" in prompt:
        return "\\n".join(f"{{9 + i}}. {{task}}" for i, task in enumerate({tasks!r}))
    if "Answer with Yes or No" in prompt:
        return json.dumps({{"classification": "No"}})
    for name, made in zip({names!r}, {lists!r}):
        if name in prompt:
            return json.dumps(made)
''', tasks


class SelfInstruct(scripted.Case):
    def shown(self, asked):
        """The demonstrations of each prompt for tasks, in order."""
        return [re.findall(r"(?m)^\d+\. (.*)$", a["prompt"]) for a in asked
                if "Continue the list" in a["prompt"]]

    def test_prompts_show_eight_of_which_two_are_the_machines(self):
        with open(SEEDS, encoding="utf-8") as file:
            seeds = {json.loads(line)["instruction"] for line in file}
        run = self.recipe("self_instruct", INVENTIVE, "params.rounds=4", "params.prompts=20",
                          "params.tasks=4", "params.count=320")
        shown = self.shown(run["asked"])
        self.assertEqual(len(shown), 80)
        places = [0] * 8
        for i, demonstrations in enumerate(shown):
            self.assertEqual(len(demonstrations), 8)
            self.assertEqual(len(set(demonstrations)), 8)
            own = [place for place, text in enumerate(demonstrations) if text not in seeds]
            # In the first round there is nothing of its own yet.
            self.assertEqual(len(own), 0 if i < 20 else 2)
            for place in own:
                places[place] += 1
        # 120 draws over 8 places: 15 each, and five standard deviations are 18.
        self.assertEqual(sum(places), 120)
        self.assertTrue(all(0 < n < 33 for n in places), places)
        # Each demonstration of its own came from an earlier round.
        made = {f"Explain {a}" for a in
                re.findall(r"Explain (.*)", "\n".join(a["text"] for a in run["asked"]))}
        self.assertTrue(all(text in seeds or text in made for d in shown for text in d))
        self.assertEqual(run["accepted"], 320)

    def test_every_rejection_rule(self):
        tasks = {
            "Sum it up.": "sensible_length",                        # 3 words
            "word " * 151 + "end": "sensible_length",               # more than 150
            "Describe the image in one sentence.": "words_alone",
            "Describe the IMAGES in one sentence.": "words_alone",
            "Explain what a graph is made of.": "words_alone",
            "Read these graphs out loud.": "words_alone",
            "Say what the picture shows.": "words_alone",
            "Sort all pictures by their age.": "words_alone",
            "Open the file and read it.": "words_alone",
            "Rename the files one by one.": "words_alone",
            "Find the town on a map.": "words_alone",
            "Compare two maps of Rome.": "words_alone",
            "Please draw a red house.": "words_alone",
            "Tell the plot of a film.": "words_alone",
            "Please go to the shop.": "words_alone",
            "Write a program that counts words.": "no_program",
            "'Quote' one line of verse.": "no_punctuation_first",
            "(Optional) say something nice today.": "no_punctuation_first",
            "\u00dcbersetze den Satz ins Englische.": "english",
            "\u8bf7\u7528\u4e2d\u6587 write one short poem.": "english",
            "Rewrite the sentence so that a child understands it.": "new_tasks",
        }
        kept = [
            "Give me four words.",                                  # exactly 4 words
            "word " * 149 + "end",                                  # exactly 150
            "Imagine drawing a profile of someone mapping seas.",   # parts of the words only
            "Then write a program of concerts, please.",            # not at the beginning
        ]
        lines = list(tasks) + kept
        run = self.recipe("self_instruct", rules(lines), "params.rounds=1", "params.prompts=1",
                          f"params.tasks={len(lines)}", f"params.count={len(kept)}")
        reasons = self.reasons(run)
        for task, step in tasks.items():
            self.assertEqual(reasons.get(task.strip(), ("kept",))[0], step, task)
        self.assertEqual([r["instruction"] for r in run["data"]], kept)

    def test_every_rule_for_instances(self):
        def one(input_, output):
            return {"input": input_, "output": output}
        source, tasks = instances([
            [one("a", "b"), one("a", "c"), one("d", "e")],  # one input, two outputs: all of them go
            [one("", "b"), one("", "c")],                   # without an input that is fine
            [one("same", "same "), one("x", "y")],
            [one("x", " ")],
            [one("The answer is:", "y"), one("x", "It is: "), one("k: v", "l: w")],
            [one("x", "y"), one("x", "y")],
            [one(str(i), f"o{i}") for i in range(5)],
        ])
        run = self.recipe("self_instruct", source, "params.rounds=1", "params.prompts=1",
                          "params.tasks=7", "params.count=10")
        kept = [(tasks.index(r["instruction"]), r["input"], r["output"]) for r in run["data"]]
        self.assertEqual(kept, [(1, "", "b"), (1, "", "c"), (2, "x", "y"), (4, "k: v", "l: w"),
                                (5, "x", "y"), *[(6, str(i), f"o{i}") for i in range(5)]])
        steps = sorted(r["trail"][-1]["step"] for r in run["rejects"]
                       if r["trail"][-1]["step"] != "machine_made")
        self.assertEqual(steps, ["answers", "examples", "has_output", "input_is_whole",
                                 "one_output_per_input", "output_is_whole"])

    def test_a_model_that_repeats_itself_is_bounded(self):
        run = self.recipe("self_instruct", REPEATING, "params.rounds=5", "params.prompts=4",
                          "params.tasks=4", "params.count=10", code=3)
        self.assertEqual(run["accepted"], 1)
        asked = [a for a in run["asked"] if "Continue the list" in a["prompt"]]
        self.assertEqual(len(asked), 20)
        self.assertIn("9 records short", run["said"])
        twins = [reason for step, reason in [(r["trail"][-1]["step"], r["trail"][-1]["reason"])
                                             for r in run["rejects"]] if step == "new_tasks"]
        self.assertEqual(len(twins), 19)
        self.assertTrue(all(reason.startswith("ROUGE-L 1.000 with ") for reason in twins))

    def test_replies_without_a_list(self):
        run = self.recipe("self_instruct", TALKATIVE, "params.rounds=2", "params.prompts=3",
                          "params.count=1", code=3)
        self.assertEqual(run["data"], [])
        steps = [r["trail"][-1]["step"] for r in run["rejects"]]
        self.assertEqual(steps.count("numbered"), 6)

    def test_no_seeds(self):
        empty = self.write("none.jsonl", "")
        done = self.xylem("run", "-q", "--runs", self.path("runs"),
                          os.path.join(harness.ROOT, "pipelines", "self_instruct.yaml"),
                          "--set", f"params.seeds={empty}",
                          "--set", "models.teacher={ use: exec, command: ['true'] }",
                          "--set", f"write.path={self.path('d.jsonl')}",
                          "--set", f"write.rejects={self.path('r.jsonl')}", code=1)
        self.assertIn("error", done.stderr)
        self.assertEqual(done.stderr.count("error"), 1, done.stderr)


if __name__ == "__main__":
    harness.main()
