# SPDX-License-Identifier: Apache-2.0
"""Annotation recipes: scores computed again from the recorded answers, and what goes wrong."""
import collections
import gzip
import itertools
import json
import math
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

GOLDEN = os.path.join(harness.ROOT, "tests", "golden")
DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))


def entropy(votes):
    counts = collections.Counter(votes).values()
    return -sum(n / len(votes) * math.log2(n / len(votes)) for n in counts)


def kappa(pairs):
    """Cohen's kappa by its definition."""
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    left, right = (collections.Counter(side) for side in zip(*pairs))
    chance = sum(left[label] * right[label] for label in left) / n ** 2
    return (observed - chance) / (1 - chance)


class Annotation(harness.Case):
    def run_recipe(self, name, *sets, answers=None):
        recipe = os.path.join(harness.ROOT, "pipelines", f"{name}.yaml")
        with open(os.path.join(GOLDEN, name, "case.json"), encoding="utf-8") as file:
            case = json.load(file)
        answers = answers or os.path.join(GOLDEN, name, "answers.jsonl")
        sets = [*case.get("set", []), *sets, f"models.teacher={{ use: replay, file: {answers} }}"]
        places = case.get("write", ["write"])
        sets += [f"{place}.path={self.path(f'data{i}.jsonl')}" for i, place in enumerate(places)]
        sets.append(f"{places[0]}.rejects={self.path('rejects.jsonl')}")
        options = [word for value in sets for word in ("--set", value)]
        done = self.xylem("run", "-q", "--json", "--runs", self.path("runs"), recipe, *options)
        return json.loads(done.stdout)

    def score(self, summary, step, name):
        return [score["value"] for score in summary["report"]["scores"]
                if (score["step"], score["name"]) == (step, name)][-1]

    def test_codebook(self):
        """Gilardi et al.: agreement between runs, and with people, from the answers by hand."""
        summary = self.run_recipe("codebook_annotation")
        with open(os.path.join(harness.ROOT, "examples", "data", "moderation.jsonl"),
                  encoding="utf-8") as file:
            posts = [json.loads(line) for line in file][:6]
        with open(os.path.join(GOLDEN, "codebook_annotation", "answers.jsonl"),
                  encoding="utf-8") as file:
            answers = [json.loads(line) for line in file]
        again = [a["text"] for a in answers if a["prompt"].startswith("That answer cannot")][0]
        runs = []  # each post's two answers; both temperatures got the same
        for post in posts:
            texts = [next(a["text"] for a in answers if "Post: " + post["text"] in a["prompt"] and
                          a["sample"] == sample) for sample in (0, 1)]
            runs.append([json.loads(text if text[0] == "{" else again)["label"] for text in texts])
        same = sum(a == b for a, b in runs) / len(runs)
        for step in ("warm_runs", "cold_runs"):
            self.assertAlmostEqual(self.score(summary, step, "pair_agreement"), same)
        pairs = [list(itertools.combinations(votes * 2, 2)) for votes in runs]
        self.assertAlmostEqual(self.score(summary, "runs", "pair_agreement"),
                               sum(a == b for row in pairs for a, b in row) / (6 * len(runs)))
        majority = [votes[0] for votes in runs]  # a tie goes to the first
        labels = [(post["gold"], label) for post, label in zip(posts, majority)]
        self.assertAlmostEqual(self.score(summary, "quality", "accuracy"),
                               sum(a == b for a, b in labels) / len(labels))
        self.assertAlmostEqual(self.score(summary, "quality", "kappa"), kappa(labels))
        self.assertEqual([row["text"] for row in self.records("data1.jsonl")],
                         [post["text"] for post, votes in zip(posts, runs) if len(set(votes)) > 1])

    def test_label_outside_the_codebook(self):
        """Asked again, twice; then it is rejected with what was wrong, and the run goes on."""
        with open(os.path.join(GOLDEN, "codebook_annotation", "answers.jsonl"),
                  encoding="utf-8") as file:
            answers = [json.loads(line) for line in file]
        for answer in answers:
            if "bakery" in answer["prompt"] or answer["prompt"].startswith("That answer cannot"):
                answer["text"] = '{"label": "maybe"}'
        answers.append({"prompt": "That answer cannot be used: $.label: expected one of "
                        '["relevant","irrelevant"], found "maybe". Answer again, with the JSON '
                        "alone.", "text": '{"label": "maybe"}'})
        path = self.write("answers.jsonl", "".join(json.dumps(a) + "\n" for a in answers))
        self.run_recipe("codebook_annotation", answers=path)
        kept = [row["text"] for name in ("data0.jsonl", "data1.jsonl")
                for row in self.records(name)]
        self.assertEqual(len(kept), 5)
        self.assertFalse([text for text in kept if "bakery" in text])
        reasons = [r["trail"][-1].get("reason", "") for r in self.records("rejects.jsonl")
                   if "bakery" in r["fields"]["text"]]
        self.assertEqual(len(reasons), 4)
        self.assertEqual({'expected one of ["relevant","irrelevant"], found "maybe"' in reason
                          for reason in reasons}, {True})

    def test_panel(self):
        """CoAnnotating: entropy in bits of the labels that seven prompts gave."""
        self.run_recipe("prompt_panel", "write.0.fields=[gold, first, last, paraphrase, choice, "
                        "truth, yes, turned, label, votes, vote_entropy]")
        rows = self.records("data0.jsonl")
        self.assertEqual(len(rows), 3)
        for row in rows:
            votes = [row[name] for name in ("first", "last", "paraphrase", "choice", "truth",
                                            "yes", "turned") if row[name] != "unclear"]
            self.assertEqual(row["votes"], len(votes))
            self.assertAlmostEqual(row["vote_entropy"], entropy(votes))
            self.assertEqual(row["label"], collections.Counter(votes).most_common(1)[0][0])
        # "Not positive?" "Yes." is a vote for negative, "No." one for positive.
        self.assertEqual([row["turned"] for row in rows], ["negative", "positive", "negative"])

    def test_offsets(self):
        """Every mention is its slice, in characters and bytes; its tags cover its tokens."""
        self.run_recipe("ner")
        rows = self.records("data0.jsonl")
        self.assertEqual(len(rows), 8)
        for row in rows:
            text, mentions, at = row["text"], row["mentions"], 0
            tags = []
            for token in row["tokens"]:  # the tokens are the text without its white space
                start = text.index(token, at)
                self.assertEqual(text[at:start].strip(), "")
                at = start + len(token)
                inside = [m for m in mentions if m["start"] < at and m["end"] > start]
                tags.append("O" if not inside else
                            ("B-" if start <= inside[0]["start"] else "I-") + inside[0]["type"])
            self.assertEqual(text[at:].strip(), "")
            self.assertEqual(tags, row["tags"])
            for mention in mentions:
                self.assertEqual(text[mention["start"]:mention["end"]], mention["text"])
                self.assertEqual(text.encode()[mention["start_byte"]:mention["end_byte"]].decode(),
                                 mention["text"])

    def test_fidelity(self):
        """Sahu et al.: the share of utterances whose intent the oracle sees as it was meant."""
        summary = self.run_recipe("intent_augmentation")
        rows = self.records("data0.jsonl")
        same = [(row["teacher_label"] or row["label"]) == row["student_label"] for row in rows]
        self.assertEqual(len(rows), 9)
        self.assertEqual(same.count(False), 1)
        self.assertAlmostEqual(self.score(summary, "oracle", "student_agreement"),
                               sum(same) / len(same))
        with open(os.path.join(GOLDEN, "intent_augmentation", "answers.jsonl"),
                  encoding="utf-8") as file:
            prompts = [json.loads(line)["prompt"] for line in file]
        with open(os.path.join(harness.ROOT, "examples", "data", "intents.jsonl"),
                  encoding="utf-8") as file:
            seeds = [json.loads(line) for line in file]
        for prompt in prompts:  # ten seeds of one intent, each once
            intent = re.search(r"intent: ([^.]*)\.", prompt).group(1).replace(" ", "_")
            shown = re.findall(r"(?m)^\d+\. (.*)$", prompt)
            self.assertEqual(sorted(shown),
                             sorted(s["text"] for s in seeds if s["label"] == intent))

    def test_wanli_sample(self):
        """WANLI's sample of 100 annotations: 7 discarded; of the others 42 keep GPT-3's label."""
        path = os.path.join(DATA, "wanli", "annotations_sample.jsonl.gz")
        if not os.path.exists(path):
            self.skipTest(f"there is no {path}")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            self.write("sample.jsonl", file.read())
        self.write("sample.yaml", """\
xylem: 1
steps:
  - { id: sample, use: read, with: { path: sample.jsonl } }
  - { id: kept, use: expression, with: { keep: "gold != 'discard'" } }
  - { id: quality, use: evaluator/agreement, with: { gold: gold, predicted: label } }
  - { id: revised, use: expression, with: { keep: revised } }
write: { path: revised.jsonl }
""")
        done = self.xylem("run", "-q", "--json", "--runs", self.path("runs"),
                          self.path("sample.yaml"))
        summary = json.loads(done.stdout)
        steps = {step["step"]: step for step in summary["report"]["steps"]}
        self.assertEqual((steps["kept"]["in"], steps["kept"]["out"]), (100, 93))
        self.assertAlmostEqual(self.score(summary, "quality", "accuracy"), 42 / 93)
        self.assertEqual(len(self.records("revised.jsonl")), 11)


if __name__ == "__main__":
    harness.main()
