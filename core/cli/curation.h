/* SPDX-License-Identifier: Apache-2.0 */
/* curation.h - what a run's folder says of what each step kept, dropped and changed, and why.
 *
 * Read from summary.json, data/NAME.records and data/NAME.rejects alone: any run can be looked at
 * afterwards: one that was killed has no summary, one of an older version a shorter one. Memory is
 * some bytes per record that was rejected, and two per record of the dataset that is open.
 */
#ifndef XYLEM_CORE_CLI_CURATION_H
#define XYLEM_CORE_CLI_CURATION_H

#include <stdio.h>

#include "dataset.h"
#include "report.h"

enum {
    CURATION_EXAMPLES = 3, /* of each reason */
    CURATION_REASONS = 200, /* of each step; what comes later counts to the last, "other reasons" */
    CURATION_BINS = 10,
    CURATION_SCORES = 64,  /* numeric fields that are looked at */
    CURATION_LABELS = 100  /* values of a label that are told apart */
};

struct curation_example {
    char id[17];
    char *text, *why;      /* a short piece of the record; the verdict as it was given */
};

struct curation_reason {
    char *text;            /* folded (report.h) */
    uint64_t count;
    struct curation_example examples[CURATION_EXAMPLES];
    size_t example_count;
};

struct curation_step {
    const char *id, *kind, *use; /* "" where the run does not say */
    const struct value *counts;  /* the summary's entry, or NULL */
    bool written;
    uint64_t rejected;           /* in the rejects files, whether dropped or failed */
    struct curation_reason *reasons;
    size_t reason_count;
};

/* A numeric field of records, or their weight. */
struct curation_score {
    const char *field;     /* interned; "(weight)" for the record's own */
    const char *step;      /* that set it, or "" */
    double low, high;      /* of all values */
    bool whole;            /* all values are integers */
    bool source;           /* the step is a source: shown only when it is not whole */
    size_t bins;
    uint64_t kept[CURATION_BINS], dropped[CURATION_BINS];
    uint64_t kept_count, dropped_count, not_finite;
    double kept_sum, dropped_sum;
    uint64_t *dropped_by;  /* one for each step */
};

struct curation_label {
    char *value;
    uint64_t kept, dropped;
};

struct curation {
    struct arena arena;
    const char *folder, *run, *pipeline;
    struct value summary;        /* VALUE_NULL when the run left none */
    struct curation_step *steps; /* in the order of the file; of the files' names without summary */
    size_t step_count;
    struct curation_score *scores;
    size_t score_count, score_skipped;
    struct curation_label *labels; /* of the field `label`, where the summary has no groups */
    size_t label_count;
    uint64_t kept;
    const char *kept_in;         /* whose records count as kept: "a, b" */
    char **problems;             /* one line each: what could not be read */
    size_t problem_count;
};

/* Reads the folder of a run. Never fails: what cannot be read is a line in `problems`. */
void curation_read(struct curation *curation, const char *folder, const char *pipeline,
                   const char *run);
void curation_free(struct curation *curation);

/* The edge of a bin: `bin` from 0 to `bins`. */
double curation_edge(const struct curation_score *score, size_t bin);
/* A figure of the summary, of a step's entry, of anything: 0 where it is absent. */
double curation_figure(const struct value *map, const char *name);
xy_str curation_text(const struct value *map, const char *name);

/* curation_data.c: the datasets of the folder. */
void curation_read_data(struct curation *curation);
/* curation_scores.c: takes one record's numbers and label. In the first pass (`bins` false) finds
 * the ranges, in the second fills the bins. `dropped`: the step, or NULL for one that was kept. */
void curation_take_scores(struct curation *curation, const struct record *record,
                          const struct curation_step *dropped, bool bins);
/* Between the passes: the bins of each field; fields without a number are left out. */
void curation_set_bins(struct curation *curation);

/* curation_print.c */
void curation_print_json(const struct curation *curation, FILE *to);
/* As text for a terminal, or as one page of Markdown. */
void curation_print(const struct curation *curation, bool markdown, FILE *to);

#endif
