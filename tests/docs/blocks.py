# SPDX-License-Identifier: Apache-2.0
"""Fenced blocks of Markdown pages: files that they name, and commands with what they print."""
import re

FENCE = re.compile(r"^```([a-z]*)\s*$")
NAME = re.compile(r"^# ([A-Za-z_][\w-]*\.[a-z]+)$")


class Block:
    """One fenced block: its language, its lines, the line it starts at, the file it names."""

    def __init__(self, language, start):
        self.language = language
        self.start = start
        self.lines = []

    @property
    def text(self):
        return "".join(line + "\n" for line in self.lines)

    @property
    def file(self):
        found = NAME.match(self.lines[0]) if self.lines else None
        return found.group(1) if found else None

    def commands(self):
        """A console block as a list of (command, lines that it prints)."""
        commands = []
        for line in self.lines:
            if line.startswith("$ "):
                commands.append((line[2:], []))
            elif commands:
                commands[-1][1].append(line)
            else:
                raise ValueError(f"line {self.start}: a console block begins with a command")
        return commands


def blocks(page):
    """Every fenced block of a page's text, in order."""
    found, current = [], None
    for number, line in enumerate(page.splitlines(), 1):
        fence = FENCE.match(line)
        if current is None and fence:
            current = Block(fence.group(1), number)
        elif current is not None and line == "```":
            found.append(current)
            current = None
        elif current is not None:
            current.lines.append(line)
    if current is not None:
        raise ValueError(f"line {current.start}: a fenced block without an end")
    return found


def prose(page):
    """The page without its fenced blocks: what may hold links."""
    lines, inside = [], False
    for line in page.splitlines():
        if line.startswith("```"):
            inside = not inside
            line = ""
        lines.append("" if inside else line)
    return lines


def normal(line):
    """A printed line without what differs from run to run: times, a run's id, widths of columns."""
    line = re.sub(r"\b\d+(\.\d+)?s\b", "TIME", line)
    line = re.sub(r"\brun [0-9a-f]{16}\b", "run RUN", line)
    line = re.sub(r"/runs/[0-9a-f]{16}\b", "/runs/RUN", line)
    return " ".join(line.split())


def matches(shown, printed):
    """Do the printed lines match what a page shows? `...` stands for any text, within a line too,
    and alone on a line for any lines."""
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(matches(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    if not printed:
        return False
    pattern = ".*".join(re.escape(part) for part in normal(shown[0]).split("..."))
    return bool(re.fullmatch(pattern, normal(printed[0]))) and matches(shown[1:], printed[1:])
