# SPDX-License-Identifier: Apache-2.0
"""What a run notices of its inputs: a file that changed since is named when the run goes on."""
import os
import textwrap

import harness


class Lock(harness.Case):
    def setUp(self):
        super().setUp()
        for folder in ("notes", "notes/deep", "notes/.hidden"):
            os.mkdir(self.path(folder))
        self.write("notes/a.txt", "The first note.")
        self.write("notes/deep/b.txt", "The second note.")
        self.write("notes/.hidden/c.txt", "No note.")
        self.write("names.csv", "name\nAda\nGrace\n")
        self.write("answers.jsonl", '{"text": "yes"}\n')
        self.write("p.yaml", textwrap.dedent("""
            xylem: 1
            name: lock
            models: { recorded: { use: replay, file: answers.jsonl } }
            steps:
              - use: chunks
                with: { path: notes }
              - use: sample
                with: { name: { file: names.csv, column: name } }
              - use: words
                with: { path: words.txt, n: 1, into: word }
            write: { path: out.jsonl }
            """))
        self.write("words.txt", "one\ntwo\n")

    def changes(self):
        """What the run says changed since the last one, as a set of names."""
        said = self.xylem("run", "p.yaml").stderr
        lines = [line for line in said.splitlines() if "changed since this run began: " in line]
        self.assertLessEqual(len(lines), 1, said)
        if not lines:
            return set()
        return set(lines[0].split("began: ")[1].split(";")[0].split(", "))

    def test_nothing_changed(self):
        self.assertEqual(self.changes(), set())
        self.assertEqual(self.changes(), set())

    def test_a_file_in_a_folder(self):
        for name, text in (("notes/a.txt", "Another note."), ("notes/deep/b.txt", "Deep down."),
                           ("notes/deep/new.txt", "One more.")):
            with self.subTest(name):
                self.changes()
                self.write(name, text)
                self.assertEqual(self.changes(), {"input notes"})
        with self.subTest("gone"):
            os.unlink(self.path("notes/deep/new.txt"))
            self.assertEqual(self.changes(), {"input notes"})
        with self.subTest("moved, with the same bytes"):
            os.rename(self.path("notes/a.txt"), self.path("notes/deep/a.txt"))
            self.assertEqual(self.changes(), {"input notes"})

    def test_what_is_hidden_and_circles(self):
        self.changes()
        self.write("notes/.hidden/c.txt", "Still no note.")
        self.assertEqual(self.changes(), set())
        os.symlink("..", self.path("notes/circle"))
        self.assertEqual(self.changes(), {"input notes"})
        self.assertEqual(self.changes(), set())

    def test_a_file_named_within_an_option(self):
        self.changes()
        self.write("names.csv", "name\nAda\nBarbara\n")
        self.assertEqual(self.changes(), {"input names.csv"})

    def test_a_file_of_a_model(self):
        self.changes()
        self.write("answers.jsonl", '{"text": "no"}\n')
        self.assertEqual(self.changes(), {"input answers.jsonl"})

    def test_a_file(self):
        self.changes()
        self.write("words.txt", "one\nthree\n")
        self.assertEqual(self.changes(), {"input words.txt"})


if __name__ == "__main__":
    harness.main()
