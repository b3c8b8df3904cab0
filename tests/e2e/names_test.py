# SPDX-License-Identifier: Apache-2.0
"""Names in prompts that no step sets: an error of `check` where it is sure, a warning of a run."""
import json
import textwrap

import harness

HEAD = """
xylem: 1
name: p
models: { t: { use: replay, file: answers.jsonl } }
steps:
"""


class Names(harness.Case):
    def check(self, steps, code=0):
        self.write("answers.jsonl", json.dumps({"prompt": "About one", "text": "yes"}) + "\n")
        self.write("seeds.jsonl", '{"title": "one", "body": "long"}\n{"title": "two"}\n')
        self.write("p.yaml", HEAD + textwrap.indent(textwrap.dedent(steps), "  ") +
                   "write: { path: out.jsonl, rejects: rejects.jsonl }\n")
        return self.xylem("check", "p.yaml", code=code).stderr.splitlines()

    def generate(self, prompt, before="", code=0, **keys):
        more = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in keys.items())
        step = f"- id: w\n  use: generate\n  prompt: {json.dumps(prompt)}\n"
        return self.check(before + step + more, code)

    GRID = "- { id: g, use: grid, with: { title: [one, two] } }\n"
    READ = "- { id: r, use: read, with: { path: seeds.jsonl } }\n"

    def refused(self, prompt, before, place, name, hint, **keys):
        said = self.generate(prompt, before, 2, **keys)
        self.assertEqual(said, [f"error: p.yaml:{place}: step `w`: no step sets `{name}`, "
                                f"expected a field that records have ({hint})"])

    def test_a_name_that_no_step_sets(self):
        near = "did you mean `title`?"
        self.refused("About {{ tilte }}", self.GRID, "9:23", "tilte", near)
        self.refused("About {{ tilte }}", self.READ, "9:23", "tilte", near)
        self.refused("{% for x in tilte %}{{ x }}{% endfor %}", self.GRID, "9:26", "tilte", near)
        self.refused("{{ wholly_else }}", self.GRID, "9:17", "wholly_else",
                     "where only some records have it, write `wholly_else | default('')`")
        self.refused("About {{ title }}", self.GRID, "10:12", "tilte", near, when="tilte == 'one'")
        self.refused("{{ codebook.task }}", self.GRID, "9:17", "codebook",
                     "where only some records have it, write `codebook | default('')`")

    def test_places_within_a_block(self):
        said = self.check(self.GRID + "- id: w\n  use: generate\n  prompt:\n    user: |\n"
                          "      About\n      it: {{ tilte }}\n", 2)
        self.assertIn("p.yaml:12:16: step `w`", said[0])

    def test_names_that_some_step_sets(self):
        for prompt in ("{{ title }} {{ round }} {{ record_id }} {{ record_weight }}",
                       "{% set x = title %}{{ x }}{% for y in title %}{{ loop.index }}{% endfor %}",
                       "{{ tilte | default('none') }}", "{{ tilte|d(1) }}",
                       "{% if tilte is defined %}{{ tilte }}{% endif %}", "{{ title.tilte }}"):
            with self.subTest(prompt):
                self.assertEqual(self.generate(prompt, self.GRID), [])
        self.assertEqual(self.generate("{{ title }} {{ body }}", self.READ), [])

    def test_names_of_outputs_and_options(self):
        first = ("- id: f\n  use: generate\n  prompt: '{{ title }}'\n"
                 "  output: { fields: { story: text, mood: [good, bad] } }\n")
        self.assertEqual(self.generate("{{ story }} {{ mood }}", self.GRID + first), [])
        length = "- { use: set, with: { size: 'title | length' } }\n"
        self.assertEqual(self.generate("{{ size }}", self.GRID + length), [])

    def test_where_nobody_can_tell(self):
        """A file with more records than are looked at may have any field further down."""
        with open(self.path("long.jsonl"), "w", encoding="utf-8") as file:
            file.write('{"title": "one"}\n' * 5000 + '{"tilte": "late"}\n')
        long = self.READ.replace("seeds", "long")
        self.assertEqual(self.generate("{{ tilte }}", long), [])
        chat = self.READ.replace("seeds.jsonl", "c.jsonl, format: chat, with: { user: ask }")
        self.write("c.jsonl", '{"messages": [{"role": "user", "content": "Hi"}]}\n')
        self.assertEqual(self.generate("{{ ask }}", chat), [])
        self.generate("{{ askk }}", chat, 2)
        explode = "- { use: explode, with: { field: title } }\n"
        self.assertEqual(self.generate("{{ tilte }}", self.GRID + explode), [])

    def test_a_run_warns(self):
        self.generate("About {{ tilte }}", self.GRID, 2)
        said = self.xylem("run", "-q", "p.yaml").stderr.splitlines()
        self.assertEqual(len(said), 2, said)
        self.assertIn("warning: p.yaml:9:23: step `w`: no step sets `tilte`", said[0])
        rejects = self.records("rejects.jsonl")
        self.assertIn(f"w: warning: record {rejects[0]['id']}: prompt: `tilte` is undefined",
                      said[1])
        self.assertIn("did you mean `title`?", said[1])
        self.assertEqual(len(rejects), 2)
        for record in rejects:
            self.assertIn("`tilte` is undefined", record["trail"][-1]["reason"])


if __name__ == "__main__":
    harness.main()
