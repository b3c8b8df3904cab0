# SPDX-License-Identifier: Apache-2.0
"""Compares core/schema.c with the Python package jsonschema on generated (schema, value) pairs.

Usage: schema_reference.py PATH/schema_test. Exit 77 when jsonschema is not installed.
Left out, because the two differ on purpose: multiples that are no binary fraction, and patterns
with \\d, \\w or $, which Python reads differently from ECMA-262.
"""
import json
import random
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skipped: the Python package jsonschema is not installed")
    sys.exit(77)

PAIRS = 3000
rng = random.Random(3)
KEYS = ["a", "b", "c d", ""]
TEXTS = ["", "a", "ab", "é😀", "abc\n", "1"]
NUMBERS = [0, 1, -1, 2, 3, 10, 0.5, 1.0, -2.5, 1e300, 9007199254740993]


def value(depth=0):
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return rng.choice(NUMBERS)
    if kind in (3, 4):
        return rng.choice(TEXTS)
    if kind == 5:
        return [value(depth + 1) for _ in range(rng.randrange(4))]
    return {key: value(depth + 1) for key in rng.sample(KEYS, rng.randrange(4))}


def schema(depth=0):
    if rng.random() < 0.05:
        return rng.random() < 0.6
    types = ["null", "boolean", "integer", "number", "string", "array", "object"]
    inner = (lambda: schema(depth + 1)) if depth < 3 else (lambda: True)
    size = lambda: rng.randrange(4)
    rules = {
        "type": lambda: rng.choice([rng.choice(types), rng.sample(types, 4)]),
        "enum": lambda: [value(2) for _ in range(4)],
        "const": lambda: value(2),
        "minimum": lambda: rng.choice(NUMBERS),
        "maximum": lambda: rng.choice(NUMBERS),
        "exclusiveMinimum": lambda: rng.choice(NUMBERS),
        "exclusiveMaximum": lambda: rng.choice(NUMBERS),
        "multipleOf": lambda: rng.choice([1, 2, 3, 0.5, 0.25]),
        "minLength": size, "maxLength": size, "minItems": size, "maxItems": size,
        "minProperties": size, "maxProperties": size,
        "pattern": lambda: rng.choice(["a", "^a", "[0-9]", "^.{2}", "b|c", "^(?!a)"]),
        "uniqueItems": lambda: rng.random() < 0.8,
        "items": inner,
        "prefixItems": lambda: [inner() for _ in range(rng.randrange(1, 3))],
        "properties": lambda: {key: inner() for key in rng.sample(KEYS, 2)},
        "required": lambda: rng.sample(KEYS, rng.randrange(3)),
        "additionalProperties": inner,
        "anyOf": lambda: [inner() for _ in range(2)],
        "oneOf": lambda: [inner() for _ in range(2)],
        "allOf": lambda: [inner() for _ in range(2)],
        "not": inner,
        "$ref": lambda: rng.choice(["#/$defs/x", "#/$defs/y~1z"]),
    }
    return {name: rules[name]() for name in rng.sample(list(rules), rng.randrange(1, 4))}


pairs = []
while len(pairs) < PAIRS:
    one = schema()
    if isinstance(one, dict):
        one["$defs"] = {"x": {"type": ["string", "integer"]}, "y/z": {"maxItems": 1, "minimum": 1}}
    pairs.append((one, value()))
lines = "".join(json.dumps(s) + "\t" + json.dumps(v) + "\n" for s, v in pairs)
run = subprocess.run([sys.argv[1], "--lines"], input=lines, text=True, check=True,
                     capture_output=True)
answers = run.stdout.splitlines()
assert len(answers) == PAIRS, (len(answers), run.stderr)
wrong = fitting = 0
for (one, other), answer in zip(pairs, answers):
    expected = "fits" if Draft202012Validator(one).is_valid(other) else "violated"
    fitting += expected == "fits"
    if answer != expected:
        wrong += 1
        print(f"{json.dumps(one)} on {json.dumps(other)}: {answer}, expected {expected}")
print(f"{PAIRS} pairs, {fitting} of them fit, {wrong} differ")
sys.exit(1 if wrong or not PAIRS / 10 < fitting < PAIRS * 9 / 10 else 0)
