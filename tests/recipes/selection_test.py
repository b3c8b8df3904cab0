# SPDX-License-Identifier: Apache-2.0
"""Nearest neighbours, vote-k, k-center and facility location beside plain reference code, on
recorded texts, ties included.

Texts are embedded as signatures of their words: for each of BLOCKS hash functions, which of four
buckets the smallest hash falls into. A vector has one 1/8 in each block, so that its length is
exactly 1, every inner product is a whole number of 64ths, and equal cosines are equal.
"""
import gzip
import hashlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
BLOCKS, BUCKETS = 64, 4


def signature(text):
    """Of each block, the bucket that is taken."""
    words = set(re.findall(r"[a-z0-9]+", text.lower())) or {""}
    hashes = [int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
              for word in words]
    prime = 2 ** 61 - 1
    return [min((h * (2 * i + 1) + i * 0x9E3779B97F4A7C15) % prime for h in hashes) % BUCKETS
            for i in range(BLOCKS)]


def vector(text):
    row = [0] * (BLOCKS * BUCKETS)
    for block, bucket in enumerate(signature(text)):
        row[block * BUCKETS + bucket] = 0.125
    return row


def alike(a, b):
    """The cosine, in 64ths."""
    return sum(map(int.__eq__, a, b))


def nearest(rows, row, k):
    others = [i for i in range(len(rows)) if i != row]
    return sorted(others, key=lambda i: (-alike(rows[row], rows[i]), i))[:k]


def vote_k(rows, k, neighbours, confidences=None):
    """Su et al. 2023, with weights as whole numbers: in units of 10^-12 of a vote."""
    votes = [nearest(rows, i, neighbours) for i in range(len(rows))]
    voters = [[] for _ in rows]
    for voter, names in enumerate(votes):
        for name in names:
            voters[name].append(voter)
    chosen, discounts = [], [0] * len(rows)

    def choose(among):
        def score(i):
            return sum(10 ** (12 - discounts[v]) if discounts[v] <= 12 else 0
                       for v in voters[i] if v not in chosen)
        left = [i for i in among if i not in chosen]
        best = max(left, key=lambda i: (score(i), len(voters[i]), -i))
        chosen.append(best)
        for voter in voters[best]:
            discounts[voter] += 1

    if confidences is None:
        while len(chosen) < k:
            choose(range(len(rows)))
        return chosen
    order = sorted(range(len(rows)), key=lambda i: (confidences[i], i))
    width = int(0.9 * len(rows) / k)
    for band in range(k):
        choose(order[band * width:(band + 1) * width])
    return chosen


def k_center(rows, k):
    """Gonzalez 1985, from the row with the greatest sum of cosines on; ties to the earlier."""
    chosen = [max(range(len(rows)), key=lambda i: (sum(alike(rows[i], row) for row in rows), -i))]
    while len(chosen) < k:
        left = [i for i in range(len(rows)) if i not in chosen]
        chosen.append(min(left, key=lambda i: (max(alike(rows[i], rows[c]) for c in chosen), i)))
    return chosen


def facility_location(rows, k):
    """The greedy maximum of the sum, over all rows, of the cosine with the nearest one chosen."""
    chosen, nearest = [], [0] * len(rows)
    cosines = [[alike(row, other) for other in rows] for row in rows]
    while len(chosen) < k:
        best = max((i for i in range(len(rows)) if i not in chosen),
                   key=lambda i: (sum(map(max, cosines[i], nearest)), -i))
        chosen.append(best)
        nearest = list(map(max, cosines[best], nearest))
    return chosen


class Selection(harness.Case):
    def rows(self, *name, count, step=1):
        path = os.path.join(DATA, *name)
        if not os.path.exists(path):
            self.skipTest(f"there is no {path}")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [{"n": i, "text": row["text"].strip(), "gold": row["gold"]}
                for i, row in enumerate(rows[::step][:count])]

    def prepare(self, name, rows):
        self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def embed(self, *sets):
        texts = dict.fromkeys(row["text"] for rows in sets for row in rows)
        self.write("vectors.jsonl", "".join(json.dumps({"prompt": text, "vector": vector(text)})
                                            + "\n" for text in texts))

    def run_steps(self, steps):
        self.write("pipeline.yaml", f"""
xylem: 1
models: {{ embedder: {{ use: replay, file: vectors.jsonl }} }}
steps:
{steps}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
""")
        self.xylem("run", "-q", "pipeline.yaml")
        return self.records("out.jsonl")

    def votes(self, rows, k, neighbours, confident=False):
        for row in rows:
            row["sure"] = int(hashlib.md5(row["text"].encode()).hexdigest()[:3], 16) % 50
        self.prepare("rows.jsonl", rows)
        self.embed(rows)
        kept = self.run_steps(f"""
  - {{ use: read, with: {{ path: rows.jsonl }} }}
  - use: select
    with:
      method: vote_k
      k: {k}
      neighbours: {neighbours}
      embed: embedder
      rank: rank
      {'confidence: sure' if confident else ''}
""")
        found = [row["n"] for row in sorted(kept, key=lambda row: row["rank"])]
        expected = vote_k([signature(row["text"]) for row in rows], k, neighbours,
                          [row["sure"] for row in rows] if confident else None)
        self.assertEqual(found, expected)

    def test_vote_k_on_reviews(self):
        rows = self.rows("freeal-mr", "train.jsonl.gz", count=400, step=20)
        rows += [{**row, "n": 400 + row["n"]} for row in rows[:40]]  # doubles: ties throughout
        self.votes(rows, 18, 150)

    def test_vote_k_on_tweets(self):
        rows = self.rows("llm-annotations-css", "semeval_stance.jsonl.gz", count=300)
        self.votes(rows, 30, 20)

    def test_vote_k_with_confidences(self):
        rows = self.rows("llm-annotations-css", "wiki_politeness.jsonl.gz", count=300)
        self.votes(rows, 25, 30, confident=True)

    def spread(self, method, rows, k):
        self.prepare("rows.jsonl", rows)
        self.embed(rows)
        kept = self.run_steps(f"""
  - {{ use: read, with: {{ path: rows.jsonl }} }}
  - {{ use: select, with: {{ method: {method}, k: {k}, embed: embedder, rank: rank }} }}
""")
        return [row["n"] for row in sorted(kept, key=lambda row: row["rank"])]

    def test_k_center_and_facility_location(self):
        """Doubles and few buckets: many cosines are equal, so that ties count."""
        reviews = self.rows("freeal-mr", "train.jsonl.gz", count=200, step=40)
        reviews += [{**row, "n": 200 + row["n"]} for row in reviews[:20]]
        tweets = self.rows("llm-annotations-css", "semeval_stance.jsonl.gz", count=250)
        for rows in reviews, tweets:
            signatures = [signature(row["text"]) for row in rows]
            self.assertEqual(self.spread("k_center", rows, 40), k_center(signatures, 40))
            self.assertEqual(self.spread("facility_location", rows, 30),
                             facility_location(signatures, 30))

    def neighbours(self, pool, queries, k):
        self.prepare("pool.jsonl", pool)
        self.prepare("queries.jsonl", queries)
        self.embed(pool, queries)
        return self.run_steps(f"""
  - {{ use: read, with: {{ path: queries.jsonl }} }}
  - use: demos.knn
    with: {{ pool: pool.jsonl, k: {k}, embed: embedder, order: nearest_first, fields: [n, gold] }}
""")

    def test_nearest_neighbours(self):
        pool = self.rows("freeal-mr", "train.jsonl.gz", count=800, step=10)
        pool += [{**row, "n": 800 + row["n"]} for row in pool[:200]]
        queries = pool[:60] + self.rows("freeal-mr", "test.jsonl.gz", count=60, step=15)
        signatures = [signature(row["text"]) for row in pool]
        tied = 0
        for query in self.neighbours(pool, queries, 8):
            own = signature(query["text"])
            near = sorted((i for i, row in enumerate(pool) if row["text"] != query["text"]),
                          key=lambda i: (-alike(own, signatures[i]), i))[:8]
            self.assertEqual([demo["n"] for demo in query["demos"]], [pool[i]["n"] for i in near])
            tied += any(alike(own, signatures[a]) == alike(own, signatures[b])
                        for a, b in zip(near, near[1:]))
        self.assertGreater(tied, 60)

    def test_neighbours_share_labels(self):
        """Better than the prior, 0.5: 8 neighbours of 1,000 reviews, a standard error of 0.006."""
        pool = self.rows("freeal-mr", "train.jsonl.gz", count=4331, step=2)
        queries = self.rows("freeal-mr", "test.jsonl.gz", count=1000)
        shown = [demo["gold"] == row["gold"] for row in self.neighbours(pool, queries, 8)
                 for demo in row["demos"]]
        prior = 0.5  # half of the pool has each label
        share = sum(shown) / len(shown)
        print(f"neighbours with the query's label: {share:.4f}, by chance {prior}")
        self.assertGreater(share, prior + 3 * 0.006)


if __name__ == "__main__":
    harness.main()
