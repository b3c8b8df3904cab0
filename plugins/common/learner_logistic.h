/* SPDX-License-Identifier: Apache-2.0 */
/* learner_logistic.h - a softmax over sparse rows, trained to its optimum with a weight for each
 * row, and what follows from being there: how the optimum, and with it a loss on other rows, moves
 * when a row's weight does (implicit differentiation; Koh and Liang 2017, section 2, for the
 * influence of one row; Gao et al. 2023, "SunGen", section 3, for weights learned by it).
 *
 * Minimises sum_i weight_i CE_i + |W|^2 / (2 c), where the intercepts are drawn to 0 a millionth as
 * strongly: strictly convex, so that there is one answer. Newton's method with conjugate gradients;
 * no random number, sums in one order: the same input gives the same bits.
 *
 * Parameters are (columns + 1) x classes doubles, the intercepts last. Losses are in nats. One
 * thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_LEARNER_LOGISTIC_H
#define XYLEM_PLUGINS_COMMON_LEARNER_LOGISTIC_H

#include "learner_matrix.h"

struct logistic_rows {
    const struct matrix *matrix;
    const uint32_t *labels; /* matrix->rows, each below `classes` */
};

struct logistic { /* zeroed: empty */
    struct logistic_rows rows; /* those trained on; borrowed */
    uint32_t classes;
    double c;
    double tolerance;          /* of fits and solutions, relative: 1e-9 unless set to another */
    xy_job *job;               /* polled for cancelled() */
    size_t width, parameters;
    double *w;                 /* parameters */
    double *p;                 /* rows x classes: the probabilities at `w`, after a fit */
    double *gradient, *step, *trial, *residual, *direction, *product, *factors; /* its own */
};

/* Starts at W = 0. `rows` stay the caller's. XY_OK or XY_ENOMEM. */
int logistic_init(struct logistic *student, xy_job *job, const struct logistic_rows *rows,
                  uint32_t classes, double c);
void logistic_free(struct logistic *student);

/* Moves `w` from where it is to the optimum for these weights (one for each row, at least 0). XY_OK
 * or XY_ECANCELED. */
int logistic_fit(struct logistic *student, const double *weights);
/* Finds `w`'s probabilities without moving it. */
void logistic_look(struct logistic *student);
/* x with H x = b, where H is the second derivative at a fit's end. b and x have room for
 * `parameters`; b's sums over the classes are 0, as any loss's gradient has them. XY_OK or
 * XY_ECANCELED. */
int logistic_solve(struct logistic *student, const double *weights, const double *b, double *x);

enum logistic_loss {
    LOGISTIC_CROSS_ENTROPY,
    LOGISTIC_REVERSE /* sum_k p_k (-log q_k), q = softmax(10 x one-hot label): SunGen's, which a
                      * wrong label cannot pull without bound; linear in p(label) */
};

/* The mean loss at `w` of some rows, each counting `weights` (NULL: 1), and its gradient. */
double logistic_measure(const struct logistic *student, const struct logistic_rows *rows,
                        const double *weights, enum logistic_loss loss, double *gradient);
/* The inner product of `direction`, shaped like `w`, with the gradient of training row `row`'s
 * cross-entropy at `w`. */
double logistic_along(const struct logistic *student, size_t row, const double *direction);
/* w -= length * sum_i weight_i (gradient of row i's cross-entropy); the probabilities follow. */
void logistic_descend(struct logistic *student, const double *weights, double length);

#endif
