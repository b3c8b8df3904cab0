# SPDX-License-Identifier: Apache-2.0
"""Exact and near de-duplication from JSON lines to JSON lines, by the whole program and by peers,
in turns on the same two cores. Measures, judges nothing.

    python3 tests/bench/dedup.py [--build BUILD] [--records 1000000] [--peer-records 100000]
                                 [--peers polars,rensa,datatrove,data-juicer] [--venv FOLDER]
                                 [--rounds 3]

The data are made: 40 words a record (about 330 bytes a line), a tenth of them copies of earlier
ones, a tenth with one word changed (a Jaccard similarity of 0.85 by shingles of three words).
Without --peers only Xylem runs. Peers are installed with pip into --venv, or into a folder that is
thrown away; polars runs over --records, the others, which take longer, over --peer-records, with
a line of Xylem's over the same. For each: the least wall and CPU seconds of the rounds (with the
processes it waits for: datatrove's are not among them), the peak memory of its largest process,
and the records kept. Xylem flushes its output to the disk before it ends, the peers do not; rensa's
flags take both of a pair, and it is only timed.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

PIPELINE = """
xylem: 1
name: dedup
steps:
  - {{ id: rows, use: read, with: {{ path: "{source}" }} }}
  - {{ use: {step}, with: {{ {options} }} }}
write: {{ path: "{target}" }}
"""
POLARS = """
import sys, polars
rows = polars.read_ndjson(sys.argv[1])
rows.unique(subset="text", keep="first", maintain_order=True).write_ndjson(sys.argv[2])
"""
RENSA = """
import json, re, sys, rensa
WORD = re.compile(r"\\w+")
def shingles(text):
    words = WORD.findall(text.lower())
    return {" ".join(words[i:i + 3]) for i in range(max(1, len(words) - 2))}
lines = open(sys.argv[1], encoding="utf-8").readlines()
index = rensa.RMinHashLSH(threshold=0.7, num_perm=128, num_bands=16)
with open(sys.argv[2], "w", encoding="utf-8") as out:
    for start in range(0, len(lines), 10000):
        block = lines[start:start + 10000]
        sets = [shingles(json.loads(line)["text"]) for line in block]
        matrix = rensa.RMinHash.digest_matrix_from_token_sets(sets, 128, 42)
        flags = index.insert_matrix_and_query_duplicate_flags(matrix, start)
        out.writelines(line for line, seen in zip(block, flags) if not seen)
"""
DATATROVE = """
import glob, gzip, os, shutil, sys, tempfile
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter,
                                      MinhashDedupSignature)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
def main():
    folder = tempfile.mkdtemp(dir=os.path.dirname(sys.argv[2]))
    data = os.path.join(folder, "data")
    os.mkdir(data)
    files = [open(os.path.join(data, f"{i}.jsonl"), "w") for i in range(2)]
    lines = open(sys.argv[1]).readlines()
    for i, line in enumerate(lines):
        files[i * 2 // len(lines)].write(line)
    for file in files:
        file.close()
    config = MinhashConfig(n_grams=3, num_buckets=16, hashes_per_bucket=8)
    at = lambda name: os.path.join(folder, name)
    def run(steps, tasks):
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=min(2, tasks)).run()
    run([JsonlReader(data), MinhashDedupSignature(at("signatures"), config)], 2)
    run([MinhashDedupBuckets(at("signatures"), at("buckets"), config=config)], 16)
    run([MinhashDedupCluster(at("buckets"), at("remove"), config=config)], 1)
    run([JsonlReader(data), MinhashDedupFilter(at("remove")),
         JsonlWriter(at("out"), compression=None)], 2)
    with open(sys.argv[2], "w") as out:
        for path in sorted(glob.glob(at("out/*"))):
            out.write(open(path).read())
    shutil.rmtree(folder)
if __name__ == "__main__":
    main()
"""
DATA_JUICER = """
import json, os, subprocess, sys
config = sys.argv[2] + ".yaml"
with open(config, "w") as file:
    json.dump({"project_name": "dedup", "dataset_path": sys.argv[1], "export_path": sys.argv[2],
               "np": 2, "open_tracer": False, "text_keys": "text", "use_cache": False,
               "process": [{"document_minhash_deduplicator":
                            {"tokenization": "space", "window_size": 3, "num_permutations": 128,
                             "jaccard_threshold": 0.7}}]}, file)
subprocess.run([os.path.join(os.path.dirname(sys.executable), "dj-process"), "--config", config],
               check=True)
"""
PEERS = {
    "polars": (["polars"], POLARS),
    "rensa": (["rensa"], RENSA),
    "datatrove": (["datatrove[io,processing]", "tokenizers", "spacy"], DATATROVE),
    "data-juicer": (["py-data-juicer", "aiohttp", "torch"], DATA_JUICER),
}


def write_data(path, count):
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 10)))
             for _ in range(50000)]
    total = [0.0]
    for i in range(len(words)):
        total.append(total[-1] + 1 / (i + 10))
    earlier = []
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            kind = draw.random() if earlier else 1
            if kind < 0.2:
                text = draw.choice(earlier)
                if kind < 0.1:
                    changed = text.split(" ")
                    changed[draw.randrange(len(changed))] = draw.choice(words)
                    text = " ".join(changed)
            else:
                text = " ".join(draw.choices(words, cum_weights=total[1:], k=40))
                if len(earlier) < 100000:
                    earlier.append(text)
                else:
                    earlier[draw.randrange(len(earlier))] = text
            file.write(json.dumps({"id": i, "source": "made", "text": text}) + "\n")


def two_cores():
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def measure(command, folder, target):
    """Wall and CPU seconds, peak KiB, records kept; None where it failed."""
    environment = dict(os.environ, POLARS_MAX_THREADS="2", RAYON_NUM_THREADS="2",
                       OMP_NUM_THREADS="2")
    if os.path.exists(target):
        os.remove(target)
    shutil.rmtree(os.path.join(folder, ".xylem"), ignore_errors=True)
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, preexec_fn=two_cores,
                               stdout=subprocess.DEVNULL,
                               stderr=open(os.path.join(folder, "stderr"), "wb"))
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status or not os.path.exists(target):
        with open(os.path.join(folder, "stderr"), encoding="utf-8", errors="replace") as file:
            print(f"    {command[0]} failed: {file.read()[-400:].strip()}")
        return None
    with open(target, "rb") as file:
        kept = sum(1 for _ in file)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, kept


def xylem(build, folder, step, options, source, target):
    path = os.path.join(folder, f"{step}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PIPELINE.format(step=step, options=options, source=source, target=target))
    return [os.path.join(build, "bin", "xylem"), "run", path, "--fresh"]


def peer(venv, folder, name, source, target):
    path = os.path.join(folder, f"{name.replace('-', '_')}_peer.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PEERS[name][1])
    return [os.path.join(venv, "bin", "python"), path, source, target]


def in_turns(title, runs, folder, target, rounds):
    """`runs`: name and command. The first is what the others are held against."""
    print(f"{title}, load {os.getloadavg()[0]:.1f}")
    results = {name: [] for name, _ in runs}
    for _ in range(rounds):
        for name, command in runs:
            got = measure(command, folder, target)
            if got:
                results[name].append(got)
    first = None
    for name, _ in runs:
        if not results[name]:
            continue
        wall, cpu = (min(got[i] for got in results[name]) for i in (0, 1))
        memory = max(got[2] for got in results[name])
        first = first or (wall, cpu)
        print(f"  {name:14}{wall:8.2f} s wall ({wall / first[0]:5.2f} x){cpu:8.2f} s CPU "
              f"({cpu / first[1]:5.2f} x){memory / 1024:8.0f} MB  {results[name][-1][3]} kept")


def install(venv, names):
    if not os.path.exists(os.path.join(venv, "bin", "python")):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    for name in names:
        subprocess.run([os.path.join(venv, "bin", "python"), "-m", "pip", "install", "-q",
                        *PEERS[name][0]], check=False)


def bench(options, folder):
    peers = [name for name in options.peers.split(",") if name]
    venv = os.path.abspath(options.venv or os.path.join(folder, "venv"))
    build = os.path.abspath(options.build)
    target = os.path.join(folder, "out.jsonl")
    if peers:
        install(venv, peers)
    files = {}
    for count in {options.records} | ({options.peer_records} if peers else set()):
        files[count] = os.path.join(folder, f"{count}.jsonl")
        write_data(files[count], count)
    source = files[options.records]
    runs = [("exact",
             xylem(build, folder, "exact", "field: text, normalise: none", source, target))]
    if "polars" in peers:
        runs.append(("polars unique", peer(venv, folder, "polars", source, target)))
    in_turns(f"exact, {options.records} records", runs, folder, target, options.rounds)
    near = [("minhash", xylem(build, folder, "minhash", "field: text", source, target))]
    in_turns(f"near, {options.records} records", near, folder, target, options.rounds)
    slow = [name for name in peers if name != "polars"]
    if not slow:
        return
    source = files[options.peer_records]
    near = [("minhash", xylem(build, folder, "minhash", "field: text", source, target))]
    near += [(name, peer(venv, folder, name, source, target)) for name in slow]
    in_turns(f"near, {options.peer_records} records", near, folder, target, options.rounds)


def main():
    parser = argparse.ArgumentParser(description="de-duplication, measured")
    parser.add_argument("--build", default="build")
    parser.add_argument("--records", type=int, default=1000000)
    parser.add_argument("--peer-records", type=int, default=100000)
    parser.add_argument("--peers", default="")
    parser.add_argument("--venv", default="")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench(options, folder)


if __name__ == "__main__":
    main()
