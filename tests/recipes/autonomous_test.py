# SPDX-License-Identifier: Apache-2.0
"""The planner in the loop: what it is shown, when the loop ends, and planners of no use."""
import collections
import json
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "autonomous.yaml")
TONES = ["polite", "worried", "annoyed", "in a hurry", "curious"]
SEEDS = [("lost luggage", "worried"), ("a delayed train", "annoyed"), ("lost luggage", "polite"),
         ("platforms", "in a hurry")]

# `plan` says what sort of planner it is; the writer's text has words of its own for each topic.
MODEL = '''
import json, re, sys
kind, calls = sys.argv[1], 0
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][1]["content"]
    if "This is round" in prompt:
        calls += 1
        with open("plans.jsonl", "a") as file:
            file.write(json.dumps(prompt) + "\\n")
        number = re.search(r"This is round (\\d+)", prompt).group(1)
        tone = re.search(r"Tones: ([a-z ]+?) \\d", prompt).group(1)  # the rarest comes first
        same = [{"topic": "one topic", "tone": "polite"}] * 2
        text = {"good": json.dumps({"conditions": [
                    {"topic": f"place{number}{letter}", "tone": tone} for letter in "ab"]}),
                "empty": json.dumps({"conditions": []}),
                "prose": "I would write about trains next, perhaps in a friendly voice.",
                "nonsense": json.dumps({"conditions": [{"topic": "x", "tone": "purple"}]}),
                "same": json.dumps({"conditions": same}),
                "endless": json.dumps({"conditions": [
                    {"topic": f"place{number}x{i}", "tone": tone} for i in range(20)]})}[kind]
    else:
        topic = re.search(r"about (.*), by", prompt).group(1)
        text = " ".join(f"{topic}w{i}".replace(" ", "") for i in range(8)) + "?"
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


class Autonomous(harness.Case):
    def run_recipe(self, kind, *sets):
        self.write("model.py", MODEL)
        words = []
        for value in [f"models.{alias}={{ use: exec, command: [python3, model.py, {kind}] }}"
                      for alias in ("teacher", "planner")] + \
                     [f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets]:
            words += ["--set", value]
        done = self.xylem("run", "-q", "--json", RECIPE, *words)
        summary = json.loads(done.stdout)
        reasons = [row["trail"][-1] for row in self.records("rejects.jsonl")]
        return summary, self.records("data.jsonl"), reasons, done.stderr

    @staticmethod
    def shown(pairs):
        """What the planner must be told of these (topic, tone) pairs: the rarest first."""
        topics = collections.Counter(topic for topic, _ in pairs)
        tones = collections.Counter(tone for _, tone in pairs)
        first = {topic: i for i, topic in reversed(list(enumerate(topic for topic, _ in pairs)))}
        topics = sorted(topics.items(), key=lambda item: (item[1], first[item[0]]))
        tones = sorted(((tone, tones[tone]) for tone in TONES), key=lambda item: item[1])
        return ("; ".join(f"{name} {count}" for name, count in topics),
                "; ".join(f"{name} {count}" for name, count in tones))

    def test_the_planner_sees_what_is_missing(self):
        summary, data, reasons, _ = self.run_recipe("good", "params.topics=9")
        pairs = [(row["topic"], row["tone"]) for row in data]
        self.assertEqual(pairs[:4], SEEDS)
        # Two new topics a round, three in the seeds: nine after three rounds, curious in the first.
        self.assertEqual([row["origin"] for row in data],
                         ["person"] * 4 + ["round 1"] * 2 + ["round 2"] * 2 + ["round 3"] * 2)
        self.assertEqual(reasons, [])
        plans = self.records("plans.jsonl")
        self.assertEqual(len(plans), 3)
        for i, plan in enumerate(plans):
            topics, tones = self.shown(pairs[:4 + 2 * i])
            self.assertIn(f"with the number of texts: {topics}.", plan)
            self.assertIn(f"Tones: {tones}.", plan)
            self.assertEqual("Share of different word pairs" in plan, i > 0)
        self.assertEqual(pairs[4:6], [("place1a", "curious"), ("place1b", "curious")])
        scores = {score["name"]: score["value"] for score in summary["report"]["scores"]
                  if score["step"] == "coverage"}
        self.assertEqual((scores["topic_values"], scores["tone_covered"]), (9, 1))

    def test_useless_planners_are_bounded_and_reported(self):
        cases = {"empty": ("conditions", "0 items in `conditions`; wanted are at least 1", 4),
                 "prose": ("plan", "the answer holds no JSON", 8),  # asked again once a round
                 "nonsense": ("plan", "conditions", 8)}
        for kind, (step, reason, asked) in cases.items():
            with self.subTest(kind):
                summary, data, reasons, _ = self.run_recipe(kind)
                self.assertEqual([(row["topic"], row["tone"]) for row in data], SEEDS)
                self.assertEqual([event["step"] for event in reasons], [step] * 4)
                self.assertTrue(all(reason in event["reason"] for event in reasons), reasons)
                calls = {model["alias"]: model["calls"] + model["cached"]
                         for model in summary["models"]}
                self.assertEqual((calls["planner"], calls["teacher"]), (asked, 0))

    def test_a_planner_that_repeats_itself(self):
        _, data, reasons, _ = self.run_recipe("same")
        self.assertEqual([row["topic"] for row in data[4:]], ["one topic"])
        self.assertEqual({event["step"] for event in reasons}, {"new"})
        self.assertEqual(len(reasons), 4 * 2 - 1)

    def test_a_plan_without_end_is_cut(self):
        _, data, reasons, said = self.run_recipe("endless", "params.rounds=1")
        self.assertEqual(len(data), 4 + 4)
        self.assertEqual(reasons, [])
        self.assertIn("16 items of 1 lists were left out, past `max_items`: 4", said)


if __name__ == "__main__":
    harness.main()
