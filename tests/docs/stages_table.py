# SPDX-License-Identifier: Apache-2.0
"""The README's table of stages, from `xylem plugins --json`.

    build/bin/xylem plugins --json | python3 tests/docs/stages_table.py README.md

writes it between the two marks in the file.
"""
import json
import sys

BEGIN, END = "<!-- stages: made by tests/docs/stages_table.py -->", "<!-- end of stages -->"
KINDS = ("generator", "condition", "filter", "enhancer", "evaluator", "learner", "format")


def table(stages):
    lines = ["| kind | name | what it does |", "|---|---|---|"]
    for stage in sorted(stages, key=lambda stage: (KINDS.index(stage["kind"]), stage["name"])):
        kind, name = stage["kind"], stage["name"]
        lines.append(f"| {kind} | [`{name}`](docs/reference/{kind}-{name}.md) "
                     f"| {stage['summary'].rstrip('.')} |")
    return "\n".join(lines)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        page = file.read()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{table(json.load(sys.stdin))}\n{END}{after}")


if __name__ == "__main__":
    main()
