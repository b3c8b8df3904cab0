# SPDX-License-Identifier: Apache-2.0
"""Which room is free, and for how long."""


def merge(bookings):
    """Overlapping (start, end) pairs as one; sorted by start."""
    merged = []
    for start, end in sorted(bookings):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def gaps(bookings, opens, closes, least=30):
    """The free times of at least so many minutes between opening and closing."""
    free, at = [], opens
    for start, end in merge(bookings):
        if start - at >= least:
            free.append((at, start))
        at = max(at, end)
    if closes - at >= least:
        free.append((at, closes))
    return free


def longest_gap(bookings, opens, closes):
    return max(gaps(bookings, opens, closes, 0), key=lambda gap: gap[1] - gap[0], default=None)
