# SPDX-License-Identifier: Apache-2.0
"""ReGen (Yu et al. 2023) on recorded film reviews, with two queries: what the second round finds is
labelled right at least as often as what the first did, and the filter raises the share of right
labels. The recipe runs as it is, with its own embedder."""
import gzip
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
REVIEWS = os.path.join(DATA, "freeal-mr", "train.jsonl.gz")
LLAMA = os.path.join(harness.BUILD, "lib", "xylem", "llama.so")
STEP = 8  # every eighth of the 8,662 reviews


def right(rows):
    return sum(row["label"] == row["gold"] for row in rows) / max(len(rows), 1)


@unittest.skipUnless(os.path.exists(REVIEWS), "there is no recorded data")
@unittest.skipUnless(os.path.exists(LLAMA), "the embedded model is not built in")
class Rounds(harness.Case):
    def find(self, first):
        """Runs on every eighth review; returns the kept records and the dropped, by step."""
        with gzip.open(REVIEWS, "rt", encoding="utf-8") as file:
            reviews = [json.loads(line) for line in file][first::STEP]
        self.write("corpus.jsonl", "".join(json.dumps(
            {"text": row["text"], "gold": ["negative", "positive"][row["gold"]]}) + "\n"
            for row in reviews))
        sets = [f"params.corpus={self.path('corpus.jsonl')}", "params.first=100", "params.more=3",
                "params.folds=5", "codebook.labels={ positive: A great film., negative: A "
                "terrible film. }", "steps.labels.with.label=[positive, negative]",
                f"write.path={self.path('data.jsonl')}",
                f"write.rejects={self.path('rejects.jsonl')}",
                "write.fields=[text, label, gold, found_in]", f"cache={self.path('cache')}"]
        self.xylem("run", "-q", "--runs", self.path("runs"),
                   os.path.join(harness.ROOT, "pipelines", "regen.yaml"),
                   *[word for value in sets for word in ("--set", value)], timeout=900)
        dropped = {}
        for row in self.records("rejects.jsonl"):
            dropped.setdefault(row["trail"][-1]["step"], []).append(row["fields"])
        return self.records("data.jsonl"), dropped

    def test_rounds(self):
        kept, dropped = self.find(0)
        everything = kept + [row for rows in dropped.values() for row in rows]
        rounds = [[row for row in everything if row["found_in"] == number] for number in (0, 1)]
        self.assertEqual(len(rounds[0]), 200)  # what both queries found, before any filter
        print(f"\nfirst round {len(rounds[0])} finds, {100 * right(rounds[0]):.1f} % right; second "
              f"{len(rounds[1])}, {100 * right(rounds[1]):.1f} %", end="")
        self.assertGreaterEqual(right(rounds[1]), right(rounds[0]))
        self.assertEqual(len({row["text"] for row in kept}), len(kept))
        # What the first filter saw: all but what `once` had dropped before.
        doubled = {id(row) for row in dropped["once"]}
        refused = {id(row) for row in dropped["consistent"]}
        seen = [row for row in rounds[0] if id(row) not in doubled]
        passed = [row for row in seen if id(row) not in refused]
        for name, before, after in (("first", seen, passed),
                                    ("second", kept + dropped["next_consistent"], kept)):
            print(f"; {name} filter {100 * right(before):.1f} % of {len(before)} -> "
                  f"{100 * right(after):.1f} % of {len(after)}", end="")
        # Together, since embeddings differ in their last digits between machines.
        self.assertGreater(right(passed + kept), right(seen + kept + dropped["next_consistent"]))


if __name__ == "__main__":
    harness.main()
