# SPDX-License-Identifier: Apache-2.0
"""Every Markdown page: its links lead somewhere. The README: its commands exist, its pipelines
check, its table of stages is the program's."""
import json
import os
import re
import shlex
import subprocess

import blocks
import harness

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)
CODE = re.compile(r"`[^`]*`")


def pages():
    """The tracked and new Markdown pages of the tree, by path."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"],
                            cwd=harness.ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines()
                if os.path.exists(os.path.join(harness.ROOT, name))]
    found = []
    for folder, folders, names in os.walk(harness.ROOT):
        folders[:] = [name for name in folders if name[0] != "." and not name.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, name), harness.ROOT)
                  for name in names if name.endswith(".md")]
    return sorted(found)


def text_of(name):
    with open(os.path.join(harness.ROOT, name), encoding="utf-8") as file:
        return file.read()


def anchors(page):
    """The anchors that a forge gives a page's headings."""
    found = set()
    for line in blocks.prose(page):
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def broken_links(name, page):
    """(link, why) of each link within the tree that leads nowhere."""
    broken = []
    source = "\n".join(CODE.sub("", line) for line in blocks.prose(page))
    for match in LINK.finditer(source):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
        if target.startswith("..") or not os.path.exists(os.path.join(harness.ROOT, target)):
            broken.append((link, "no such file"))
        elif anchor and target.endswith(".md"):
            if anchor not in anchors(text_of(target) if path else page):
                broken.append((link, "no such heading"))
    return broken


class Links(harness.Case):
    def test_lead_somewhere(self):
        names = pages()
        self.assertIn("README.md", names)
        for name in names:
            self.assertEqual(broken_links(name, text_of(name)), [], name)

    def test_broken_ones_are_found(self):
        page = "# A\n[a](gone.md) [b](#a) [c](#b) `[d](gone.md)` [e](https://example.org/x)\n" \
               "```\n[f](gone.md)\n```\n[LICENSE]: LICENCE\n"
        self.assertEqual([link for link, _ in broken_links("docs/README.md", page)],
                         ["gone.md", "#b", "LICENCE"])

    def test_every_guide_and_decision_is_in_the_index(self):
        index = text_of("docs/README.md")
        for name in pages():
            folder = os.path.dirname(name)
            if folder in ("docs/guide", "docs/decisions", "docs/core"):
                self.assertIn(f"]({os.path.relpath(name, 'docs')})", index, name)


class Readme(harness.Case):
    def setUp(self):
        super().setUp()
        self.page = text_of("README.md")
        self.blocks = blocks.blocks(self.page)
        for block in self.blocks:
            if block.language == "yaml":
                self.assertIsNotNone(block.file, f"line {block.start}: names no file")
                self.write(block.file, block.text)

    def runnable(self, words):
        """A command of the page on this tree, in its harmless form; None for what only exists."""
        if words[0] == "sh":
            return ["sh", "-n", words[1]]
        if os.path.basename(words[0]) != "xylem":
            return None
        if words[1:2] == ["check"]:
            return [harness.XYLEM, *words[1:]]
        return [harness.XYLEM, words[1], *([] if words[1].startswith("-") else ["--help"])]

    def test_commands(self):
        """Each `sh` line is a script of this tree, or a command of the program that exists."""
        ran = 0
        for block in self.blocks:
            if block.language != "sh":
                continue
            subprocess.run(["sh", "-n"], input=block.text, text=True, check=True)
            for line in block.text.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                command = self.runnable(words) if words else None
                if not command:
                    continue
                of_tree = command[0] == "sh" or command[-1].startswith("pipelines/")
                folder = harness.ROOT if of_tree else self.folder
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
                ran += 1
        self.assertGreaterEqual(ran, 3)

    def test_pipelines_check(self):
        names = [block.file for block in self.blocks if block.language == "yaml"]
        self.assertTrue(names)
        for name in names:
            self.xylem("check", name)

    def test_what_it_names_is_there(self):
        """Every path of the tree that stands in the page as code, such as a test, exists."""
        names = re.findall(r"`((?:core|docs|examples|pipelines|sdk|tests)/[\w./-]+)`", self.page)
        self.assertGreater(len(names), 20)
        for name in names:
            self.assertTrue(os.path.exists(os.path.join(harness.ROOT, name)), name)

    def test_exit_codes(self):
        told = dict(line.split(None, 1)
                    for line in self.xylem("help", "exit-codes").stdout.splitlines())
        shown = dict(re.findall(r"^\| (\d+) \| (.+) \|$", self.page, re.MULTILINE))
        self.assertEqual(shown, told)

    def test_languages(self):
        """No block that nobody checks: `text` is output."""
        for block in self.blocks:
            self.assertIn(block.language, ("sh", "yaml", "text"), f"line {block.start}")

    def test_table_of_stages(self):
        """A row for each stage of this build, in the program's words; none for a stranger."""
        stages = json.loads(self.xylem("plugins", "--json", env={"XYLEM_PLUGIN_PATH": ""}).stdout)
        inside = os.path.realpath(harness.BUILD) + os.sep
        rows = re.findall(r"^\| (\w+) \| \[`([\w.-]+)`\]\((\S+)\) \| (.+) \|$",
                          self.page, re.MULTILINE)
        shown = {(kind, name): summary for kind, name, _, summary in rows}
        for stage in stages:
            if os.path.realpath(stage["path"]).startswith(inside):
                self.assertEqual(shown.get((stage["kind"], stage["name"])),
                                 stage["summary"].rstrip("."), stage["name"])
        kept = text_of("docs/reference/README.md")
        for kind, name, link, _ in rows:
            self.assertEqual(link, f"docs/reference/{kind}-{name}.md")
            self.assertIn(f"]({kind}-{name}.md)", kept, f"{kind} {name} is no stage")


if __name__ == "__main__":
    harness.main()
