# SPDX-License-Identifier: Apache-2.0
"""What `check` tells of prompts: their templates with values such as the records will have."""
import json
import os
import tempfile
import textwrap

import harness


class Prompts(harness.Case):
    def tokens(self, steps):
        self.write("p.yaml", "xylem: 1\nname: p\n"
                   "models: { t: { use: replay, file: answers.jsonl } }\n" +
                   textwrap.dedent(steps) + "write: { path: out.jsonl }\n")
        self.write("answers.jsonl", '{"prompt": "x", "text": "yes"}\n')
        return json.loads(self.xylem("check", "--json", "p.yaml").stdout)["prompt_tokens"]

    def test_the_records_of_a_file(self):
        with open(self.path("seeds.jsonl"), "w", encoding="utf-8") as file:
            for size in (100, 200, 300, 400) * 2:
                file.write(json.dumps({"text": "x" * size}) + "\n")
        told = self.tokens("""
            steps:
              - { use: read, with: { path: seeds.jsonl }, expect: 8 }
              - { use: generate, prompt: "Sum up: {{ text }}" }
            """)
        self.assertEqual(told, 8 * (len("Sum up: ") + 250) / 4)

    def test_records_that_begin_short(self):
        """The mean of all, not of the first ones."""
        with open(self.path("seeds.jsonl"), "w", encoding="utf-8") as file:
            for size in range(10, 2001, 10):
                file.write(json.dumps({"text": "x" * size}) + "\n")
        told = self.tokens("""
            steps:
              - { use: read, with: { path: seeds.jsonl } }
              - { use: generate, prompt: "{{ text }}" }
            """)
        self.assertAlmostEqual(told / (200 * 1005 / 4), 1, delta=0.01)

    def check(self, source, more="", code=0):
        self.write("answers.jsonl", '{"prompt": "x", "text": "yes"}\n')
        self.write("p.yaml", "xylem: 1\nname: p\n"
                   "models: { t: { use: replay, file: answers.jsonl } }\nsteps:\n"
                   f"  - {{ use: read, with: {{ {source} }} }}\n"
                   "  - { use: generate, prompt: \"Sum up: {{ text }}\" }\n"
                   f"{more}write: {{ path: out.jsonl }}\n")
        return json.loads(self.xylem("check", "--json", "p.yaml", code=code).stdout)

    def test_a_file_that_is_annotated(self):
        """As many calls as the file has records, without a word of the user's."""
        self.write("seeds.jsonl", "".join(f'{{"text": "{n}"}}\n' for n in range(1234)))
        self.write("seeds.csv", 'text\n"two\nlines"\nb\n')
        for source, calls in (("path: seeds.jsonl", 1234), ("path: seeds.csv", 2),
                              ("path: seeds.jsonl, limit: 100", 100),
                              ("path: seeds.jsonl, skip: 1200", 34),
                              ("path: seeds.jsonl, skip: 1200, limit: 30", 30),
                              ("path: seeds.jsonl, skip: 5000", 0)):
            told = self.check(source)
            self.assertEqual((told["calls"], told["records"], told["exact"]), (calls, calls, True))

    def test_a_file_has_its_records_once(self):
        """`accept` asks a source again, but not a file."""
        self.write("seeds.jsonl", "".join(f'{{"text": "{n}"}}\n' for n in range(10)))
        self.assertEqual(self.check("path: seeds.jsonl", "accept: { count: 40 }\n")["calls"], 10)

    def test_a_long_file(self):
        """Of more than 64 MiB the first 16 MiB tell: here they are as the rest is."""
        line = json.dumps({"text": "x" * 980}) + "\n"
        records = (70 << 20) // len(line)
        self.write("long.jsonl", line * records)
        before = set(os.listdir(tempfile.gettempdir()))
        self.assertAlmostEqual(self.check("path: long.jsonl")["calls"] / records, 1, delta=0.001)
        self.assertEqual(self.check("path: long.jsonl, limit: 7000")["calls"], 7000)
        left = set(os.listdir(tempfile.gettempdir())) - before
        self.assertFalse([name for name in left if name.endswith("-long.jsonl")])

    def test_a_line_that_no_run_would_get_past(self):
        self.write("seeds.jsonl", '{"text": "a"}\n{"text": \n')
        error, = self.check("path: seeds.jsonl", code=2)["errors"]
        self.assertEqual(error["line"], 5)
        self.assertIn("seeds.jsonl:2: ", error["message"])
        self.assertIn("seeds.jsonl:2: ", self.xylem("run", "p.yaml", code=1).stderr)
        self.assertEqual(self.check("path: seeds.jsonl, limit: 1")["calls"], 1)

    def test_the_values_of_a_grid_and_the_codebook(self):
        told = self.tokens("""
            codebook: { task: "A task.", labels: { a: short, b: long } }
            steps:
              - { use: grid, with: { label: [a, bcd] } }
              - use: generate
                prompt: "{{ codebook.task }} {{ codebook.labels | join('') }} {{ label }}"
            """)
        self.assertEqual(told, 2 * (len("A task. ab ") + 2) / 4)

    def test_demonstrations(self):
        with open(self.path("pool.jsonl"), "w", encoding="utf-8") as file:
            for i in range(10):
                file.write(json.dumps({"text": "y" * 50, "label": "a"}) + "\n")
        told = self.tokens("""
            steps:
              - { use: grid, with: { topic: [abcd] } }
              - { use: demos.random, with: { pool: pool.jsonl, k: 3 } }
              - use: generate
                prompt: "{% for d in demos %}{{ d.text }}{% endfor %}{{ topic }}"
            """)
        self.assertEqual(told, (3 * 50 + 4) / 4)

    def test_what_an_earlier_step_writes(self):
        """A quarter of the most that the answer may have, each choice as often."""
        told = self.tokens("""
            steps:
              - { use: grid, with: { topic: [abcd] } }
              - id: first
                use: generate
                prompt: "{{ topic }}"
                params: { max_tokens: 400 }
                output: { fields: { story: text, mood: [ab, abcd] } }
              - { use: generate, prompt: "{{ mood }}{{ story }}" }
            """)
        self.assertEqual(told, (4 + 3 + 400 / 2) / 4)

    def test_a_template_that_made_up_values_do_not_fit(self):
        """The text of the template, and a usual value."""
        told = self.tokens("""
            steps:
              - { use: grid, with: { topic: [abcd] } }
              - { use: generate, prompt: "{% for x in topic %}{{ x.y.z }}{% endfor %}" }
            """)
        self.assertEqual(told, (len("{% for x in topic %}{{ x.y.z }}{% endfor %}") + 4) / 4)


if __name__ == "__main__":
    harness.main()
