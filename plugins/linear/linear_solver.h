/* SPDX-License-Identifier: Apache-2.0 */
/* linear_solver.h - L2-regularised logistic regression with weighted, soft examples.
 *
 * Minimises, over weights w and intercept b with z_i = w.x_i + b,
 *     1/2 |w|^2 + C sum_i weight_i [ p_i log(1 + e^-z_i) + (1 - p_i) log(1 + e^z_i) ]
 * over sparse rows by dual coordinate descent (linear_dual.h), and over others, or where that is
 * slow, by a truncated Newton method with line search (Lin, Weng, Keerthi 2008; Galli and Lin
 * 2021): conjugate gradients for the direction, backtracking for the step. The intercept is not
 * regularised, so that the mean prediction is the mean target. What is a row's own (linear_rows.h)
 * is minimised over inside the row's loss, which leaves a smoother problem in fewer columns.
 *
 * Up to SOLVER_MOST problems over the same rows are solved side by side, each as if alone. No
 * random number but a fixed order of rows, one thread, sums in one order: the same input gives the
 * same bits. */
#ifndef XYLEM_PLUGINS_LINEAR_LINEAR_SOLVER_H
#define XYLEM_PLUGINS_LINEAR_LINEAR_SOLVER_H

#include "linear_rows.h"

enum { SOLVER_MOST = 8 };

struct task {
    const struct linear_rows *rows;
    size_t problems;       /* 1 to SOLVER_MOST */
    const double *targets; /* rows x problems: probability of the positive class, in [0, 1] */
    const double *costs;   /* rows: C times each row's own weight, at least 0 */
    double tolerance;      /* of the gradient at the start; of the gap, its square */
    xy_job *job;           /* polled for cancelled() */
};

/* Writes rows->all weights and then the intercept of problem k to solution[j * stride + k].
 * XY_OK, XY_ENOMEM, or XY_ECANCELED. [worker] */
int solver_run(const struct task *task, double *solution, size_t stride);

#endif
