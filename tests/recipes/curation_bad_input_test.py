# SPDX-License-Identifier: Apache-2.0
"""What curation does with data that it cannot use: one label only, weights of 0, numbers that are
none or infinite, nothing left to look at, models that cannot embed or embed otherwise than before.
Each case runs a pipeline as a user would, and holds the exit code, the message and what is kept
against what the stages' pages promise."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

EMBEDDER = """import hashlib, json, sys
for line in sys.stdin:
    request = json.loads(line)
    vectors = []
    for text in request["texts"]:
        digest = hashlib.sha256(text.encode()).digest()
        vectors.append([byte / 128 - 1 for byte in digest[:DIMENSION]])
    print(json.dumps({"id": request["id"], "vectors": vectors}), flush=True)
"""

PIPELINE = """xylem: 1
name: bad
cache: cache
models:
  small: {{ use: exec, command: [python3, embedder.py], operations: [{operations}] }}
steps:
  - {{ id: other, use: read, with: {{ path: other.jsonl }} }}
  - {{ id: none, use: expression, with: {{ keep: "false" }} }}
  - {{ id: rows, use: read, with: {{ path: rows.jsonl }} }}
{steps}write: {{ path: out.jsonl, rejects: rejects.jsonl, from: {written} }}
"""

# A learner over embeddings, and each way in which a stage comes to learn.
LINEAR = "{ use: linear, features: embedding, embed: small }"
SOFTMAX = "{ use: softmax, features: embedding, embed: small }"
TAUGHT = {
    "linear": ("student", "{ learner: linear }"),
    "softmax": ("student", "{ learner: softmax }"),
    "knn": ("student", "{ learner: knn }"),
    "boosting": ("student", "{ learner: boosting, features: [x, y] }"),
    "confident_learning": ("confident_learning", "{ learner: linear }"),
    "dynamics": ("dynamics", "{ learner: softmax }"),
    "dynamics, columns": ("dynamics", "{ learner: boosting, features: [x, y] }"),
    "influence": ("influence", "{ features: [x, y] }"),
    "freeal": ("freeal", "{ learner: softmax, demonstrations: 0 }"),
    "sungen": ("reweight", "{}"),
    "learned": ("reweight", "{ method: learned, dev: other }"),
    "weights by influence": ("reweight", "{ method: influence }"),
    "weights by loss": ("reweight", "{ method: loss }"),
    "benchmark": ("benchmark", "{ learner: linear, test: other }"),
}
# Those that learn from a data set of its own.
TAUGHT_BY_OTHER = {
    "student": ("student", "{ learner: linear, train: other }"),
    "dynamics": ("dynamics", "{ learner: softmax, train: other }"),
    "errors": ("errors", "{ learner: linear, train: other }"),
}
WITHOUT_LEARNER = {
    "confident_learning": ("confident_learning", "{ probabilities: scores }"),
    "weights by scores": ("reweight", "{ method: loss, scores: loss }"),
    "discriminative": ("reweight", "{ method: discriminative, scores: scores }"),
    "freeal": ("freeal", "{ predicted: label, confidence: confidence, place: place }"),
    "label_model": ("label_model", "{ fields: [one, two, three] }"),
    "vote": ("vote", "{ fields: [one, two, three] }"),
    "calibrate": ("calibrate", "{ probabilities: scores }"),
    "calibrate, one number": ("calibrate", "{ of: confidence, method: platt }"),
    "vote_k": ("select", "{ k: 5, embed: small }"),
    "k_center": ("select", "{ method: k_center, k: 5, vector: place }"),
    "k_means": ("select", "{ method: k_means, k: 5, vector: place }"),
    "facility_location": ("select", "{ method: facility_location, k: 5, vector: place }"),
    "entropy": ("select", "{ method: entropy, k: 5, probabilities: [scores] }"),
    "margin": ("select", "{ method: margin, k: 5, probabilities: [scores] }"),
    "bald": ("select", "{ method: bald, k: 5, probabilities: [scores, scores] }"),
    "least_confidence": ("select", "{ method: least_confidence, k: 5, confidence: confidence }"),
    "disagreement": ("select", "{ method: disagreement, k: 5 }"),
    "random": ("select", "{ method: random, k: 5 }"),
    "allocate": ("allocate", "{ share: 0.25 }"),
    "uncertainty": ("uncertainty", "{ probabilities: scores }"),
    "human": ("human", "{ queue: queue.jsonl }"),
    "top": ("top", "{ by: confidence, k: 3, per: label }"),
    "top, weighted": ("top", "{ order: weighted, k: 3 }"),
    "agreement": ("filter/agreement", "{ left: label, right: one, confidence: confidence }"),
    "expression": ("expression", "{ keep: confidence > 0.5, weight: confidence }"),
    "semantic": ("semantic", "{ embed: small }"),
    "semantic, ready vectors": ("semantic", "{ vector: place, against: other }"),
    "exact": ("exact", "{ field: text }"),
    "minhash": ("minhash", "{ field: text, against: other }"),
    "novelty": ("novelty", "{ field: text }"),
    "decontaminate": ("decontaminate", "{ against: other }"),
    "toxicity": ("toxicity", "{ learner: linear, train: other, toxic: [b] }"),
    "length": ("length", "{ min: 1 }"),
    "language": ("language", "{ keep: [en] }"),
    "repetition": ("repetition", "{ stop_words: 0 }"),
    "personal_data": ("personal_data", "{ action: mask }"),
    "refusals": ("refusals", "{}"),
    "leakage": ("leakage", "{ label: label }"),
    "encoding": ("encoding", "{}"),
}
EVALUATORS = {
    "ppi": ("ppi", "{ judge: label, gold: gold, positive: [a] }"),
    "agreement": ("evaluator/agreement", "{ gold: gold }"),
    "annotator_agreement": ("annotator_agreement", "{ fields: [one, two, three] }"),
    "diversity": ("diversity", "{ vector: place }"),
}


def rows(count=40):
    words = (["good", "fine", "lovely", "great"], ["bad", "poor", "dull", "awful"])
    made = []
    for i in range(count):
        label = "ab"[i % 2]
        text = " ".join(words[i % 2][(i // 2 + j) % 4] for j in range(3)) + f" film{i}"
        second = 0.1 + 0.8 * (i % 2)
        made.append({"text": text, "label": label, "gold": label, "one": label, "two": label,
                     "three": "ab"[i % 5 == 0], "scores": {"a": 1 - second, "b": second},
                     "loss": i / 10, "confidence": 0.55 + i / 100, "vote_entropy": i % 7 / 10,
                     "x": i % 2 * 2 + i % 3 / 3, "y": i * 7 % 5,
                     "place": [i % 2, i % 5, 1, i / 40]})
    return made


class CurationBadInputTest(scripted.harness.Case):
    def put(self, name, records):
        self.write(name, "".join(json.dumps(record) + "\n" for record in records))

    def run_it(self, code):
        self.runs = getattr(self, "runs", 0) + 1  # each with a journal of its own; one cache
        return self.xylem("run", "bad.yaml", "--runs", f"runs{self.runs}", code=code)

    def step(self, use, options, records, other=None, code=0, before="", source="rows",
             operations="embed, complete"):
        """Runs one step over the records; its step is `s`. Messages, and what it kept."""
        self.put("rows.jsonl", records)
        self.put("other.jsonl", rows() if other is None else other)
        self.write("embedder.py", EMBEDDER.replace("DIMENSION", "8"))
        step = f"  - {{ id: s, use: {use}, from: {source}, with: {options} }}\n"
        evaluates = use in [stage for stage, _ in EVALUATORS.values()] or use == "benchmark"
        written = source if evaluates else "s"
        self.write("bad.yaml", PIPELINE.format(steps=before + step, written=written,
                                               operations=operations))
        for name in ("out.jsonl", "rejects.jsonl", "queue.jsonl"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        done = self.run_it(code)
        kept = self.records("out.jsonl") if os.path.exists(self.path("out.jsonl")) else None
        return done.stderr, kept

    def reasons(self):
        """The reasons of step `s`."""
        return [event["reason"] for record in self.records("rejects.jsonl")
                for event in record["trail"] if event["step"] == "s" and "reason" in event]

    # ---- labels ----------------------------------------------------------------------------------

    def test_one_label_only_is_named(self):
        records = [dict(record, label="a") for record in rows()]
        for name, (use, options) in TAUGHT.items():
            with self.subTest(name):
                said, _ = self.step(use, options, records, code=1)
                self.assertIn("have the label `a`", said)
                self.assertIn("step `s`", said)
        for name, (use, options) in TAUGHT_BY_OTHER.items():
            with self.subTest(name + ", train"):
                said, _ = self.step(use, options, rows(), other=records, code=1)
                self.assertIn("have the label `a`", said)
        said, _ = self.step("toxicity", "{ learner: linear, train: other, toxic: [b] }", rows(),
                            other=records, code=1)
        self.assertIn("no record of `train` has the label `b`", said)

    def test_one_label_is_no_matter_where_nothing_is_learnt(self):
        records = [dict(record, label="a", gold="a", one="a", two="a", three="a")
                   for record in rows()]
        for name, (use, options) in {**WITHOUT_LEARNER, **EVALUATORS}.items():
            if name in ("human", "exact", "minhash", "novelty"):
                continue
            with self.subTest(name):
                self.step(use, options, records, other=rows(8))
        said, kept = self.step("label_model", "{ fields: [one, two, three] }", records)
        self.assertEqual({record["confidence"] for record in kept}, {1})

    def test_no_label_at_all(self):
        records = [{k: v for k, v in record.items() if k != "label"} for record in rows()]
        for name, (use, options) in TAUGHT.items():
            if name == "influence":
                continue
            with self.subTest(name):
                said, _ = self.step(use, options, records, code=1)
                self.assertRegex(said, r"no (record|row|label)|has neither|no record has both")

        said, kept = self.step(*TAUGHT["influence"], records)
        self.assertIn("40 of 40 records were let through without a judgement", said)
        self.assertEqual(len(kept), 40)

    # ---- weights ---------------------------------------------------------------------------------

    def test_weights_of_nothing(self):
        zero = "  - { id: zero, use: expression, from: rows, with: { weight: '0' } }\n"
        for name, (use, options) in TAUGHT.items():
            with self.subTest(name):
                said, _ = self.step(use, options, rows(), before=zero, source="zero", code=1)
                self.assertRegex(said, "the weight 0|a weight above 0")
        for name in ("weights by scores", "discriminative"):
            with self.subTest(name):
                said, _ = self.step(*WITHOUT_LEARNER[name], rows(), before=zero, source="zero",
                                    code=1)
                self.assertIn("all 40 records have the weight 0", said)
        said, kept = self.step(*WITHOUT_LEARNER["top, weighted"], rows(), before=zero,
                               source="zero")
        self.assertEqual(kept, [])
        self.assertIn("40 records were dropped: their weight is 0", said)
        said, kept = self.step("vote", "{ fields: [one, two], weight: none }", rows())
        self.assertIn("the votes of 40 of 40 groups all count 0 by `none`", said)
        self.assertEqual({record["vote_share"] for record in kept}, {0})
        said, _ = self.step("label_model", "{ fields: [one, two], method: weighted, weights: "
                            "{ one: 0, two: 0 } }", rows(), code=1)
        self.assertIn("all `weights` are 0", said)

    # ---- numbers ---------------------------------------------------------------------------------

    def broken(self, how):
        """A step that makes the numbers of the 3 records with x = 0 nothing, or infinite."""
        value = {"nan": "1e308 * 10 - 1e308 * 10", "infinite": "1e308 * 10"}[how]
        fields = ", ".join(f'{name}: "{value}"' for name in
                           ("loss", "confidence", "vote_entropy", "y"))
        return (f"  - {{ id: broken, use: set, from: rows, when: loss < 0.3, "
                f"with: {{ {fields} }} }}\n")

    def test_numbers_that_are_none_or_infinite(self):
        for how in ("nan", "infinite"):
            for name, unjudged in (("dynamics, columns", "3 of 40 records were let through"),
                                   ("influence", "3 of 40 records were let through")):
                with self.subTest(f"{name}, {how}"):
                    said, kept = self.step(*TAUGHT[name], rows(), before=self.broken(how),
                                           source="broken")
                    self.assertIn(unjudged, said)
                    self.assertEqual(sum(record["y"] is None for record in kept), 3)
            with self.subTest(f"weights by scores, {how}"):
                said, kept = self.step(*WITHOUT_LEARNER["weights by scores"], rows(),
                                       before=self.broken(how), source="broken")
                self.assertIn("3 records keep the weight they had", said)
            with self.subTest(f"calibrate, {how}"):
                said, _ = self.step(*WITHOUT_LEARNER["calibrate, one number"], rows(),
                                    before=self.broken(how), source="broken")
                self.assertIn("3 of 40 records have no probabilities to use", said)
            with self.subTest(f"freeal, {how}"):
                said, _ = self.step(*WITHOUT_LEARNER["freeal"], rows(), before=self.broken(how),
                                    source="broken")
                self.assertIn("3 records have a label in `label` and no number in `confidence`",
                              said)
            with self.subTest(f"expression, {how}"):
                _, kept = self.step("expression", "{ weight: confidence }", rows(),
                                    before=self.broken(how), source="broken")
                self.assertEqual(len(kept), 37)
                self.assertEqual(len([why for why in self.reasons()
                                      if "a weight is finite" in why]), 3)

    def test_order_by_numbers_that_are_none(self):
        before, source = self.broken("nan"), "broken"
        said, kept = self.step(*WITHOUT_LEARNER["top"], rows(), before=before, source=source)
        self.assertIn("3 records were dropped: no number for `confidence`", said)
        self.assertEqual(len(kept), 6)
        for name in ("least_confidence", "disagreement"):
            _, kept = self.step(*WITHOUT_LEARNER[name], rows(), before=before, source=source)
            self.assertEqual(len(kept), 5)
            self.assertEqual(len([why for why in self.reasons() if "nothing that" in why]), 3)
        said, kept = self.step(*WITHOUT_LEARNER["allocate"], rows(), before=before, source=source)
        self.assertIn("3 of 40 records have no number in `vote_entropy` and go to people first",
                      said)
        self.assertTrue(all(record["annotator"] == "human" for record in kept[:3]))
        self.step(*WITHOUT_LEARNER["agreement"], rows(), before=before, source=source)
        self.assertEqual(len([why for why in self.reasons() if "no number `confidence`" in why]), 3)

    def test_order_by_infinite_numbers(self):
        """An order has a place for infinity: it is the greatest number."""
        before, source = self.broken("infinite"), "broken"
        first = [record["text"] for record in rows()[:3]]
        _, kept = self.step("top", "{ by: confidence, k: 3 }", rows(), before=before,
                            source=source)
        self.assertEqual([record["text"] for record in kept], first)
        _, kept = self.step("select", "{ method: disagreement, k: 3 }", rows(), before=before,
                            source=source)
        self.assertEqual([record["text"] for record in kept], first)
        _, kept = self.step("select", "{ method: least_confidence, k: 37, confidence: confidence }",
                            rows(), before=before, source=source)
        self.assertFalse({record["text"] for record in kept} & set(first))

    def test_probabilities_that_are_none(self):
        def spoil(value):
            return [dict(record, scores={"a": value, "b": 0.5}) if i < 3 else record
                    for i, record in enumerate(rows())]
        for value in (None, "nan", -0.5):
            with self.subTest(value):
                said, _ = self.step(*WITHOUT_LEARNER["confident_learning"], spoil(value), code=1)
                self.assertIn("record 1 of 40: `scores` has something other than a probability",
                              said)
                _, kept = self.step(*WITHOUT_LEARNER["uncertainty"], spoil(value), code=None)
                self.assertEqual(len(kept), 37)
                said, kept = self.step(*WITHOUT_LEARNER["calibrate"], spoil(value))
                self.assertIn("3 of 40 records have no probabilities to use", said)
                for name in ("entropy", "margin", "bald"):
                    self.step(*WITHOUT_LEARNER[name], spoil(value))
                    self.assertEqual(len([why for why in self.reasons() if "nothing that" in why]),
                                     3, name)

    def test_files_that_say_nan(self):
        self.put("other.jsonl", rows())
        for value, said in (("NaN", "NaN and Infinity are no JSON"),
                            ("1e999", "the field `loss`: its name is empty or longer than 127 "
                                      "bytes, or its value cannot be kept")):
            self.write("rows.jsonl", '{"loss": 1}\n{"loss": ' + value + '}\n')
            self.write("bad.yaml", PIPELINE.format(steps="", written="rows", operations="embed"))
            done = self.run_it(1)
            self.assertIn("rows.jsonl:2: ", done.stderr)
            self.assertIn(said, done.stderr)

    # ---- nothing left ----------------------------------------------------------------------------

    def test_nothing_left_to_look_at(self):
        """All records were dropped before; the stage has none, and says or does nothing."""
        for name, (use, options) in {**TAUGHT, **TAUGHT_BY_OTHER, **WITHOUT_LEARNER,
                                     **EVALUATORS}.items():
            if use in ("benchmark", "errors"):
                continue
            with self.subTest(name):
                said, kept = self.step(use, options, rows(), source="none")
                self.assertEqual(kept, [])
                self.assertFalse(os.path.exists(self.path("queue.jsonl")))
                self.assertNotIn("error", said)
        said, _ = self.step("benchmark", "{ learner: linear, test: rows }", rows(), source="none",
                            code=1)
        self.assertIn("there is no record with text and label to learn from", said)
        said, _ = self.step("errors", "{ learner: linear, train: rows }", rows(), source="none",
                            code=1)
        self.assertIn("the student cannot be asked about any", said)

    def test_nothing_to_learn_or_measure_with(self):
        empty = [{"note": "neither text nor label"}]
        for name, (use, options), said in (
                ("student", TAUGHT_BY_OTHER["student"], "no record with text and label"),
                ("dynamics", TAUGHT_BY_OTHER["dynamics"], "no record with text and label"),
                ("errors", TAUGHT_BY_OTHER["errors"], "no record of `train` has both"),
                ("benchmark", TAUGHT["benchmark"], "no record of `test` has both"),
                ("learned", TAUGHT["learned"], "`dev` has no record with both"),
                ("influence", ("influence", "{ embed: small, validation: other }"),
                 "`validation` has no row with a label and features"),
                ("toxicity", WITHOUT_LEARNER["toxicity"], "no record of `train` has the label"),
                ("decontaminate", WITHOUT_LEARNER["decontaminate"], "`against` ")):
            with self.subTest(name):
                error, _ = self.step(use, options, rows(), other=empty, code=1)
                self.assertIn(said, error)

    # ---- embeddings ------------------------------------------------------------------------------

    EMBEDDED = {
        "student": ("student", f"{{ learner: {LINEAR} }}"),
        "knn": ("student", "{ learner: { use: knn, features: embedding, embed: small } }"),
        "boosting": ("student", "{ learner: { use: boosting, embed: small } }"),
        "dynamics": ("dynamics", f"{{ learner: {SOFTMAX} }}"),
        "confident_learning": ("confident_learning", f"{{ learner: {LINEAR} }}"),
        "influence": ("influence", "{ embed: small }"),
        "reweight": ("reweight", "{ features: embedding, embed: small }"),
        "freeal": ("freeal", f"{{ learner: {SOFTMAX}, demonstrations: 0 }}"),
        "benchmark": ("benchmark", f"{{ learner: {LINEAR}, test: rows }}"),
        "errors": ("errors", f"{{ learner: {LINEAR}, train: rows }}"),
        "select": ("select", "{ k: 5, embed: small }"),
        "semantic": ("semantic", "{ embed: small }"),
        "demos.knn": ("demos.knn", "{ pool: rows, k: 2, embed: small }"),
    }

    def test_a_model_that_cannot_embed(self):
        for name, (use, options) in self.EMBEDDED.items():
            with self.subTest(name):
                said, _ = self.step(use, options, rows(), code=None, operations="complete")
                self.assertRegex(said, "error: .*cannot embed texts")

    def test_an_embedder_of_another_dimension_than_the_cache(self):
        for name, (use, options) in self.EMBEDDED.items():
            with self.subTest(name):
                scripted.harness.Case.setUp(self)
                self.step(use, options, rows(20))
                self.put("rows.jsonl", rows(40))
                self.write("embedder.py", EMBEDDER.replace("DIMENSION", "12"))
                done = self.run_it(1)
                self.assertIn("the model's vectors differ in dimension: ", done.stderr)
                self.assertRegex(done.stderr, "(12 numbers .*, 8 before|8 numbers .*, 12 before)")
                self.assertIn("use another `cache`", done.stderr)

    def test_ready_vectors_of_different_lengths(self):
        records = rows()
        records[7]["place"] = [1.0, 2.0]
        for name in ("freeal", "k_center", "k_means", "facility_location",
                     "semantic, ready vectors"):
            with self.subTest(name):
                said, _ = self.step(*WITHOUT_LEARNER[name], records, code=1)
                self.assertIn("differ in length: record 1 has", said)
        said, _ = self.step(*EVALUATORS["diversity"], records, code=1)
        self.assertIn("differ in length: record 1 has", said)
        said, _ = self.step("student", "{ learner: linear, vector: place }", records, code=1)
        self.assertIn("differ in length: record 1 has", said)
        said, _ = self.step("semantic", "{ vector: place, against: other }", rows(),
                            other=[{"text": "t", "place": [1, 2]}], code=1)
        self.assertIn("those of `against`", said)

    def test_vectors_read_from_a_file(self):
        """What an embed step wrote can be read again: a list of numbers is a vector."""
        embed = "  - { id: e, use: embed, from: rows, model: small, text: '{{ text }}', into: v }\n"
        _, made = self.step("select", "{ method: k_center, k: 5, vector: v }", rows(),
                            before=embed, source="e")
        self.write("bad.yaml", PIPELINE.format(steps=embed, written="e", operations="embed"))
        self.run_it(0)
        _, again = self.step("select", "{ method: k_center, k: 5, vector: v }",
                             self.records("out.jsonl"))
        self.assertEqual([record["text"] for record in again],
                         [record["text"] for record in made])
        _, shown = self.step("demos.knn", "{ pool: rows, k: 1, vector: place }", rows())
        self.assertTrue(all(len(record["demos"]) == 1 for record in shown))

    # ---- tables ----------------------------------------------------------------------------------

    def test_a_column_of_numbers_with_a_text_in_it(self):
        records = rows()
        records[3]["y"] = "n/a"
        for use, learner in (("student", "learner: boosting, "), ("influence", ""),
                             ("dynamics", "learner: boosting, "),
                             ("confident_learning", "learner: boosting, ")):
            with self.subTest(use):
                said, _ = self.step(use, f"{{ {learner}features: [x, y] }}", records)
                self.assertIn("`y` holds 39 numbers and 1 texts, the first in record 4", said)


if __name__ == "__main__":
    scripted.harness.main()
