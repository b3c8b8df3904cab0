# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the program, the test server, a folder of their own."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("XYLEM_BUILD", os.path.join(ROOT, "build"))
XYLEM = os.path.join(BUILD, "bin", "xylem")
SERVER = os.path.join(BUILD, "bin", "test_server")


class Server:
    """The local OpenAI-style server; `with Server("--latency-ms", "5") as server:`."""

    def __init__(self, *options):
        self.process = subprocess.Popen([SERVER, "--port", "0", *options], stdout=subprocess.PIPE,
                                        text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as reply:
            return json.load(reply)

    def reset(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/reset", data=b"")
        urllib.request.urlopen(request, timeout=10).read()


class Case(unittest.TestCase):
    """A test with a folder of its own, removed afterwards."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="xylem-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def records(self, name):
        return [json.loads(line) for line in self.read(name).splitlines()]

    def xylem(self, *words, code=0, env=None, timeout=120):
        """Runs the program in the test's folder and holds its exit code against `code`."""
        done = subprocess.run([XYLEM, *words], cwd=self.folder, capture_output=True, text=True,
                              timeout=timeout, env={**os.environ, "NO_COLOR": "1", **(env or {})})
        if code is not None:
            self.assertEqual(done.returncode, code, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *words):
        return subprocess.Popen([XYLEM, *words], cwd=self.folder, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)


def main():
    if not os.path.exists(XYLEM):
        print(f"skipped: {XYLEM} is not built")
        sys.exit(77)
    unittest.main(verbosity=2)
