#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders every case with Python's jinja2 and with core/template.c and compares bytes.

usage: template_differential.py DRIVER [--seed N] [--generated N]

Cases: template_cases.py (written by hand) and templates generated from a seed. Where jinja2 fails,
the C side must fail, too. The C side may refuse what jinja2 renders only in cases marked so, and in
generated ones only for a listed reason (a subset is a subset); a different text is never accepted.
Exit status 77 (skipped) without jinja2 3.1.
"""
import argparse
import json
import os
import subprocess
import sys

try:
    import jinja2
except ImportError:
    print("skipped: python3 has no jinja2 (pip install Jinja2==3.1.6)")
    sys.exit(77)
if not jinja2.__version__.startswith("3.1."):
    print(f"skipped: jinja2 is {jinja2.__version__}, the reference is 3.1.x "
          "(pip install Jinja2==3.1.6)")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import template_cases  # noqa: E402
import template_generate  # noqa: E402

# What the C side may refuse although Python renders it.
REFUSALS = (
    "64-bit integer", "not part of this subset", "Python has a method of that name",
    "to print, expected a value with a text", "sameas: found",
    "fractional power of a negative", "nested deeper than", "does not fit", "found a call of `",
)


def expected(environment, case):
    try:
        return "ok", environment.from_string(case["template"]).render(case["context"])
    except RecursionError:
        return "error", "recursion"
    except Exception as error:  # any failure of Python's counts as one
        return "error", f"{type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--seed", type=int, default=20240607)
    parser.add_argument("--generated", type=int, default=1500)
    arguments = parser.parse_args()
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    written = list(template_cases.cases())
    cases = written + list(template_generate.cases(arguments.seed, arguments.generated))
    lines = "".join(json.dumps({"template": c["template"], "context": c["context"]}) + "\n"
                    for c in cases)
    run = subprocess.run([arguments.driver], input=lines.encode(), stdout=subprocess.PIPE)
    answers = [json.loads(line) for line in run.stdout.decode("utf-8").split("\n") if line]
    if run.returncode != 0 or len(answers) != len(cases):
        print(f"the driver ended with {run.returncode} after {len(answers)} of {len(cases)} cases")
        if len(answers) < len(cases):
            print("  in", json.dumps(cases[len(answers)]))
        return 1
    wrong = refused = rendered = failed_alike = 0
    for number, (case, answer) in enumerate(zip(cases, answers)):
        kind, text = expected(environment, case)
        mine, what = (("ok", answer["ok"]) if "ok" in answer
                      else ("error", answer.get("error", str(answer))))
        if kind == mine == "error":
            failed_alike += 1
            if number < len(written) and not case.get("fails"):
                wrong += 1
                print(f"FAILS {case['template']!r}\n  jinja2 {text!r}\n  xylem  {what!r}")
        elif kind == mine and text == what:
            rendered += 1
        elif mine == "error" and (case.get("refused") or number >= len(written)) \
                and any(reason in what for reason in REFUSALS):
            refused += 1
        else:
            wrong += 1
            print(f"WRONG {case['template']!r} {json.dumps(case['context'])[:200]}")
            print(f"  jinja2 {text!r}\n  xylem  {what!r}")
    print(f"{len(cases)} cases ({len(written)} by hand) against jinja2 {jinja2.__version__}: "
          f"{rendered} alike, {failed_alike} fail in both, {refused} refused, {wrong} wrong")
    return 1 if wrong or len(cases) < 600 else 0


if __name__ == "__main__":
    sys.exit(main())
