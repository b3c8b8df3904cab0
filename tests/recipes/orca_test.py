# SPDX-License-Identifier: Apache-2.0
"""Orca: the table of system messages and task families, and what the training view hides."""
import collections
import json
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "orca.yaml")
DATA = os.path.join(harness.ROOT, "examples", "data")
GENERIC = "You are a careful assistant who explains what you do."

MODEL = '''
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    messages = request["messages"]
    with open(sys.argv[1], "a") as file:
        file.write(json.dumps([message["content"] for message in messages]) + "\\n")
    text = f"An explanation of {messages[1]['content']} that goes through all its parts in turn."
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


def rows(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Orca(harness.Case):
    def run_recipe(self, *sets):
        self.write("model.py", MODEL)
        words = []
        for value in [f"models.{name}={{ use: exec, command: [python3, model.py, {name}.jsonl] }}"
                      for name in ("teacher", "expert")] + \
                     [f"write.0.path={self.path('data.jsonl')}",
                      f"write.0.rejects={self.path('rejects.jsonl')}",
                      f"write.1.path={self.path('traces.jsonl')}", *sets]:
            words += ["--set", value]
        self.xylem("run", "-q", RECIPE, *words)
        return self.records("data.jsonl"), self.records("traces.jsonl")

    def test_the_table(self):
        systems, tasks = rows("orca_systems.jsonl"), rows("orca_tasks.jsonl")
        self.assertEqual(len({row["system"] for row in systems}), 16)
        family = {row["task"]: row["family"] for row in tasks}
        table = collections.Counter((row["system"], name) for row in systems
                                    for name in row["families"])
        _, traces = self.run_recipe()
        seen = collections.Counter((row["system"], row["family"]) for row in traces)
        self.assertEqual(seen, table)  # each pair of the table once, and no other
        self.assertTrue(all(family[row["task"]] == row["family"] for row in traces))
        asked = sorted(map(tuple, self.records("teacher.jsonl") + self.records("expert.jsonl")))
        self.assertEqual(asked, sorted((row["system"], row["task"]) for row in traces))

    def test_the_message_is_erased_in_the_training_view_only(self):
        data, traces = self.run_recipe()
        self.assertEqual({row["messages"][0]["content"] for row in data}, {GENERIC})
        self.assertEqual([row["messages"][1:] for row in data],
                         [[{"role": "user", "content": row["task"]},
                           {"role": "assistant", "content": row["trace"]}] for row in traces])
        view = self.read("data.jsonl").decode()
        for row in rows("orca_systems.jsonl"):
            self.assertNotIn(json.dumps(row["system"])[1:-1], view)
        self.assertNotIn(GENERIC, self.read("traces.jsonl").decode())
        data, traces = self.run_recipe("params.erase=false")
        self.assertEqual([row["messages"][0]["content"] for row in data],
                         [row["system"] for row in traces])

    def test_the_curriculum(self):
        # 31 pairs of the table, 30 draws each; a task drawn again for the same message is dropped.
        _, traces = self.run_recipe("params.each=30")
        self.assertEqual(len(traces), 2 * 31)  # two tasks in each family: all of them were drawn
        asked = {name: set(map(tuple, self.records(f"{name}.jsonl")))
                 for name in ("teacher", "expert")}
        for row in traces:
            self.assertIn((row["system"], row["task"]), asked[row["teacher"]])
        share = len(self.records("expert.jsonl")) / len(traces)
        self.assertTrue(0.03 < share < 0.32, share)  # 0.17, and three standard deviations of 62
        for stronger, count in (("0", 0), ("1", 31)):
            _, traces = self.run_recipe(f"params.stronger={stronger}")
            self.assertEqual(sum(row["teacher"] == "expert" for row in traces), count)


if __name__ == "__main__":
    harness.main()
