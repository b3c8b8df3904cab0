# SPDX-License-Identifier: Apache-2.0
"""The recipes semantic_deduplication and decontamination: what goes at which step, and its twin."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness


class Redundancy(harness.Case):
    def rejects(self, name, *sets):
        """From the beginning of each rejected text to its step and reason."""
        answers = os.path.join(harness.ROOT, "tests", "golden", name, "answers.jsonl")
        words = [f"models.embedder={json.dumps({'use': 'replay', 'file': answers})}",
                 f"write.path={self.path('data.jsonl')}",
                 f"write.rejects={self.path('rejects.jsonl')}", *sets]
        self.xylem("run", "-q", "--runs", self.path("runs"),
                   os.path.join(harness.ROOT, "pipelines", f"{name}.yaml"),
                   *[word for value in words for word in ("--set", value)])
        return {reject["fields"]["text"][:12]: (reject["trail"][-1]["step"],
                                                reject["trail"][-1]["reason"])
                for reject in self.records("rejects.jsonl")}

    def twins(self, rejects):
        """From the text to its step and whether the twin is of `against`."""
        for _, reason in rejects.values():
            self.assertRegex(reason, r"\b[0-9a-f]{16}\b")
        return {text: (step, "of `against`" in reason)
                for text, (step, reason) in rejects.items()}

    def test_deduplication(self):
        rejects = self.rejects("semantic_deduplication")
        self.assertEqual(self.twins(rejects), {
            "Back up your": ("exact", True),
            "salt the wat": ("exact", False),
            "Before you s": ("minhash", True),    # 15 of 19 runs of three words
            "Let a cast-i": ("minhash", False),   # 16 of 21
            "Tomatoes sho": ("semantic", True),
            "In autumn, o": ("semantic", False),
            "Add salt to ": ("semantic", False)})
        self.assertIn("similarity 0.79", rejects["Before you s"][1])
        self.assertIn("similarity 0.76", rejects["Let a cast-i"][1])
        self.assertEqual(len(self.records("data.jsonl")), 6)

    def test_deduplication_without_a_corpus(self):
        self.write("none.jsonl", "")
        answers = os.path.join(harness.ROOT, "tests", "golden", "semantic_deduplication",
                               "answers.jsonl")
        # What the corpus had dropped is embedded now: it lies far from all else.
        with open(answers, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        width = max(len(line["vector"]) for line in lines)
        for at, text in enumerate(("Back up your photos to a second disk, at least once a month!",
                                   "Before you set out on a long ride, check the brakes, the tyres "
                                   "and the chain of your bicycle.")):
            lines.append({"prompt": text, "vector": [0] * (width + at) + [1]})
        for line in lines:
            line["vector"] += [0] * (width + 2 - len(line["vector"]))
        self.write("answers.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        replay = json.dumps({"use": "replay", "file": self.path("answers.jsonl")})
        rejects = self.rejects("semantic_deduplication", f"params.corpus={self.path('none.jsonl')}",
                               f"models.embedder={replay}")
        self.assertEqual(set(rejects), {"salt the wat", "Let a cast-i", "In autumn, o",
                                        "Add salt to "})

    def test_decontamination(self):
        rejects = self.rejects("decontamination")
        self.assertEqual({text: step for text, (step, _) in rejects.items()}, {
            "WHICH PLANET": "words", "Here is an e": "words",
            "Why does a s": "meaning", "Which three ": "meaning", "Who was the ": "meaning"})
        self.twins(rejects)
        # Alike, but neither is of the test set: that is no contamination.
        kept = [record["text"] for record in self.records("data.jsonl")]
        self.assertEqual(len([text for text in kept if text.startswith("Who built the first")]), 2)
        self.assertEqual(len(kept), 7)


if __name__ == "__main__":
    harness.main()
