# SPDX-License-Identifier: Apache-2.0
"""A weight that a filter sets goes with its record: into every learner, every draw by weight, every
export that writes weights, and back in again."""
import json

import harness

# Of each text two records have the right label and four the wrong one: only weights tell.
TEXTS = {f"{word} {i}": label for word, label in (("sun", "good"), ("rain", "bad"))
         for i in ("one", "two", "three")}
OTHER = {"good": "bad", "bad": "good"}
LEARNERS = {
    "linear": "linear", "softmax": "softmax", "knn": "{ use: knn, k: 6 }",
    "boosting": "boosting", "exec": "{ use: exec, command: [python3, trainer.py] }"}

TRAINER = '''
import json, sys
read = lambda count: [json.loads(sys.stdin.readline()) for _ in range(count)]
for line in sys.stdin:
    request = json.loads(line)
    rows = read(request["count"])
    if request["operation"] == "fit":
        classes, sums = request["classes"], {}
        for row in rows:
            own = sums.setdefault(row["text"], [0] * classes)
            own[row["label"]] += row["weight"]
        print(json.dumps({"fitted": True}), flush=True)
    else:
        for row in rows:
            print(json.dumps({"probabilities": sums[row["text"]]}), flush=True)
'''


class Weights(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("trainer.py", TRAINER)
        rows = [{"text": text, "number": int(label == "good"), "label": label if right else
                 OTHER[label], "right": right} for text, label in TEXTS.items()
                for right in (True, True, False, False, False, False)]
        self.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write("test.jsonl", "".join(json.dumps(
            {"text": text, "number": int(label == "good"), "label": label}) + "\n"
            for text, label in TEXTS.items()))

    def run_steps(self, steps, write="{ path: out.jsonl }"):
        self.write("pipeline.yaml", "xylem: 1\nsteps:\n" + "".join(
            f"  - {step}\n" for step in steps) + f"write: {write}\n")
        done = self.xylem("run", "-q", "--json", "--fresh", "pipeline.yaml")
        return {f"{score['step']}.{score['name']}": score["value"]
                for score in json.loads(done.stdout)["report"]["scores"]}

    def benchmark(self, step, learner, source):
        vector = ", vector: number" if learner == "boosting" else ""
        return (f"{{ id: {step}, from: {source}, use: benchmark, with: {{ learner: "
                f"{LEARNERS[learner]}, test: test.jsonl{vector} }} }}")

    def test_learners(self):
        steps = ["{ id: rows, use: read, with: { path: rows.jsonl } }",
                 "{ id: weighed, use: expression, with: { weight: '5 if right else 1' } }"]
        for learner in LEARNERS:
            steps += [self.benchmark(f"plain_{learner}", learner, "rows"),
                      self.benchmark(f"weighed_{learner}", learner, "weighed")]
        scores = self.run_steps(steps, "{ path: out.jsonl, from: weighed }")
        for learner in LEARNERS:
            self.assertEqual(scores[f"plain_{learner}.accuracy"], 0, learner)
            self.assertEqual(scores[f"weighed_{learner}.accuracy"], 1, learner)

    def test_exports_and_back(self):
        weigh = ["{ id: rows, use: read, with: { path: rows.jsonl } }",
                 "{ id: weighed, use: expression, with: { weight: '2.5 if right else 0.125' } }"]
        for ending, options in (("jsonl", "weight: true"), ("csv", "weight: true"),
                                ("chat.jsonl", "weight: true, user: text, assistant: label")):
            with self.subTest(ending):
                form = ", format: chat" if "chat" in ending else ""
                self.run_steps(weigh, f"{{ path: kept.{ending}{form}, with: {{ {options} }} }}")
                read = (f"{{ id: back, use: read, with: {{ path: kept.{ending}{form}, with: {{ "
                        f"{options} }} }} }}")
                scores = self.run_steps(
                    [read, self.benchmark("again", "linear", "back")],
                    "{ path: out.jsonl, from: back, with: { weight: true } }")
                weights = [row["_weight"] for row in self.records("out.jsonl")]
                self.assertEqual(weights, [2.5, 2.5, 0.125, 0.125, 0.125, 0.125] * len(TEXTS))
                self.assertEqual(scores["again.accuracy"], 1)

    def test_draws(self):
        self.write("many.jsonl", "".join(json.dumps(
            {"text": f"text {i}", "weight": (0, 1, 9)[i % 3]}) + "\n" for i in range(3000)))
        self.run_steps(["{ id: rows, use: read, with: { path: many.jsonl } }",
                        "{ id: weighed, use: expression, with: { weight: weight } }",
                        "{ id: drawn, use: top, with: { order: weighted, k: 200 } }",
                        "{ id: shown, use: demos.random, with: { pool: weighed, k: 5, weighted: "
                        "true, fields: [text, weight] } }"])
        rows = self.records("out.jsonl")
        drawn = [row["weight"] for row in rows]
        shown = [demo["weight"] for row in rows for demo in row["demos"]]
        self.assertEqual((len(drawn), len(shown)), (200, 1000))
        for found in drawn, shown:
            self.assertNotIn(0, found)
            # 0.9 of each draw, less what was taken before; five standard deviations of 200 draws.
            self.assertAlmostEqual(found.count(9) / len(found), 0.9, delta=0.11)

    def test_what_is_made_of_a_record_inherits(self):
        self.write("lists.jsonl", json.dumps({"parts": ["a", "b"], "weight": 3}) + "\n")
        self.run_steps(["{ use: read, with: { path: lists.jsonl } }",
                        "{ use: expression, with: { weight: weight } }",
                        "{ use: explode, with: { field: parts, into: text } }"],
                       "{ path: out.jsonl, with: { weight: true } }")
        self.assertEqual([row["_weight"] for row in self.records("out.jsonl")], [3, 3])


if __name__ == "__main__":
    harness.main()
