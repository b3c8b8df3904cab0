# SPDX-License-Identifier: Apache-2.0
"""Just enough of C to measure functions: no compiler, no preprocessor, standard library only."""
import re
from bisect import bisect_right

# One pass: what comes first at a place, a comment or a literal, hides what the other would be.
HIDDEN = re.compile(
    r"/\*.*?\*/|//[^\n]*"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)", re.DOTALL)
# Labels that stand together (`case 'a': case 'b':`) lead one way, and count as one.
LABELS = r"\bcase\b[^:;{}?]*:(?:\s*case\b[^:;{}?]*:)*"
BRANCH = re.compile(LABELS + r"|\b(?:if|for|while|case)\b|&&|\|\||\?")
NOT_A_FUNCTION = {"if", "for", "while", "switch", "sizeof", "__attribute__", "return"}


def spaces(match):
    """The same number of lines and columns with nothing on them."""
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    """Code with comments and the insides of literals blanked; every place keeps its line."""
    return HIDDEN.sub(spaces, text)


def code_only(text):
    """Code without comments, literals and preprocessor lines."""
    return DIRECTIVE.sub(spaces, without_comments(text))


class Function:
    """A definition: where it begins and ends (lines from 1), and how many ways lead through it."""

    def __init__(self, name, static, first, last, complexity):
        self.name, self.static, self.complexity = name, static, complexity
        self.first, self.last = first, last

    @property
    def length(self):
        return self.last - self.first + 1


def closing(code, at, opening, ending):
    """The place of the bracket that closes the one at `at`; -1 when none does."""
    depth = 0
    for place in range(at, len(code)):
        if code[place] == opening:
            depth += 1
        elif code[place] == ending:
            depth -= 1
            if depth == 0:
                return place
    return -1


def defined_name(head):
    """The name in `static int name(arguments) `; None when `head` does not define a function."""
    head = ATTRIBUTE.sub(lambda match: " " * len(match.group()), head)
    match = re.search(r"(\w+)\s*\(", head)
    if not match or "=" in head[: match.start()] or not head.rstrip().endswith(")"):
        return None
    # A macro call before the definition, like XY_PRINTF(3, 4): the name stands in front of the
    # last group of brackets at the outermost level.
    end = closing(head, match.end() - 1, "(", ")")
    while end != -1 and head[end + 1 :].strip():
        later = re.search(r"(\w+)\s*\(", head[end + 1 :])
        if not later:
            return None
        match_at = end + 1 + later.start()
        end = closing(head, end + later.end(), "(", ")")
        name = later.group(1)
        if not head[end + 1 :].strip():
            return None if name in NOT_A_FUNCTION or match_at < 0 else name
    return None if match.group(1) in NOT_A_FUNCTION else match.group(1)


def functions(text):
    """Every function that the text defines, in order."""
    code = code_only(text)
    starts = [0] + [i + 1 for i, c in enumerate(code) if c == "\n"]
    line = lambda place: bisect_right(starts, place)
    found, at, head_from = [], 0, 0
    while at < len(code):
        c = code[at]
        if c in ";}":
            head_from = at + 1
        elif c == "{":
            head = code[head_from:at]
            if head.split() == ["extern"]:  # extern "C" { ... }: its inside counts as outermost
                head_from = at + 1
            else:
                end = closing(code, at, "{", "}")
                end = len(code) - 1 if end == -1 else end
                name = defined_name(head)
                if name:
                    first = line(head_from + len(head) - len(head.lstrip()))
                    ways = 1 + len(BRANCH.findall(code[at : end + 1]))
                    static = bool(re.search(r"\bstatic\b", head))
                    found.append(Function(name, static, first, line(end), ways))
                    head_from = end + 1
                at = end
        at += 1
    return found
