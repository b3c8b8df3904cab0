# SPDX-License-Identifier: Apache-2.0
"""The guides for users, done as a reader would: their files are saved, their commands run in order,
and what they print is what the page shows."""
import os
import subprocess

import blocks
import harness

GUIDES = os.path.join(harness.ROOT, "docs", "guide")


class Guide(harness.Case):
    def shell(self, command, status, environment):
        """Runs a line as a shell would that ended the last one with `status`."""
        done = subprocess.run(["sh", "-c", f"(exit {status}); {command}"], cwd=self.folder,
                              env=environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.splitlines() + done.stderr.splitlines()

    def console(self, name, block, environment):
        status = 0
        for command, shown in block.commands():
            status, printed = self.shell(command, status, environment)
            said = "\n".join(printed)
            self.assertTrue(blocks.matches(shown, printed),
                            f"{name}, line {block.start}: `{command}` printed\n{said}")

    def do(self, name):
        """Returns how many blocks ran, by language, and how often the endpoint was asked."""
        with open(os.path.join(GUIDES, name), encoding="utf-8") as file:
            page = blocks.blocks(file.read())
        ran = {"yaml": 0, "sh": 0, "console": 0}
        with harness.Server() as server:
            environment = {**os.environ, "NO_COLOR": "1", "OPENAI_BASE_URL": server.url,
                           "OPENAI_API_KEY": "none",
                           "PATH": os.path.dirname(harness.XYLEM) + ":" + os.environ["PATH"]}
            for block in page:
                self.assertIn(block.language, ran, f"line {block.start}: a block nobody checks")
                ran[block.language] += 1
                if block.language == "console":
                    self.console(name, block, environment)
                    continue
                self.assertIsNotNone(block.file, f"line {block.start}: names no file")
                self.write(block.file, block.text)
                if block.language == "sh":
                    status, printed = self.shell("sh " + block.file, 0, environment)
                    self.assertEqual(status, 0, printed)
                else:
                    self.xylem("check", block.file)
            return ran, server.stats()["requests"]

    def test_first_pipeline(self):
        ran, requests = self.do("first-pipeline.md")
        self.assertEqual(requests, 8, "section 7 asks the real model")
        self.assertGreaterEqual(min(ran.values()), 2, ran)

    def test_reading_a_run(self):
        ran, requests = self.do("reading-a-run.md")
        self.assertEqual(requests, 0)
        self.assertEqual(ran, {"yaml": 1, "sh": 1, "console": 6})


class Matching(harness.Case):
    """The comparison itself finds what differs."""

    def test_lines(self):
        self.assertTrue(blocks.matches(["a  1  0.0s"], ["a 1  2.5s"]))
        self.assertTrue(blocks.matches(["a", "...", "d"], ["a", "b", "c", "d"]))
        self.assertTrue(blocks.matches(["About 8 calls, ..."], ["About 8 calls, 2 tokens"]))
        self.assertFalse(blocks.matches(["a 1"], ["a 2"]))
        self.assertFalse(blocks.matches(["a"], ["a", "b"]))
        self.assertFalse(blocks.matches(["a", "b"], ["a"]))
        self.assertFalse(blocks.matches([], ["a"]))


if __name__ == "__main__":
    harness.main()
