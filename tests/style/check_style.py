# SPDX-License-Identifier: Apache-2.0
"""Checks the house style. Prints `file:line: rule: what is wrong` for each fault; exit 1 on any.

    python3 tests/style/check_style.py [FOLDER]

Looks at the files that git tracks and at new ones that it does not ignore. Only Python's standard
library is used. CONTRIBUTING.md says why the rules are as they are; style_test.py plants a fault
for each rule and sees it caught.
"""
import re
import subprocess
import sys
from pathlib import Path

import c_source

COLUMNS = 100
FUNCTION_LINES = 80
FUNCTION_WAYS = 15
FILE_LINES = {"core": 500, "plugins": 400, "tests": 700}

# Frozen by the ABI: they grow at the end and are never rearranged.
ABI_HEADERS = ("sdk/include/xylem/plugin.h", "tests/abi/minor0/xylem/plugin.h")

BANNED = {
    "strcpy": "snprintf or memcpy with a length",
    "strcat": "core/memory.h buffers or snprintf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "getline",
    "strtok": "strchr and lengths (strtok keeps hidden state)",
    "atoi": "a parser that reports errors",
    "atof": "a parser that reports errors and ignores the locale",
    "atol": "a parser that reports errors",
    "alloca": "an arena",
    "system": "posix_spawn",
    "popen": "posix_spawn",
    "rand": "the run's random stream",
    "srand": "the run's random stream",
    "setlocale": "code that needs no locale",
    "mktemp": "mkstemp or mkdtemp",
    "tmpnam": "mkstemp or mkdtemp",
}

TOP_LEVEL = set(
    "CMakeLists.txt README.md core plugins sdk pipelines tests docs examples "
    "LICENSE CONTRIBUTING.md SECURITY.md CHANGELOG.md".split()
)

# A shared function carries its module's name. Modules that hold several small types name a
# function after its type instead, so that a reader sees what it works on. These are all such nouns;
# a noun that is not here is a fault, so that a new one is a decision.
NOUNS = {
    "budget": ("prices_",),
    "call_step": ("call_",),
    "conformance": ("kit_",),
    "conformance_trial": ("kit_",),
    "engine": ("accept_", "estimate_", "input_", "inputs_", "option_", "output_", "outputs_",
               "prepared_", "steps_", "summary_"),
    "error": ("nearest_",),
    "http": ("call_", "header_set_", "lane_", "lanes_"),
    "json_mend": ("mender_",),
    "loop": ("timer_",),
    "memory": ("arena_", "buffer_", "str_"),
    "model": ("attempt_", "flight_", "models_", "order_", "reply_"),
    "options": ("option_",),
    "options_parse": ("parse_",),
    "phase": ("queue_", "runner_", "source_", "stage_"),
    "pipeline": ("step_",),
    "registry": ("kind_", "loader_"),
    "template_format": ("format_",),
    "template": ("compile_", "cursor_", "dictionary_", "expect_", "expression_", "item_", "items_",
                 "map_", "number_", "parse_", "point_", "sequence_", "skip_", "syntax_", "text_",
                 "token_", "value_"),
}

# Files whose module is not the one that their name begins with.
MODULE_OF = {"loader": "registry", "summary": "engine"}

# Headers that are described on the page of the module they serve.
DESCRIBED_WITH = {
    "budget": "model",
    "conformance_trial": "conformance",
    "files": "services",
    "json_mend": "json",
    "limiter": "model",
    "options_parse": "options",
    "report_reasons": "report",
    "template_format": "template",
    "utf8": "json",
}

# Tests of what a locale must not change set one; nothing else may.
ALLOWED = {"setlocale": "tests/"}

# One case a line, as wide as the case is: a table of data, not code.
WIDE_TABLES = ("tests/unit/template_cases.py", "tests/unit/template_generate.py")

# Folders below plugins/ that are no plugin: code shared by several.
NOT_A_PLUGIN = ("common",)

WORDS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Folders of one machine. A template of mkstemp or mktemp (…XXXXXX) names no file and is fine.
MACHINE = re.compile(
    r"(?<![\w.$}/~-])/"
    r"(?:wo" r"rk(?![\w-])|ro" r"ot(?=/)|ho" r"me/\w|tm" r"p/(?![\w.-]*XXXXXX)[\w.])"
)
HOSTS = re.compile(
    r"\b(?:pypi\.o" r"rg|pythonhosted\.o" r"rg|npmjs\.(?:o" r"rg|com)|crates\.i" r"o|"
    r"deb\.debian\.o" r"rg|huggingface\.c" r"o)\b"
)
SUBJECT = re.compile(r"[a-z][A-Za-z0-9_]*(?:(?:, |-| )[A-Za-z0-9_]+)*: \S.*")
C_FILE = (".c", ".h", ".inc")
CODE = (".c", ".h", ".cmake", ".sh", ".py", "CMakeLists.txt")


class Tree:
    """The files of a project, by their path, and where it has one, its history."""

    def __init__(self, files, subjects=()):
        self.files = files
        self.subjects = subjects

    @classmethod
    def read(cls, folder):
        names = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        files = {}
        for name in sorted(set(names.split("\0")) - {""}):
            path = Path(folder, name)
            if not path.is_file():
                continue
            content = path.read_bytes()
            data = b"\0" in content or content.startswith(b"%PDF-")
            if not data:  # of a picture or other data only the place is looked at
                files[name] = content.decode("utf-8", "replace")
            else:
                files[name] = ""
        # Commits without a parent are left out: the first one, and where a shallow clone ends.
        log = git(folder, "log", "--no-merges", "--format=%h%x09%p%x09%s")
        entries = [line.split("\t", 2) for line in log.splitlines()]
        return cls(files, [(commit, text) for commit, parents, text in entries if parents])

    def code(self, *endings):
        return [(name, text) for name, text in self.files.items() if name.endswith(endings)]


def git(folder, *arguments):
    command = ("git", "-C", str(folder)) + arguments
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return result.stdout.decode("utf-8", "replace")


def lines(text):
    return enumerate(text.split("\n"), 1)


def line_of(text, place):
    return text.count("\n", 0, place) + 1


def spdx(tree):
    """Every code file says its licence in its first line (scripts: after the interpreter)."""
    for name, text in tree.code(*CODE):
        first = text.split("\n", 2)
        wanted = first[1:2] if first[0].startswith("#!") else first[0:1]
        if not wanted or "SPDX-License-Identifier: Apache-2.0" not in wanted[0]:
            yield name, 1, "the first line is no SPDX-License-Identifier: Apache-2.0"


def white_space(tree):
    """No tabs in code, no spaces at the end of a line, no carriage returns, a last newline."""
    for name, text in tree.files.items():
        for number, line in lines(text):
            if "\r" in line:
                yield name, number, "a carriage return"
            elif line != line.rstrip():
                yield name, number, "white space at the end of the line"
            if "\t" in line and name.endswith(CODE):
                yield name, number, "a tab"
        if text and not text.endswith("\n"):
            yield name, line_of(text, len(text)), "no newline at the end of the file"


def columns(tree):
    """Lines of code have at most 100 columns; the ABI's header lines up tables of its own."""
    for name, text in tree.code(*CODE, ".inc"):
        if name in ABI_HEADERS or name in WIDE_TABLES:
            continue
        for number, line in lines(text):
            if len(line) > COLUMNS:
                yield name, number, "%d columns, at most %d" % (len(line), COLUMNS)


def file_length(tree):
    """A file holds one idea: core 500, plugins 400, tests 700 lines."""
    for name, text in tree.code(".c", ".h", ".py", ".sh"):
        limit = FILE_LINES.get(name.split("/")[0])
        count = text.count("\n")
        if limit and count > limit and name not in ABI_HEADERS:
            yield name, limit, "%d lines, at most %d: split by meaning" % (count, limit)


def function_length(tree):
    """A function has at most 80 lines, its first line and its last brace included."""
    for name, text in tree.code(".c", ".h"):
        for function in c_source.functions(text):
            if function.length > FUNCTION_LINES:
                yield name, function.first, "%s has %d lines, at most %d" % (
                    function.name, function.length, FUNCTION_LINES)


def complexity(tree):
    """At most 15 ways through a function: one, and one more for if for while case && || and ?:."""
    for name, text in tree.code(".c", ".h"):
        for function in c_source.functions(text):
            if function.complexity > FUNCTION_WAYS:
                yield name, function.first, "%s has complexity %d, at most %d" % (
                    function.name, function.complexity, FUNCTION_WAYS)


def banned(tree):
    """Functions that cannot be used safely, and what to use instead."""
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
    for name, text in tree.code(*C_FILE):
        code = c_source.without_comments(text)
        for match in call.finditer(code):
            word = match.group(1)
            if word in ALLOWED and name.startswith(ALLOWED[word]):
                continue
            yield name, line_of(code, match.start()), "%s(): use %s" % (word, BANNED[word])


def words(tree):
    """Work left over belongs in an issue, not in the code."""
    for name, text in tree.files.items():
        for number, line in lines(text):
            match = WORDS.search(line)
            if match:
                yield name, number, "%s: finish it or open an issue" % match.group()


def guard(tree):
    """A header's guard is its path: core/value.h has XYLEM_CORE_VALUE_H."""
    for name, text in tree.code(".h"):
        if name in ABI_HEADERS:
            continue
        wanted = "XYLEM_" + re.sub(r"\W", "_", name).upper()
        match = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.MULTILINE)
        if not match or match.group(1) != wanted or match.group(2) != wanted:
            yield name, line_of(text, match.start()) if match else 1, "no guard " + wanted


def modules(tree):
    """The names of the core's modules: its headers, those that only its own files see included."""
    names = (Path(name) for name, _ in tree.code(".h"))
    return {re.sub("_internal$", "", path.stem) for path in names
            if path.parent.as_posix() == "core"}


def prefix(tree):
    """A function that other files can see says which module, or which type of it, it is about."""
    known = modules(tree)
    for name, text in tree.code(".c"):
        path = Path(name)
        if path.parent.as_posix() != "core":
            continue
        owners = {module for module in known if (path.stem + "_").startswith(module + "_")}
        owners.add(MODULE_OF.get(path.stem, path.stem))
        allowed = tuple(prefix for owner in owners
                        for prefix in (owner + "_",) + NOUNS.get(owner, ()))
        exact = owners | {path.stem}
        for function in c_source.functions(text):
            if not function.static and not function.name.startswith(allowed) \
                    and function.name not in exact:
                yield name, function.first, (
                    "%s has neither the name of its module nor one of its nouns" % function.name)


def plugin(tree):
    """A plugin has its build file, its page and its test."""
    names = {name.split("/")[1] for name in tree.files if re.match(r"plugins/[^/]+/", name)}
    for name in sorted(names):
        folder = "plugins/%s/" % name
        for file in ("CMakeLists.txt", "README.md"):
            if folder + file not in tree.files:
                yield folder, 1, "has no " + file
        tests = re.compile(r"tests/plugins/%s(_\w+)?_test\.(c|py)$" % name)
        if name not in NOT_A_PLUGIN and not any(tests.match(file) for file in tree.files):
            yield folder, 1, "has no tests/plugins/%s_test.c" % name


def page(tree):
    """Each module of the core has a page that says what it promises."""
    for name, text in tree.code(".h"):
        path = Path(name)
        if path.parent.as_posix() != "core" or path.stem.endswith("_internal"):
            continue
        described = DESCRIBED_WITH.get(path.stem, path.stem)
        where = "docs/core/%s.md" % described
        if where not in tree.files:
            yield name, 1, "has no page " + where
        elif not re.search(r"\b%s\.[ch]\b" % path.stem, tree.files[where]):
            yield where, 1, "does not name %s" % name


def subject(tree):
    """`component: what changed`, so that the history reads as a list of changes by part."""
    for commit, text in tree.subjects:
        if not SUBJECT.fullmatch(text):
            yield "commit " + commit, 1, "the subject is not `component: text`: " + text


def machine(tree):
    """A file works on every machine: no folder of one machine."""
    for name, text in tree.files.items():
        for number, line in lines(text):
            match = MACHINE.search(line)
            if match:
                yield name, number, "a path of one machine: %s" % line[match.start():][:40]


def host(tree):
    """Package tools know where they get packages; a mirror's name does not belong in a file."""
    for name, text in tree.files.items():
        for number, line in lines(text):
            match = HOSTS.search(line)
            if match:
                yield name, number, "a registry's host: " + match.group()


def top_level(tree):
    """A newcomer sees few names first."""
    for name in sorted({name.split("/")[0] for name in tree.files}):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield name, 1, "does not belong at the top level"


RULES = {
    "spdx": spdx, "white-space": white_space, "columns": columns, "file-length": file_length,
    "function-length": function_length, "complexity": complexity, "banned": banned, "words": words,
    "guard": guard, "prefix": prefix, "plugin": plugin, "page": page, "subject": subject,
    "machine": machine, "host": host, "top-level": top_level,
}


def faults(tree):
    """(file, line, rule, message) of everything that is wrong, in the order of the files."""
    found = [(name, line, rule, message) for rule, check in RULES.items()
             for name, line, message in check(tree)]
    return sorted(found, key=lambda fault: (fault[0], fault[1]))


def main(arguments):
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    tree = Tree.read(folder)
    measured = sum(len(c_source.functions(text)) for _, text in tree.code(".c", ".h"))
    if not measured:
        print("%s: no function found: there is nothing to check" % folder)
        return 1
    found = faults(tree)
    for fault in found:
        print("%s:%d: %s: %s" % fault)
    print("%d files, %d functions, %d commits, %d rules: %d faults"
          % (len(tree.files), measured, len(tree.subjects), len(RULES), len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
