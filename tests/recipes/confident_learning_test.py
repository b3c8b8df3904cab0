# SPDX-License-Identifier: Apache-2.0
"""`confident_learning` beside cleanlab on 20 generated cases of label noise: the same issues by
each method, in the same order of severity."""
import json
import math
import os
import random
import struct
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

try:
    import numpy
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues
except ImportError:
    find_label_issues = None

METHODS = {"by_noise_rate": "prune_by_noise_rate", "by_class": "prune_by_class", "both": "both",
           "joint": "confident_learning", "predicted": "predicted_neq_given",
           "self_confidence": "low_self_confidence", "normalized_margin": "low_normalized_margin"}


def single(number):
    """As a float of 32 bits, which is what a learner gives."""
    return struct.unpack("f", struct.pack("f", number))[0]


def make_case(seed):
    """Labels turned by a random noise matrix, and probabilities that mostly know the truth."""
    draw = random.Random(seed)
    classes = 2 + seed % 7
    count = draw.randrange(150, 900)
    skew = [draw.random() + 0.1 for _ in range(classes)]
    noise = [[draw.random() ** 4 for _ in range(classes)] for _ in range(classes)]
    for k in range(classes):
        noise[k][k] = draw.uniform(1, 6)
    sharp = draw.uniform(1, 4)
    labels, rows = [], []
    for i in range(count):
        truth = i % classes if i < 2 * classes else draw.choices(range(classes), skew)[0]
        label = truth if i < 2 * classes else draw.choices(range(classes), noise[truth])[0]
        logits = [draw.gauss(0, 1) + sharp * (k == truth) for k in range(classes)]
        powers = [math.exp(x) for x in logits]
        labels.append(label)
        rows.append([single(x / sum(powers)) for x in powers])
    return labels, rows


def is_decided(labels, rows):
    """Does the calibrated joint follow from the method alone? Where two cells of a row lose the
    same by rounding and only one may get it back, cleanlab leaves it to numpy's sort, which is not
    stable and differs between processors."""
    joint = compute_confident_joint(labels, rows, calibrate=False)
    cells = (joint.T / joint.sum(axis=1) * numpy.bincount(labels, minlength=len(joint))).T
    for row in cells:
        lost = numpy.sort(row - row.round())
        missing = int(round(row.sum()) - row.round().sum())
        at = len(row) - missing if missing > 0 else -missing
        if missing and lost[at] - lost[at - 1] < 1e-9:
            return False
        if (abs(abs(lost) - 0.5) < 1e-9).any():
            return False
    return True


def make_cases(count):
    cases, seed = [], 0
    while len(cases) < count:
        labels, rows = make_case(seed)
        if is_decided(numpy.array(labels), numpy.array(rows)):
            cases.append((seed, labels, rows))
        seed += 1
    return cases


class ConfidentLearning(harness.Case):
    def issues(self, labels, rows, more):
        """Of each method, the issues in order, by place in the data."""
        self.write("rows.jsonl", "".join(
            json.dumps({"n": i, "label": f"k{label}",
                        "p": {f"k{k}": p for k, p in enumerate(row)}}) + "\n"
            for i, (label, row) in enumerate(zip(labels, rows))))
        steps = "\n".join(
            f"  - {{ id: {name}, use: confident_learning, with: {{ probabilities: p, "
            f"method: {name}, action: annotate, into: {name}{more} }} }}" for name in METHODS)
        self.write("pipeline.yaml", f"""
xylem: 1
steps:
  - {{ use: read, with: {{ path: rows.jsonl }} }}
{steps}
write: {{ path: out.jsonl }}
""")
        self.xylem("run", "-q", "--fresh", "pipeline.yaml")
        records = self.records("out.jsonl")
        self.assertEqual(len(records), len(labels))
        return {name: [row["n"] for row in sorted((r for r in records if f"{name}_issue" in r),
                                                  key=lambda r, f=f"{name}_issue": r[f])]
                for name in METHODS}

    def compare(self, more="", rank="self_confidence", **settings):
        warnings.simplefilter("ignore")  # labels with fewer records than they are to keep
        total = 0
        for seed, labels, rows in make_cases(20):
            found = self.issues(labels, rows, more)
            for name, theirs in METHODS.items():
                given = settings if name in ("by_noise_rate", "by_class", "both") else {}
                expected = find_label_issues(numpy.array(labels), numpy.array(rows),
                                             filter_by=theirs, return_indices_ranked_by=rank,
                                             n_jobs=1, **given)
                self.assertEqual(found[name], expected.tolist(), f"case {seed}, {name}")
                total += len(found[name])
        return total

    def test_issues(self):
        total = self.compare()
        print(f"20 cases, 7 methods: {total} issues, all the same")
        self.assertGreater(total, 1000)

    def test_half_of_the_noise(self):
        self.compare(more=", share: 0.5, rank: normalized_margin", rank="normalized_margin",
                     frac_noise=0.5)

    def test_labels_that_keep_some(self):
        self.compare(more=", least: 40", min_examples_per_class=40)


if __name__ == "__main__":
    if find_label_issues is None:
        print("skipped: there is no cleanlab")
        sys.exit(77)
    harness.main()
