/* SPDX-License-Identifier: Apache-2.0 */
/* report_reasons.h - why a step rejected records: reasons that differ in figures and ids alone are
 * counted as one. Not thread-safe: who owns a list locks it. */
#ifndef XYLEM_CORE_REPORT_REASONS_H
#define XYLEM_CORE_REPORT_REASONS_H

#include "memory.h"

struct reason {
    struct reason *next;
    const char *text; /* folded */
    uint64_t count;
};

enum { REASON_LENGTH = 120 };

/* A reason as it is counted, NUL-terminated and cut to fit: digits and the ids of records become
 * `#`, so that "12 bytes" and "13 bytes", or two pairs of twins, are one. */
void report_reason_fold(const char *why, char folded[REASON_LENGTH]);

/* Counts `why` in the list, which lies in `arena`; a hundred different ones are told apart, and
 * later ones not counted. */
void report_reasons_add(struct reason **reasons, struct arena *arena, const char *why);
/* The most frequent one after `after` (NULL: of all); ties go by the text. NULL at the end. */
const struct reason *report_reasons_next(const struct reason *reasons, const struct reason *after);

#endif
