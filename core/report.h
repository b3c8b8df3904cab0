/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - scores and details that stages report, and counts of every step: what the closing
 * table, `until:` and summary.json are made of. [any] for everything: one lock inside.
 */
#ifndef XYLEM_CORE_REPORT_H
#define XYLEM_CORE_REPORT_H

#include "template.h"

struct report;

struct step_counts {
    uint64_t in, out, dropped, failed, calls;
    uint64_t prompt_tokens, output_tokens;
    double cost, seconds;
};

struct report_score {
    const char *step, *name, *unit, *help; /* interned by the report */
    double value, low, high;
    uint64_t n;
    uint32_t round;
};

struct report *report_create(void);
void report_destroy(struct report *report);

/* Adds or, for the same step, name and round, replaces. */
void report_add_score(struct report *report, const char *step, uint32_t round,
                      const xy_score *score);
void report_add_detail(struct report *report, const char *step, const char *name, xy_str json);
/* Adds to the step's counts; steps appear in the order of first adding. */
void report_add_counts(struct report *report, const char *step, const struct step_counts *counts);
/* Forgets a step's counts, before a whole-dataset step runs over everything again. */
void report_reset_counts(struct report *report, const char *step);
/* Why records were dropped, for the closing table: the `limit` most frequent reasons of a step,
 * with digits folded to `#` so that "12 bytes" and "13 bytes" count as one. */
void report_add_reason(struct report *report, const char *step, const char *why);

size_t report_scores(const struct report *report);
struct report_score report_score_at(const struct report *report, size_t index);
size_t report_steps(const struct report *report);
const char *report_step_at(const struct report *report, size_t index, struct step_counts *counts);

/* The newest value of each score as a scope: `name`, and `step.name`. */
struct scope report_scope(const struct report *report);

/* The newest value of each score as a map of maps, step to name to value, in `arena`. */
struct value report_tree(struct report *report, struct arena *arena);

/* The whole report as one JSON object. */
void report_write_json(const struct report *report, struct buffer *out);

#endif
