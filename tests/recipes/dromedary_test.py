# SPDX-License-Identifier: Apache-2.0
"""Dromedary: topics once by name, the prompt of an answer, what the training view hides."""
import json
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "dromedary.yaml")
DATA = os.path.join(harness.ROOT, "examples", "data")

# Topics: each type names three, of which one is the same for all types, and one differs from that
# of another type only in case and punctuation.
MODEL = '''
import json, sys
types = [json.loads(line) for line in open(sys.argv[1])]
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    number = next((i for i, row in enumerate(types) if row["type"] in prompt), 0)
    if prompt.startswith("Name 3 topics"):
        reply = ["the weather", f"topic {number}", f"Sun-dials {number // 2}" if number % 2 else
                 f"sun dials {number // 2}!"]
    elif prompt.startswith("Write one short request"):
        topic = prompt.split("Its topic is ")[1].split(". An example")[0]
        reply = {"instruction": f"{topic} {topic} {topic} {topic} of type{number}?"}
    else:
        with open("asked.jsonl", "a") as file:
            file.write(json.dumps(request["messages"]) + "\\n")
        request_text = prompt.split("Request: ")[-1]
        reply = {"thoughts": "secret thoughts", "response": f"About {request_text}"}
    print(json.dumps({"id": request["id"], "text": json.dumps(reply)}), flush=True)
'''


class Dromedary(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("model.py", MODEL)
        words = []
        types = os.path.join(DATA, "dromedary_types.jsonl")
        for value in [f"models.teacher={{ use: exec, command: [python3, model.py, {types}] }}",
                      "params.topics=3", f"write.0.path={self.path('data.jsonl')}",
                      f"write.0.rejects={self.path('rejects.jsonl')}",
                      f"write.1.path={self.path('thoughts.jsonl')}"]:
            words += ["--set", value]
        self.xylem("run", "-q", RECIPE, *words)

    def test_topics_by_name(self):
        topics = [row["topic"] for row in self.records("thoughts.jsonl")]
        # 20 types: their own 20 topics, one that all share, and ten that two types share.
        self.assertEqual(len(topics), 20 + 1 + 10)
        self.assertEqual(topics.count("the weather"), 1)
        self.assertEqual([topic for topic in topics if topic.lower().startswith("sun")],
                         [f"sun dials {i}!" for i in range(10)])
        steps = [row["trail"][-1]["step"] for row in self.records("rejects.jsonl")]
        self.assertEqual(steps, ["topic_names"] * (19 + 10))

    def test_the_prompt(self):
        with open(os.path.join(DATA, "dromedary_demos.jsonl"), encoding="utf-8") as file:
            demos = [json.loads(line) for line in file]
        asked = self.records("asked.jsonl")
        self.assertEqual(len(asked), 31)
        for system, user in asked:
            lines = system["content"].split("\n")
            self.assertEqual([line.split(".")[0] for line in lines if line[:1].isdigit()],
                             [str(i) for i in range(1, 17)])
            for demo in demos:
                self.assertIn(f"Request: {demo['instruction']}\nThoughts: {demo['thoughts']}\n"
                              f"Response: {demo['response']}\n\n", user["content"])
            self.assertEqual(user["content"].count("Request: "), 6)

    def test_the_training_view(self):
        data, full = self.records("data.jsonl"), self.records("thoughts.jsonl")
        self.assertEqual([row["messages"] for row in data],
                         [[{"role": "user", "content": row["instruction"]},
                           {"role": "assistant", "content": row["response"]}] for row in full])
        view = self.read("data.jsonl").decode().lower()
        self.assertNotIn("thoughts", view)
        self.assertNotIn("principle", view)
        self.assertEqual({row["thoughts"] for row in full}, {"secret thoughts"})


if __name__ == "__main__":
    harness.main()
