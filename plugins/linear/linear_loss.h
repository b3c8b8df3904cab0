/* SPDX-License-Identifier: Apache-2.0 */
/* linear_loss.h - the logistic loss of one row, with what the row's weights answer to it. */
#ifndef XYLEM_PLUGINS_LINEAR_LINEAR_LOSS_H
#define XYLEM_PLUGINS_LINEAR_LINEAR_LOSS_H

#include <math.h>
#include <stdbool.h>

static inline double sigmoid(double z)
{
    double e = exp(-fabs(z)), less = e / (1 + e);
    return z > 0 ? 1 - less : less;
}

/* The z at which z + pull (sigmoid(z) - target) = margin, where `pull` is the row's cost times the
 * square of the length of what moves with the row alone: that has then its best value.
 * *probability = sigmoid(z). Starts at `near`. The left side rises at least as fast as z: Newton's
 * method, with half of the bounds instead where it leaves them or its steps do not shrink, since
 * from the two flat ends of the sigmoid it may go to and fro for ever. */
static inline double settle(double margin, double pull, double target, double near,
                            double *probability)
{
    enum { MOST_STEPS = 100 };
    double low = margin - pull * (1 - target), high = margin + pull * target;
    double z = fmin(fmax(near, low), high), last = INFINITY;
    for (int i = 0; i < MOST_STEPS; i++) {
        double p = sigmoid(z), over = z - margin + pull * (p - target), bend = p * (1 - p);
        if (over > 0)
            high = z;
        else
            low = z;
        double move = over / (1 + pull * bend), next = z - move;
        bool close = fabs(move) <= 1e-7 * (1 + fabs(z)); /* the next would be its square */
        if (!close && (!(next > low && next < high) || fabs(move) > last / 2))
            next = (low + high) / 2;
        last = fabs(next - z);
        *probability = p + bend * (next - z); /* as exact as z is, once the move is small */
        z = next;
        if (close)
            break;
    }
    return z;
}

#endif
