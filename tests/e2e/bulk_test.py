# SPDX-License-Identifier: Apache-2.0
"""Large files: what is read ahead, taken over and written beside the run comes out whole, in order,
or as one clear error."""
import json
import os
import resource
import subprocess
import unittest

import harness

PIPELINE = """
xylem: 1
name: bulk
steps:
  - { id: rows, use: read, with: { path: in.jsonl } }
  - { use: exact, with: { field: text, normalise: none } }
write: { path: out.jsonl, rejects: rejects.jsonl }
"""


class Bulk(harness.Case):
    """Many records and few steps: read ahead, written by two cursors and a thread behind them."""

    def setUp(self):
        super().setUp()
        self.write("p.yaml", PIPELINE)

    def rows(self, sizes):
        lines = [json.dumps({"id": i, "text": f"{i % 9000} " + "x" * size},
                            separators=(",", ":")) + "\n" for i, size in enumerate(sizes)]
        self.write("in.jsonl", "".join(lines))
        return lines

    def run_rows(self, sizes):
        lines = self.rows(sizes)
        self.xylem("run", "-q", "p.yaml")
        self.assertEqual(self.read("out.jsonl"), "".join(lines[:9000]).encode())
        rejects = [json.loads(line) for line in self.read("rejects.jsonl").splitlines()]
        self.assertEqual([reject["fields"]["id"] for reject in rejects],
                         list(range(9000, len(lines))))
        for reject in rejects:
            self.assertEqual([event["event"] for event in reject["trail"]], ["made", "dropped"])
            self.assertRegex(reject["trail"][1]["reason"], "^equals [0-9a-f]{16}$")

    def test_small_records(self):
        self.run_rows([i % 9000 % 700 for i in range(9500)])

    def test_records_larger_than_a_block(self):
        """Some alone are more than a buffer, a block of lines, or what a cursor takes at once."""
        self.run_rows([1 << 21 if i % 9000 in (3, 1500, 1501, 8999) else 5 for i in range(9100)])

    def test_a_bad_line_far_behind(self):
        lines = self.rows([10] * 5000)
        self.write("in.jsonl", "".join(lines) + "{broken\n" + "".join(lines))
        done = self.xylem("run", "-q", "p.yaml", code=1)
        self.assertRegex(done.stderr, r"in.jsonl:5001: this line is not valid JSON")
        self.assertFalse(os.path.exists(self.path("out.jsonl")))

    def test_output_may_not_grow(self):
        """The limit is met by the thread that writes, long after it was given the bytes."""
        text = "\n" * 1000  # twice as long in the output as in the dataset
        self.write("in.jsonl", "".join(json.dumps({"text": f"{i} {text}"}) + "\n"
                                       for i in range(6000)))
        limit = 9 << 20
        done = subprocess.run(
            [harness.XYLEM, "run", "-q", "p.yaml"], cwd=self.folder, capture_output=True, text=True,
            timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"cannot write `.*out.jsonl.new`: File too large")
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("out.")], [])


if __name__ == "__main__":
    harness.main()
