# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a run: servers that fail, signals, full disks. Nothing is lost."""
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import harness

PIPELINE = """
xylem: 1
name: faults
seed: 4
models:
  teacher: {{ use: openai, base_url: "{url}", model: m, api_key: "key-of-the-test", {keys} }}
steps:
  - id: plan
    use: grid
    with: {{ topic: [{topics}], style: [terse, long] }}
  - id: draft
    use: generate
    model: teacher
    prompt: "Write about {{{{ topic }}}} in a {{{{ style }}}} way."
    samples: {samples}
write: {{ path: out.jsonl, rejects: rejects.jsonl, with: {{ id: true }} }}
"""


class FaultCase(harness.Case):
    def pipeline(self, url, topics=100, samples=1, keys="concurrency: 64"):
        names = ", ".join(f"topic{i}" for i in range(topics))
        self.write("faults.yaml",
                   PIPELINE.format(url=url, topics=names, samples=samples, keys=keys))

    def summary(self, *words, code=0, timeout=120):
        done = self.xylem("run", "-q", "--json", "faults.yaml", *words, code=code, timeout=timeout)
        return json.loads(done.stdout), done.stderr

    def wait_for(self, condition, process=None, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come to that")
            if process:
                self.assertIsNone(process.poll(), "the program ended too soon")
            time.sleep(0.005)

    def end_of(self, process, seconds):
        """Its exit code and what it said; it must end within `seconds`."""
        start = time.monotonic()
        try:
            said = process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"still running after {seconds} s")
        return process.returncode, said, time.monotonic() - start


class Server(FaultCase):
    def test_nothing_is_lost_when_the_server_fails(self):
        """2,000 calls through a server that fails one time in eight, each way there is."""
        faults = ["--fail", "429:0.05,500:0.02,reset:0.02,truncate:0.01,malformed:0.01,slow:0.01",
                  "--retry-after", "0.4", "--slow-ms", "600", "--jitter-ms", "10", "--seed", "77"]
        with harness.Server(*faults) as server:
            self.pipeline(server.url, topics=500, samples=2, keys="concurrency: 256, attempts: 12")
            summary, _ = self.summary()
            stats = server.stats()
        records = self.records("out.jsonl")
        self.assertEqual(len(records), 2000)
        self.assertEqual(len({record["_id"] for record in records}), 2000)
        self.assertEqual(self.read("rejects.jsonl"), b"")
        self.assertEqual([record["topic"] for record in records],
                         [f"topic{i}" for i in range(500) for _ in range(4)])
        for status in ("429", "500"):
            self.assertGreater(stats["status"][status], 10)
        for kind in ("resets", "truncated", "malformed", "slow"):
            self.assertGreater(stats[kind], 5, kind)
        self.assertEqual(stats["early"], 0)
        self.assertEqual(stats["distinct_bodies"], 2000)
        self.assertEqual(summary["models"][0]["retries"], summary["models"][0]["calls"] - 2000)

    def test_server_is_down(self):
        """Nobody listens: the run says so once, soon, and ends as failed."""
        with harness.Server() as server:
            url = server.url
        self.pipeline(url, topics=500)
        start = time.monotonic()
        done = self.xylem("run", "-q", "faults.yaml", code=1, timeout=100)
        self.assertLess(time.monotonic() - start, 60)
        self.assertIn("127.0.0.1", done.stderr)
        self.assertIn("teacher", done.stderr)
        self.assertLess(len(done.stderr.splitlines()), 4, done.stderr)
        self.assertFalse(os.path.exists(self.path("out.jsonl")))

    def test_wrong_key(self):
        """401 is no matter of luck: one clear error, not ten thousand attempts."""
        with harness.Server("--require-key", "another") as server:
            self.pipeline(server.url, topics=5000, keys="concurrency: 8")
            done = self.xylem("run", "-q", "faults.yaml", code=1)
            attempts = server.stats()["requests"]
        self.assertGreaterEqual(attempts, 1)
        self.assertLess(attempts, 100)
        self.assertIn("401", done.stderr)
        self.assertIn("teacher", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertNotIn("key-of-the-test", done.stderr)
        self.assertFalse(os.path.exists(self.path("out.jsonl")))

    def test_wrong_key_and_few_records(self):
        """Too few to give up early, but not one good answer: that is no run that is done."""
        with harness.Server("--require-key", "another") as server:
            self.pipeline(server.url, topics=3)
            done = self.xylem("run", "-q", "faults.yaml", code=1)
            self.assertEqual(server.stats()["requests"], 6)
        self.assertIn("401", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_some_requests_are_refused_for_good(self):
        """400 for a few: those records are rejected with what the server said, the run is done."""
        with harness.Server("--fail", "400:0.1", "--seed", "3") as server:
            self.pipeline(server.url, topics=200)
            summary, _ = self.summary()
            refused = server.stats()["status"]["400"]
            self.assertEqual(server.stats()["requests"], 400)
        self.assertEqual(len(self.records("out.jsonl")), 400 - refused)
        rejects = self.records("rejects.jsonl")
        self.assertEqual(len(rejects), refused)
        self.assertIn("400", rejects[0]["trail"][-1]["reason"])
        self.assertEqual(rejects[0]["trail"][-1]["event"], "failed")
        self.assertEqual(summary["models"][0]["failed"], refused)

    def test_a_server_that_never_answers(self):
        with harness.Server("--latency-ms", "600000") as server:
            self.pipeline(server.url, topics=10, keys="concurrency: 64, timeout: 0.3, attempts: 2")
            start = time.monotonic()
            done = self.xylem("run", "-q", "faults.yaml", code=1)
            self.assertLess(time.monotonic() - start, 20)
            self.assertEqual(server.stats()["requests"], 40)
        self.assertIn("timed out", done.stderr.lower().replace("timeout", "timed out"))

    def test_deadline(self):
        """A deadline is over all attempts of a call; others are not held up by it."""
        with harness.Server("--fail", "slow:0.3", "--slow-ms", "30000", "--seed", "2") as server:
            self.pipeline(server.url, topics=20,
                          keys="concurrency: 64, timeout: 0.4, deadline: 1, attempts: 50")
            start = time.monotonic()
            summary, _ = self.summary()
            self.assertLess(time.monotonic() - start, 15)
            self.assertGreater(summary["models"][0]["retries"], 3)
        kept, rejects = self.records("out.jsonl"), self.records("rejects.jsonl")
        self.assertEqual(len(kept) + len(rejects), 40)
        self.assertGreater(len(kept), 25)
        for record in rejects:
            self.assertRegex(record["trail"][-1]["reason"], "deadline|time")


class Signals(FaultCase):
    def undisturbed(self, server, **keys):
        self.pipeline(server.url, **keys)
        self.xylem("run", "-q", "faults.yaml", "--runs", "undisturbed")
        expected = self.read("out.jsonl"), self.read("rejects.jsonl")
        for name in ("out.jsonl", "rejects.jsonl"):
            os.unlink(self.path(name))
        server.reset()
        return expected

    def once(self, number):
        with harness.Server("--latency-ms", "150") as server:
            expected = self.undisturbed(server, topics=120, keys="concurrency: 40")
            process = self.start("run", "-q", "faults.yaml")
            self.wait_for(lambda: server.stats()["status"].get("200", 0) >= 60, process)
            process.send_signal(number)
            code, said, _ = self.end_of(process, 10)
            self.assertEqual(code, 5, said)
            self.assertIn("finishing what is in flight", said)
            self.assertIn("the same command goes on", said)
            self.assertFalse(os.path.exists(self.path("out.jsonl")))
            stats = server.stats()
            self.assertEqual(stats["requests"], stats["status"]["200"])
            self.assertLess(stats["requests"], 240)
            self.xylem("run", "-q", "faults.yaml")
            after = server.stats()
            # What was in flight was finished and kept: nothing is paid twice.
            self.assertEqual(after["answered_again"], 0)
            self.assertEqual(after["distinct_bodies"], 240)
        self.assertEqual((self.read("out.jsonl"), self.read("rejects.jsonl")), expected)

    def test_interrupted_once(self):
        self.once(signal.SIGINT)

    def test_terminated_once(self):
        self.once(signal.SIGTERM)

    def test_interrupted_twice(self):
        with harness.Server("--latency-ms", "20000") as server:
            self.pipeline(server.url, topics=50)
            process = self.start("run", "-q", "faults.yaml")
            self.wait_for(lambda: server.stats()["in_flight"] >= 50, process)
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            code, said, took = self.end_of(process, 10)
            self.assertEqual(code, 5, said)
            self.assertLess(took, 2)

    def test_interrupted_while_waiting_to_try_again(self):
        with harness.Server("--fail", "429:1", "--retry-after", "60") as server:
            self.pipeline(server.url, topics=10)
            process = self.start("run", "-q", "faults.yaml")
            self.wait_for(lambda: server.stats()["requests"] >= 20, process)
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            code, said, took = self.end_of(process, 10)
            self.assertEqual(code, 5, said)
            self.assertLess(took, 2)


class Disk(FaultCase):
    def resumes(self, server, expected):
        self.xylem("run", "-q", "faults.yaml")
        self.assertEqual(self.read("out.jsonl"), expected)

    def test_files_may_not_grow(self):
        """A limit on the size of files hits the journal in the middle of the run."""
        with harness.Server() as server:
            self.pipeline(server.url, topics=500)
            self.xylem("run", "-q", "faults.yaml", "--runs", "undisturbed")
            expected = self.read("out.jsonl")
            os.unlink(self.path("out.jsonl"))
            limit = os.path.getsize(self.path("undisturbed", "faults", "answers.log")) // 2
            done = subprocess.run(
                [harness.XYLEM, "run", "-q", "faults.yaml"], cwd=self.folder, capture_output=True,
                text=True, timeout=60,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, r"File too large")
            self.assertLess(len(done.stderr.splitlines()), 3, done.stderr)
            self.assertFalse(os.path.exists(self.path("out.jsonl")))
            self.resumes(server, expected)

    def test_disk_is_full(self):
        place = tempfile.mkdtemp(prefix="xylem-small-")
        self.addCleanup(shutil.rmtree, place, True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "xylem-test", place],
                                 capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no tmpfs can be mounted here")
        try:
            with harness.Server() as server:
                self.pipeline(server.url, topics=1500)
                self.xylem("run", "-q", "faults.yaml", "--runs", "undisturbed")
                expected = self.read("out.jsonl")
                os.unlink(self.path("out.jsonl"))
                done = self.xylem("run", "-q", "faults.yaml", "--runs", place, code=1)
                self.assertRegex(done.stderr, r"No space left on device|disk is full")
                self.assertLess(len(done.stderr.splitlines()), 3, done.stderr)
                self.assertFalse(os.path.exists(self.path("out.jsonl")))
                grown = subprocess.run(["mount", "-o", "remount,size=64m", place])
                self.assertEqual(grown.returncode, 0)
                paid = server.stats()["distinct_bodies"]
                self.xylem("run", "-q", "faults.yaml", "--runs", place)
                self.assertEqual(server.stats()["distinct_bodies"], paid)
                self.assertEqual(self.read("out.jsonl"), expected)
        finally:
            subprocess.run(["umount", place], check=True)

    def test_output_cannot_be_written(self):
        """Found out before anything is paid; and what exists already is not touched."""
        with harness.Server() as server:
            self.pipeline(server.url, topics=5)
            self.write("file", "in the way")
            done = self.xylem("run", "-q", "faults.yaml", "--set", "write.path=file/out.jsonl",
                              code=None)
            self.assertIn(done.returncode, (1, 2))
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("file/out.jsonl", done.stderr)
            os.mkdir(self.path("folder"))
            done = self.xylem("run", "-q", "faults.yaml", "--set", "write.path=folder",
                              "--set", "write.format=jsonl", code=1)
            self.assertRegex(done.stderr, "cannot write `.*folder`: it is a folder")
            self.assertEqual(server.stats()["requests"], 0)

    def test_runs_folder_cannot_be_made(self):
        with harness.Server() as server:
            self.pipeline(server.url, topics=5)
            self.write("file", "in the way")
            done = self.xylem("run", "-q", "faults.yaml", "--runs", "file", code=1)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("file", done.stderr)
            self.assertEqual(server.stats()["requests"], 0)


if __name__ == "__main__":
    harness.main()
