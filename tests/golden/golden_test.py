# SPDX-License-Identifier: Apache-2.0
"""One recipe with its recorded answers: golden_test.py NAME [--embedded].

With `replay` and through an HTTP endpoint it writes what `expected.jsonl` says; `check` foresaw the
calls. With --embedded it runs on the embedded model: only what holds for any model is checked.
"""
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]
import endpoint
import harness

NAME = sys.argv.pop(1)
CASE = os.path.join(HERE, NAME)
PIPELINES = os.path.join(harness.ROOT, "pipelines")
RECIPE = os.path.join(PIPELINES, f"{NAME}.yaml")


def load(name):
    with open(os.path.join(CASE, name), encoding="utf-8") as file:
        return json.load(file)


class Recipe(harness.Case):
    """Runs in a folder of its own: the paths that the recipe writes to are turned there."""

    def words(self, sets):
        words = []
        for value in sets:
            words += ["--set", value]
        return words

    def outputs(self, case):
        """`--set` words that turn each file of `write:` into the test's folder; the first path."""
        paths = case.get("write", ["write"])
        sets = []
        for i, path in enumerate(paths):
            sets.append(f"{path}.path={self.path(f'data{i}.jsonl')}")
        return [*sets, f"{paths[0]}.rejects={self.path('rejects.jsonl')}"]

    def run_recipe(self, sets, code=0):
        done = self.xylem("run", "-q", "--json", "--runs", self.path("runs"), RECIPE,
                          *self.words(sets), code=None, timeout=600)
        codes = code if isinstance(code, (list, tuple)) else [code]
        self.assertIn(done.returncode, codes, f"{done.stdout}\n{done.stderr}")
        summary = json.loads(done.stdout)
        self.assertEqual(summary["unfinished"], 0)
        return summary, done.stderr


@unittest.skipIf("--embedded" in sys.argv, "the other half")
class Recorded(Recipe):
    def setUp(self):
        super().setUp()
        self.case = load("case.json")
        self.answers = os.path.join(CASE, "answers.jsonl")
        self.sets = self.case.get("set", []) + self.outputs(self.case)

    def replay(self):
        return [f"models.{alias}={{ use: replay, file: {self.answers} }}"
                for alias in self.case["models"]]

    def compare(self):
        with open(os.path.join(CASE, "expected.jsonl"), "rb") as file:
            self.assertEqual(self.read("data0.jsonl").decode().splitlines(),
                             file.read().decode().splitlines())

    def test_replay(self):
        summary, said = self.run_recipe(self.sets + self.replay(), self.case.get("exit", 0))
        self.assertEqual([m["alias"] for m in summary["models"] if m["failed"]], [], said)
        self.compare()
        self.foreseen(summary)

    def foreseen(self, summary):
        """`check` told the calls of models (embeddings of a stage's own apart) to within 20 %."""
        said = json.loads(self.xylem("check", "--json", RECIPE,
                                     *self.words(self.sets + self.replay())).stdout)
        embedders = self.case.get("embedders", ["embedder"])
        made = sum(model["calls"] + model["cached"] for model in summary["models"]
                   if model["alias"] not in embedders)
        # A step that embeds is one of its model's, and so not among those counted.
        embeds = [step["step"] for step in said["steps"]
                  if step["step"] in self.case.get("embed_steps", [])]
        expected = sum(step["calls"] for step in said["steps"] if step["step"] not in embeds)
        # The models' count has once more what a later pass of `accept` asked again; the steps' has
        # not, but it has the embeddings that stages ask for.
        made = min(made, sum(step["calls"] for step in summary["report"]["steps"]
                             if step["step"] not in self.case.get("embed_steps", [])))
        within = self.case.get("calls_within", 0.2) * made
        self.assertAlmostEqual(expected, made, delta=within,
                               msg="calls: `check` told the first, the second were made")

    def test_endpoint(self):
        if "endpoint" in self.case:
            self.skipTest(self.case["endpoint"])
        with endpoint.Endpoint(self.answers) as server:
            models = [f"models.{alias}={{ use: openai, base_url: '{server.url}', model: recorded, "
                      "concurrency: 1, attempts: 1 }" for alias in self.case["models"]]
            summary, said = self.run_recipe(self.sets + models, self.case.get("exit", 0))
            self.assertEqual(server.unanswered, 0, said)
        self.compare()
        self.weighed(self.sets + models, server.prompt_bytes / 4)

    def weighed(self, sets, counted):
        """`check` told the tokens of the prompts, at four bytes each, to within a factor."""
        if not counted:
            return
        said = json.loads(self.xylem("check", "--json", RECIPE, *self.words(sets)).stdout)
        factor = said["prompt_tokens"] / counted
        print(f"{NAME}: prompt tokens: `check` told {said['prompt_tokens']:.0f}, counted "
              f"{counted:.0f}: {factor:.2f}")
        within = self.case.get("prompts_within", 2)
        self.assertTrue(1 / within <= factor <= within, f"{factor:.2f}, at most {within}-fold")


@unittest.skipUnless("--embedded" in sys.argv, "the other half")
class Embedded(Recipe):
    def test_embedded_model(self):
        small = load("small.json")
        sets = small.get("set", []) + self.outputs(load("case.json"))
        summary, said = self.run_recipe(sets, [0, 3])
        failed = [m["alias"] for m in summary["models"] if m["failed"]]
        self.assertEqual(failed, [], said)
        print(f"{NAME}: {summary['accepted']} accepted, {summary['rejected']} rejected")


if __name__ == "__main__":
    if not os.path.exists(harness.XYLEM):
        print(f"skipped: {harness.XYLEM} is not built")
        sys.exit(77)
    embedded = "--embedded" in sys.argv
    if embedded and not os.path.exists(os.path.join(harness.BUILD, "lib", "xylem", "llama.so")):
        print("skipped: the embedded model is not built in")
        sys.exit(77)
    unittest.main(verbosity=2, argv=[sys.argv[0], "Embedded" if embedded else "Recorded"])
