# SPDX-License-Identifier: Apache-2.0
"""Constitutional AI: the chain of critique and revision, and the labels of both halves."""
import collections
import json
import math
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
import harness

PIPELINES = os.path.join(harness.ROOT, "pipelines")
DATA = os.path.join(harness.ROOT, "examples", "data")

# Answers by what it is asked; prompt P has a fault until its answer has been revised P times.
CHAIN = '''
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    with open("asked.jsonl", "a") as file:
        file.write(json.dumps(request["messages"]) + "\\n")
    texts = [message["content"] for message in request["messages"]]
    if len(texts) == 1:
        text = f"the first answer to {texts[0]}, at some length"
    elif len(texts) == 3:
        done = texts[1].count("better") >= int(texts[0].split()[1])
        text = "There is no fault: No fault." if done else "It could be better."
    else:
        text = "better " + texts[1]
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''

# Chooses the longer answer, of the first two words a taste for what is shown first.
JUDGE = '''
import json, math, re, sys
for line in sys.stdin:
    request = json.loads(line)
    with open("asked.jsonl", "a") as file:
        file.write(json.dumps(request) + "\\n")
    text = request["messages"][-1 if request["operation"] == "complete" else -2]["content"]
    if request["operation"] == "complete":
        system = request["messages"][0]["role"] == "system"
        reply = {"text": "thoughts" if "Think" in text else text + (" with care" if system else "")}
    else:
        first, second = re.search(r"\\(A\\) (.*) \\(B\\) (.*) Principle:", text).groups()
        share = SHARE[first.split()[0]] + (0.1 if len(first) > len(second) else -0.1)
        reply = {"scores": [math.log(share), math.log(1 - share)]}
    print(json.dumps({"id": request["id"], **reply}), flush=True)
'''


def principles():
    with open(os.path.join(DATA, "constitution.jsonl"), encoding="utf-8") as file:
        return [json.loads(line)["principle"] for line in file]


class Constitutional(harness.Case):
    def run_recipe(self, name, prompts, model, *sets):
        self.write("model.py", model)
        self.write("prompts.jsonl", "".join(json.dumps({"prompt": p}) + "\n" for p in prompts))
        words = []
        for value in [f"steps.prompts.with.path={self.path('prompts.jsonl')}",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets]:
            words += ["--set", value]
        self.xylem("run", "-q", os.path.join(PIPELINES, name + ".yaml"), *words)
        return self.records("data.jsonl")

    def test_chain(self):
        model = "models.teacher={ use: exec, command: [python3, model.py] }"
        prompts = [f"prompt {i % 6} number {i}" for i in range(60)]
        records = self.run_recipe("constitutional_ai", prompts, CHAIN, model)
        self.assertEqual([record["prompt"] for record in records], prompts)
        for i, record in enumerate(records):
            first = f"the first answer to {prompts[i]}, at some length"
            revised = min(i % 6, 4)  # four rounds at the most, also where a fault is left
            self.assertEqual((record["first_response"], record["revisions"], record["response"]),
                             (first, revised, "better " * revised + first))
        self.check_prompts(prompts)

    def check_prompts(self, prompts):
        """What each call saw: the conversation so far, with one of the principles."""
        drawn, kinds = collections.Counter(), collections.Counter()
        rounds = collections.defaultdict(list)
        for messages in self.records("asked.jsonl"):
            roles = [message["role"] for message in messages]
            texts = [message["content"] for message in messages]
            kinds[len(texts)] += 1
            self.assertEqual(roles, ["user", "assistant", "user", "assistant", "user"][:len(roles)])
            self.assertIn(texts[0], prompts)
            if len(texts) == 1:
                continue
            self.assertTrue(texts[1].endswith(f"the first answer to {texts[0]}, at some length"))
            named = [principle for principle in principles() if principle in texts[2]]
            self.assertEqual(len(named), 1, texts[2])
            if len(texts) == 3:
                drawn[named[0]] += 1
                rounds[texts[0]].append(named[0])
            else:
                self.assertEqual(texts[3], "It could be better.")
                self.assertEqual(rounds[texts[0]][texts[1].count("better")], named[0])
        # 0 to 5 faults, ten prompts each: critiques until none is left, or four; so many
        # revisions: 0 to 4, and 4.
        self.assertEqual(kinds, {1: 60, 3: 10 * (1 + 2 + 3 + 4 + 4 + 4),
                                 5: 10 * (1 + 2 + 3 + 4 + 4)})
        self.assertEqual(len(drawn), 16)  # 180 draws of 16: none is missed but once in 7,000
        self.assertGreater(len({tuple(names) for names in rounds.values()}), 50)

    def test_a_critic_that_never_finds_anything_wrong(self):
        model = "models.teacher={ use: exec, command: [python3, model.py] }"
        records = self.run_recipe("constitutional_ai", ["prompt 0 a"], CHAIN, model,
                                  "params.stop=false")
        self.assertEqual(records[0]["revisions"], 4)  # the paper's own rule: always four

    def test_labels(self):
        shares = {"sure": 0.85, "even": 0.5, "first": 0.7, "third": 0.3}
        judge = JUDGE.replace("SHARE[", f"{shares}[")
        exec_model = "{ use: exec, command: [python3, model.py], operations: [complete, score] }"
        sets = [f"models.teacher={exec_model}", f"models.judge={exec_model}"]
        prompts = [f"{word} question" for word in shares]
        records = self.run_recipe("constitutional_preferences", prompts, judge, *sets)
        # `second` is longer: shown second it loses the first 0.1, shown first it wins 0.1. With s,
        # the taste for the first place: P(first) = (s - 0.1 + 1 - (s + 0.1)) / 2 = 0.4 for any s.
        self.assertEqual([record["prompt"] for record in records], prompts)
        for record in records:
            self.assertEqual(record["chosen"], record["prompt"] + " with care")
            self.assertEqual(record["rejected"], record["prompt"])
            self.assertTrue(math.isclose(record["preference"], 0.6, abs_tol=1e-9))
        # Without the other order the taste decides: 0.75, 0.4, 0.6, 0.2 for the first one.
        records = self.run_recipe("constitutional_preferences", prompts, judge, *sets,
                                  "steps.pairs.with.swapped=[]", "params.clamp=1")
        self.assertEqual([round(record["preference"], 9) for record in records],
                         [0.75, 0.6, 0.6, 0.8])
        self.assertEqual([record["chosen"] == record["prompt"] for record in records],
                         [True, False, True, False])
        records = self.run_recipe("constitutional_preferences", prompts, judge, *sets,
                                  "steps.pairs.with.swapped=[]", "params.clamp=0.6")
        self.assertEqual([round(record["preference"], 9) for record in records], [0.6] * 4)


if __name__ == "__main__":
    harness.main()
