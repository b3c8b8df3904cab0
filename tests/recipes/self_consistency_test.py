# SPDX-License-Identifier: Apache-2.0
"""Self-consistency: the share of the votes as a confidence, on recorded answers of six models,
beside plain Python: accuracy, and expected calibration error in ten bins (Guo et al. 2017,
equation 3)."""
import collections
import gzip
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(scripted.harness.ROOT), "shared", "data"))
PANELS = os.path.join(DATA, "reference-values.json")

VOTE = """xylem: 1
name: panel
steps:
  - { id: answers, use: read, with: { path: answers.jsonl } }
  - { id: vote, use: vote, with: { field: label, by: row, keep: one, share: confidence } }
write: { path: voted.jsonl }
"""


def calibration_error(rows, bins=10):
    """rows: (confidence, right). The mean distance between confidence and accuracy, by bins."""
    groups = collections.defaultdict(list)
    for confidence, right in rows:
        groups[min(int(confidence * bins), bins - 1)].append((confidence, right))
    return sum(abs(sum(c for c, _ in group) - sum(r for _, r in group))
               for group in groups.values()) / len(rows)


@unittest.skipUnless(os.path.exists(PANELS), "the reference data is not here")
class VoteShare(scripted.Case):
    def test_calibration(self):
        with open(PANELS, encoding="utf-8") as file:
            tasks = json.load(file)["llm-annotations-css"]
        for task, values in tasks.items():
            with gzip.open(os.path.join(DATA, "llm-annotations-css", f"{task}.jsonl.gz"), "rt",
                           encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
            self.write("answers.jsonl", "".join(
                json.dumps({"row": i, "gold": row["gold"], "label": row["pred"][model]}) + "\n"
                for i, row in enumerate(rows) for model in values["panel"]))
            self.write("p.yaml", VOTE)
            self.xylem("run", "-q", "--fresh", "p.yaml")
            voted = [(row["confidence"], row["label"] == row["gold"])
                     for row in self.records("voted.jsonl")]
            plain = []
            for row in rows:
                votes = [row["pred"][model] for model in values["panel"]]
                best = max(votes, key=lambda one: (votes.count(one), -votes.index(one)))
                plain.append((votes.count(best) / len(votes), best == row["gold"]))
            self.assertEqual(sum(right for _, right in voted), values["majority_vote_correct"])
            self.assertAlmostEqual(calibration_error(voted), calibration_error(plain), places=9)
            sure = [right for confidence, right in voted if confidence == 1]
            print(f"{task}: error {calibration_error(voted):.4f},",
                  f"unanimous {sum(sure) / len(sure):.4f}", end="; ")
            # Where all agree they are right more often than on the whole.
            self.assertGreater(sum(sure) / len(sure), sum(r for _, r in voted) / len(voted))


class Paths(scripted.Case):
    def test_only_consistent_paths_stay(self):
        model = '''
import collections
asked = collections.Counter()
def answer(prompt, system, number):
    asked[prompt] += 1
    n = asked[prompt]
    if "trays" in prompt.rsplit("Q: ", 1)[1]:
        return f"Way {n}. The answer is {21 if n % 2 else 11 + n}."     # 21, 13, 21, 15, 21
    return f"The answer is {n}."                                        # nothing twice
'''
        summary = self.recipe("self_consistency", model, "params.paths=5",
                              "models.teacher.concurrency=1", "params.least_share=0.6")
        self.assertEqual([(row["predicted"], row["confidence"]) for row in summary["data"]],
                         [(21, 0.6)] * 3)
        steps = collections.Counter(r["trail"][-1]["step"] for r in summary["rejects"])
        self.assertEqual(steps, {"consistent": 2 + 5 * 4, "sure": 5})


if __name__ == "__main__":
    scripted.harness.main()
