/* SPDX-License-Identifier: Apache-2.0 */
/* confident_learning.h - what the parts of this plugin share. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_CONFIDENT_LEARNING_CONFIDENT_LEARNING_H
#define XYLEM_PLUGINS_CONFIDENT_LEARNING_CONFIDENT_LEARNING_H

#include "confident_issues.h"
#include "folds.h"

struct confident {
    const char *text, *label, *vector, *probabilities, *method, *rank, *action, *into;
    const char *const *features;
    const xy_student *learner;
    int64_t folds, least;
    double share;
    const xy_host *host;
    const xy_learner_service *service;
    const xy_rng *rng;
    const xy_report *report;
};

/* One run. */
struct audit {
    struct labelled set;
    struct names classes;
    struct columns columns;
    size_t *which;              /* the judged records */
    struct confident_rows rows; /* of these */
    float *probabilities;
    uint32_t *labels;
    struct confident_joint joint;
    bool *issues;
    uint32_t *ranks;            /* from 1; 0: no issue */
    size_t found;
};

/* Record `row` is judged: its probabilities are the matrix's next row. */
void confident_maps_keep(struct audit *audit, size_t row);
/* Numbers the labels that the records' maps name. XY_OK, XY_ENOMEM, or XY_EINVAL, explained, for a
 * map with something other than probabilities. */
int confident_maps_classes(const struct confident *confident, xy_job *job, xy_dataset *input,
                           struct audit *audit);
/* Then reads the probabilities of each labelled record that has a map. XY_OK or XY_ENOMEM. */
int confident_maps_read(const struct confident *confident, xy_dataset *input, struct audit *audit);

#endif
