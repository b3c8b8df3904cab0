# SPDX-License-Identifier: Apache-2.0
"""CLLM's curation (Seedat et al. 2023) on its authors' tables: 40 real patients, rows that GPT-4
and a TVAE made, and 3,421 held-out patients. The mean AUROC of four classifiers must rise as
recorded: rows of GPT-4 without the columns' meaning 66.5 -> 69.9, of a TVAE 57.2 -> 63.3.

The recorded figures are of XGBoost, a random forest, logistic regression and a tree. XGBoost is
here scikit-learn's histogram boosting with XGBoost's settings; the seeds are of the others."""
import csv
import gzip
import os
import sys
import unittest
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

try:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.tree import DecisionTreeClassifier
except ImportError:
    roc_auc_score = None

DATA = os.path.join(os.environ.get("XYLEM_REFERENCE_DATA",
                                   os.path.join(os.path.dirname(harness.ROOT), "shared", "data")),
                    "cllm")
SEEDS = range(3)
RECORDED = {"gpt4_nocol": (66.5, 69.9), "tvae": (57.2, 63.3)}


def classifiers(seed):
    return [HistGradientBoostingClassifier(learning_rate=0.3, max_depth=6, max_leaf_nodes=None,
                                           min_samples_leaf=1, l2_regularization=1,
                                           early_stopping=False),
            RandomForestClassifier(random_state=seed), LogisticRegression(max_iter=1000),
            DecisionTreeClassifier(random_state=seed)]


@unittest.skipUnless(os.path.isdir(DATA), f"there is no {DATA}")
class Curation(harness.Case):
    def table(self, name):
        with gzip.open(os.path.join(DATA, f"covid_n20_{name}.csv.gz"), "rt",
                       encoding="utf-8") as file:
            text = file.read()
        self.write(f"{name}.csv", text)
        return self.split(csv.DictReader(text.splitlines()))

    def split(self, table):
        table = list(table)
        return ([[float(row[name]) for name in self.names] for row in table],
                [int(float(row["target"])) for row in table])

    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore")
        with gzip.open(os.path.join(DATA, "covid_n20_original.csv.gz"), "rt",
                       encoding="utf-8") as file:
            self.names = [name for name in file.readline().strip().split(",") if name != "target"]
        self.oracle = self.table("oracle")
        self.table("original")

    def scores(self, part):
        """The mean AUROC, in percent, for each seed."""
        means = []
        for seed in SEEDS:
            areas = [roc_auc_score(self.oracle[1],
                                   model.fit(*part).predict_proba(self.oracle[0])[:, 1])
                     for model in classifiers(seed)]
            means.append(100 * sum(areas) / len(areas))
        return means

    def curate(self, name):
        raw = self.table(name)
        self.write("pipeline.yaml", f"""
xylem: 1
steps:
  - {{ id: real, use: read, with: {{ path: original.csv, with: {{ types: guess }} }} }}
  - {{ id: rows, use: read, with: {{ path: {name}.csv, with: {{ types: guess }} }} }}
  - use: dynamics
    with: {{ learner: boosting, train: real, label: target, features: [{", ".join(self.names)}] }}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
""")
        self.xylem("run", "-q", "--fresh", "pipeline.yaml")
        kept, dropped = self.records("out.jsonl"), self.records("rejects.jsonl")
        self.assertEqual(len(kept) + len(dropped), len(raw[0]))
        for row in kept:
            self.assertNotEqual(row["dynamics_group"], "hard")
        for row in dropped:
            fields = row["fields"]
            self.assertLessEqual(fields["dynamics_confidence"], 0.2)
            self.assertLessEqual(fields["dynamics_aleatoric"], 0.2)
        return raw, self.split(kept)

    def test_area_under_the_curve(self):
        for name, (before, after) in RECORDED.items():
            raw, curated = self.curate(name)
            was, now = self.scores(raw), self.scores(curated)
            print(f"{name}: {len(raw[0])} rows {sum(was) / len(was):.1f} "
                  f"({min(was):.1f} to {max(was):.1f}), recorded {before}; {len(curated[0])} kept "
                  f"{sum(now) / len(now):.1f} ({min(now):.1f} to {max(now):.1f}), recorded {after}")
            self.assertGreater(min(now), max(was), "curation helps whatever the seed")
            self.assertAlmostEqual(sum(was) / len(was), before, delta=2)
            self.assertAlmostEqual(sum(now) / len(now), after, delta=2)


if __name__ == "__main__":
    if roc_auc_score is None:
        print("skipped: there is no scikit-learn")
        sys.exit(77)
    harness.main()
