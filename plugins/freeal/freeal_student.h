/* SPDX-License-Identifier: Apache-2.0 */
/* freeal_student.h - a student of partly wrong labels, as FreeAL trains it (Xiao et al. 2023,
 * section 3.2): a short warm-up on all labels, the rows of small loss as clean, then training on
 * those, with the others as rows whose two views should be given one label.
 *
 * The learner is any of xylem.learner/1 and is trained anew in each round: what the paper adds to a
 * step's loss is here rows of a lesson. One thread; [worker]. */
#ifndef XYLEM_PLUGINS_FREEAL_FREEAL_STUDENT_H
#define XYLEM_PLUGINS_FREEAL_FREEAL_STUDENT_H

#include "folds.h"
#include "mixture.h"

struct class_hours { /* the options of training */
    uint32_t warm_up;   /* passes */
    uint32_t rounds;    /* of training after the warm-up */
    uint32_t mixup;     /* alpha of Beta(alpha, alpha); 0: none */
    double clean;       /* the least probability of the part of small losses */
    double temperature; /* of the targets of rows that are not clean */
};

struct course {
    const struct school *school;
    const struct class_hours *hours;
    const xy_host *host;          /* for log lines */
    const struct labelled *set;   /* the records */
    const struct labelled *views; /* of each record, or NULL */
    const uint32_t *fold_of;      /* of each record, NULL: all are learnt from and judged by one */
    int folds;
    uint64_t random;              /* for mixtures */
};

struct course_result {
    struct judgements judgements; /* given with room */
    bool *clean;                  /* count, given with room */
    struct mixture mixture;       /* of the losses, over [0, 1] */
    size_t clean_count, labelled_count, kept_whole; /* classes without a clean row, kept whole */
};

/* XY_OK, or a negative code, explained: no labels, one label only, a learner that fails or gives a
 * probability that is no number. */
int course_run(struct course *course, struct course_result *result);

#endif
