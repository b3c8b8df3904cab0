# SPDX-License-Identifier: Apache-2.0
"""`boosting` beside scikit-learn's histogram gradient boosting with the same settings: the same
probabilities, for two classes and for three, with and without weights.

Trees are shallow: in a node of a few rows many questions part them equally well, and which of those
is taken is up to rounding."""
import json
import os
import random
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

try:
    from sklearn.ensemble import HistGradientBoostingClassifier
except ImportError:
    HistGradientBoostingClassifier = None


def rows(draw, count, classes):
    """Four numbers and a class that follows from them, wrong one time in ten."""
    made = []
    for _ in range(count):
        x = [draw.gauss(0, 1), draw.random(), float(draw.randrange(5)), draw.gauss(0, 3)]
        score = x[0] + (x[2] >= 2) * x[3] + draw.gauss(0, 0.5)
        label = int(score > 0) + (classes == 3 and score > 2)
        if draw.random() < 0.1:
            label = draw.randrange(classes)
        made.append((x, label))
    return made


class Boosting(harness.Case):
    def compare(self, classes, stages, depth, weighted=False):
        draw = random.Random(100 * classes + stages)
        train, asked = rows(draw, 250, classes), rows(draw, 100, classes)
        weights = [draw.choice([1.0, 2.0, 0.5]) if weighted else 1.0 for _ in train]
        for name, part in (("train", train), ("asked", asked)):
            self.write(f"{name}.jsonl", "".join(
                json.dumps({"a": x[0], "b": x[1], "c": x[2], "d": x[3], "label": f"k{label}",
                            "w": weights[i] if name == "train" else 1}) + "\n"
                for i, (x, label) in enumerate(part)))
        self.write("pipeline.yaml", f"""
xylem: 1
steps:
  - {{ id: read_train, use: read, with: {{ path: train.jsonl }} }}
  - {{ id: train, use: expression, with: {{ weight: w }} }}
  - {{ id: asked, use: read, with: {{ path: asked.jsonl }} }}
  - use: student
    with:
      learner: {{ use: boosting, stages: {stages}, depth: {depth}, least_weight: 0.001 }}
      train: train
      features: [a, b, c, d]
      action: annotate
write: {{ path: out.jsonl }}
""")
        self.xylem("run", "-q", "pipeline.yaml")
        model = HistGradientBoostingClassifier(
            learning_rate=0.3, max_iter=stages, max_depth=depth, max_leaf_nodes=None,
            min_samples_leaf=1, l2_regularization=1, early_stopping=False)
        model.fit([x for x, _ in train], [label for _, label in train], sample_weight=weights)
        expected = model.predict_proba([x for x, _ in asked])
        got = self.records("out.jsonl")
        self.assertEqual(len(got), len(asked))
        for record, p in zip(got, expected):
            self.assertEqual(record["student_label"], f"k{p.argmax()}")
            self.assertAlmostEqual(record["student_confidence"], p.max(), delta=1e-5)

    def test_two_classes(self):
        self.compare(2, 1, 2)
        self.compare(2, 20, 2)

    def test_three_classes(self):
        self.compare(3, 1, 2)
        self.compare(3, 15, 2)

    def test_weights(self):
        self.compare(2, 10, 3, weighted=True)


if __name__ == "__main__":
    if HistGradientBoostingClassifier is None:
        print("skipped: there is no scikit-learn")
        sys.exit(77)
    harness.main()
