/* SPDX-License-Identifier: Apache-2.0 */
/* linear_solver.h - L2-regularised logistic regression with weighted, soft examples.
 *
 * Minimises, over weights w and intercept b with z_i = w.x_i + b,
 *     1/2 |w|^2 + C sum_i weight_i [ p_i log(1 + e^-z_i) + (1 - p_i) log(1 + e^z_i) ]
 * by the truncated Newton method with line search of LIBLINEAR (Lin, Weng, Keerthi 2008; Galli and
 * Lin 2021): conjugate gradients with a diagonal preconditioner for the direction, backtracking for
 * the step. The intercept is not regularised, so that the mean prediction is the mean target.
 * No random number, one thread, sums in one order: the same input gives the same bits. */
#ifndef XYLEM_PLUGINS_LINEAR_LINEAR_SOLVER_H
#define XYLEM_PLUGINS_LINEAR_LINEAR_SOLVER_H

#include "learner_matrix.h"

struct task {
    const struct matrix *rows;
    const double *targets; /* rows->rows: probability of the positive class, in [0, 1] */
    const double *weights; /* rows->rows: C times each row's own weight, at least 0 */
    xy_job *job;           /* polled for cancelled() */
};

/* Writes rows->columns weights and then the intercept to `solution`, which also holds the start.
 * XY_OK, XY_ENOMEM, or XY_ECANCELED. [worker] */
int solver_run(const struct task *task, double *solution);

#endif
