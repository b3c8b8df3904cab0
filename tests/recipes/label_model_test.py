# SPDX-License-Identifier: Apache-2.0
"""Label models beside plain Python: Dawid and Skene's expectation-maximisation (1979, equations
2.3 to 2.5) and the model with one accuracy for each annotator, on drawn votes and on what twelve
or thirteen recorded models said; and how often each is right there, beside the majority."""
import gzip
import json
import math
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
name: panel
steps:
  - {{ id: votes, use: read, with: {{ path: votes.jsonl }} }}
  - {{ id: model, use: label_model, with: {{ keep: all, {options} }} }}
write: {{ path: labelled.jsonl }}
"""


def estimate(votes, classes, annotators, smoothing=0.01, tolerance=1e-6, iterations=200,
             coins=False):
    """votes: for each item {annotator: class}. The probabilities of each item's classes, {} for an
    item without votes, and how many passes it took."""
    said = [[(k, classes.index(c)) for k, c in vote.items()] for vote in votes]
    size = range(len(classes))
    truth = [[sum(c == j for _, c in item) / len(item) for j in size] if item else None
             for item in said]
    seen = [i for i, item in enumerate(said) if item]
    passes, change = 0, math.inf
    while passes < iterations and change >= tolerance:
        prior = [smoothing + sum(truth[i][j] for i in seen) for j in size]
        prior = [p / sum(prior) for p in prior]
        table = {k: [[smoothing] * len(classes) for _ in size] for k in annotators}
        right = dict.fromkeys(annotators, smoothing)
        count = dict.fromkeys(annotators, 2 * smoothing)
        for i in seen:
            for k, c in said[i]:
                right[k] += truth[i][c]
                count[k] += 1
                for j in size:
                    table[k][j][c] += truth[i][j]
        for k in annotators:
            table[k] = [[x / sum(row) if sum(row) else 1 / len(row) for x in row]
                        for row in table[k]]
            if coins:
                a = right[k] / count[k]
                table[k] = [[a if j == c else (1 - a) / (len(classes) - 1) for c in size]
                            for j in size]
        change = 0
        for i in seen:
            row = [prior[j] * math.prod(table[k][j][c] for k, c in said[i]) for j in size]
            row = [x / sum(row) for x in row]
            change = max([change] + [abs(a - b) for a, b in zip(row, truth[i])])
            truth[i] = row
        passes += 1
    return [dict(zip(classes, row)) if row else {} for row in truth], passes


def draw(seed, items, classes, accuracies, voting=1.0):
    """Items with a true class, and the votes of annotators who are right so often."""
    chance = random.Random(seed)
    rows = []
    for _ in range(items):
        gold = chance.choice(classes)
        row = {"gold": gold}
        for k, accuracy in enumerate(accuracies):
            if chance.random() < voting:
                wrong = chance.choice([c for c in classes if c != gold])
                row[f"a{k}"] = gold if chance.random() < accuracy else wrong
        rows.append(row)
    return rows


class Case(scripted.Case):
    def label(self, rows, options):
        self.write("votes.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write("p.yaml", PIPELINE.format(options=options))
        done = self.xylem("run", "-q", "--json", "--fresh", "p.yaml")
        scores = {score["name"]: score["value"]
                  for score in json.loads(done.stdout)["report"]["scores"]}
        return self.records("labelled.jsonl"), scores

    def compare(self, rows, annotators, method="dawid_skene"):
        options = f"fields: [{', '.join(annotators)}], method: {method}"
        got, scores = self.label(rows, options)
        votes = [{k: row[k] for k in annotators if k in row} for row in rows]
        classes = list(dict.fromkeys(c for said in votes for c in said.values()))
        expected, passes = estimate(votes, classes, annotators, coins=method == "one_coin")
        self.assertEqual(scores["iterations"], passes)
        for row, plain in zip(got, expected):
            self.assertEqual(sorted(row.get("probabilities", {})), sorted(plain))
            for name, probability in plain.items():
                self.assertAlmostEqual(row["probabilities"][name], probability, delta=1e-9)
        return got, scores


class DrawnVotes(Case):
    def test_equals_plain_python(self):
        classes = ["x", "y", "z"]
        for seed in range(3):
            rows = draw(seed, 120, classes, [0.9, 0.8, 0.55, 0.4, 0.7], voting=0.7)
            rows.append({"gold": "x"})
            for method in ("dawid_skene", "one_coin"):
                self.compare(rows, ["a0", "a1", "a2", "a3", "a4"], method)

    def test_better_than_majority_where_annotators_differ(self):
        """One annotator knows, four hardly do: the model finds out who, without any gold label."""
        better = 0
        for seed in range(10):
            rows = draw(seed, 400, ["x", "y"], [0.95, 0.58, 0.58, 0.58, 0.58])
            fields = "fields: [a0, a1, a2, a3, a4]"
            right = {}
            for method in ("majority", "dawid_skene"):
                got, _ = self.label(rows, f"{fields}, method: {method}")
                right[method] = sum(row["label"] == row["gold"] for row in got)
            better += right["dawid_skene"] > right["majority"]
        self.assertGreaterEqual(better, 9)

    def test_gold_weights(self):
        rows = draw(3, 400, ["x", "y"], [0.95, 0.58, 0.58, 0.58, 0.58])
        for i, row in enumerate(rows):
            row["truth"] = row.pop("gold")
            if i < 60:
                row["known"] = row["truth"]
        fields = "fields: [a0, a1, a2, a3, a4]"
        right = {}
        for method in ("majority", "weighted, gold: known", "dawid_skene, gold: known"):
            got, _ = self.label(rows, f"{fields}, method: {method}")
            right[method] = sum(row["label"] == row["truth"] for row in got[60:])
        self.assertGreater(right["weighted, gold: known"], right["majority"])
        self.assertGreater(right["dawid_skene, gold: known"], right["majority"])


@unittest.skipUnless(os.path.exists(PANELS), "the reference data is not here")
class RecordedPanel(Case):
    def test_recorded_models(self):
        for task in ("semeval_stance", "wiki_politeness", "discourse", "emotion"):
            with gzip.open(os.path.join(PANELS, f"{task}.jsonl.gz"), "rt",
                           encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
            # The rows of this model are misaligned in the source.
            models = [m for m in rows[0]["pred"] if (task, m) != ("emotion", "text-davinci-002")]
            rows = [{"gold": row["gold"], **{m: row["pred"][m] for m in models if
                                             row["pred"].get(m)}} for row in rows]
            right = {}
            for method in ("dawid_skene", "one_coin"):
                got, scores = self.compare(rows, models, method)
                right[method] = sum(row["label"] == row["gold"] for row in got)
                self.assertEqual(scores["converged"], 1)
            got, _ = self.label(rows, f"fields: [{', '.join(models)}], method: majority")
            right["majority"] = sum(row["label"] == row["gold"] for row in got)
            for row in got:
                said = [row[m] for m in models if m in row]
                best = max(said, key=lambda one: (said.count(one), -said.index(one)))
                self.assertEqual(row["label"], best)
            print(f"{task}: {len(rows)} rows, {len(models)} models,", right, end="; ")


class Recipe(scripted.Case):
    """pipelines/dawid_skene.yaml with its recorded answers: labels and probabilities."""

    ANNOTATORS = ["first_direct", "first_codebook", "second_direct", "second_codebook"]

    def test_recipe(self):
        root = scripted.harness.ROOT
        answers = os.path.join(root, "tests", "golden", "dawid_skene", "answers.jsonl")
        sets = [*(f"models.{alias}={{ use: replay, file: '{answers}' }}"
                  for alias in ("teacher", "second")), "params.sure=0",
                *(f"write.{i}.path={self.path(f'data{i}.jsonl')}" for i in range(2)),
                f"write.0.rejects={self.path('rejects.jsonl')}"]
        self.xylem("run", "-q", "--runs", self.path("runs"),
                   os.path.join(root, "pipelines", "dawid_skene.yaml"),
                   *[word for value in sets for word in ("--set", value)])
        rows = self.records("data0.jsonl")
        self.assertEqual(len(rows), 11)  # one text was refused, and refused again
        votes = [{k: row[k] for k in self.ANNOTATORS} for row in rows]
        expected, _ = estimate(votes, ["negative", "positive"], self.ANNOTATORS)
        for row, plain in zip(rows, expected):
            self.assertEqual(row["label"], max(plain, key=plain.get))
            self.assertAlmostEqual(row["confidence"], max(plain.values()), delta=0.0005001)


if __name__ == "__main__":
    scripted.harness.main()
