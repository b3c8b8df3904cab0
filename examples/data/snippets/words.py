# SPDX-License-Identifier: Apache-2.0
"""Counting words in a stream of lines."""
import collections
import re

WORD = re.compile(r"[^\W\d_]+")


def count(lines, stop=frozenset()):
    words = collections.Counter()
    for line in lines:
        words.update(word for word in WORD.findall(line.lower()) if word not in stop)
    return words


def most_frequent(lines, k=10):
    ranked = sorted(count(lines).items(), key=lambda item: (-item[1], item[0]))
    return ranked[:k]


def surprising(words, background, least=5):
    """Words that this text has more often than the background does, the most surprising first."""
    total, other = sum(words.values()), sum(background.values())
    ratios = {}
    for word, times in words.items():
        if times >= least:
            expected = (background[word] + 1) / (other + len(background))
            ratios[word] = times / total / expected
    return sorted(ratios, key=ratios.get, reverse=True)
