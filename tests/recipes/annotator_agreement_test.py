# SPDX-License-Identifier: Apache-2.0
"""Agreement among annotators beside plain Python: alpha through the matrix of coincidences, as
Krippendorff (2011) writes it out, at three levels; Fleiss' and Cohen's kappa by their definitions;
on drawn labels with gaps, and on what a panel of recorded models said."""
import gzip
import itertools
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(scripted.harness.ROOT), "shared", "data"))
PANELS = os.path.join(DATA, "llm-annotations-css")

PIPELINE = """xylem: 1
name: agreement
steps:
  - {{ id: labels, use: read, with: {{ path: labels.jsonl }} }}
  - {{ id: agreement, use: annotator_agreement, with: {{ {options} }} }}
write: {{ path: out.jsonl }}
"""


def alpha(units, level):
    """units: lists of values. 1 - observed / expected disagreement."""
    units = [unit for unit in units if len(unit) > 1]
    values = sorted({value for unit in units for value in unit})
    pairs = {(c, k): 0 for c in values for k in values}
    for unit in units:
        for i, j in itertools.permutations(range(len(unit)), 2):
            pairs[unit[i], unit[j]] += 1 / (len(unit) - 1)
    n = {c: sum(pairs[c, k] for k in values) for c in values}

    def distance(c, k):
        if level == "nominal":
            return c != k
        if level == "interval":
            return (c - k) ** 2
        low, high = min(c, k), max(c, k)
        return (sum(n[g] for g in values if low <= g <= high) - (n[c] + n[k]) / 2) ** 2

    total = sum(n.values())
    observed = sum(pairs[c, k] * distance(c, k) for c in values for k in values) / total
    expected = sum(n[c] * n[k] * distance(c, k) for c in values for k in values)
    return 1 - observed * total * (total - 1) / expected


def fleiss(units):
    units = [unit for unit in units if len(unit) > 1]
    labels = [value for unit in units for value in unit]
    observed = sum(sum(a == b for a, b in itertools.combinations(unit, 2)) /
                   (len(unit) * (len(unit) - 1) / 2) for unit in units) / len(units)
    expected = sum((labels.count(value) / len(labels)) ** 2 for value in set(labels))
    return (observed - expected) / (1 - expected)


def cohen(rows, annotators):
    kappas = []
    for a, b in itertools.combinations(annotators, 2):
        pairs = [(row[a], row[b]) for row in rows if a in row and b in row]
        if not pairs:
            continue
        first, second = [x for x, _ in pairs], [y for _, y in pairs]
        observed = sum(x == y for x, y in pairs) / len(pairs)
        expected = sum(first.count(v) * second.count(v) for v in set(first)) / len(pairs) ** 2
        if expected < 1:
            kappas.append((observed - expected) / (1 - expected))
    return sum(kappas) / len(kappas)


class Case(scripted.Case):
    def compare(self, rows, annotators, level):
        self.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write("p.yaml", PIPELINE.format(
            options=f"fields: [{', '.join(annotators)}], level: {level}, bootstrap: 200"))
        done = self.xylem("run", "-q", "--json", "--fresh", "p.yaml")
        scores = {score["name"]: score for score in json.loads(done.stdout)["report"]["scores"]}
        units = [[row[a] for a in annotators if a in row] for row in rows]
        expected = {"alpha": alpha(units, level), "fleiss": fleiss(units),
                    "cohen": cohen(rows, annotators)}
        for name, value in expected.items():
            self.assertAlmostEqual(scores[name]["value"], value, delta=1e-9)
            self.assertLess(scores[name]["low"], value)
            self.assertGreater(scores[name]["high"], value)
        return scores


class DrawnLabels(Case):
    def test_equals_plain_python(self):
        for seed, level in itertools.product(range(4), ("nominal", "ordinal", "interval")):
            chance = random.Random(seed)
            rows = []
            for _ in range(60):
                truth = chance.choice([1, 2, 2, 3, 5, 8])
                said = {f"a{k}": truth if chance.random() < 0.7 else chance.choice([1, 3, 5, 8])
                        for k in range(5)}
                rows.append({k: value for k, value in said.items() if chance.random() < 0.8})
            rows += [{}, {"a2": 3}]
            self.compare(rows, [f"a{k}" for k in range(5)], level)


@unittest.skipUnless(os.path.exists(PANELS), "the reference data is not here")
class RecordedPanel(Case):
    def test_recorded_models(self):
        for task in ("semeval_stance", "wiki_politeness", "discourse"):
            with gzip.open(os.path.join(PANELS, f"{task}.jsonl.gz"), "rt",
                           encoding="utf-8") as file:
                rows = [{m: label for m, label in json.loads(line)["pred"].items() if label}
                        for line in file]
            scores = self.compare(rows, list(rows[0]), "nominal")
            print(f"{task}: alpha {scores['alpha']['value']:.3f}",
                  f"[{scores['alpha']['low']:.3f}, {scores['alpha']['high']:.3f}]", end="; ")


if __name__ == "__main__":
    scripted.harness.main()
