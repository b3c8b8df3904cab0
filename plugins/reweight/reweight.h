/* SPDX-License-Identifier: Apache-2.0 */
/* reweight.h - what the parts of the stage share. One thread; [worker]. */
#ifndef XYLEM_PLUGINS_REWEIGHT_REWEIGHT_H
#define XYLEM_PLUGINS_REWEIGHT_REWEIGHT_H

#include "labelled.h"
#include "learner_input.h"
#include "learner_logistic.h"

struct reweight { /* the options, and services */
    struct learner_input input;
    const char *method, *text, *label, *vector, *scores, *map, *normalise, *dev_label;
    xy_dataset *dev;
    int64_t iterations, folds;
    double c, rate, temperature, clip, floor, drop_below;
    const xy_host *host;
    const xy_report *report;
    const xy_rng *rng;
};

/* The records that get a weight, in the order of the data set. */
struct rows {
    struct labelled set, dev;
    struct names classes;
    size_t *index;          /* count: which record each is */
    uint32_t *groups;       /* count: its label; classes.count for one without */
    double *prior;          /* count: the weight it came with */
    double *factors;        /* count: what the method says; then the weight itself */
    size_t count;
    struct features features;
    struct matrix matrix, dev_matrix; /* for methods with a student */
    uint32_t *dev_labels;
    size_t dev_count;
};

/* How a method finds each row's factor, at least 0 and finite. XY_OK or an error, explained. */
struct method {
    const char *name;
    int (*find)(const struct reweight *, xy_job *, xy_dataset *input, struct rows *);
    bool needs_dev, needs_scores;
};
const struct method *reweight_method(const char *name); /* of the option's choices */
int reweight_find_sungen(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                         struct rows *rows);
/* Does it train a student, or is everything in `scores`? */
bool reweight_has_student(const struct reweight *reweight);

/* Lists the rows, and their features where there is a student. XY_OK, or an error, explained. */
int rows_read(const struct reweight *reweight, xy_job *job, xy_dataset *input, struct rows *rows);
void rows_free(struct rows *rows);

/* From factors to weights: times the prior, normalised, clipped; sets them, drops, reports. */
int reweight_apply(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                   struct rows *rows);
void reweight_score(const struct reweight *reweight, xy_job *job, const char *name, double value,
                    const char *unit, uint64_t n, const char *help);

#endif
