/* SPDX-License-Identifier: Apache-2.0 */
/* learner_bilevel.h - weights learned on two levels (Gao et al. 2023, "Self-Guided Noise-Free Data
 * Generation for Efficient Zero-Shot Learning", section 3): inside, a student is trained to the
 * optimum with the weights; outside, the weights move so that this student's mean reverse
 * cross-entropy, which wrong labels hardly touch, falls over rows that are as noisy: the same ones,
 * or others. Nobody labels.
 *
 * A weight is prior_i sigmoid(z_i), scaled so that each label's weights sum to what its priors do:
 * else a label can win by starving the other one, which lowers the loss too.
 *
 * The student is strictly convex, so the outer gradient is exact by implicit differentiation,
 *     dL / dw_i = -<H^-1 dL/dW, dCE_i/dW>,
 * where the authors, whose student is a network, record one step of its optimiser. z then moves by
 * Adam (Kingma and Ba 2015, algorithm 1), as theirs does: the sizes of gradients differ by orders
 * of magnitude among rows. [worker] */
#ifndef XYLEM_PLUGINS_COMMON_LEARNER_BILEVEL_H
#define XYLEM_PLUGINS_COMMON_LEARNER_BILEVEL_H

#include "learner_logistic.h"

/* One student, and what is asked of it. Several of them may share the z: with rows in folds, each
 * student learns from all folds but one, and the outer loss is over that one. */
struct bilevel {
    struct logistic *student; /* initialised; its rows are the inner level's */
    const double *prior;      /* of its rows: the weight that each came with, at least 0 */
    struct logistic_rows outer; /* what the outer loss is over */
    const double *outer_prior;
    const size_t *members;    /* of its rows: the z that each has */
};

/* The weights that `z`, one for each of the student's rows, stands for. `sums` has room for
 * 2 x classes. */
void bilevel_weights(const struct bilevel *bilevel, const double *z, double *weights,
                     double *sums);
/* Trains the student with `weights`, which are those of `z`; the outer loss there, and its
 * derivative by each z. `work` has room for 2 x parameters, `sums` as above. XY_OK or
 * XY_ECANCELED. */
int bilevel_slopes(const struct bilevel *bilevel, const double *z, const double *weights,
                   double *loss, double *slopes, double *work, double *sums);

struct bilevel_task {
    const struct bilevel *parts;
    size_t part_count, rows; /* how many z there are */
    double rate;             /* Adam's */
    uint32_t iterations;
    double first, last;      /* the mean outer loss before and after; set by bilevel_learn() */
};

/* Fills `shares`, one for each z: sigmoid(z) after the iterations. All students are of one size.
 * XY_OK, XY_ENOMEM, or XY_ECANCELED. */
int bilevel_learn(struct bilevel_task *task, double *shares);

#endif
