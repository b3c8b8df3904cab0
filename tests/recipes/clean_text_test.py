# SPDX-License-Identifier: Apache-2.0
"""The recipe clean_text: which filter stops which reply, and with what reason."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

RECIPE = os.path.join(harness.ROOT, "pipelines", "clean_text.yaml")
ANSWERS = os.path.join(harness.ROOT, "tests", "golden", "clean_text", "answers.jsonl")


class CleanText(harness.Case):
    def test_each_fault_has_its_filter(self):
        replay = json.dumps({"use": "replay", "file": ANSWERS})
        self.xylem("run", "-q", "--runs", self.path("runs"), RECIPE,
                   "--set", f"models.teacher={replay}",
                   "--set", f"write.path={self.path('data.jsonl')}",
                   "--set", f"write.rejects={self.path('rejects.jsonl')}")
        stopped = {}
        for line in self.records("rejects.jsonl"):
            fields, last = line["fields"], line["trail"][-1]
            stopped[fields["product"], fields["label"]] = last["step"], last["reason"]
        expected = {
            ("kettle", "complaint"): ("refusals", "I'm sorry, but I can't"),
            ("backpack", "praise"): ("leakage", "[PRODUCT NAME]"),
            ("backpack", "complaint"): ("refusals", "As an AI language model"),
            ("headphones", "praise"): ("language", "`de`"),
            ("headphones", "complaint"): ("repetition", "top_2"),
            ("raincoat", "praise"): ("leakage", "gives its label `praise` away"),
            ("raincoat", "complaint"): ("toxicity", "insult"),
            ("toaster", "praise"): ("leakage", "11 words in a row are the prompt's"),
            ("notebook", "complaint"): ("encoding", "U+FFFD"),
            ("bicycle bell", "complaint"): ("exact", "equals"),
        }
        self.assertEqual({key: step for key, (step, _) in stopped.items()},
                         {key: step for key, (step, _) in expected.items()})
        for key, (_, words) in expected.items():
            self.assertIn(words, stopped[key][1])
        self.assertNotIn("example.com", self.read("data.jsonl").decode())


if __name__ == "__main__":
    harness.main()
