# SPDX-License-Identifier: Apache-2.0
"""Plants one fault for each rule of check_style.py and sees it caught, at its line, by that rule.

Exits 1 when a fault is missed, when a clean tree is not clean, or when a rule has no fault here.
"""
import sys
import tempfile
import subprocess
from pathlib import Path

import c_source
import check_style

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
GUARD = "#ifndef XYLEM_CORE_THING_H\n#define XYLEM_CORE_THING_H\nint thing_of(int a);\n#endif\n"
CLEAN = {
    "README.md": "A project.\n",
    "core/thing.h": SPDX + GUARD,
    "core/thing.c": SPDX + "int thing_of(int a)\n{\n    return a;\n}\n",
    "docs/core/thing.md": "`core/thing.h`: a thing.\n",
    "plugins/one/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n",
    "plugins/one/README.md": "One.\n",
    "tests/plugins/one_test.c": SPDX,
}


def body(statements):
    return SPDX + "int thing_of(int a)\n{\n" + statements + "    return a;\n}\n"


# (rule, file, its content or None to take it away, the line where the fault is reported)
FAULTS = [
    ("spdx", "core/thing.c", "int a;\n", 1),
    ("spdx", "tests/a.sh", "#!/bin/sh\necho\n", 1),
    ("spdx", "core/CMakeLists.txt", "project(x)\n", 1),
    ("white-space", "core/thing.c", body("\ta++;\n"), 4),
    ("white-space", "core/thing.c", body("    a++; \n"), 4),
    ("white-space", "README.md", "A project.\r\n", 1),
    ("white-space", "README.md", "A project.", 1),
    ("columns", "core/thing.c", body("    /* " + "x" * 91 + " */\n"), 4),
    ("file-length", "core/thing.c", SPDX + "int a;\n" * 500, 500),
    ("file-length", "plugins/one/one.c", SPDX + "int a;\n" * 400, 400),
    ("file-length", "tests/a.py", "# SPDX-License-Identifier: Apache-2.0\n" + "a = 1\n" * 700, 700),
    ("function-length", "core/thing.c", body("    a++;\n" * 77), 2),
    ("complexity", "core/thing.c", body("    if (a && a || a ? a : a)\n        a++;\n" * 4), 2),
    ("complexity", "core/thing.c", body("switch (a) {\n" + "case 1: a++;\n" * 15 + "}\n"), 2),
    ("banned", "core/thing.c", body("    strcpy(0, 0);\n"), 4),
    ("banned", "core/thing.c", body("    a = atoi (0) + 1;\n"), 4),
    ("banned", "core/thing.c", SPDX + "#define COPY(x) strcat(x, x)\n", 2),
    ("banned", "core/thing.c", body('    setlocale(0, "");\n'), 4),
    ("words", "core/thing.c", body("    /* TO" "DO: more */\n"), 4),
    ("guard", "core/thing.h", SPDX + GUARD.replace("CORE_", ""), 2),
    ("guard", "core/thing.h", SPDX + "int a;\n", 1),
    ("prefix", "core/thing.c", SPDX + "int other(int a)\n{\n    return a;\n}\n", 2),
    ("prefix", "core/thing_part.c", SPDX + "\nvoid part(void)\n{\n}\n", 3),
    ("plugin", "plugins/one/README.md", None, 1),
    ("plugin", "plugins/one/CMakeLists.txt", None, 1),
    ("plugin", "tests/plugins/one_test.c", None, 1),
    ("page", "docs/core/thing.md", None, 1),
    ("page", "docs/core/thing.md", "Something else.\n", 1),
    ("machine", "README.md", "A project.\nSee /wo" "rk/notes.\n", 2),
    ("machine", "README.md", "A project.\nIn /tm" "p/notes.\n", 2),
    ("machine", "README.md", "A project.\nIn /ho" "me/me.\n", 2),
    ("host", "README.md", "A project.\nFrom https://pypi.o" "rg/simple.\n", 2),
    ("top-level", "notes.txt", "Notes.\n", 1),
]

# What looks like a fault and is none.
FINE = [
    ("core/thing.c", body("    /* strcpy(a, b); if && || ? */\n    puts(\"gets() /* if\");\n")),
    ("core/thing.c", body("    a->system(a);\n    thing_rand();\n")),
    ("core/thing.c", body("    if (a && a || a ? a : a)\n        a++;\n" * 3)),
    ("core/thing.c", body("    a++;\n" * 76)),
    ("core/thing.c", body("switch (a) {\n" + "case 1: case 2:\n case 3: a++;\n" * 14 + "}\n")),
    ("core/thing.c", body("    static const char name[] = \"/tm" "p/thing-XXXXXX\";\n")),
    ("core/thing.c", SPDX + "static int helper(void)\n{\n    return 0;\n}\n"),
    ("core/thing.c", SPDX + "static int table[] = {1, 2};\nint thing(void)\n{\n    return 0;\n}\n"),
    ("tests/a.c", SPDX + "int a(void)\n{\n    return setlocale(0, \"\") != 0;\n}\n"),
    ("tests/a.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"),
    (".gitignore", "build/\n"),
]

SUBJECTS = [
    ("core: contracts of the foundation", True),
    ("record, dataset: pages of promises", True),
    ("test server: answers and counts", True),
    ("out-of-tree: a build", True),
    ("fix things", False),
    ("Core: capital", False),
    ("core:no space", False),
    ("core/http: a path", False),
    (": nothing", False),
]

C_TEXT = """\
/* int ghost(void) { if } */
#define MANY(x) if (x) { \\
    x; }
extern "C" {
__attribute__((format(printf, 1, 2))) static void say(const char *text, ...)
{
    for (;;) {
        if (text && *text == '{')
            break;
    }
}
}
XY_PRINTF(3, 4)
const char *after_macro(int a,
                        int (*call)(int))
{
    const char *brace = "}\\"{";
    return a ? brace : 0;
}
struct pair { int a, b; };
static struct pair table[] = {{1, 2}};
"""
C_FUNCTIONS = [("say", True, 5, 11, 4), ("after_macro", False, 13, 19, 2)]


class Count:
    passed = failed = 0


def expect(good, what):
    if good:
        Count.passed += 1
    else:
        Count.failed += 1
        print("FAILED: " + what)


def tree_with(name, content):
    files = dict(CLEAN)
    files.pop(name, None)
    if content is not None:
        files[name] = content
    return check_style.Tree(files)


def test_rules():
    expect(check_style.faults(check_style.Tree(CLEAN)) == [], "a clean tree has no fault")
    for rule, name, content, line in FAULTS:
        found = check_style.faults(tree_with(name, content))
        caught = [fault for fault in found if fault[2] == rule and fault[1] == line]
        expect(caught, "%s in %s at %d: found %s" % (rule, name, line, found))
    for name, content in FINE:
        found = check_style.faults(tree_with(name, content))
        expect(found == [], "%r in %s is fine: found %s" % (content, name, found))
    for text, good in SUBJECTS:
        found = check_style.faults(check_style.Tree(CLEAN, [("abc", text)]))
        expect([fault[2] for fault in found] == ([] if good else ["subject"]), "subject " + text)
    planted = {fault[0] for fault in FAULTS} | {"subject"}
    expect(planted == set(check_style.RULES), "each rule has a fault: %s"
           % (planted ^ set(check_style.RULES)))


def test_parser():
    found = [(f.name, f.static, f.first, f.last, f.complexity) for f in c_source.functions(C_TEXT)]
    expect(found == C_FUNCTIONS, "functions of C_TEXT: %s" % found)


def test_program():
    """Through git and the command line: what is tracked, what is new, what is ignored, commits."""
    script = str(Path(__file__).with_name("check_style.py"))
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, universal_newlines=True)

        def commit(subject):
            run("git", "add", "-A")
            return run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit",
                       "-q", "--allow-empty", "-m", subject)

        run("git", "init", "-q")
        expect(run(sys.executable, script, folder).returncode == 1, "an empty folder fails")
        for name, content in CLEAN.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        Path(folder, ".gitignore").write_text("*.log\n")
        commit("the first commit may say what it likes")
        clean = run(sys.executable, script, folder)
        expect(clean.returncode == 0, "a clean project: " + clean.stdout)
        Path(folder, "run.log").write_text("ignored \n")
        expect(run(sys.executable, script, folder).returncode == 0, "ignored files are left alone")
        Path(folder, "core/new.c").write_text(SPDX + "int a; \n")
        new = run(sys.executable, script, folder)
        expect(new.returncode == 1 and "core/new.c:2: white-space: " in new.stdout,
               "a new file is looked at: " + new.stdout)
        Path(folder, "core/new.c").unlink()
        commit("changes without a component")
        bad = run(sys.executable, script, folder)
        expect(bad.returncode == 1 and ": subject: " in bad.stdout, "a bad subject: " + bad.stdout)


test_rules()
test_parser()
test_program()
print("%d passed, %d failed" % (Count.passed, Count.failed))
sys.exit(1 if Count.failed else 0)
