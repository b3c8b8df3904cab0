/* SPDX-License-Identifier: Apache-2.0 */
/* linear_dual.h - dual coordinate descent for the problem of linear_solver.h, over sparse rows.
 *
 * The weights are w = sum_i force_i x_i, with force_i = cost_i (target_i - p_i) for probabilities
 * p_i that are what is looked for: one row's p is set to its best value with the others held, row
 * after row (Yu, Huang, Lin 2011, "Dual coordinate descent methods for logistic regression and
 * maximum entropy models", section 4). A target between 0 and 1 changes nothing in that. A sweep
 * costs about as much as a step of conjugate gradients, and where columns are many it takes off
 * more. What is each row's own needs no memory here: it adds its square to the row's length.
 *
 * The intercept is not regularised, so that the forces must sum to 0: the method of multipliers
 * (Bertsekas 1982, chapter 2). A weight that each row has with 1 holds their sum, and is moved into
 * the intercept, unpaid, after each sweep.
 *
 * The sum over rows of cost times the divergence of p from the prediction is the duality gap: how
 * far the objective is, at most, above its least value. What is summed here, as rows are visited,
 * is cost times the divergence to and fro, (p - prediction)(z of p - z of the prediction), which is
 * not less and needs no logarithm. */
#ifndef XYLEM_PLUGINS_LINEAR_LINEAR_DUAL_H
#define XYLEM_PLUGINS_LINEAR_LINEAR_DUAL_H

#include <stdbool.h>

#include "linear_solver.h"

struct dual { /* `lanes` numbers for each column or row, see linear_rows.h; all borrowed */
    size_t lanes;
    const double *targets; /* rows */
    double *solution;      /* columns and intercept; only the intercept is not 0 at first */
    double *scores;        /* rows: out, each row's z, its own part in it */
    double *slopes;        /* rows: 0 at first; out, -force */
    bool done[SOLVER_MOST]; /* out: the gap is at most tolerance squared of the first objective */
};

/* Goes on until each lane is done or nears its end too slowly, in which case another solver may
 * start from where it is. Visits rows in a fixed shuffled order. XY_OK, XY_ENOMEM, or
 * XY_ECANCELED. [worker] */
int dual_run(const struct task *task, struct dual *dual);

#endif
