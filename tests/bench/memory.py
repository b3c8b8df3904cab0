# SPDX-License-Identifier: Apache-2.0
"""memory.py [BUILD [PART ...]]: what the whole program costs, beside a bare libcurl client.

Prints figures with the load average; nothing here is a test, because a busy machine would fail it.
"""
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
if len(sys.argv) > 1:
    os.environ["XYLEM_BUILD"] = os.path.abspath(sys.argv[1])
import harness  # noqa: E402  (finds the build by the environment)

CLIENT = os.path.join(harness.BUILD, "bin", "bare_client")
PIPELINE = """
xylem: 1
name: bench
models:
  t: {{ use: openai, base_url: "{url}", model: test-model, concurrency: {concurrency},
        attempts: 20, params: {{ max_tokens: 8 }} }}
steps:
  - use: grid
    with: {{ topic: [{topics}], count: {count} }}
  - {{ id: write, use: generate, prompt: "Write about {{{{ topic }}}}." }}
write: {{ path: out.jsonl }}
"""
STREAM = """
xylem: 1
name: stream
steps:
  - use: grid
    with: {{ topic: [a, b, c, d], count: {count} }}
  - {{ id: keep, use: expression, with: {{ keep: "topic != 'd'" }} }}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
"""


class Run:
    """One run in a folder of its own: seconds, seconds of CPU, most resident memory in KiB."""

    def __init__(self, text, **values):
        with tempfile.TemporaryDirectory(prefix="xylem-bench-") as folder:
            with open(os.path.join(folder, "p.yaml"), "w", encoding="utf-8") as file:
                file.write(text.format(**values))
            start = time.monotonic()
            process = subprocess.Popen([harness.XYLEM, "run", "-q", "p.yaml"], cwd=folder)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - start
            self.cpu = usage.ru_utime + usage.ru_stime
            self.resident = usage.ru_maxrss
            if process.returncode != 0:
                sys.exit(f"the run ended with {process.returncode}")


def calls(server, count, concurrency):
    topics = ", ".join(f"topic{i}" for i in range(50))
    return Run(PIPELINE, url=server.url, count=count, concurrency=concurrency, topics=topics)


def load():
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def memory():
    for count in (10000, 300000, 1000000):
        run = Run(STREAM, count=count)
        print(f"{count} records without calls: {run.resident / 1024:.1f} MiB resident, "
              f"{count / run.seconds:.0f} records/s, {run.cpu / count * 1e6:.1f} us of CPU each; "
              f"{load()}", flush=True)
    with harness.Server() as server:
        for count in (10000, 100000):
            run = calls(server, count, 256)
            print(f"{count} records with a call each: {run.resident / 1024:.1f} MiB resident; "
                  f"{load()}", flush=True)


def first_request():
    """From the start of the process to the first bytes that a server gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    took = []
    for _ in range(5):
        came = threading.Event()

        def serve():
            connection, _ = listener.accept()
            connection.recv(1)
            came.stamp = time.monotonic()
            came.set()
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="xylem-bench-") as folder:
            with open(os.path.join(folder, "p.yaml"), "w", encoding="utf-8") as file:
                file.write(PIPELINE.format(url=f"http://127.0.0.1:{port}/v1", concurrency=1,
                                           topics="a", count=1))
            start = time.monotonic()
            process = subprocess.Popen([harness.XYLEM, "run", "-q", "p.yaml"], cwd=folder,
                                       stderr=subprocess.DEVNULL)
            came.wait(20)
            took.append(came.stamp - start)
            process.kill()
            process.wait()
    print(f"start to first request: {min(took) * 1e3:.0f} to {max(took) * 1e3:.0f} ms; {load()}",
          flush=True)


def check():
    took = []
    with tempfile.TemporaryDirectory(prefix="xylem-bench-") as folder:
        with open(os.path.join(folder, "p.yaml"), "w", encoding="utf-8") as file:
            file.write(PIPELINE.format(url="http://127.0.0.1:1/v1", concurrency=1, topics="a",
                                       count=1))
        for _ in range(10):
            start = time.monotonic()
            subprocess.run([harness.XYLEM, "check", "p.yaml"], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL)
            took.append(time.monotonic() - start)
    print(f"xylem check: {min(took) * 1e3:.0f} to {max(took) * 1e3:.0f} ms; {load()}", flush=True)


def throughput(count=40000, in_flight=256):
    """In turns, so that a busy neighbour meets both."""
    ratios = []
    with harness.Server() as server:
        url = f"{server.url}/chat/completions"
        for _ in range(3):
            start = time.monotonic()
            subprocess.run([CLIENT, url, str(count), str(in_flight)], check=True,
                           stdout=subprocess.DEVNULL)
            bare = count / (time.monotonic() - start)
            run = calls(server, count, in_flight)
            ours = count / run.seconds
            ratios.append(ours / bare)
            print(f"{in_flight} in flight: bare client {bare:.0f} calls/s, pipeline {ours:.0f} "
                  f"records/s ({run.cpu / count * 1e6:.1f} us of CPU each): ratio "
                  f"{ours / bare:.2f}; {load()}", flush=True)


def busy(in_flight=4096, latency=0.5, count=60000):
    """How many of the places are taken, by the server's own count, between the first second and the
    last."""
    with harness.Server("--latency-ms", str(int(latency * 1000))) as server:
        samples, stop = [], threading.Event()

        def watch():
            while not stop.wait(0.1):
                samples.append(server.stats()["in_flight"])

        thread = threading.Thread(target=watch)
        thread.start()
        run = calls(server, count, in_flight)
        stop.set()
        thread.join()
        middle = samples[10:-10]
        most = server.stats()["in_flight_max"]
    share = sum(middle) / len(middle) / in_flight if middle else 0
    print(f"{in_flight} in flight at {latency * 1e3:.0f} ms: most {most}, on average {share:.3f} "
          f"of them; {count / run.seconds:.0f} calls/s of {in_flight / latency:.0f}; "
          f"{run.resident / in_flight:.1f} KiB resident for each; {load()}", flush=True)


def stray_limits(count=20000, in_flight=256):
    """Throughput under 5 % random 429s over that without, at a latency as models have it."""
    rates = {}
    faults = ["--fail", "429:0.05", "--retry-after", "0.2"]
    for name, options in (("without", []), ("with", faults)):
        with harness.Server("--latency-ms", "50", *options) as server:
            rates[name] = count / calls(server, count, in_flight).seconds
            stats = server.stats()
            limited, early = stats["status"].get("429", 0), stats["early"]
    print(f"5 % random 429s: {rates['with']:.0f} of {rates['without']:.0f} records/s, "
          f"{rates['with'] / rates['without']:.2f}; {limited} times 429, {early} too early; "
          f"{load()}", flush=True)


PARTS = {"memory": memory, "first_request": first_request, "check": check,
         "throughput": throughput, "busy": busy, "stray_limits": stray_limits}


def main():
    for name in sys.argv[2:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
