# SPDX-License-Identifier: Apache-2.0
"""What the index of `semantic` finds and costs on real embeddings: sentences of the recorded data
(../shared/data, or $XYLEM_REFERENCE_DATA), embedded by the embedded MiniLM, then semantic_bench.

    python3 tests/bench/semantic.py [BUILD [ROWS [TEXTS [FILE]]]]

FILE keeps the vectors (floats, 384 a row) for the next time. ROWS beyond TEXTS are mixtures of two.
"""
import array
import glob
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("XYLEM_REFERENCE_DATA", os.path.join(ROOT, "..", "shared", "data"))
WIDTH = 384
PIPELINE = """
xylem: 1
models: { embedder: { use: llama, model: all-minilm-l6-v2 } }
steps:
  - { id: texts, use: read, with: { path: texts.jsonl } }
  - { id: embed, use: embed, model: embedder, text: "{{ text }}" }
write: { path: vectors.jsonl, fields: [embedding] }
"""


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def sentences():
    """Each once, of 20 to 160 characters, in an order that depends on nothing but the data."""
    found = {}
    for path in sorted(glob.glob(os.path.join(DATA, "**", "*.json*.gz"), recursive=True)):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            text = file.read()
        lines = text.splitlines() if ".jsonl" in path else [text]
        for line in filter(str.strip, lines):
            for string in strings(json.loads(line)):
                for part in map(str.strip, re.split(r"(?<=[.!?])\s+|\n+", string)):
                    if 20 <= len(part) <= 160 and " " in part:
                        found[part] = True
    found = list(found)
    random.Random(1).shuffle(found)
    return found


def embed(program, texts, path):
    with tempfile.TemporaryDirectory() as folder, open(path, "wb") as out:
        for name, lines in (("texts.jsonl", [json.dumps({"text": text}) for text in texts]),
                            ("pipeline.yaml", [PIPELINE])):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        subprocess.run([program, "run", "-q", "pipeline.yaml"], cwd=folder, check=True)
        with open(os.path.join(folder, "vectors.jsonl"), encoding="utf-8") as file:
            for line in file:
                array.array("f", json.loads(line)["embedding"]).tofile(out)


def main():
    build, rows, texts, path = (sys.argv[1:] + ["build", "100000", "20000", ""][len(sys.argv) - 1:])
    with tempfile.TemporaryDirectory() as folder:
        path = path or os.path.join(folder, "vectors.f32")
        if not os.path.exists(path):
            embed(os.path.abspath(os.path.join(build, "bin", "xylem")), sentences()[:int(texts)],
                  path)
        subprocess.run([os.path.join(build, "bin", "semantic_bench"), rows, str(WIDTH), path],
                       check=True)


if __name__ == "__main__":
    main()
