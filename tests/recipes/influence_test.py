# SPDX-License-Identifier: Apache-2.0
"""The filter `influence` beside the slow truth: training without each record in turn. And what
dropping and weighing do to records with wrong labels."""
import json
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

C = 1.0


def solve(a, b):
    """A small system by elimination with pivots."""
    size = len(b)
    rows = [row[:] + [value] for row, value in zip(a, b)]
    for i in range(size):
        best = max(range(i, size), key=lambda j: abs(rows[j][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for j in range(size):
            if j != i:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [x - factor * y for x, y in zip(rows[j], rows[i])]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def chance(w, x):
    return 1 / (1 + math.exp(-sum(p * q for p, q in zip(w, x))))


def fit(rows):
    """Logistic regression by Newton's method: two classes' weights with the penalty |W|^2 / (2 C)
    are w/2 and -w/2 at the optimum, which is |w|^2 / (4 C)."""
    size = len(rows[0][0])
    w = [0.0] * size
    for _ in range(25):
        slope = [value / (2 * C) for value in w]
        curve = [[(i == j) / (2 * C) for j in range(size)] for i in range(size)]
        for x, label in rows:
            p = chance(w, x)
            for i in range(size):
                slope[i] += (p - label) * x[i]
                for j in range(size):
                    curve[i][j] += p * (1 - p) * x[i] * x[j]
        w = [value - step for value, step in zip(w, solve(curve, slope))]
    return w


def loss(w, rows, reverse):
    total = 0
    for x, label in rows:
        p = chance(w, x) if label else 1 - chance(w, x)
        total += 1 - p if reverse else -math.log(p)
    return total


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: values[i])
    places = [0] * len(values)
    for place, i in enumerate(order):
        places[i] = place
    return places


def rank_correlation(a, b):
    n = len(a)
    return 1 - 6 * sum((x - y) ** 2 for x, y in zip(ranks(a), ranks(b))) / (n * (n * n - 1))


class Influence(harness.Case):
    def make(self, count, seed, wrong=0.0):
        draw = random.Random(seed)
        made = []
        for _ in range(count):
            label = draw.random() < 0.5
            x = [draw.gauss(0.8 if label else -0.8, 1) for _ in range(2)]
            made.append((x, int(label), draw.random() < wrong))
        return made

    def filter(self, train, validation, options):
        """The records in order, with their influence; those that were dropped have `dropped`."""
        for name, part in (("train", train), ("validation", validation)):
            self.write(f"{name}.jsonl", "".join(
                json.dumps({"n": i, "x": x[0], "y": x[1], "label": f"k{label ^ wrong}"}) + "\n"
                for i, (x, label, wrong) in enumerate(part)))
        self.write("pipeline.yaml", f"""
xylem: 1
steps:
  - {{ id: validation, use: read, with: {{ path: validation.jsonl }} }}
  - {{ id: train, use: read, with: {{ path: train.jsonl }} }}
  - use: influence
    with: {{ features: [x, y], c: {C}{options} }}
write: {{ path: out.jsonl, fields: [n, influence, w], rejects: rejects.jsonl }}
""")
        self.xylem("run", "-q", "--fresh", "pipeline.yaml")
        records = self.records("out.jsonl")
        records += [dict(row["fields"], dropped=True) for row in self.records("rejects.jsonl")]
        return sorted(records, key=lambda row: row["n"])

    def standardised(self, train, rows):
        """As the filter's columns are: by the mean and deviation of what is learnt."""
        means = [sum(x[j] for x, _, _ in train) / len(train) for j in range(2)]
        scales = [math.sqrt(sum((x[j] - means[j]) ** 2 for x, _, _ in train) / len(train))
                  for j in range(2)]
        return [([(x[j] - means[j]) / scales[j] for j in range(2)] + [1.0], label ^ wrong)
                for x, label, wrong in rows]

    def test_training_anew(self):
        train, validation = self.make(80, 1), self.make(40, 2)
        rows, others = self.standardised(train, train), self.standardised(train, validation)
        whole = fit(rows)
        for loss_name, reverse in (("ce", False), ("rce", True)):
            got = [row["influence"] for row in self.filter(
                train, validation, f", validation: validation, loss: {loss_name}, "
                                   "action: annotate")]
            truth = [loss(whole, others, reverse) - loss(fit(rows[:i] + rows[i + 1:]), others,
                                                         reverse) for i in range(len(rows))]
            correlation = rank_correlation(got, truth)
            print(f"{loss_name}: rank correlation with training anew {correlation:.4f}")
            self.assertGreater(correlation, 0.95)

    def test_wrong_labels_go(self):
        """A fifth of the labels is wrong, and nobody knows better: parts measure one another."""
        train = self.make(400, 3, wrong=0.2)
        records = self.filter(train, self.make(1, 4), ", share: 0.15")
        dropped = [row["n"] for row in records if row.get("dropped")]
        self.assertEqual(len(dropped), 60)
        found = sum(train[n][2] for n in dropped)
        print(f"of 60 dropped {found} have a wrong label, of 400 {sum(w for _, _, w in train)}")
        self.assertGreater(found, 45)
        least = min(row["influence"] for row in records if row.get("dropped"))
        most = max(row["influence"] for row in records if not row.get("dropped"))
        self.assertGreaterEqual(least, most)


if __name__ == "__main__":
    harness.main()
