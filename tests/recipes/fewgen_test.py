# SPDX-License-Identifier: Apache-2.0
"""FewGen (Meng et al. 2023): the weights of tokens and texts from a table of log-probabilities, by
plain Python; and a student of the authors' recorded generations for SST-2 beside one of SuperGen's,
which had no examples: few-shot data has to be the better."""
import collections
import gzip
import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
FEWGEN = "fewgen/SST-2_seed%d_generated.jsonl.gz"
SUPERGEN = "supergen/SST-2_train_generated.jsonl.gz"
GOLD = "supergen/SST-2_test_gold.jsonl.gz"
RECORDED = {"seed13": 0.680, "seed21": 0.695}  # TF-IDF and logistic regression, same 872 rows

# A model that writes from a list and scores by a table: log P(word given label); words are tokens.
MODEL = '''
import json, sys
table = json.load(open(sys.argv[1]))
texts = json.load(open(sys.argv[2]))
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    label = "positive" if "with praise" in prompt else "negative"
    answer = {"id": request["id"]}
    if request["operation"] == "score":
        assert request["logprobs"]
        logprobs = [table[label][word] for word in request["candidates"][0].split()]
        answer.update(scores=[sum(logprobs)], score_tokens=[len(logprobs)], logprobs=logprobs)
    else:
        opening = prompt[prompt.rindex("Begin with: ") + len("Begin with: "):]
        mine = texts[label][opening]
        answer["text"] = mine[request.get("sample", 0) % len(mine)]
    print(json.dumps(answer), flush=True)
'''
TEXTS = {
    "positive": {"It": ["It shines.", "It shines and drags on."],
                 "The story": ["The story drags on."], "The actors": ["The actors shines."]},
    "negative": {"It": ["It drags.", "It drags on."],
                 "The story": ["The story shines and shines."],
                 "The actors": ["The actors drags and drags."]}}


def near(word):
    """Made-up but different numbers: what shines is said in praise, what drags in blame."""
    base = 0.05 + sum(map(ord, word)) % 17 / 40
    bend = 3 if "shine" in word else 1 / 3 if "drag" in word else 1 + len(word) / 100
    return {"positive": math.log(min(0.9, base * bend)), "negative": math.log(base)}


class Weights(harness.Case):
    def expected(self, row):
        """(the token weights, the label's length-normalised share), by the definition."""
        weights = []
        for word in row["text"].split():
            own, other = (math.exp(self.table[label][word]) for label in
                          (row["label"], {"positive": "negative",
                                          "negative": "positive"}[row["label"]]))
            weights.append(own / (own + other))
        return weights, sum(weights) / len(weights)

    def test_table(self):
        words = {word for texts in TEXTS.values() for mine in texts.values() for text in mine
                 for word in text.split()}
        self.table = {label: {word: near(word)[label] for word in words} for label in TEXTS}
        self.write("table.json", json.dumps(self.table))
        self.write("texts.json", json.dumps(TEXTS))
        self.write("model.py", MODEL)
        words = [
            "models.teacher={ use: exec, operations: [complete, score], command: [python3, "
            f"'{self.path('model.py')}', '{self.path('table.json')}', "
            f"'{self.path('texts.json')}'] }}", f"write.path={self.path('data.jsonl')}",
            f"write.rejects={self.path('rejects.jsonl')}", "write.with={ weight: true }",
            "params.texts=2"]
        recipe = os.path.join(harness.ROOT, "pipelines", "fewgen.yaml")
        self.xylem("run", "-q", "--runs", self.path("runs"), "--record", self.path("all.jsonl"),
                   recipe, *[word for value in words for word in ("--set", value)])
        rows = self.records("data.jsonl")
        # What was recorded has the tokens' log-probabilities, and gives the same again.
        words[0] = f"models.teacher={{ use: replay, file: '{self.path('all.jsonl')}' }}"
        self.xylem("run", "-q", "--runs", self.path("again"), recipe,
                   *[word for value in words for word in ("--set", value)])
        for row, other in zip(rows, self.records("data.jsonl"), strict=True):
            for mine, recorded in zip(row["token_weights"], other["token_weights"], strict=True):
                self.assertAlmostEqual(mine, recorded, places=5)
        self.assertEqual(len(rows), 8)
        share, of_label = {}, collections.defaultdict(list)
        for row in rows:
            weights, share[row["text"]] = self.expected(row)
            of_label[row["label"]].append(share[row["text"]])
            self.assertEqual(len(row["token_weights"]), len(weights))
            for said, mine in zip(row["token_weights"], weights):
                self.assertAlmostEqual(said, mine, places=6)
            self.assertAlmostEqual(row["likelihood"][row["label"]], share[row["text"]], places=6)
            self.assertAlmostEqual(sum(row["likelihood"].values()), 1, places=7)
        for row in rows:  # the record's weight: that share, at mean 1 in each label
            mine = of_label[row["label"]]
            self.assertAlmostEqual(row["_weight"], share[row["text"]] * len(mine) / sum(mine),
                                   places=5)
        weight = {row["text"]: row["_weight"] for row in rows}
        self.assertLess(weight["The story shines and shines."], min(
            weight[text] for text in ("It drags.", "It drags on.", "The actors drags and drags.")))


@unittest.skipUnless(os.path.exists(os.path.join(DATA, FEWGEN % 13)), "there is no recorded data")
class Student(harness.Case):
    LEARNERS = {"linear": "linear", "softmax": "softmax",
                "smoothed": "{ use: softmax, smoothing: 0.15 }",
                "fewgen": "{ use: softmax, smoothing: 0.15, ensemble: 10 }"}  # the recipe's

    def copy(self, name, path):
        with gzip.open(os.path.join(DATA, path), "rt", encoding="utf-8") as file:
            self.write(f"{name}.jsonl", file.read())

    def test_few_shot_beats_zero_shot(self):
        sets = {"seed13": FEWGEN % 13, "seed21": FEWGEN % 21, "supergen": SUPERGEN}
        for name, path in {**sets, "gold": GOLD}.items():
            self.copy(name, path)
        steps = []
        for name in sets:
            steps.append(f"  - {{ id: {name}, use: read, with: {{ path: {name}.jsonl }} }}")
            for learner, options in self.LEARNERS.items():
                steps.append(f"  - {{ id: {name}_{learner}, from: {name}, use: benchmark, with: "
                             f"{{ learner: {options}, test: gold.jsonl }} }}")
        self.write("p.yaml", "xylem: 1\nsteps:\n" + "\n".join(steps) +
                   "\nwrite: { path: out.jsonl, from: supergen }\n")
        done = self.xylem("run", "-q", "--json", "--runs", self.path("runs"), self.path("p.yaml"),
                          timeout=600)
        scores = {f"{score['step']}.{score['name']}": score["value"]
                  for score in json.loads(done.stdout)["report"]["scores"]}
        found = {name: {learner: scores[f"{name}_{learner}.accuracy"] for learner in self.LEARNERS}
                 for name in sets}
        for name in sets:
            print(f"\n{name}:", *(f"{learner} {100 * found[name][learner]:.1f}"
                                  for learner in self.LEARNERS), "recorded TF-IDF",
                  RECORDED.get(name, 0.614), end="")
        for seed, recorded in RECORDED.items():
            # A 95 % interval of 872 rows is 3 points to each side.
            self.assertGreater(found[seed]["fewgen"], recorded - 0.03)
            for learner in self.LEARNERS:
                self.assertGreater(found[seed][learner], found["supergen"][learner])
        mean = {learner: sum(found[seed][learner] for seed in RECORDED) / 2
                for learner in self.LEARNERS}
        self.assertGreater(mean["fewgen"], mean["linear"])


if __name__ == "__main__":
    harness.main()
