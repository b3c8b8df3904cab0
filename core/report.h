/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - scores and details that stages report, and counts of every step: what the closing
 * table, `until:` and summary.json are made of. [any] for everything: one lock inside.
 */
#ifndef XYLEM_CORE_REPORT_H
#define XYLEM_CORE_REPORT_H

#include "record.h"

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

/* What a step did to the records that it kept: by field, how many got it and how many had another
 * value in it before. Zeroed: nothing. A field beyond a record's 64th is not counted, nor is one
 * that is taken away. */
struct report_changes {
    struct report_field {
        const char *name; /* interned by record.h */
        uint64_t added, changed;
    } *fields;
    size_t count;
    uint64_t records;     /* in which a value or the weight was changed */
    uint64_t weights;     /* of them, those whose weight was */
};

/* Adds the marks on `record` and wipes them off, so that the next step starts with none. */
void report_take_changes(struct report_changes *changes, struct record *record);

struct report_rejection {
    const char *step, *why; /* the report's */
    uint64_t count;
};

/* What a step is, for who reads the run's folder later. */
struct report_step {
    const char *id, *kind, *use; /* "filter", "minhash"; `use` is NULL for the core's own steps */
    const char *const *from;
    size_t from_count;
    bool written;                /* an output is made of its records */
    bool conditional;            /* it has a `when` */
};

struct report *report_create(void);
void report_destroy(struct report *report);

/* Adds or, for the same step, name and round, replaces. */
void report_add_score(struct report *report, const char *step, uint32_t round,
                      const xy_score *score);
void report_add_detail(struct report *report, const char *step, const char *name, xy_str json);
/* Adds to the step's counts; steps appear in the order of first adding. */
void report_add_counts(struct report *report, const char *step, const struct step_counts *counts);
/* The same for calls that the step's stage made by itself; not for who is no step. */
void report_add_calls(struct report *report, const char *who, const struct step_counts *counts);
void report_add_changes(struct report *report, const char *step,
                        const struct report_changes *changes);
/* Makes the step known, in file order. */
void report_add_step(struct report *report, const struct report_step *step);
/* Forgets a step's counts and changes, before a whole-dataset step runs over everything again. */
void report_reset_counts(struct report *report, const char *step);
/* Why records were dropped: the most frequent reasons of a step are written, folded. */
void report_add_reason(struct report *report, const char *step, const char *why);
/* The most frequent reason of all steps, folded; `count` is 0 when nothing was dropped. For the end
 * of a run, when no step adds to it. */
struct report_rejection report_most_rejected(const struct report *report);

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
