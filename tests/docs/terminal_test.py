# SPDX-License-Identifier: Apache-2.0
"""The picture of a run shows what stays on the terminal, and the README's is a whole SVG."""
import os
import unittest
import xml.etree.ElementTree

import harness
import terminal_svg

BOLD, DIM = ("", True, False), ("", False, True)


class Screen(unittest.TestCase):
    def test_a_line_drawn_again_leaves_only_its_last_state(self):
        text = "\r\x1b[K10 records\r\x1b[K2\r\x1b[K\x1b[1mstep\x1b[0m  in\r\nplan\r\n"
        lines = terminal_svg.screen(text)
        self.assertEqual(["".join(letter for letter, _ in line) for line in lines],
                         ["step  in", "plan"])
        self.assertEqual(terminal_svg.spans(lines[0]),
                         [(0, "step", BOLD), (4, "  in", terminal_svg.PLAIN)])

    def test_colours(self):
        lines = terminal_svg.screen("\x1b[2ma\x1b[0;32mb")
        self.assertEqual(lines[0], [("a", DIM), ("b", (terminal_svg.COLOURS[32], False, False))])

    def test_markup_is_escaped(self):
        picture = terminal_svg.draw(terminal_svg.screen("a < b & c"), "a & b")
        texts = [node.text for node in xml.etree.ElementTree.fromstring(picture).iter()
                 if node.tag.endswith("text")]
        self.assertEqual(texts, ["a < b & c"])

    def test_the_picture_of_the_readme(self):
        path = os.path.join(harness.ROOT, "docs", "pictures", "run.svg")
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertGreater(len([node for node in root.iter() if node.tag.endswith("text")]), 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
