# SPDX-License-Identifier: Apache-2.0
"""UDAPDR's synthetic data with a model that a test writes: prompts, consistency and negatives."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

# The strong one asks with the passage's last four words, the cheap one with its last three; about
# the reading room it asks what no passage answers.
SOURCE = '''
def answer(prompt, system, number):
    strong = "Answer with that line alone" in prompt
    passage = prompt.split("\\n\\n")[0 if strong else -1].split("Query:")[0].split()
    if not strong and passage[-1] == "talking.":
        return " Quiet parrots overseas?"
    way = "about " if "search box" in prompt else ""
    return " " + way + " ".join(passage[-4:] if strong else passage[-3:])
'''


class Udapdr(scripted.Case):
    def test_prompts_and_triples(self):
        cheap = "{ use: exec, command: [python3, '%s'] }" % self.path("speaker.py")
        summary = self.recipe("udapdr", SOURCE, f"models.cheap={cheap}", "params.strong=5")
        asked = [one["prompt"] for one in summary["asked"]]
        strong = [prompt for prompt in asked if "Answer with that line alone" in prompt]
        few = [prompt for prompt in asked if prompt not in strong]
        self.assertEqual(len(strong), 5 * 2)       # passages, ways of asking
        self.assertEqual(len(few), 16 * 2)         # all passages, both prompts
        queries = {one["text"].strip() for one in summary["asked"] if one["prompt"] in strong}
        shown = set()
        for prompt in few:
            *examples, own = prompt.split("Passage: ")[1:]
            for example in examples:
                passage, query = example.strip().split("\nQuery: ")
                self.assertIn(query, queries)
                self.assertNotEqual(passage, own.split("\nQuery:")[0])
            self.assertLessEqual(len(examples), 3)
            shown.add(tuple(example for example in examples))
        whole = {one for one in shown if len(one) == 3}
        self.assertEqual(len(whole), 2)            # the two prompts; else one of them less its own
        for one in shown:
            self.assertTrue(any(set(one) <= set(other) for other in whole))
        self.check_triples(summary)

    def check_triples(self, summary):
        groups = {}
        for row in summary["data"]:
            words = lambda text: re.findall(r"\w+", text.lower())
            self.assertNotEqual(row["negative"], row["positive"])
            self.assertLessEqual(row["rank"], 3)
            ends = words(row["query"])[-3:]
            self.assertEqual(words(row["positive"])[-3:], ends)
            groups.setdefault((row["query"], row["positive"], row["prompt"]), []).append(
                row["negative"])
        for negatives in groups.values():
            self.assertLessEqual(len(negatives), 2)
            self.assertEqual(len(set(negatives)), len(negatives))
        self.assertEqual({prompt for _, _, prompt in groups}, {"strong", "a"})
        reasons = [(reject["trail"][-1]["step"], reject["fields"].get("query"))
                   for reject in summary["rejects"]]
        self.assertIn(("consistent", "Quiet parrots overseas?"), reasons)
        # Prompt b got the same queries of the same passages: they count once.
        self.assertEqual(len([1 for step, _ in reasons if step == "distinct"]), 16)


if __name__ == "__main__":
    scripted.harness.main()
