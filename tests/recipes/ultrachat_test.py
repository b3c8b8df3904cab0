# SPDX-License-Identifier: Apache-2.0
"""UltraChat over its recorded evaluation questions: roles, history and rounds of every dialogue."""
import collections
import json
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "ultrachat.yaml")
DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))

# Each turn names the opening's number and the turn, so that a mixed-up history would show. Every
# tenth user gives up after four questions, every tenth thanks after four, and one never ends.
MODEL = '''
import json, re, sys
for line in sys.stdin:
    request = json.loads(line)
    messages = request["messages"]
    if "json_schema" in request:
        text = json.dumps(["[900] a question"])
    else:
        with open(sys.argv[1], "a") as file:
            file.write(json.dumps(messages) + "\\n")
        number = re.search(r"\\[(\\d+)\\]", messages[1 + (len(sys.argv) > 2)]["content"]).group(1)
        if len(sys.argv) > 2:
            turn = (len(messages) - 2) // 2
            text = f"[{number}] question {turn}?"
            if turn == 4:
                text = {"5": "END", "7": "Thanks, I appreciate it. Goodbye!"}.get(number[-1], text)
        else:
            text = f"[{number}] answer {len(messages) // 2}."
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


class UltraChat(harness.Case):
    def openings(self):
        path = os.path.join(DATA, "ultrachat", "ultra_eval.json")
        if not os.path.exists(path):
            self.skipTest(f"there is no {path}")
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)
        return [{"topic": row["class"].strip(), "subtopic": f"[{i}]",
                 "question": f"[{i}] {row['data']}"} for i, row in enumerate(rows)]

    def run_recipe(self, rows, *sets):
        self.write("model.py", MODEL)
        self.write("openings.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        words = []
        for value in [f"steps.given.with.path={self.path('openings.jsonl')}",
                      "steps.topics.with.topic=[nothing]",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", "write.with.keep=[subtopic]",
                      "models.teacher={ use: exec, command: [python3, model.py, teacher.jsonl] }",
                      "models.user={ use: exec, command: [python3, model.py, user.jsonl, user] }",
                      *sets]:
            words += ["--set", value]
        self.xylem("run", "-q", RECIPE, *words)
        return self.records("data.jsonl")

    @staticmethod
    def expected(opening, number, rounds):
        talk = [("user", opening)]
        for turn in range(1, rounds + 1):
            talk.append(("assistant", f"[{number}] answer {turn}."))
            if turn < rounds:
                talk.append(("user", f"[{number}] question {turn}?"))
        return talk

    def test_385_openings(self):
        rows = self.openings()
        self.assertEqual(len(rows), 385)
        rounds = {}
        for record in self.run_recipe(rows):
            talk = [(message["role"], message["content"]) for message in record["messages"]]
            number = int(talk[0][1][1:].split("]")[0])
            rounds[number] = len(talk) // 2
            opening = rows[number]["question"] if number < 385 else "[900] a question"
            self.assertEqual(talk, self.expected(opening, number, rounds[number]))
        self.assertEqual(sorted(rounds), list(range(385)) + [900])  # 3 rounds are always reached
        drawn = collections.Counter(count for number, count in rounds.items()
                                    if number % 10 not in (5, 7))
        # 3 to 7, each as likely: 62 of the 309 expected, and 40 would be 3 standard deviations off.
        self.assertEqual(sorted(drawn), [3, 4, 5, 6, 7])
        self.assertTrue(all(41 < count < 83 for count in drawn.values()), drawn)
        stopped = [rounds[number] for number in rounds if number % 10 in (5, 7)]
        self.assertEqual(set(stopped), {3, 4})  # the user's fourth turn ended it
        self.check_prompts(rounds)

    def check_prompts(self, rounds):
        """Each prompt is a beginning of its dialogue; how many there are, the rounds tell."""
        asked = collections.Counter()
        for messages in self.records("teacher.jsonl"):
            talk = [(message["role"], message["content"]) for message in messages]
            self.assertEqual(talk[0][0], "system")
            number = int(talk[1][1][1:].split("]")[0])
            turn = len(talk) // 2
            asked[number] += 1
            self.assertEqual(talk[1:], self.expected(talk[1][1], number, turn)[:-1])
        self.assertEqual(asked, rounds)
        questions = collections.Counter()
        swap = {"user": "assistant", "assistant": "user"}
        for messages in self.records("user.jsonl"):
            talk = [(message["role"], message["content"]) for message in messages]
            self.assertEqual([role for role, _ in talk[:3]], ["system", "user", "assistant"])
            number = int(talk[2][1][1:].split("]")[0])
            questions[number] += 1
            turn = (len(talk) - 2) // 2
            seen = [(swap[role], text) for role, text in talk[2:]]
            self.assertEqual(seen, self.expected(talk[2][1], number, turn))
        for number, count in rounds.items():
            early = number % 10 in (5, 7) and count == 4 and questions[number] == 4
            self.assertEqual(questions[number], count if early else count - 1)

    def test_a_dialogue_that_never_ends_is_bounded(self):
        rows = [{"topic": "t", "subtopic": "[1]", "question": "[1] go on for ever"}]
        records = self.run_recipe(rows, "params.least=7", "params.most=7")
        self.assertEqual([len(record["messages"]) for record in records], [14, 14])


if __name__ == "__main__":
    harness.main()
