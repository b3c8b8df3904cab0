# SPDX-License-Identifier: Apache-2.0
"""Embeddings are cached by content: whatever asks, in whichever step or run, each text is paid for
once. The embedder is a program that keeps a list of what it was asked."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

EMBEDDER = """import hashlib, json, sys
for line in sys.stdin:
    request = json.loads(line)
    with open("asked.jsonl", "a") as file:
        for text in request["texts"]:
            file.write(json.dumps(text) + "\\n")
    vectors = [[byte / 128 - 1 for byte in hashlib.sha256(text.encode()).digest()[:16]]
               for text in request["texts"]]
    print(json.dumps({"id": request["id"], "vectors": vectors}), flush=True)
"""

PIPELINE = """xylem: 1
name: embeddings
cache: cache
models:
  small: { use: exec, command: [python3, embedder.py], operations: [embed] }
steps:
  - { id: rows, use: read, with: { path: rows.jsonl } }
  - { use: embed, model: small, text: "{{ text }}", into: place }
  - { use: semantic, with: { embed: small, threshold: 1 } }
  - use: confident_learning
    with: { learner: { use: linear, features: embedding, embed: small }, action: annotate }
  - use: student
    with: { learner: { use: knn, features: embedding, embed: small }, action: annotate }
  - { use: dynamics, with: { learner: { use: softmax, features: embedding, embed: small },
                             method: annotate } }
  - { use: influence, with: { embed: small, action: annotate } }
  - { use: reweight, with: { features: embedding, embed: small, c: 0.1 } }
  - { use: demos.knn, with: { pool: rows, k: 2, embed: small } }
  - { use: select, with: { k: 10, embed: small } }
  - { use: diversity, with: { embed: small } }
write: { path: out.jsonl, rejects: rejects.jsonl, fields: [text] }
"""


class EmbeddingCacheTest(scripted.harness.Case):
    def ask(self, texts, runs):
        """Runs the pipeline over the texts; what the embedder was asked, in any order."""
        self.write("rows.jsonl", "".join(json.dumps({"text": text, "label": "ab"[i % 2]}) + "\n"
                                         for i, text in enumerate(texts)))
        self.write("asked.jsonl", "")
        self.xylem("run", "-q", "--runs", runs, "pipeline.yaml")
        return sorted(self.records("asked.jsonl"))

    def test_each_text_is_asked_once(self):
        self.write("embedder.py", EMBEDDER)
        self.write("pipeline.yaml", PIPELINE)
        texts = [f"text number {i}" for i in range(30)] + ["text number 3", "text number 4"]
        self.assertEqual(self.ask(texts, "first"), sorted(set(texts)))
        out = self.read("out.jsonl")
        # Another run knows them all, and comes to the same.
        self.assertEqual(self.ask(texts, "second"), [])
        self.assertEqual(self.read("out.jsonl"), out)
        # A text that changed by one letter is another text.
        texts[7] += "!"
        self.assertEqual(self.ask(texts, "third"), [texts[7]])


if __name__ == "__main__":
    scripted.harness.main()
