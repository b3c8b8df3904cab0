#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ABI only grows at its end: today's header against the frozen one of minor 0.

Every member of every struct keeps its declaration, offset and size; every enumerator and every
macro keeps its value. A struct that begins with `size` (and xy_option, whose stride travels with
it) may have more members at its end, and then the minor must have risen. Any other struct may not
change. Usage: check_layout.py SOURCE_DIR
"""
import os
import re
import subprocess
import sys
import tempfile

# The version grows by design; the others expand to code that is compiled into the plugin.
FREE_MACROS = {"XY_ABI_MINOR", "XY_PLUGIN_H", "XY_EXPORT", "XY_PRINTF", "XY_HAS", "XY_STAGE_INIT",
               "XY_PLUGIN", "xy_drop", "xy_fail"}


def declarations(path):
    """Structs as {name: [(member, declaration)]}, enumerators, and object-like macros."""
    text = open(path, encoding="utf-8").read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    structs = {}
    for name, body in re.findall(r"typedef struct (\w+)\s*\{(.*?)\}\s*\1\s*;", text, flags=re.S):
        members = []
        for statement in body.split(";"):
            statement = " ".join(statement.split())
            if not statement:
                continue
            pointer = re.search(r"\(\*(\w+)\)", statement)
            if pointer:
                members.append((pointer.group(1), statement))
                continue
            first, *others = statement.split(",")
            base = re.match(r"(.*?)(\**\w+)$", first.strip())
            for one in [base.group(2)] + [other.strip() for other in others]:
                members.append((one.lstrip("*"), f"{base.group(1).strip()} {one}"))
        structs[name] = members
    enumerators = []
    for body in re.findall(r"enum\s*\{(.*?)\}", text, flags=re.S):
        enumerators += re.findall(r"\b(XY_\w+)\s*=", body)
    macros = {name: value.strip() for name, value in
              re.findall(r"^#define (\w+)(?:\([^)]*\))?[ \t]+(.*?)$", text, flags=re.M)}
    return structs, enumerators, macros


def measure(include, structs, enumerators):
    """What the compiler makes of it: {"struct.member": "offset size", "XY_X": "value"}."""
    lines = ['#include <xylem/plugin.h>', "int main(void)", "{"]
    for struct, members in structs.items():
        lines.append(f'    printf("{struct} %zu\\n", sizeof({struct}));')
        for member, _ in members:
            lines.append(f'    printf("{struct}.{member} %zu+%zu\\n", '
                         f"offsetof({struct}, {member}), sizeof((({struct} *)0)->{member}));")
    for name in enumerators:
        lines.append(f'    printf("{name} %lld\\n", (long long){name});')
    lines += ["    return 0;", "}", ""]
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "layout.c"), os.path.join(folder, "layout")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-std=c17", "-I", include, source, "-o", program], check=True)
        output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in output.splitlines())


def compare(frozen_include, include):
    """Every difference that breaks a plugin built against the frozen header, as sentences."""
    frozen = os.path.join(frozen_include, "xylem/plugin.h")
    old_structs, old_names, old_macros = declarations(frozen)
    new_structs, new_names, new_macros = declarations(os.path.join(include, "xylem/plugin.h"))
    if len(old_structs) < 20 or len(old_names) < 50:
        return ["the frozen header was not understood: too few structs or enumerators"]
    faults = [f"struct {name} is gone" for name in old_structs if name not in new_structs]
    faults += [f"{name} is gone" for name in old_names if name not in new_names]
    if faults:
        return faults
    old, new = (measure(frozen_include, old_structs, old_names),
                measure(include, new_structs, new_names))
    grown = len(new_names) > len(old_names)
    for struct, members in old_structs.items():
        now = new_structs[struct]
        growable = members[0][0] == "size" or struct == "xy_option"
        if [m for m in now[:len(members)]] != members:
            changed = next((b for a, b in zip(members, now + [("", "nothing")]) if a != b), None)
            found = (changed or ("", ""))[1]
            faults.append(f"{struct}: a member moved or changed: found `{found}`")
        if len(now) > len(members):
            grown = True
            if not growable:
                faults.append(f"{struct} grew, and has no `size`: what it cannot say is a new type")
    for name, value in old.items():
        if "." not in name and not name.startswith("XY_"):
            continue  # a struct's own size may grow
        if new.get(name, value) != value:
            faults.append(f"{name} was {value}, is {new[name]}")
    for name, value in old_macros.items():
        if name not in FREE_MACROS and new_macros.get(name) != value:
            faults.append(f"macro {name} was {value}, is {new_macros.get(name, 'gone')}")
    if grown and int(new_macros["XY_ABI_MINOR"].split()[0]) <= int(
            old_macros["XY_ABI_MINOR"].split()[0]):
        faults.append("the header grew: raise XY_ABI_MINOR")
    return faults


def check_the_checker(frozen_include):
    """Each kind of break is found in a copy of the header that has it; returns what was missed."""
    text = open(os.path.join(frozen_include, "xylem/plugin.h"), encoding="utf-8").read()
    breaks = {
        "member inserted":
            ("    uint32_t state_size; ", "    uint32_t extra; uint32_t state_size; "),
        "type changed": ("    double low, high;     /*", "    float low, high;     /*"),
        "enumerator changed": ("XY_EIO = -9", "XY_EIO = -10"),
        "macro changed": ('"xylem.rng/1"', '"xylem.rng/2"'),
        "signature changed": ("int (*submit)(void *state, xy_call *call);",
                              "int (*submit)(void *state, xy_call *call, int more);"),
        "fixed struct grew":
            ("    size_t len;\n} xy_str;", "    size_t len;\n    int hash;\n} xy_str;"),
        "grew without a new minor":
            ("    const char *fields;\n", "    const char *fields, *more;\n"),
    }
    missed = []
    for name, (before, after) in breaks.items():
        if before not in text:
            missed.append(f"{name}: the header has no `{before.strip()}` any more")
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "xylem"))
            with open(os.path.join(folder, "xylem/plugin.h"), "w", encoding="utf-8") as file:
                file.write(text.replace(before, after, 1))
            if not compare(frozen_include, folder):
                missed.append(name)
    return missed


def main():
    root = sys.argv[1]
    frozen = os.path.join(root, "tests/abi/minor0")
    faults = compare(frozen, os.path.join(root, "sdk/include"))
    faults += [f"this script does not find: {name}" for name in check_the_checker(frozen)]
    for fault in faults:
        print(fault)
    if not faults:
        print("the header is the frozen one, or grew at its ends only")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
