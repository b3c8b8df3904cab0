# SPDX-License-Identifier: Apache-2.0
"""Every recipe has a head, a place in pipelines/README.md, recorded answers, and passes `check`."""
import os

import harness
import recipes_table

# The guided tour: its data is fetched by examples/quickstart.sh, which runs it on the real model.
WITHOUT_RECORDING = {"quickstart"}


class Recipes(harness.Case):
    def test_page(self):
        self.assertEqual(recipes_table.without_a_place(), [])
        with open(recipes_table.PAGE, encoding="utf-8") as file:
            self.assertEqual(file.read(), recipes_table.made(),
                             "run python3 tests/docs/recipes_table.py and commit what changes")

    def test_heads(self):
        for name, head in recipes_table.recipes().items():
            with self.subTest(name):
                for part in ("title", "does", "checked"):
                    self.assertTrue(head.get(part), f"pipelines/{name}.yaml has no `{part}`")

    def test_recordings(self):
        golden = os.path.join(harness.ROOT, "tests", "golden")
        for name in set(recipes_table.recipes()) - WITHOUT_RECORDING:
            for file in ("case.json", "answers.jsonl", "expected.jsonl", "small.json"):
                with self.subTest(f"{name}: {file}"):
                    self.assertTrue(os.path.exists(os.path.join(golden, name, file)))


if __name__ == "__main__":
    harness.main()
