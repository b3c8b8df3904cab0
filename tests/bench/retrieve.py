# SPDX-License-Identifier: Apache-2.0
"""What BM25 retrieval costs in a run of the whole program: reading and indexing a corpus (one
query), and each further query.

    python3 tests/bench/retrieve.py [BUILD [PASSAGES]]
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

PIPELINE = """
xylem: 1
steps:
  - {{ id: corpus, use: read, with: {{ path: corpus.jsonl }} }}
  - {{ id: queries, use: read, with: {{ path: queries.jsonl, limit: {queries} }} }}
  - {{ use: retrieve.bm25, with: {{ corpus: corpus, query: "{{{{ q }}}}", k: 5 }} }}
write: {{ path: out.jsonl, fields: [q, passage_ids] }}
"""
READ_ONLY = """
xylem: 1
steps:
  - { id: corpus, use: read, with: { path: corpus.jsonl } }
  - { use: length, with: { min: 1000000 } }
write: { path: out.jsonl }
"""


def write_data(folder, passages):
    """60 words a passage, drawn as words are used: the n-th most frequent 1 / n as often."""
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 10)))
             for _ in range(100000)]
    weights = [1 / (i + 1) for i in range(len(words))]
    total = [0.0]
    for weight in weights:
        total.append(total[-1] + weight)
    for name, count, length in (("corpus", passages, 60), ("queries", 10000, 8)):
        with open(os.path.join(folder, f"{name}.jsonl"), "w", encoding="utf-8") as file:
            for _ in range(count):
                text = " ".join(draw.choices(words, cum_weights=total[1:], k=length))
                file.write(json.dumps({"q" if name == "queries" else "text": text}) + "\n")


def seconds(program, folder, text):
    with open(os.path.join(folder, "pipeline.yaml"), "w", encoding="utf-8") as file:
        file.write(text)
    start = time.monotonic()
    subprocess.run([program, "run", "pipeline.yaml", "--fresh"], cwd=folder, check=False,
                   capture_output=True)
    return time.monotonic() - start


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
    passages = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    program = os.path.join(build, "bin", "xylem")
    with tempfile.TemporaryDirectory() as folder:
        write_data(folder, passages)
        read = seconds(program, folder, READ_ONLY)
        one = seconds(program, folder, PIPELINE.format(queries=1))
        many = seconds(program, folder, PIPELINE.format(queries=10000))
    print(f"{passages} passages of 60 words, load {os.getloadavg()[0]:.1f}")
    print(f"read only                 {read:8.2f} s")
    print(f"read, index, one query    {one:8.2f} s")
    print(f"9,999 further queries     {many - one:8.2f} s  {(many - one) / 9.999:8.3f} ms each")


if __name__ == "__main__":
    main()
