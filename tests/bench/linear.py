# SPDX-License-Identifier: Apache-2.0
"""The learner `linear` beside liblinear and scikit-learn, in turns, on one core each.

    python3 tests/bench/linear.py [BUILD [LIBRARY ...]]

Training alone, on the same feature matrix (linear_bench): film reviews and rewritten ones, where
the recorded data is beside the repository; made texts of 2 and of 20 classes; vectors of 384
numbers. A LIBRARY is a shared object of liblinear; without any, Debian's is taken. ROWS sets how
many texts are made (100000).

Then the whole path from texts to probabilities (linear_path_bench) beside scikit-learn's
HashingVectorizer, TfidfTransformer and LogisticRegression(solver="liblinear"), where the Python
that runs this has scikit-learn. CPU seconds throughout.
"""
import glob
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time

try:
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
except ImportError:
    LogisticRegression = None

REVIEWS = os.path.join("..", "shared", "data", "freeal-mr", "train.jsonl.gz")
TURNS = 3


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for label, text in rows:
            file.write(f"{label}\t{' '.join(text.split())}\n")


def recorded(folder):
    """Two files of film reviews: as written, and with what a model made of each."""
    if not os.path.exists(REVIEWS):
        print("no recorded data beside the repository")
        return []
    with gzip.open(REVIEWS, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    plain = os.path.join(folder, "reviews")
    both = os.path.join(folder, "reviews-and-rewritten")
    write(plain, [(row["gold"], row["text"]) for row in rows])
    write(both, [(row["gold"], row[name]) for row in rows for name in ("text", "back_translation")
                 if row.get(name)])
    return [plain, both]


def made(folder, rows, classes):
    """Texts like those of linear_data.c: frequent words more often, one in five leaning."""
    draw = random.Random(1)
    path = os.path.join(folder, f"made-{classes}")
    texts = []
    for _ in range(rows):
        truth = draw.randrange(classes)
        words = []
        for _ in range(draw.randrange(20, 60)):
            word = int(50000 * draw.random() ** 3)
            if draw.randrange(5) == 0:
                word = word // classes * classes + truth
            words.append(f"w{word}")
        texts.append((truth if draw.randrange(10) else draw.randrange(classes), " ".join(words)))
    write(path, texts)
    return path


def scikit(texts, labels, classes):
    """CPU seconds of training and of asking about the same texts."""
    start = time.process_time()
    vectorizer = HashingVectorizer(ngram_range=(1, 2), norm=None, alternate_sign=False,
                                   token_pattern=r"\w+|[^\w\s]")
    weigh = TfidfTransformer()
    rows = weigh.fit_transform(vectorizer.transform(texts))
    model = LogisticRegression(C=10, solver="liblinear")
    if classes > 2:
        model = OneVsRestClassifier(model)
    model.fit(rows, labels)
    trained = time.process_time()
    model.predict_proba(weigh.transform(vectorizer.transform(texts)))
    return trained - start, time.process_time() - trained


def whole_path(build, path, classes):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t", 1) for line in file]
    labels, texts = [int(line[0]) for line in lines], [line[1] for line in lines]
    ours, theirs = [], []
    for _ in range(TURNS):
        done = subprocess.run([os.path.join(build, "bin", "linear_path_bench"), path,
                               str(classes)], check=True, capture_output=True, text=True)
        ours.append([float(part) for part in done.stdout.split()])
        if LogisticRegression:
            theirs.append(scikit(texts, labels, classes))
    best = [min(part) for part in zip(*ours)]
    line = f"{os.path.basename(path)}: {len(texts)} texts, linear: trained {best[0]:.3f} s, "
    line += f"asked {best[1]:.3f} s"
    if theirs:
        peer = [min(part) for part in zip(*theirs)]
        line += f"; scikit-learn {peer[0]:.3f} s ({peer[0] / best[0]:.1f} times), "
        line += f"{peer[1]:.3f} s ({peer[1] / best[1]:.1f} times)"
    print(line + f"; load {os.getloadavg()[0]:.1f}", flush=True)


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
    libraries = sys.argv[2:] or sorted(glob.glob("/usr/lib/*/liblinear.so.4"))
    rows = int(os.environ.get("ROWS", "100000"))
    if not libraries:
        print("no liblinear: apt-get install liblinear4, or name a shared object")
    with tempfile.TemporaryDirectory() as folder:
        files = [(path, 2) for path in recorded(folder)]
        cases = [(path, 0, classes) for path, classes in files]
        cases += [("texts", rows, 2), ("texts", rows, 20), ("vectors", rows // 4, 2),
                  ("vectors", rows // 4, 20)]
        for kind, count, classes in cases:
            subprocess.run([os.path.join(build, "bin", "linear_bench"), kind, str(count),
                            str(classes), "10", *libraries], check=True)
        files += [(made(folder, rows // 4, classes), classes) for classes in (2, 20)]
        for path, classes in files:
            whole_path(build, path, classes)


if __name__ == "__main__":
    main()
