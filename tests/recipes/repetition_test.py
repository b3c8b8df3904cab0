# SPDX-License-Identifier: Apache-2.0
"""The figures of the `repetition` filter against plain Python, written from the paper's table."""
import collections
import gzip
import itertools
import json
import os
import random
import re
import sys
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
SPACE = " \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
STRIP = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200b)))
STOP = "the be to of and that have with".split()
BULLETS = ("- ", "* ") + tuple("•‣◦●○■□▪▫⁃∙")
PUNCTUATION = "".join(c for c in map(chr, range(33, 127)) if not c.isalnum())


def share(part, whole):
    return part / whole if whole else 0


def repeated(pieces):
    """The shares of pieces, and of their characters, that were there before."""
    seen, again = set(), []
    for piece in pieces:
        if piece in seen:
            again.append(piece)
        seen.add(piece)
    return share(len(again), len(pieces)), share(sum(map(len, again)), sum(map(len, pieces)))


def covered(words, n, chosen):
    inside = set()
    for i in range(len(words) - n + 1):
        if tuple(words[i:i + n]) in chosen:
            inside.update(range(i, i + n))
    return share(sum(len(words[i]) for i in inside), sum(map(len, words)))


def grams(words, n):
    counts = collections.Counter(tuple(words[i:i + n]) for i in range(len(words) - n + 1))
    often = {gram: count for gram, count in counts.items() if count > 1}
    if n > 4:
        return covered(words, n, set(often))
    if not often:
        return 0
    # A Counter keeps the order of first sight, and max() takes the first of equals.
    top = max(often, key=lambda gram: (often[gram], sum(map(len, gram))))
    return covered(words, n, {top})


def figures(text):
    words = re.findall(f"[^{SPACE}]+", text)
    lines = [line.strip(STRIP) for line in text.split("\n")]
    paragraphs = []
    for empty, group in itertools.groupby(text.split("\n"), lambda line: not line.strip(STRIP)):
        if not empty:
            paragraphs.append("\n".join(group).strip(STRIP))
    lines = [line for line in lines if line]
    plain = {word.strip(PUNCTUATION).lower() for word in words}
    out = {}
    out["lines"], out["line_characters"] = repeated(lines)
    out["paragraphs"], out["paragraph_characters"] = repeated(paragraphs)
    for n in range(2, 11):
        out[f"{'top' if n < 5 else 'duplicate'}_{n}"] = grams(words, n)
    out["hashes"] = share(text.count("#"), len(words))
    out["ellipses"] = share(text.count("...") + text.count("…"), len(words))
    out["bullet_lines"] = share(sum(line.startswith(BULLETS) for line in lines), len(lines))
    out["ellipsis_lines"] = share(sum(line.endswith(("...", "…")) for line in lines), len(lines))
    out["word_length"] = share(sum(map(len, words)), len(words))
    out["alphabetic"] = share(sum(any(unicodedata.category(c)[0] == "L" for c in word)
                                  for word in words), len(words))
    out["stop_words"] = sum(word in plain for word in STOP)
    out["words"] = len(words)
    return out


def random_texts(count):
    """Texts of few words, so that much is repeated, with all kinds of white space and symbols."""
    draw = random.Random(5)
    kinds = [list("ab"), "the be to of and that x yy zzz".split(),
             ["the", "The,", "café", "naïve", "日本", "Straße", "#tag", "wait...", "…", "- ", "•",
             "* ",
              "42", "3.14", "--", "....", "......", "###", "(with)", "ÀÉ"]]
    gaps = [" ", " ", " ", "\n", "\n\n", "\n \t\n", "\t", "\u00a0", "\u3000", "\u2003 ", "\r\n",
    "\u0085"]
    for _ in range(count):
        words, length = draw.choice(kinds), draw.choice([1, 2, 5, 20, 80, 300])
        text = "".join(draw.choice(words) + draw.choice(gaps) for _ in range(length))
        if draw.random() < 0.5:
            part = text[:draw.randrange(1, len(text) + 1)]
            text += draw.choice(["\n", "\n\n", " "]) + part * draw.randrange(1, 4)
        yield text


class Repetition(harness.Case):
    def compare(self, texts):
        texts = [text for text in texts if text.strip(STRIP)]
        self.write("in.jsonl", "".join(json.dumps({"n": n, "text": text}) + "\n"
                                       for n, text in enumerate(texts)))
        names = [name for name in figures("") if name not in ("word_length", "words")]
        off = ", ".join(f"{name}: 0" for name in names)
        self.write("p.yaml", "xylem: 1\nsteps:\n  - { use: read, with: { path: in.jsonl } }\n"
                   f"  - {{ use: repetition, with: {{ into: f, {off}, word_length: 0, "
                   "word_length_most: 0 } }\nwrite: { path: out.jsonl }\n")
        self.xylem("run", "-q", "p.yaml")
        records = self.records("out.jsonl")
        self.assertEqual([record["n"] for record in records], list(range(len(texts))))
        for record, text in zip(records, texts):
            expected = figures(text)
            self.assertEqual(list(record["f"]), list(expected))
            for name, value in expected.items():
                self.assertAlmostEqual(record["f"][name], value, 12, f"{name} of {text!r}")
        return len(texts)

    def test_random_texts(self):
        self.assertGreater(self.compare(random_texts(1500)), 1400)

    def test_recorded_texts(self):
        path = os.path.join(DATA, "alpaca", "alpaca_5000.jsonl.gz")
        if not os.path.exists(path):
            self.skipTest("no reference data")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        texts = ["\n".join(row[key] for key in ("instruction", "input", "output")) for row in rows]
        # Ten at a time are long texts, with some repetition.
        texts += ["\n\n".join(texts[i:i + 10]) for i in range(0, 1000, 10)]
        self.compare(texts)


if __name__ == "__main__":
    harness.main()
