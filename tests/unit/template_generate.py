# SPDX-License-Identifier: Apache-2.0
"""Templates and contexts made from a seed: expressions, filters, tests, loops and white space at random."""
import random

TEXTS = ["", "a", "Hello World", "it's", 'say "x"', "é Ü ß", "x\ny", "  pad ", "<b>&", "12", "-3.5", "日本", "tab\t", "a,b,c", "😀", "ĲĳŉΣς"]
NAMES = ["s", "t", "i", "j", "f", "b", "z", "l", "m", "d", "p", "q"]
FILTERS = ["upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "list", "sort", "unique|list", "reverse|list",
           "join(',')", "string", "int", "float", "abs", "round", "round(1)", "tojson", "e", "default('D')", "sum", "min", "max",
           "map('string')|list", "select|list", "reject('none')|list", "batch(2)|list", "slice(2)|list", "wordcount", "indent(2)",
           "truncate(5, leeway=0)", "replace('a', 'X')", "items|list", "dictsort", "center(9)", "map(attribute='k')|list",
           "selectattr('k')|list", "groupby('k')", "sort(reverse=true)", "map('upper')|join('-')", "d(0, true)", "format(1)", "tojson(indent=1)",
           "urlencode", "forceescape", "count", "map('length')|list", "sort(attribute='k')|map(attribute='k')|list", "reject|list"]
TESTS = ["defined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence", "iterable", "odd", "even",
         "divisibleby 3", "eq 1", "ne 'a'", "gt 1", "lt 2", "in [1, 'a']", "true", "false", "lower", "upper", "not defined", "not none", "escaped"]
METHODS = [".upper()", ".strip()", ".split()", ".split(',')", ".title()", ".startswith('a')", ".items()|list", ".keys()|list", ".get('k')",
           ".get('zz', 3)", ".replace('a', 'b')", ".swapcase()", ".isdigit()", ".count('a')", ".find('l')", ".splitlines()", ".zfill(4)", ".values()|list"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "**"]


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind == 0:
        return rng.choice(TEXTS)
    if kind == 1:
        return rng.randrange(-20, 100)
    if kind == 2:
        return rng.choice([0.5, -1.25, 1e16, 1.5e-5, 3.0, 2.675, 1e100, rng.random(), rng.uniform(-1e6, 1e6), 5e-324])
    if kind == 3:
        return rng.choice([True, False])
    if kind == 4:
        return None
    if kind == 5:
        return rng.choice(TEXTS) + rng.choice(TEXTS)
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    if kind == 7:
        return [{"k": value(rng, 3), "v": value(rng, depth + 1)} for _ in range(rng.randrange(4))]
    return {rng.choice(["k", "v", "a", "b b", "ü", "0"]): value(rng, depth + 1) for _ in range(rng.randrange(4))}


def context(rng):
    made = {"s": rng.choice(TEXTS), "t": rng.choice(TEXTS), "i": rng.randrange(-5, 30), "j": rng.randrange(1, 5), "f": rng.uniform(-10, 10),
            "b": rng.random() < 0.5, "z": None, "l": [value(rng, 2) for _ in range(rng.randrange(5))],
            "m": [rng.randrange(10) for _ in range(rng.randrange(6))], "d": {"k": value(rng, 1), "a": 1, "x": "y"},
            "p": [{"k": rng.randrange(5), "v": rng.choice(TEXTS)} for _ in range(rng.randrange(4))], "q": value(rng)}
    if rng.random() < 0.1:
        del made[rng.choice(NAMES)]
    return made


def quoted(text):
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"'{text}'"


def atom(rng):
    kind = rng.randrange(8)
    if kind < 4:
        return rng.choice(NAMES)
    if kind == 4:
        return quoted(rng.choice(TEXTS))
    if kind == 5:
        return rng.choice(["0", "1", "2", "7", "10", "3.5", "0.1", "1e3", "true", "none", "false"])
    if kind == 6:
        return rng.choice(["[]", "[1, 2]", "['b', 'A']", "(1,)", "{}", "{'k': 1}", "range(3)", "[i, s]", "d.k", "m[0]", "s[1:]", "m[::-1]", "m[-1]", "d['a']"])
    return f"{rng.choice(NAMES)}.k"


def expression(rng, depth=0):
    kind = rng.randrange(12 if depth < 3 else 3)
    if kind < 3:
        return atom(rng)
    inner = expression(rng, depth + 1)
    if kind < 6:
        return f"{inner}|{rng.choice(FILTERS)}" if rng.random() < 0.5 else f"({inner})|{rng.choice(FILTERS)}"
    if kind == 6:
        return f"({inner}){rng.choice(METHODS)}"
    if kind == 7:
        return f"({inner}) is {rng.choice(TESTS)}"
    if kind == 8:
        return f"({inner} if {expression(rng, depth + 1)} else {expression(rng, depth + 1)})"
    if kind == 9:
        return f"{rng.choice(['not ', '-', '+'])}({inner})"
    operator = rng.choice(BINARY)
    other = rng.choice(["2", "0", "3"]) if operator == "**" else expression(rng, depth + 1)
    return f"{inner} {operator} {other}" if rng.random() < 0.5 else f"({inner}) {operator} ({other})"


def minus(rng):
    return rng.choice(["", "", "", "-"])


def statement(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 3)
    if kind == 0:
        return rng.choice(["text ", "\n", "  ", "a\n\n b", "{", "}", "% ", "# x"])
    if kind < 4 and kind != 3:
        return "{{" + minus(rng) + " " + expression(rng) + " " + minus(rng) + "}}"
    body = "".join(statement(rng, depth + 1) for _ in range(rng.randrange(1, 4)))
    tag = lambda text: "{%" + minus(rng) + " " + text + " " + minus(rng) + "%}"
    if kind in (3, 4):
        other = statement(rng, depth + 1)
        return tag("if " + expression(rng, 2)) + body + (tag("else") + other if rng.random() < 0.5 else "") + tag("endif")
    if kind in (5, 6):
        target, source = rng.choice([("x", "m"), ("x", "l"), ("k, v", "d.items()"), ("x", "p"), ("x", "s"), ("x", "range(j)"), ("k, v", "d|dictsort"),
                                     ("x", "m|sort"), ("x", "p|map(attribute='v')"), ("x", "q")])
        test = rng.choice(["", "", " if x is defined", " if i"])
        inside = rng.choice(["{{ x }}", "{{ loop.index }}", "{{ loop.last }}", "{{ loop.length }}", "{{ loop.revindex0 }}", "{{ loop.nextitem|d('') }}", "{{ x|string }}", "{{ k }}"])
        return tag(f"for {target} in {source}{test}") + inside + body + (tag("else") + "E" if rng.random() < 0.3 else "") + tag("endfor")
    if kind == 7:
        return tag(f"set {rng.choice(NAMES + ['y'])} = {expression(rng, 1)}") + body
    return rng.choice([tag("set y") + body + tag("endset") + "{{ y }}", tag("filter upper") + body + tag("endfilter"),
                       tag("with s = " + expression(rng, 2)) + body + tag("endwith"), tag("raw") + "{{ x }}" + tag("endraw"), "{#" + minus(rng) + " c " + minus(rng) + "#}"])


def cases(seed, count):
    rng = random.Random(seed)
    for number in range(count):
        made = context(rng)
        if number % 3:
            template = "{{ " + expression(rng) + " }}"
        else:
            template = "".join(statement(rng) for _ in range(rng.randrange(1, 6)))
        yield {"template": template, "context": made}
