# SPDX-License-Identifier: Apache-2.0
"""SymGen: on recorded questions about geography, a majority by result among noisy variants of each
gold query is right more often than one variant (Ye et al. 2023, section 3). The data set has 600
gold queries, of which 598 run and 23 of these give no row."""
import gzip
import json
import os
import random
import re
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
FOLDER = os.path.join(DATA, "geoquery-sql")
DATABASE = os.path.join(FOLDER, "geography_db.sqlite")
VARIANTS, NOISE = 5, 0.45

PIPELINE = """xylem: 1
name: geoquery
steps:
  - {{ id: variants, use: read, with: {{ path: variants.jsonl }} }}
  - {{ id: execute, use: sql, with: {{ database: '{database}' }} }}
  - {{ id: ballot, use: set, with: {{ group: result_hash }} }}
  - {{ id: vote, use: vote, with: {{ by: question, field: group }} }}
write:
  - {{ path: single.jsonl, from: execute, rejects: rejects.jsonl }}
  - {{ path: majority.jsonl }}
"""


def load():
    with gzip.open(os.path.join(FOLDER, "train.jsonl.gz"), "rt", encoding="utf-8") as file:
        return [json.loads(line)["query"] for line in file]


def columns():
    """The columns of each table, for swaps that still run."""
    database = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    tables = [row[0] for row in database.execute(names)]
    return {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            for table in tables}


def noisy(query, of_table, constants, draw):
    """The query with one column or one constant swapped for another."""
    names = [m for m in re.finditer(r"\b(\w+)\.(\w+)\b", query) if m.group(1) in of_table]
    texts = list(re.finditer(r"'([^']*)'", query))
    choices = ([("column", m) for m in names] + [("constant", m) for m in texts])
    if not choices:
        return query
    kind, match = draw.choice(choices)
    if kind == "column":
        new = f"{match.group(1)}.{draw.choice(of_table[match.group(1)])}"
    else:
        new = f"'{draw.choice(constants)}'"
    return query[:match.start()] + new + query[match.end():]


@unittest.skipUnless(os.path.exists(DATABASE), "the reference data is not here")
class SymGen(harness.Case):
    def run_queries(self, rows):
        self.write("variants.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write("p.yaml", PIPELINE.format(database=DATABASE))
        self.xylem("run", "-q", "p.yaml")

    def test_majority_beats_a_single_query(self):
        gold = load()
        self.run_queries([{"question": i, "query": query} for i, query in enumerate(gold)])
        truth = {row["question"]: row["result_hash"] for row in self.records("single.jsonl")}
        self.assertEqual((len(gold), len(truth)), (600, 598))
        self.assertEqual(sum(row["row_count"] == 0 for row in self.records("single.jsonl")), 23)

        draw, of_table = random.Random(1), columns()
        constants = sorted({text for query in gold for text in re.findall(r"'([^']*)'", query)})
        rows = [{"question": i, "query": noisy(gold[i], of_table, constants, draw)
                 if draw.random() < NOISE else gold[i]}
                for i in sorted(truth) for _ in range(VARIANTS)]
        self.run_queries(rows)
        right = sum(truth[row["question"]] == row["result_hash"]
                    for row in self.records("single.jsonl"))
        single = right / len(rows)
        voted = self.records("majority.jsonl")
        self.assertEqual(len({row["question"] for row in voted}), len(voted))
        majority = sum(truth[row["question"]] == row["group"] for row in voted) / len(truth)
        print(f"single {single:.4f}, majority of {VARIANTS} {majority:.4f}", end=" ")
        # Five votes of which each is right with probability q are right together with more than q.
        self.assertGreater(single, 0.5)
        self.assertGreater(majority, single + 0.1)


if __name__ == "__main__":
    harness.main()
