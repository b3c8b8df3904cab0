# SPDX-License-Identifier: Apache-2.0
"""From the rated sentences of Hutto and Gilbert to gold.jsonl and seeds.jsonl.

Each sentence of movieReviewSnippets has 15 or more human ratings from -4 to 4. The label is the
sign of their mean; sentences with |mean| below 1 have no clear label and are left out. The seeds
are set aside before anything else sees the data: the first of each label in the order of a hash of
the sentence's number, so that the choice is fixed and owes nothing to the text. gold.jsonl keeps
that order, so that any beginning of it is a random sample. Only Python's standard library.
Usage: prepare.py FOLDER_OF_THE_DATA OUT
"""
import hashlib
import json
import os
import sys

CLEAR = 1.0  # the least |mean rating| of a sentence with a label
SEEDS_PER_LABEL = 8


def rows(folder, name):
    with open(os.path.join(folder, "movieReviewSnippets_" + name), encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\r\n").split("\t")


def read(folder):
    """Records with their ratings' mean, computed anew and held against the file's own."""
    ratings = {row[0]: json.loads(row[3]) for row in rows(folder, "anonDataRatings.txt")}
    seen = set()
    for number, stated, text in rows(folder, "GroundTruth.txt"):
        mean = sum(ratings[number]) / len(ratings[number])
        if abs(mean - float(stated)) > 0.001:
            sys.exit(f"sentence {number}: the ratings' mean is {mean:.4f}, the file says {stated}")
        text = " ".join(text.split())
        if text.lower() in seen:
            continue
        seen.add(text.lower())
        yield {"id": "movie-" + number, "text": text, "mean_rating": round(mean, 4),
               "ratings": len(ratings[number])}


def write(path, records):
    """Beside its place and renamed, so that a file of that name is always whole."""
    with open(path + ".new", "w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    os.replace(path + ".new", path)


def main():
    folder, out = sys.argv[1:]
    records = list(read(folder))
    clear = [dict(record, label="positive" if record["mean_rating"] > 0 else "negative")
             for record in records if abs(record["mean_rating"]) >= CLEAR]
    by_hash = sorted(clear, key=lambda r: hashlib.sha256(r["id"].encode()).hexdigest())
    seeds = [record for label in ("positive", "negative")
             for record in [r for r in by_hash if r["label"] == label][:SEEDS_PER_LABEL]]
    taken = {record["id"] for record in seeds}
    gold = [record for record in by_hash if record["id"] not in taken]
    write(os.path.join(out, "seeds.jsonl"), seeds)
    write(os.path.join(out, "gold.jsonl"), gold)
    positive = sum(record["label"] == "positive" for record in gold)
    print(f"quickstart data: {len(records)} sentences, {len(clear)} with |mean rating| "
          f">= {CLEAR:g}; gold.jsonl {len(gold)} ({positive} positive, "
          f"{len(gold) - positive} negative), seeds.jsonl {len(seeds)} ({SEEDS_PER_LABEL} of each)")


main()
