# SPDX-License-Identifier: Apache-2.0
"""Calibration of what a label model and a vote say on recorded answers of a panel of models, beside
plain Python: the temperature, and expected calibration error in fifteen bins (Guo et al. 2017,
equations 3 and 9), on rows that the fit saw and on rows that it did not."""
import gzip
import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(scripted.harness.ROOT), "shared", "data"))
PANELS = os.path.join(DATA, "llm-annotations-css")
FLOOR = 1e-6

PIPELINE = """xylem: 1
name: calibrated
steps:
  - {{ id: votes, use: read, with: {{ path: votes.jsonl }} }}
  - {{ id: model, use: label_model, with: {{ keep: all, fields: [{models}], method: {method} }} }}
  - {{ id: stated, use: set, with: {{ stated: probabilities, sure: confidence }} }}
  - {{ id: calibrate, use: calibrate, with: {{ gold: known, {options} }} }}
write: {{ path: calibrated.jsonl }}
"""


def calibration_error(rows, bins=15):
    """rows: (confidence, right). Bin m holds the confidences in ((m - 1) / bins, m / bins]."""
    groups = {}
    for confidence, right in rows:
        groups.setdefault(max(math.ceil(confidence * bins), 1), []).append((confidence, right))
    return sum(abs(sum(c for c, _ in group) - sum(r for _, r in group))
               for group in groups.values()) / len(rows)


def likelihood(rows, temperature):
    """rows: (probabilities, gold). The mean negative log-likelihood after scaling."""
    total = 0
    for probabilities, gold in rows:
        powers = {name: max(p, FLOOR) ** (1 / temperature) for name, p in probabilities.items()}
        total -= math.log(powers[gold] / sum(powers.values()))
    return total / len(rows)


def best_temperature(rows):
    """The least of a function with one valley, by golden section over the logarithm."""
    low, high, ratio = math.log(0.01), math.log(100), (math.sqrt(5) - 1) / 2
    for _ in range(100):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if likelihood(rows, math.exp(left)) < likelihood(rows, math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


@unittest.skipUnless(os.path.exists(PANELS), "the reference data is not here")
class RecordedPanel(scripted.Case):
    def calibrate(self, task, method, options):
        with gzip.open(os.path.join(PANELS, f"{task}.jsonl.gz"), "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        # The rows of this model are misaligned in the source.
        models = [m for m in rows[0]["pred"] if (task, m) != ("emotion", "text-davinci-002")]
        self.write("votes.jsonl", "".join(json.dumps({
            "gold": row["gold"], **({"known": row["gold"]} if i % 2 else {}),
            **{m: row["pred"][m] for m in models if row["pred"].get(m)}}) + "\n"
            for i, row in enumerate(rows)))
        self.write("p.yaml", PIPELINE.format(models=", ".join(models), method=method,
                                             options=options))
        done = self.xylem("run", "-q", "--json", "--fresh", "p.yaml")
        scores = {score["name"]: score["value"]
                  for score in json.loads(done.stdout)["report"]["scores"]}
        return self.records("calibrated.jsonl"), scores

    def test_temperature(self):
        for task in ("semeval_stance", "wiki_politeness", "discourse", "emotion"):
            rows, scores = self.calibrate(task, "dawid_skene", "")
            fitted = [(row["stated"], row["known"]) for row in rows if "known" in row]
            temperature = best_temperature(fitted)
            self.assertAlmostEqual(scores["temperature"] / temperature, 1, delta=1e-4)
            self.assertAlmostEqual(scores["before_likelihood"], sum(
                -math.log(max(p[gold], FLOOR)) for p, gold in fitted) / len(fitted), delta=1e-9)
            self.assertAlmostEqual(scores["after_likelihood"], likelihood(fitted, temperature),
                                   delta=1e-9)
            for when, field in (("before", "stated"), ("after", "probabilities")):
                plain = [(max(row[field].values()),
                          max(row[field], key=row[field].get) == row["known"])
                         for row in rows if "known" in row]
                self.assertAlmostEqual(scores[f"{when}_error"], calibration_error(plain),
                                       delta=1e-9)
            # The rows that the fit has not seen.
            others = [row for row in rows if "known" not in row]
            error = {field: calibration_error([(row[field], row["label"] == row["gold"])
                                               for row in others])
                     for field in ("sure", "confidence")}
            print(f"{task}: temperature {temperature:.2f}, error {error['sure']:.3f} ->",
                  f"{error['confidence']:.3f}", end="; ")
            self.assertLess(error["confidence"], error["sure"] / 2)

    def test_vote_shares(self):
        for task in ("semeval_stance", "wiki_politeness", "discourse", "emotion"):
            rows, scores = self.calibrate(task, "majority",
                                          "of: confidence, method: platt, floor: 0.01")
            plain = [(row["sure"], row["label"] == row["known"]) for row in rows if "known" in row]
            self.assertAlmostEqual(scores["before_error"], calibration_error(plain), delta=1e-9)
            others = [row for row in rows if "known" not in row]
            error = {field: calibration_error([(row[field], row["label"] == row["gold"])
                                               for row in others])
                     for field in ("sure", "confidence")}
            self.assertLess(error["confidence"], error["sure"])
            print(f"{task}: shares {error['sure']:.3f} -> {error['confidence']:.3f}", end="; ")


if __name__ == "__main__":
    scripted.harness.main()
