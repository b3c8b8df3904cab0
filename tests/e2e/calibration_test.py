# SPDX-License-Identifier: Apache-2.0
"""Contextual calibration of `score` against a plain computation (Zhao et al. 2021, "Calibrate
Before Use", section 4): each class's probability over that of a prompt without content, W =
diag(p_cf)^-1 and b = 0, made to sum to 1 again."""
import json
import math

import harness

LABELS = ("positive", "negative", "mixed")
SCORES = { # natural-log probabilities; the model leans to "positive" whatever it reads
    "N/A": (-0.3, -1.9, -2.6),
    "good": (-0.2, -2.4, -3.1),
    "bad": (-0.7, -0.9, -2.9),
    "both": (-0.6, -1.8, -1.7),
}
TOKENS = (1, 2, 4)


def plain(text, free, tokens=(1, 1, 1)):
    """From the definition, in probabilities; with tokens, of each token's geometric mean."""
    def shares(scores):
        return [math.exp(score / count) for score, count in zip(scores, tokens)]
    ratios = shares(SCORES[text])
    if free:
        ratios = [of / none for of, none in zip(ratios, shares(SCORES[free]))]
    return [ratio / sum(ratios) for ratio in ratios]


class Calibration(harness.Case):
    def scored(self, options):
        """The records, and how many calls were made for them."""
        texts = [text for text in SCORES if text != "N/A"]
        self.write("texts.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in texts))
        self.write("answers.jsonl", "".join(
            json.dumps({"prompt": f"Read: {text}", "scores": dict(zip(LABELS, scores)),
                        "score_tokens": list(TOKENS)}) + "\n"
            for text, scores in SCORES.items()))
        self.write("p.yaml", "xylem: 1\nname: p\n"
                   "models: { m: { use: replay, file: answers.jsonl } }\nsteps:\n"
                   "  - { use: read, with: { path: texts.jsonl } }\n"
                   "  - use: score\n    prompt: \"Read: {{ text }}\"\n"
                   f"    candidates: [{', '.join(LABELS)}]\n{options}"
                   "write: { path: out.jsonl }\n")
        summary = json.loads(self.xylem("run", "--fresh", "--json", "p.yaml").stdout)
        return self.records("out.jsonl"), summary["models"][0]

    def hold(self, options, free, tokens=(1, 1, 1)):
        records, model = self.scored(options)
        self.assertEqual(len(records), len(SCORES) - 1)
        for record in records:
            expected = plain(record["text"], free, tokens)
            for label, share in zip(LABELS, expected):
                self.assertAlmostEqual(record["scores_probabilities"][label], share, places=9)
            self.assertEqual(record["scores"], LABELS[expected.index(max(expected))])
            self.assertAlmostEqual(record["scores_confidence"], max(expected), places=9)
        return [record["scores"] for record in records], model

    def test_against_a_plain_computation(self):
        free = "    content_free: \"Read: N/A\"\n"
        without, _ = self.hold("    into: scores\n", None)
        self.assertEqual(without, ["positive", "positive", "positive"])
        with_it, model = self.hold(f"    into: scores\n{free}", "N/A")
        self.assertEqual(with_it, ["positive", "negative", "mixed"])
        self.assertEqual(model["calls"], len(SCORES)) # the one without content once for all
        self.hold(f"    into: scores\n{free}    calibrate: false\n", None)

    def test_by_length(self):
        """Both sums are over the same candidates, so both are divided by their tokens."""
        self.hold("    into: scores\n    content_free: \"Read: N/A\"\n"
                  "    normalize_length: true\n", "N/A", TOKENS)


if __name__ == "__main__":
    harness.main()
