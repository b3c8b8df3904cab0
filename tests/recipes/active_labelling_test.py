# SPDX-License-Identifier: Apache-2.0
"""Active labelling (Wang et al. 2021) on recorded labels: people, whose answers are the gold
labels, relabel what a student doubts. On FreeAL's film reviews, labelled by ChatGPT with 93.72 %
right, the least confident tenth is worth more than a tenth drawn at random."""
import gzip
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
PIPELINE = """
xylem: 1
name: active_{method}
seed: 5
codebook:
  task: Is the review positive?
  labels: {{ positive: It praises., negative: It pans. }}
steps:
  - {{ id: annotated, use: read, with: {{ path: reviews.jsonl }} }}
  - {{ id: student, use: student, with: {{ learner: {{ use: linear }}, action: annotate }} }}
  - id: sure
    use: set
    with:
      sureness: "student_confidence if student_label == label else 1 - student_confidence"
  - id: doubtful
    use: select
    with:
      method: {method}
      confidence: {confidence}
      share: {share}
      action: mark
      rank: asked
  - id: people
    use: human
    with: {{ only: "asked is defined", queue: queue.jsonl, answers: answers.jsonl }}
  - {{ id: quality, use: evaluator/agreement, with: {{ gold: gold, predicted: label }} }}
write: {{ path: out.jsonl }}
"""
NAMES = ["negative", "positive"]


class ActiveLabelling(harness.Case):
    def setUp(self):
        super().setUp()
        path = os.path.join(DATA, "freeal-mr", "train.jsonl.gz")
        if not os.path.exists(path):
            self.skipTest(f"there is no {path}")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.rows = [row for row in rows if row["chatgpt"] >= 0]
        self.write("reviews.jsonl", "".join(
            json.dumps({"n": i, "text": row["text"], "gold": NAMES[row["gold"]],
                        "label": NAMES[row["chatgpt"]]}) + "\n" for i, row in enumerate(self.rows)))

    def accuracy(self, method, share, confidence="sureness"):
        """Pauses, is answered by somebody who is never wrong, and goes on."""
        for name in ("queue.jsonl", "answers.jsonl"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        self.write("active.yaml", PIPELINE.format(method=method, share=share,
                                                  confidence=confidence))
        self.xylem("run", "-q", "active.yaml", code=6)
        gold = {}
        for row in self.rows:
            gold.setdefault(row["text"].strip(), NAMES[row["gold"]])
        queue = self.records("queue.jsonl")
        self.assertEqual(len(queue), -int(-share * len(self.rows) // 1))
        self.write("answers.jsonl", "".join(
            json.dumps({"id": row["id"], "label": gold[row["text"].strip()],
                        "annotator": "gold"}) + "\n" for row in queue))
        summary = json.loads(self.xylem("run", "-q", "--json", "active.yaml").stdout)
        return next(100 * score["value"] for score in summary["report"]["scores"]
                    if (score["step"], score["name"]) == ("quality", "accuracy"))

    def test_doubt_beats_chance(self):
        recorded = 100 * sum(row["chatgpt"] == row["gold"] for row in self.rows) / len(self.rows)
        self.assertAlmostEqual(recorded, 93.72, places=2)
        for share in (0.05, 0.1, 0.2):
            doubtful = self.accuracy("least_confidence", share)
            unsure = self.accuracy("least_confidence", share, "student_confidence")
            random = self.accuracy("random", share)
            print(f"share {share}: by the label's probability {doubtful:.2f} %, by the student's "
                  f"confidence {unsure:.2f} %, at random {random:.2f} %, before {recorded:.2f} %")
            # At random a share of the wrong ones is corrected, with a standard error of 0.08.
            self.assertAlmostEqual(random, recorded + share * (100 - recorded), delta=0.4)
            self.assertGreater(doubtful, random + 0.4)
            self.assertGreater(unsure, random)


if __name__ == "__main__":
    harness.main()
