# SPDX-License-Identifier: Apache-2.0
"""Files that the schema for editors must take and must refuse. Exits 77 without jsonschema
or yaml."""
import json
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    sys.exit(77)

HEAD = "xylem: 1\nmodels: {m: {use: echo, base_url: x, concurrency: 4}}\n"
GRID = HEAD + "steps:\n  - {use: grid, with: {label: [a, b]}}\n"

GOOD = [
    GRID,
    GRID + "  - {use: minhash, id: near, with: {threshold: 0.5}, from: grid, when: 'x > 1'}\n",
    GRID + "  - {use: minhash, with: {threshold: '${T:-0.5}'}}\n",
    GRID + "  - {use: filter/agreement}\n  - {use: evaluator/agreement, with: {gold: grid}}\n",
    GRID + "  - {use: generate, prompt: hi, samples: 3, params: {temperature: 0.5, stop: [a]}}\n",
    GRID + "  - {use: generate, prompt: {system: a, user: b}, output: {fields: {a: text}}}\n",
    GRID + "  - {use: generate, prompt: {messages: [{role: user, content: x}]}, output: text}\n",
    GRID + "  - {use: generate, prompt: {messages: [{history: m, swap: true}]}, output: "
           "{append_to: m, role: user}}\n",
    GRID + "  - {use: generate, prompt: hi, output: {into: a, finish: b}}\n",
    GRID + "  - {use: score, prompt: x, candidates: {a: b, c: d}, calibrate: true, "
           "content_free: y}\n",
    GRID + "  - {use: embed, text: x, into: v}\n",
    GRID + "  - {repeat: {times: 3, until: 'a > 1'}, steps: [{use: minhash}]}\n",
    GRID + "  - {include: x.yaml, id: b, params: {a: [1]}, from: grid}\n",
    GRID + "budget: {usd: 5, tokens: 2M}\ncache: c\nplugins: [p]\nseed: 3\nname: n\n"
           "accept: {count: 2k, per: label}\nwrite: [{path: o.jsonl, fields: [a]}]\n",
    GRID + "  - {use: generate, prompt: hi, tools: [t], tool_rounds: 3, conversation: m}\n"
           "tools: {t: {use: adder, with: {c: 2}, description: d, timeout: 5s}}\n",
    "xylem: 1\nparams: {a: null}\ncodebook: {task: t}\nsteps: [{use: read, with: {path: x}}]\n",
]

BAD = [
    GRID + "tools: [a]\n",
    GRID + "tools: {t: {with: {c: 2}}}\n",
    GRID + "tools: {t: {use: adder, wiht: {c: 2}}}\n",
    GRID + "tools: {t: {use: adder, with: {d: 2}}}\n",
    "steps: [{use: grid}]\n",
    "xylem: 2\nsteps: [{use: grid}]\n",
    "xylem: 1\n",
    "xylem: 1\nsteps: []\n",
    GRID + "sead: 3\n",
    GRID + "budget: {used: 5}\n",
    GRID + "accept: {per: label}\n",
    GRID + "write: {format: jsonl}\n",
    GRID + "  - {use: minhahs}\n",
    GRID + "  - {use: echo}\n",
    GRID + "  - {use: minhash, with: {treshold: 0.5}}\n",
    GRID + "  - {use: minhash, with: {threshold: 3}}\n",
    GRID + "  - {use: minhash, threshold: 0.5}\n",
    GRID + "  - {use: expression}\n",
    GRID + "  - {use: minhash, repeat: 2, steps: [{use: grid}]}\n",
    GRID + "  - {use: generate}\n",
    GRID + "  - {use: generate, prompt: hi, with: {}}\n",
    GRID + "  - {use: generate, prompt: hi, params: {temprature: 1}}\n",
    GRID + "  - {use: generate, prompt: {messages: [{history: m, role: user}]}}\n",
    GRID + "  - {use: generate, prompt: hi, output: {append_to: m, role: usr}}\n",
    GRID + "  - {use: score, prompt: hi}\n",
    GRID + "  - {repeat: {until: x}, steps: [{use: grid}]}\n",
    "xylem: 1\nmodels: {m: {use: echo}}\nsteps: [{use: grid}]\n",
    "xylem: 1\nmodels: {m: {use: echo, base_url: x, concurency: 4}}\nsteps: [{use: grid}]\n",
    "xylem: 1\nmodels: {m: {base_url: x}}\nsteps: [{use: grid}]\n",
    "xylem: 1\nmodels: {m: {use: minhash}}\nsteps: [{use: grid}]\n",
]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    for text in GOOD:
        for error in validator.iter_errors(yaml.safe_load(text)):
            wrong += 1
            print(f"refused, should be taken:\n{text}{error.json_path}: {error.message[:300]}")
    for text in BAD:
        if validator.is_valid(yaml.safe_load(text)):
            wrong += 1
            print(f"taken, should be refused:\n{text}")
    print(f"{len(GOOD)} good and {len(BAD)} bad files", end=" ")
    return 1 if wrong else 0


sys.exit(main())
