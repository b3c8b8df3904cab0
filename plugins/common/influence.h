/* SPDX-License-Identifier: Apache-2.0 */
/* influence.h - how much each training row of a small classifier moves its loss on other rows, by
 * influence functions (Koh and Liang 2017, "Understanding Black-box Predictions via Influence
 * Functions", section 2), as ProGen uses them (Ye et al. 2022, "ProGen: Progressive Zero-shot
 * Dataset Generation via In-context Feedback", section 3.2).
 *
 * The classifier is a softmax over rows of floats and a constant 1, trained to the minimum of sum_i
 * w_i CE_i + |W|^2 / (2 c): strictly convex, so there is one answer, and its Hessian is known
 * exactly. Where ProGen estimates H^-1 g by sampling, here conjugate gradients solve for it.
 *
 * The validation loss is cross-entropy or, where the labels of the validation rows are noisy as
 * generated ones are, reverse cross-entropy (Wang et al. 2019, "Symmetric Cross Entropy"), which is
 * 1 - p(label) but for a factor: a row that the classifier finds implausible hardly counts.
 *
 * Numbers are in nats of summed loss. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_INFLUENCE_H
#define XYLEM_PLUGINS_COMMON_INFLUENCE_H

#include <stdbool.h>

#include <xylem/plugin.h>

struct influence_rows {
    const float *const *rows; /* count rows of `dimension` floats */
    const uint32_t *labels;   /* count, each below `classes` */
    const float *weights;     /* count, or NULL: all 1 */
    size_t count;
};

struct influence_task {
    size_t dimension;
    uint32_t classes;    /* at least 2 */
    double c;            /* as in `linear`: larger trusts the rows more */
    bool reverse;        /* reverse cross-entropy on the validation rows */
    struct influence_rows train, validation;
};

struct influence {       /* zeroed: empty */
    double *scores;      /* of each training row: what adding it does to the validation loss, summed
                          * over the validation rows; negative is helpful, positive harmful */
    double accuracy;     /* the classifier's, on the validation rows */
};

/* Trains, and scores each training row. XY_OK, XY_ENOMEM or, when `job` is being stopped,
 * XY_ECANCELED. */
int influence_measure(struct influence *influence, xy_job *job, const struct influence_task *task);
void influence_free(struct influence *influence);

#endif
