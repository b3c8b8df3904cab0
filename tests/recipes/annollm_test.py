# SPDX-License-Identifier: Apache-2.0
"""AnnoLLM: what the prompts of both stages hold, and how the draws of explanations vote."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "annollm.yaml")

# Explains with the example's word and a number of its own; labels the word "w<n>" by how many
# explanations of an even number it was shown: more than half say "same".
TEACHER = '''
import json, re, sys
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    with open("prompts.jsonl", "a") as file:
        file.write(json.dumps(prompt) + "\\n")
    words = re.findall(r"Word: (\\w+)", prompt)
    if "Explain briefly" in prompt:
        text = f"because {words[0]} {request.get('sample', 0)}"
    else:
        shown = re.findall(r"because \\w+ (\\d)", prompt)
        even = sum(int(n) % 2 == 0 for n in shown)
        text = json.dumps({"explanation": "so", "label": "same" if even > 2 else "different"})
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


class AnnoLlm(harness.Case):
    def test_prompts_and_votes(self):
        self.write("teacher.py", TEACHER)
        words = []
        for value in ["models.teacher={ use: exec, command: [python3, teacher.py] }",
                      "params.explanations=4", "params.sets=[1, 2, 3, 4, 5]",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}"]:
            words += ["--set", value]
        self.xylem("run", "-q", RECIPE, *words)
        prompts = self.records("prompts.jsonl")
        first = [p for p in prompts if "Explain briefly" in p]
        second = [p for p in prompts if "Explain briefly" not in p]
        self.assertEqual(len(first), 4 * 4)
        for prompt in first:  # the label is given: its reason is asked for
            self.assertRegex(prompt, r"The answer is: (same|different)\. Explain")
        votes = {}
        for prompt in second:
            *examples, word = re.findall(r"Word: (\w+)", prompt)
            self.assertEqual(sorted(examples), ["bank", "light", "match", "run"])
            shown = re.findall(r"because (\w+) (\d)", prompt)
            self.assertEqual([w for w, _ in shown], examples)
            even = sum(int(n) % 2 == 0 for _, n in shown)
            votes.setdefault(word, []).append(even > 2)
        data = self.records("data.jsonl")
        self.assertEqual(len(data), 5)
        for row in data:
            # A prompt that was drawn twice is asked once, so all five votes are known only as such.
            known = votes[row["word"]]
            self.assertLessEqual(len(known), 5)
            self.assertIn(row["label"] == "same", known)
            if len(known) == 5:
                self.assertEqual(row["label"] == "same", sum(known) > 2)
                share = max(sum(known), 5 - sum(known)) / 5
                self.assertAlmostEqual(row["vote_share"], share)
        self.assertGreater(sum(len(known) == 5 for known in votes.values()), 0)


if __name__ == "__main__":
    harness.main()
