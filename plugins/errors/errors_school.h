/* SPDX-License-Identifier: Apache-2.0 */
/* errors_school.h - a student that learns from one data set and is asked about another. [worker] */
#ifndef XYLEM_PLUGINS_ERRORS_ERRORS_SCHOOL_H
#define XYLEM_PLUGINS_ERRORS_ERRORS_SCHOOL_H

#include "confusion.h"
#include "labelled.h"

struct school {
    const xy_learner_service *service;
    const xy_student *learner;
    uint64_t seed;
};

/* What came of it; zeroed: nothing yet. */
struct exam {
    struct labelled train, asked;
    struct names classes;        /* of both data sets, numbered in the order of first sight */
    size_t *train_rows, *rows;   /* what can be learnt from; what can be asked about */
    size_t train_count, count;
    uint32_t *answers;           /* count: the likeliest class, the first of equals */
    float *confidences;          /* count: that probability */
    struct confusion confusion;
};

/* Reads both data sets, trains and asks. XY_OK; XY_ENOMEM; XY_ECANCELED; XY_EINVAL,
 * explained, when there is nothing to learn from or to ask about, or one label only. */
int exam_hold(struct exam *exam, const struct school *school, xy_job *job, xy_dataset *train,
              const struct labelled_fields *train_fields, xy_dataset *asked,
              const struct labelled_fields *asked_fields);
void exam_free(struct exam *exam);

#endif
