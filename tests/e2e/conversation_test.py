# SPDX-License-Identifier: Apache-2.0
"""Conversations in a field: what each prompt of a dialogue holds, when it stops, bad ones."""
import json
import signal
import time
import unittest

import harness

# Two speakers in one program, told apart by their system message. Each writes down what it was
# asked. The user says DONE when the opening names the round that it sees.
SPEAKERS = '''
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    messages = request["messages"]
    with open("asked.jsonl", "a") as file:
        file.write(json.dumps(messages) + "\\n")
    system, talk = messages[0]["content"], messages[1:]
    opening = talk[0]["content"]
    name = opening.split()[0]
    if system == "user":
        turn = (len(talk) + 1) // 2
        stop = opening.split()[1] == str(turn)
        text = f"{name} asks {turn}" + (" DONE" if stop else "")
    else:
        text = f"  {name} answers {(len(talk) + 1) // 2}  "
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''

DIALOGUE = """xylem: 1
models: { m: { use: exec, command: [python3, speakers.py] } }
steps:
  - { id: talks, use: grid, with: { opening: ["one 1", "two 2", "four 4", "never 9"] } }
  - id: begin
    use: set
    with: { messages: "[{'role': 'user', 'content': opening}]", done: "false" }
  - id: rounds
    repeat: 3
    steps:
      - id: assistant
        use: generate
        when: not done
        prompt: { messages: [{ role: system, content: assistant }, { history: messages }] }
        output: { into: answer, append_to: messages }
      - id: user
        use: generate
        when: not done
        prompt: { messages: [{ role: system, content: user }, { history: messages, swap: true }] }
        output: { into: question, append_to: messages, role: user }
      - { id: stop, use: set, when: not done, with: { done: "'DONE' in question" } }
write: { path: out.jsonl, rejects: rejects.jsonl }
"""


def expected_dialogue(opening):
    """The conversation and the prompts of it, said again in plain Python."""
    name, last = opening.split()
    talk, prompts = [("user", opening)], []
    for turn in range(1, 4):
        prompts.append([("system", "assistant")] + talk)
        talk = talk + [("assistant", f"{name} answers {turn}")]
        swapped = [({"user": "assistant", "assistant": "user"}[role], text)
                   for role, text in talk]
        prompts.append([("system", "user")] + swapped)
        talk = talk + [("user", f"{name} asks {turn}" + (" DONE" if turn == int(last) else ""))]
        if turn == int(last):
            break
    return talk, prompts


class Dialogue(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("speakers.py", SPEAKERS.replace("\\n", "\\n"))
        self.write("p.yaml", DIALOGUE)

    @staticmethod
    def pairs(messages):
        return [(message["role"], message["content"]) for message in messages]

    def test_each_prompt_and_where_it_stops(self):
        check = json.loads(self.xylem("check", "--json", "p.yaml").stdout)
        self.assertEqual(check["calls"], 4 * 3 * 2)  # nobody knows beforehand who stops
        self.xylem("run", "-q", "p.yaml")
        expected = [expected_dialogue(opening) for opening in ("one 1", "two 2", "four 4",
                                                               "never 9")]
        self.assertEqual([len(talk) for talk, _ in expected], [3, 5, 7, 7])  # not a vacuous test
        written = self.records("out.jsonl")
        self.assertEqual([self.pairs(record["messages"]) for record in written],
                         [talk for talk, _ in expected])
        self.assertEqual([record["done"] for record in written], [True, True, False, False])
        asked = sorted(self.pairs(messages) for messages in self.records("asked.jsonl"))
        self.assertEqual(asked, sorted(prompt for _, prompts in expected for prompt in prompts))
        for prompt in asked:  # after the system message: turn and turn about
            roles = [role for role, _ in prompt[1:]]
            self.assertTrue(all(a != b for a, b in zip(roles, roles[1:])), roles)

    def test_again_asks_for_nothing(self):
        self.xylem("run", "-q", "p.yaml")
        before, written = len(self.records("asked.jsonl")), self.read("out.jsonl")
        self.xylem("run", "-q", "p.yaml")
        self.assertEqual(len(self.records("asked.jsonl")), before)
        self.assertEqual(self.read("out.jsonl"), written)
        # One round more: only what is new is asked, and who had stopped stays as it was.
        self.xylem("run", "-q", "p.yaml", "--set", "steps.rounds.repeat=4")
        self.assertEqual(len(self.records("asked.jsonl")), before + 2 * 2)
        longer = [len(record["messages"]) for record in self.records("out.jsonl")]
        self.assertEqual(longer, [3, 5, 9, 9])

    def test_killed_in_the_middle(self):
        """What is paid again is at most what was in flight, and the dialogues are the same."""
        self.xylem("run", "-q", "p.yaml")
        whole, asked = self.read("out.jsonl"), len(self.records("asked.jsonl"))
        self.write("speakers.py", SPEAKERS.replace("import json, sys",
                                                   "import json, sys, time; pause = time.sleep")
                   .replace("    request =", "    pause(0.05); request ="))
        self.write("p.yaml", DIALOGUE.replace("[python3,", "[python3, -u,"))  # other request keys
        for killed in (3, 8):
            run = self.start("run", "-q", "p.yaml")
            while len(self.records("asked.jsonl")) < asked + killed:
                self.assertIsNone(run.poll())
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
            run.wait()
            run.stderr.close()
        self.xylem("run", "-q", "p.yaml")
        self.assertEqual(self.read("out.jsonl"), whole)
        again = len(self.records("asked.jsonl")) - 2 * asked
        self.assertTrue(0 <= again <= 2 * 4, again)  # four dialogues: four calls in flight at most


class Fields(harness.Case):
    """What the field holds, and what becomes of the record."""

    TEXT = """xylem: 1
models: {{ m: {{ use: exec, command: [python3, model.py] }} }}
steps:
  - {{ id: rows, use: read, with: {{ path: rows.jsonl }} }}
  - id: answer
    use: generate
    prompt: {prompt}
    output: {{ into: answer, append_to: {append} }}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
"""
    MODEL = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    open("asked", "a").write("x")
    print(json.dumps({"id": request["id"], "text": "yes"}), flush=True)
"""

    def run_rows(self, rows, prompt="{ messages: [{ history: messages }] }", append="messages"):
        self.write("model.py", self.MODEL)
        self.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write("p.yaml", self.TEXT.format(prompt=prompt, append=append))
        self.xylem("run", "-q", "p.yaml")
        reasons = [row["trail"][-1]["reason"] for row in self.records("rejects.jsonl")]
        return self.records("out.jsonl"), reasons

    def asked(self):
        try:
            return len(self.read("asked"))
        except FileNotFoundError:
            return 0

    def test_what_is_no_conversation_is_dropped_before_it_is_paid_for(self):
        hi = {"role": "user", "content": "hi"}
        cases = [
            ({}, "prompt: the record has no field `messages`, expected a conversation"),
            ({"messages": "hi"}, "prompt: `messages` is no conversation: expected a list of {role, "
                                 "content}, found string"),
            ({"messages": {"role": "user"}}, "prompt: `messages` is no conversation: expected a "
                                             "list of {role, content}, found object"),
            ({"messages": [hi, "hi"]}, "prompt: `messages` is no conversation: the role of its "
                                       "item 2 is missing, expected system, user or assistant"),
            ({"messages": [{**hi, "role": "human"}]},
             "prompt: `messages` is no conversation: the role of its item 1 is `human`, expected "
             "system, user or assistant"),
            ({"messages": [{**hi, "role": 3}]},
             "prompt: `messages` is no conversation: the role of its item 1 is integer, expected "
             "system, user or assistant"),
            ({"messages": [{"role": "user"}]}, "prompt: `messages` is no conversation: the "
                                               "`content` of its item 1 is missing, expected a "
                                               "text"),
            ({"messages": [{**hi, "content": [{"type": "text"}]}]},
             "prompt: `messages` is no conversation: the `content` of its item 1 is array, "
             "expected a text"),
            ({"messages": []}, "prompt: it has no message, for its conversation is empty"),
            ({"messages": [hi, {"role": "assistant", "content": "no"}]},
             "prompt: `messages` ends with a turn of the model that is asked: there is nothing to "
             "answer"),
        ]
        kept, reasons = self.run_rows([row for row, _ in cases], append="other")
        self.assertEqual((kept, self.asked()), ([], 0))
        self.assertEqual(reasons, [reason for _, reason in cases])

    def test_swapped_it_must_end_with_the_other_turn(self):
        kept, reasons = self.run_rows(
            [{"messages": [{"role": "user", "content": "hi"}]}],
            prompt="{ messages: [{ history: messages, swap: true }] }")
        self.assertEqual((kept, self.asked()), ([], 0))
        self.assertEqual(reasons, ["prompt: `messages`, swapped, ends with a turn of the model "
                                   "that is asked: there is nothing to answer"])

    def test_a_prefill_after_a_conversation_is_one(self):
        kept, reasons = self.run_rows(
            [{"messages": [{"role": "user", "content": "hi"},
                           {"role": "assistant", "content": "no"}]}],
            prompt="{ messages: [{ history: messages }, { role: user, content: sure? }, "
                   "{ role: assistant, content: I am }] }", append="other")
        self.assertEqual(reasons, [])
        self.assertEqual(kept[0]["other"], [{"role": "assistant", "content": "yes"}])

    def test_an_answer_that_cannot_be_appended_is_not_paid_for(self):
        kept, reasons = self.run_rows([{"messages": "hi"}, {"messages": [{"role": "user"}]}],
                                      prompt="hi")
        self.assertEqual((kept, self.asked()), ([], 0))
        self.assertEqual(reasons, [
            "append_to: `messages` is no conversation: expected a list of {role, content}, found "
            "string",
            "append_to: `messages` is no conversation: the `content` of its item 1 is missing, "
            "expected a text"])

    def test_a_turns_other_members_are_kept(self):
        turn = {"role": "user", "content": "hi \u00e9 \"quoted\"\n", "weight": 2}
        kept, _ = self.run_rows([{"messages": [turn]}])
        self.assertEqual(kept[0]["messages"], [turn, {"role": "assistant", "content": "yes"}])


if __name__ == "__main__":
    harness.main()
