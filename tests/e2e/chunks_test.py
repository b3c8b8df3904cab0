# SPDX-License-Identifier: Apache-2.0
"""Documents become chunks that can be found again: each is held against the extracted text of its
document by Python's own slicing, whatever it was cut by. And bad documents are named."""
import json
import os
import re
import unittest

import pdf_writer
from harness import Case, main

GUIDE = """\
---
title: not a heading
---
Before any heading stands a préface.

# Garden guide
Plants need three things. Dr. Green named them: light, water, air! "Do they?" she asked.

## Watering ##
Water in the morning… never at noon. 水をやる。朝がよい。

```sh
# no heading, but a comment
```

Second level by a line
----------------------
- a list
---
Text after a rule.

### Empty section

# Tools
\tSpade\u3000and fork.
"""

PAGE = """<!DOCTYPE html><html><head><title> A  page </title><style>p { color: red }</style></head>
<body><script>var hidden = "script";</script><h1>Rivers &amp; lakes</h1>
<p>The <b>Rhine</b> is   long.<br>It flows north.</p><div>One</div><div>Two</div>
<ul><li>first<li>second</ul><h2>Lake <i>Constance</i></h2><p>caf&eacute; &#x4e2d;</p>
<pre>  kept
    as it is</pre><table><tr><td>a<td>b<tr><td>c<td>d</table></body></html>
"""

CODE = "".join(f"{'    ' * (i % 3)}line {i};\n" if i % 7 else "\n" for i in range(60))

PDF_PAGES = [["First page, line one.", "Café Zürich 中文 “quoted”. It goes on", "on this line."],
             ["Second page: ends here.", "Last words."]]

PIPELINE = """
xylem: 1
seed: 3
steps:
  - use: chunks
    with: {options}
write: {{ path: out.jsonl }}
"""


class Chunks(Case):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("docs", "deep"))
        self.write("docs/guide.md", GUIDE)
        self.write("docs/page.html", PAGE)
        self.write("docs/deep/code.c", CODE)
        self.write("docs/.hidden", "nobody reads this")
        self.write("docs/notes.txt",
                   "\ufeffOne par.\r\nStill one.\r\n\r\nTwo pár.\r\n \r\n\r\nThree.")
        with open(self.path("docs", "book.pdf"), "wb") as file:
            file.write(pdf_writer.pdf(PDF_PAGES, "The Bóok"))

    def chunks(self, code=0, **options):
        options = {"path": "docs", **options}
        self.write("pipeline.yaml", PIPELINE.format(options=json.dumps(options)))
        self.done = self.xylem("run", "pipeline.yaml", code=code)
        return self.records("out.jsonl") if code == 0 else None

    def texts(self, document, **options):
        return [chunk["text"] for chunk in self.chunks(**options)
                if chunk["document"] == document]

    def whole(self):
        return {chunk["document"]: chunk["text"] for chunk in self.chunks(by="document")}

    def test_extracts(self):
        whole = self.whole()
        self.assertEqual(list(whole), ["book.pdf", "deep/code.c", "guide.md", "notes.txt",
                                       "page.html"])
        self.assertEqual(whole["guide.md"], GUIDE.strip())
        self.assertEqual(whole["notes.txt"],
                         "One par.\r\nStill one.\r\n\r\nTwo pár.\r\n \r\n\r\nThree.")
        self.assertEqual(whole["page.html"],
                         "Rivers & lakes\n\nThe Rhine is long.\nIt flows north.\n\nOne\nTwo\n\n"
                         "first\nsecond\n\nLake Constance\n\ncafé 中\n\n  kept\n    as it is\n\n"
                         "a\tb\nc\td")
        self.assertEqual(whole["book.pdf"].split(),
                         " ".join(line for page in PDF_PAGES for line in page).split())

    def test_spans_are_exact(self):
        """extracted[start:end] == text, in characters and in bytes; lines and pages hold, too."""
        extracted = {**self.whole(), "deep/code.c": CODE}  # which begins with a blank line
        cuts = [("characters", 7, 3), ("characters", 1, 0), ("words", 1, 0), ("words", 9, 4),
                ("sentences", 2, 1), ("paragraphs", 1, 0), ("headings", 1, 0), ("pages", 1, 0),
                ("lines", 4, 2)]
        for by, size, overlap in cuts:
            for within in ("document", "headings", "pages", "paragraphs"):
                chunks = self.chunks(by=by, size=size, overlap=overlap, within=within)
                self.assertEqual({chunk["document"] for chunk in chunks}, set(extracted))
                for chunk in chunks:
                    self.check_span(chunk, extracted[chunk["document"]], (by, within))

    def check_span(self, chunk, text, what):
        source = chunk["source"]
        self.assertEqual(text[source["start"]:source["end"]], chunk["text"], what)
        self.assertEqual(text.encode()[source["start_byte"]:source["end_byte"]],
                         chunk["text"].encode(), what)
        self.assertEqual(source["line"], text.count("\n", 0, source["start"]) + 1)
        self.assertEqual(source["end_line"], text.count("\n", 0, source["end"]) + 1)
        if chunk["document"] == "book.pdf":
            self.assertEqual(source["page"], text.count("\f", 0, source["start"]) + 1)
            self.assertEqual(source["end_page"], text.count("\f", 0, source["end"]) + 1)
        else:
            self.assertNotIn("page", source)

    def test_nothing_is_lost(self):
        """Cut without overlap, the chunks have every letter of the document, in order."""
        whole = self.whole()
        for by, size in (("words", 5), ("sentences", 1), ("paragraphs", 1), ("pages", 1),
                         ("lines", 3), ("characters", 1000)):
            for document, text in whole.items():
                letters = "".join("".join(self.texts(document, by=by, size=size)).split())
                self.assertEqual(letters, "".join(text.split()), (by, document))

    def test_words_as_python_counts_them(self):
        words = self.whole()["page.html"].split()
        expected = [words[at:at + 6] for at in range(0, len(words), 4)
                    if at == 0 or at + 2 < len(words)]
        self.assertEqual([text.split() for text in
                          self.texts("page.html", by="words", size=6, overlap=2)], expected)

    def test_sentences(self):
        self.assertEqual(self.texts("guide.md", by="sentences", size=1)[1:8], [
            '# Garden guide\nPlants need three things.',
            'Dr. Green named them: light, water, air!', '"Do they?" she asked.',
            "## Watering ##\nWater in the morning… never at noon.", "水をやる。", "朝がよい。",
            "```sh\n# no heading, but a comment\n```"])

    def test_headings(self):
        chunks = [chunk for chunk in self.chunks(by="headings")
                  if chunk["document"] in ("guide.md", "page.html")]
        self.assertEqual([chunk["title"] for chunk in chunks],
                         ["", "Garden guide", "Garden guide > Watering",
                          "Garden guide > Second level by a line", "Tools", "Rivers & lakes",
                          "Rivers & lakes > Lake Constance"])
        self.assertTrue(chunks[3]["text"].startswith("Second level by a line\n---"))
        self.assertTrue(chunks[3]["text"].endswith("Text after a rule."))
        self.assertEqual([chunk["chunk"] for chunk in chunks], [0, 1, 2, 3, 4, 0, 1])
        # Words that stay within their section have its title.
        for chunk in self.chunks(by="words", size=3, within="headings", files=["*.md"]):
            if "Spade" in chunk["text"]:
                self.assertEqual(chunk["title"], "Tools")

    def test_titles_of_documents(self):
        titles = {chunk["document"]: chunk["title"] for chunk in self.chunks(by="pages")}
        self.assertEqual(titles["book.pdf"], "The Bóok")
        self.assertEqual(titles["notes.txt"], "")

    def test_random_windows_of_lines(self):
        """OSS-Instruct: 1 to 15 consecutive lines, drawn for each file."""
        lines = CODE.split("\n")[:-1]
        options = dict(path="docs/deep", by="lines", draw=400, size=15)
        chunks = self.chunks(**options)
        self.assertEqual(len(chunks), 400)
        counts = [0] * 16
        for chunk in chunks:
            source = chunk["source"]
            window = lines[source["line"] - 1:source["end_line"]]
            self.assertEqual("\n".join(window), chunk["text"])
            counts[len(window)] += 1
            self.assertTrue(chunk["text"].strip())
        self.assertEqual(len({json.dumps(chunk["source"]) for chunk in chunks}), 400)
        # Each length 400 / 15 = 26.7 times, with a standard deviation of 5.
        self.assertTrue(all(5 < count < 55 for count in counts[1:]), counts)
        self.assertEqual(self.chunks(**options), chunks)
        self.assertTrue(all(4 <= chunk["text"].count("\n") + 1 <= 6
                            for chunk in self.chunks(**{**options, "draw": 50, "smallest": 4,
                                                        "size": 6})))

    def test_a_refill_draws_others(self):
        self.write("refill.yaml", """
xylem: 1
steps:
  - { use: chunks, with: { path: docs/deep, by: lines, draw: 5 } }
  - { use: exact }
accept: { count: 20 }
write: { path: out.jsonl }
""")
        self.xylem("run", "refill.yaml")
        self.assertEqual(len({chunk["text"] for chunk in self.records("out.jsonl")}), 20)

    def test_fields_of_records(self):
        self.write("rows.jsonl", "\n".join(json.dumps(row) for row in [
            {"id": 1, "body": "# A\nOne two.\n# B\nThree."}, {"id": 2, "body": " "},
            {"id": 3, "body": "four"}]))
        self.write("field.yaml", """
xylem: 1
steps:
  - { use: read, with: { path: rows.jsonl } }
  - { use: chunks.field, with: { field: body, format: markdown, by: headings, title: section } }
write: { path: out.jsonl, rejects: rejects.jsonl, fields: [id, text, section, chunk, body] }
""")
        self.xylem("run", "field.yaml", code=None)
        self.assertEqual([(row["id"], row["text"], row["section"], row["chunk"], row.get("body"))
                          for row in self.records("out.jsonl")],
                         [(1, "# A\nOne two.", "A", 0, None), (1, "# B\nThree.", "B", 1, None),
                          (3, "four", "", 0, None)])
        self.assertIn("no text but white space", self.read("rejects.jsonl").decode())

    def test_estimate_is_what_a_run_makes(self):
        made = len(self.chunks(by="words", size=5))
        check = self.xylem("check", "pipeline.yaml").stdout
        self.assertRegex(check, rf"chunks\s+0\s+{made}\s")

    def refuse(self, *parts, code=1, **options):
        self.chunks(code=code, **options)
        error = re.sub(r"\s+", " ", self.done.stderr)
        for part in parts:
            self.assertIn(part, error)

    def test_bad_documents(self):
        self.write("latin.txt", "")
        with open(self.path("latin.txt"), "wb") as file:
            file.write("first\nCaf\xe9".encode("latin-1"))
        self.refuse("`latin.txt` is not UTF-8: byte 0xe9 on line 2", "iconv", path="latin.txt")
        with open(self.path("wide.txt"), "wb") as file:
            file.write("wide".encode("utf-16"))
        self.refuse("`wide.txt` is UTF-16", "iconv -f UTF-16", path="wide.txt")
        self.write("bytes.bin", "a\0b")
        self.refuse("`bytes.bin` holds NUL bytes", path="bytes.bin")
        os.makedirs(self.path("empty", "folder"))
        self.refuse("there is no document in the folder", path="empty")
        self.refuse("none of the 5 files", "fits `files`", files=["*.docx"])
        self.refuse("`not_there` cannot be read", path="not_there", code=2)
        os.symlink("nowhere", self.path("empty", "link.txt"))
        self.refuse("`link.txt` cannot be read", path="empty")

    def test_bad_pages(self):
        with open(self.path("old.html"), "wb") as file:
            file.write("<p>Caf\xe9</p>".encode("latin-1"))
        self.refuse("`old.html` is not UTF-8 and its page names no charset", path="old.html")
        with open(self.path("old.html"), "wb") as file:
            file.write("<meta charset=iso-8859-1><p>Caf\xe9</p>".encode("latin-1"))
        self.assertEqual(self.chunks(path="old.html")[0]["text"], "Café")
        self.write("deep.html", "<p>before</p>" + "<div>" * 20000 + "text" + "</div>" * 20000)
        self.assertIn("before", self.chunks(path="deep.html")[0]["text"])

    def test_bad_pdf(self):
        with open(self.path("secret.pdf"), "wb") as file:
            file.write(pdf_writer.pdf([["Secret text."]], password="sesame"))
        self.refuse("`secret.pdf` is encrypted", "password", path="secret.pdf")
        self.refuse("`password` does not open it", path="secret.pdf", password="wrong")
        self.assertNotIn("wrong", self.done.stderr)
        chunks = self.chunks(path="secret.pdf", password="sesame")
        self.assertEqual([chunk["text"] for chunk in chunks], ["Secret text."])
        good = pdf_writer.pdf(PDF_PAGES)
        with open(self.path("cut.pdf"), "wb") as file:
            file.write(good[:40])
        self.refuse("`cut.pdf` is no PDF that can be read", "qpdf", path="cut.pdf")
        self.write("fake.pdf", "no pdf at all")
        self.refuse("`fake.pdf` is no PDF", path="fake.pdf")

    def test_damage_anywhere_is_no_crash(self):
        good = pdf_writer.pdf(PDF_PAGES)
        os.makedirs(self.path("damaged"))
        for i in range(0, len(good), 97):
            bad = bytearray(good)
            bad[i:i + 20] = b"\xff" * 20
            with open(self.path("damaged", f"{i:05d}.pdf"), "wb") as file:
                file.write(bad)
        self.chunks(path="damaged", unreadable="skip")

    def test_skips_and_counts(self):
        self.write("docs/fake.pdf", "no pdf")
        self.write("docs/blank.txt", " \n")
        chunks = self.chunks(by="document", unreadable="skip")
        self.assertEqual(len(chunks), 5)
        self.assertIn("left out: `fake.pdf`", self.done.stderr)
        self.assertIn("`blank.txt` has no text", self.done.stderr)
        self.assertRegex(self.done.stdout, r"chunks\.unreadable\s+1\b")
        self.assertRegex(self.done.stdout, r"chunks\.empty\s+1\b")

    def test_scans_are_told(self):
        with open(self.path("scan.pdf"), "wb") as file:
            file.write(pdf_writer.pdf([[]]))
        self.chunks(path="scan.pdf", code=None)
        self.assertIn("is it a scan?", self.done.stderr)

    def test_options_that_make_no_sense(self):
        # Told before anything runs: no step began.
        self.refuse("`overlap` must be less than `size`", code=2, overlap=5, size=5)
        self.refuse("`smallest` must not be more than `size`", code=2, smallest=6, size=5, draw=1)
        self.refuse("`overlap` is for cutting", code=2, overlap=1, size=5, draw=1)
        self.refuse("does not draw characters", code=2, by="characters", draw=1)


if __name__ == "__main__":
    main()
