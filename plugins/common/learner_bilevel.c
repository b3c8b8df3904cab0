/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_bilevel.h"

#include <math.h>
#include <stdlib.h>

/* Adam's own constants. */
static const double FIRST_DECAY = 0.9, SECOND_DECAY = 0.999, TINY = 1e-12;

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

void bilevel_weights(const struct bilevel *bilevel, const double *z, double *weights, double *sums)
{
    const struct logistic *student = bilevel->student;
    double *wanted = sums, *given = sums + student->classes;
    memset(sums, 0, 2 * (size_t)student->classes * sizeof(*sums));
    for (size_t i = 0; i < student->rows.matrix->rows; i++) {
        weights[i] = bilevel->prior[i] * sigmoid(z[i]);
        wanted[student->rows.labels[i]] += bilevel->prior[i];
        given[student->rows.labels[i]] += weights[i];
    }
    for (size_t i = 0; i < student->rows.matrix->rows; i++) {
        uint32_t k = student->rows.labels[i];
        weights[i] *= given[k] > 0 ? wanted[k] / given[k] : 0;
    }
}

/* From derivatives by the weights to those by z: w_j = prior_j s_j P / S, where P and S are the
 * label's sums of priors and of prior_j s_j. */
static void chain(const struct bilevel *bilevel, const double *z, const double *weights,
                  double *slopes, double *sums)
{
    const struct logistic *student = bilevel->student;
    size_t rows = student->rows.matrix->rows;
    double *wanted = sums, *pull = sums + student->classes;
    memset(sums, 0, 2 * (size_t)student->classes * sizeof(*sums));
    for (size_t i = 0; i < rows; i++) {
        wanted[student->rows.labels[i]] += bilevel->prior[i];
        pull[student->rows.labels[i]] += slopes[i] * weights[i];
    }
    for (size_t i = 0; i < rows; i++) {
        uint32_t k = student->rows.labels[i];
        double mean = wanted[k] > 0 ? pull[k] / wanted[k] : 0;
        /* dw_i/dz_i at a fixed scale is w_i (1 - s_i). */
        slopes[i] = weights[i] * (1 - sigmoid(z[i])) * (slopes[i] - mean);
    }
}

int bilevel_slopes(const struct bilevel *bilevel, const double *z, const double *weights,
                   double *loss, double *slopes, double *work, double *sums)
{
    struct logistic *student = bilevel->student;
    double *gradient = work, *moved = work + student->parameters;
    int code = logistic_fit(student, weights);
    if (code < 0)
        return code;
    *loss = logistic_measure(student, &bilevel->outer, bilevel->outer_prior, LOGISTIC_REVERSE,
                             gradient);
    code = logistic_solve(student, weights, gradient, moved);
    for (size_t i = 0; i < student->rows.matrix->rows && code == XY_OK; i++)
        slopes[i] = -logistic_along(student, i, moved);
    if (code == XY_OK)
        chain(bilevel, z, weights, slopes, sums);
    return code;
}

struct adam {
    double *first, *second; /* the moments */
    double first_left, second_left; /* the decays to the power of steps made */
};

static void step(struct adam *adam, double rate, const double *slopes, double *z, size_t count)
{
    adam->first_left *= FIRST_DECAY;
    adam->second_left *= SECOND_DECAY;
    for (size_t i = 0; i < count; i++) {
        adam->first[i] = FIRST_DECAY * adam->first[i] + (1 - FIRST_DECAY) * slopes[i];
        adam->second[i] = SECOND_DECAY * adam->second[i] +
                          (1 - SECOND_DECAY) * slopes[i] * slopes[i];
        double mean = adam->first[i] / (1 - adam->first_left);
        double size = sqrt(adam->second[i] / (1 - adam->second_left));
        z[i] -= rate * mean / (size + TINY);
    }
}

/* The outer loss once more, after the last step. */
static int look_back(struct bilevel *bilevel, const double *z, double *weights, double *gradient,
                     double *sums)
{
    bilevel_weights(bilevel, z, weights, sums);
    int code = logistic_fit(bilevel->student, weights);
    if (code == XY_OK)
        bilevel->last = logistic_measure(bilevel->student, &bilevel->outer, bilevel->outer_prior,
                                         LOGISTIC_REVERSE, gradient);
    return code;
}

int bilevel_learn(struct bilevel *bilevel, double *shares)
{
    const struct logistic *student = bilevel->student;
    size_t count = student->rows.matrix->rows, sums_count = 2 * (size_t)student->classes;
    double *memory = calloc(5 * count + 2 * student->parameters + sums_count, sizeof(*memory));
    if (!memory)
        return XY_ENOMEM;
    double *z = memory, *weights = z + count, *slopes = weights + count;
    struct adam adam = {slopes + count, slopes + 2 * count, 1, 1};
    double *work = slopes + 3 * count, *sums = work + 2 * student->parameters, loss = 0;
    int code = XY_OK;
    for (uint32_t i = 0; i < bilevel->iterations && code == XY_OK; i++) {
        bilevel_weights(bilevel, z, weights, sums);
        code = bilevel_slopes(bilevel, z, weights, &loss, slopes, work, sums);
        if (i == 0)
            bilevel->first = loss;
        if (code == XY_OK)
            step(&adam, bilevel->rate, slopes, z, count);
    }
    if (code == XY_OK)
        code = look_back(bilevel, z, weights, work, sums);
    for (size_t i = 0; i < count && code == XY_OK; i++)
        shares[i] = sigmoid(z[i]);
    free(memory);
    return code;
}
