# SPDX-License-Identifier: Apache-2.0
"""Recipes that begin with documents or retrieve them: places in documents, windows of code,
recorded rows of Self-Prompting, and two rounds of dense retrieval as in ReGen."""
import gzip
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "e2e")]
import harness

REFERENCE = os.environ.get("XYLEM_REFERENCE_DATA",
                           os.path.join(harness.ROOT, "..", "shared", "data"))
EXAMPLES = os.path.join(harness.ROOT, "examples", "data")


def expected(recipe):
    path = os.path.join(harness.ROOT, "tests", "golden", recipe, "expected.jsonl")
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Documents(harness.Case):
    def reference(self, name):
        path = os.path.join(REFERENCE, name)
        if not os.path.exists(path):
            self.skipTest(f"no reference data `{name}`")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def pipeline(self, text, code=0):
        self.write("pipeline.yaml", text)
        return self.xylem("run", "pipeline.yaml", code=code, timeout=600)

    def test_quotes_are_where_they_are_said_to_be(self):
        """document_qa: the quote is that slice of the document, the passage one around it."""
        self.pipeline(f"""
xylem: 1
steps:
  - {{ use: chunks, with: {{ path: {EXAMPLES}/library, by: document }} }}
write: {{ path: whole.jsonl }}
""")
        whole = {row["document"]: row["text"] for row in self.records("whole.jsonl")}
        rows = expected("document_qa")
        self.assertEqual({row["document"] for row in rows}, set(whole))
        for row in rows:
            text, source = whole[row["document"]], row["source"]
            self.assertEqual(text[row["quote_start"]:row["quote_end"]], row["quote"])
            self.assertEqual(text[source["start"]:source["end"]], row["text"])
            self.assertLessEqual(source["start"], row["quote_start"])
            self.assertLessEqual(row["quote_end"], source["end"])

    def test_windows_of_code(self):
        """oss_instruct: 1 to 15 consecutive lines of the file that the row names."""
        for row in expected("oss_instruct"):
            with open(os.path.join(EXAMPLES, "snippets", row["document"]),
                      encoding="utf-8") as file:
                lines = file.read().split("\n")
            window = lines[row["source"]["line"] - 1:row["source"]["end_line"]]
            self.assertEqual("\n".join(window), row["snippet"])
            self.assertTrue(1 <= len(window) <= 15)

    def test_negatives_have_nothing_of_their_query(self):
        """ares_synthetic: a negative's passage and answer are not its query's own."""
        rows = expected("ares_synthetic")
        own = {row["query"]: row for row in rows if row["kind"] == "positive"}
        for row in rows:
            positive = row["kind"] == "positive"
            self.assertEqual(row["context_relevance"], "Yes" if positive else "No")
            if not positive:
                self.assertNotEqual(row["text"], own[row["query"]]["text"])
                self.assertNotEqual(row["answer"], own[row["query"]]["answer"])
        self.assertEqual({row["kind"] for row in rows}, {"positive", "weak", "strong"})

    def test_recorded_answers_stand_in_their_passages(self):
        """Self-Prompting: for 2,311 of the 2,442 recorded rows, without regard to case."""
        rows = self.reference("self-prompting/generated_qa.jsonl.gz")
        self.assertEqual(len(rows), 2442)
        self.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.pipeline("""
xylem: 1
steps:
  - { use: read, with: { path: rows.jsonl } }
  - { use: expression, with: { keep: "answer | lower in passage | lower" } }
write: { path: out.jsonl }
""")
        self.assertEqual(len(self.records("out.jsonl")), 2311)

    def test_regen_retrieves_by_label_and_again_by_what_it_found(self):
        """ReGen's rounds on movie reviews: a query for each label, the label's query with each text
        that was found, and a student that drops what it labels otherwise."""
        if not os.path.exists(os.path.join(harness.BUILD, "lib", "xylem", "llama.so")):
            self.skipTest("the embedded model is not built in")
        rows = self.reference("freeal-mr/test.jsonl.gz")[::2]  # it is sorted by label
        self.write("corpus.jsonl", "".join(
            json.dumps({"text": row["text"], "gold": row["gold"]}) + "\n" for row in rows))
        self.pipeline("""
xylem: 1
models: { embedder: { use: llama, model: all-minilm-l6-v2 } }
steps:
  - { id: corpus, use: read, with: { path: corpus.jsonl } }
  - { id: labels, use: grid, from: [], with: { label: [0, 1] } }
  - id: verbaliser
    use: set
    with: { query: "['a terrible movie review.', 'a great movie review.'][label]" }
  - id: first
    use: retrieve.embedding
    with: { corpus: corpus, query: "{{ query }}", embed: embedder, k: 20 }
  - { id: found, use: explode, with: { field: passages } }
  - id: second
    use: retrieve.embedding
    with: { corpus: corpus, query: "{{ query }} {{ text }}", embed: embedder, k: 3 }
  - { id: found_again, use: explode, with: { field: passages } }
  - id: consistent
    use: student
    with:
      learner: { use: linear, features: embedding, embed: embedder }
      action: drop
      threshold: 0.5
write:
  - { path: first.jsonl, from: found, fields: [label, gold] }
  - { path: second.jsonl, from: found_again, fields: [label, gold] }
  - { path: third.jsonl, fields: [label, gold] }
""")
        right = []
        for name, least, most in (("first", 40, 40), ("second", 120, 120), ("third", 60, 119)):
            found = self.records(f"{name}.jsonl")
            self.assertTrue(least <= len(found) <= most, len(found))
            right.append(sum(row["label"] == row["gold"] for row in found) / len(found))
        print(f"(precision {right[0]:.3f}, {right[1]:.3f}, filtered {right[2]:.3f}) ", end="")
        self.assertGreater(right[0], 0.6)
        self.assertGreaterEqual(right[1], right[0])
        self.assertGreater(right[2], right[1])


if __name__ == "__main__":
    harness.main()
