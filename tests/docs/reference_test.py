# SPDX-License-Identifier: Apache-2.0
"""docs/reference is what `xylem help --all` writes.

A page is compared when its stage is one of this build. A page of a plugin that this build left out
(a library was missing) is passed over, if the plugin still has a folder; any other page without a
stage is stale and an error. Plugins from outside the build do not count.
"""
import json
import os
import re

import harness

PAGES = os.path.join(harness.ROOT, "docs", "reference")
MAKE = "run `build/bin/xylem help --all docs/reference` and commit what changes"


def read_pages(folder):
    pages = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            pages[name] = file.read()
    return pages


class Reference(harness.Case):
    def setUp(self):
        super().setUp()
        alone = {"XYLEM_PLUGIN_PATH": ""}
        self.xylem("help", "--all", "made", env=alone)
        self.made = read_pages(self.path("made"))
        self.kept = read_pages(PAGES)
        stages = json.loads(self.xylem("plugins", "--json", env=alone).stdout)
        inside = os.path.realpath(harness.BUILD) + os.sep
        self.ours = {f"{stage['kind']}-{stage['name']}.md" for stage in stages
                     if os.path.realpath(stage["path"]).startswith(inside)}
        self.built = {stage["plugin"] for stage in stages}

    def left_out(self, name):
        """Is this the page of a plugin that is in the tree but not in this build?"""
        found = re.search(r"^- Plugin `([\w.-]+)`", self.kept[name], re.MULTILINE)
        return bool(found) and found.group(1) not in self.built and \
            os.path.isdir(os.path.join(harness.ROOT, "plugins", found.group(1)))

    def test_pages(self):
        self.assertGreater(len(self.ours), 10, "the plugins were not found")
        for name in sorted(self.ours):
            self.assertTrue(name in self.kept, f"{name} is missing: {MAKE}")
            self.assertEqual(self.made[name], self.kept[name], f"{name} is out of date: {MAKE}")

    def test_no_page_is_stale(self):
        for name in sorted(set(self.kept) - self.ours - {"README.md"}):
            self.assertTrue(self.left_out(name), f"{name}: there is no such stage; remove it")

    def test_index(self):
        def without(page, absent):
            return [line for line in page.splitlines()
                    if not any(f"]({name})" in line for name in absent)]

        strangers = set(self.made) - self.ours
        left_out = {name for name in set(self.kept) - self.ours if name != "README.md"}
        self.assertEqual(without(self.made["README.md"], strangers),
                         without(self.kept["README.md"], left_out),
                         f"docs/reference/README.md is out of date: {MAKE}")


if __name__ == "__main__":
    harness.main()
