/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_train.h - multinomial logistic regression by mini-batches.
 *
 * Minimises, over one weight vector and one intercept for each class,
 *     sum_i weight_i loss(softmax(W x_i + b), target_i) / sum_i weight_i + decay / 2 |W|^2
 * with steps of AdaGrad (Duchi, Hazan, Singer 2011, section 1.1), whose rates suit features that
 * are seldom seen.
 *
 * With `ensemble` = e each example's loss has min(1, pass / 10) e KL(z_i || p_i) added. z_i is the
 * temporal ensemble (Laine and Aila 2017, section 2.2) of what the passes so far made of it, in the
 * terms of SuperGen and FewGen: z <- 0.8 z + 0.2 p, over 1 - 0.8^passes.
 *
 * The order of examples in each pass comes from the seed; one thread, sums in one order: the same
 * input gives the same bits. */
#ifndef XYLEM_PLUGINS_SOFTMAX_SOFTMAX_TRAIN_H
#define XYLEM_PLUGINS_SOFTMAX_SOFTMAX_TRAIN_H

#include "learner_matrix.h"

enum softmax_loss {
    LOSS_CROSS_ENTROPY,
    LOSS_REVERSE,    /* reverse cross-entropy, tolerant of wrong labels: sum_k p_k (-log q_k) with
                        the softened target q (Gao et al. 2023, SunGen, section 3.3) */
    LOSS_SYMMETRIC   /* reverse + 0.1 cross-entropy (Wang et al. 2019, section 3.3) */
};

struct softmax_settings {
    uint32_t passes, batch, patience; /* patience 0: all passes */
    double rate, decay, hold_out, smoothing;
    double ensemble; /* weight of the KL term below; 0: none */
    enum softmax_loss loss;
};

struct softmax_model {
    uint32_t classes, columns;
    double *weights; /* classes x (columns + 1), the intercept last */
};

struct softmax_task {
    const struct softmax_settings *settings;
    const struct matrix *rows;
    const double *targets; /* rows->rows x classes, each row sums to 1 */
    const double *costs;   /* rows->rows: the weight of each, at least 0 */
    uint64_t seed;
    xy_job *job;           /* polled for cancelled() */
    /* Called after each pass; may be NULL. */
    void (*passed)(void *data, const struct softmax_model *model, uint32_t pass);
    void *data;
};

/* Trains `model`, whose weights are rows->columns + 1 zeros for each class. With `hold_out`, so
 * many of the examples are left out of the steps, training ends once their loss has not fallen for
 * `patience` passes, and the best pass's weights are kept. *passes: how many there were. XY_OK,
 * XY_ENOMEM, or XY_ECANCELED. [worker] */
int softmax_train(const struct softmax_task *task, struct softmax_model *model, uint32_t *passes);

/* Class probabilities of one row. */
void softmax_judge(const struct softmax_model *model, const struct entry *row, size_t length,
                   double *probabilities);

#endif
