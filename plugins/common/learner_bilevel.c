/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_bilevel.h"

#include <math.h>
#include <stdbool.h>
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

struct learning {
    const struct bilevel_task *task;
    double *z, *slopes;                  /* of all rows */
    double *own_z, *weights, *own_slopes; /* of one part's */
    double *work, *sums;
    struct adam adam;
};

/* The mean loss over the parts, and its slopes unless the loss is all that is wanted. */
static int look(struct learning *learning, bool loss_only, double *mean)
{
    const struct bilevel_task *task = learning->task;
    int code = XY_OK;
    *mean = 0;
    memset(learning->slopes, 0, task->rows * sizeof(double));
    for (size_t part = 0; part < task->part_count && code == XY_OK; part++) {
        const struct bilevel *bilevel = &task->parts[part];
        size_t count = bilevel->student->rows.matrix->rows;
        double loss = 0;
        for (size_t i = 0; i < count; i++)
            learning->own_z[i] = learning->z[bilevel->members[i]];
        bilevel_weights(bilevel, learning->own_z, learning->weights, learning->sums);
        if (loss_only) {
            code = logistic_fit(bilevel->student, learning->weights);
            loss = logistic_measure(bilevel->student, &bilevel->outer, bilevel->outer_prior,
                                    LOGISTIC_REVERSE, learning->work);
        } else {
            code = bilevel_slopes(bilevel, learning->own_z, learning->weights, &loss,
                                  learning->own_slopes, learning->work, learning->sums);
        }
        for (size_t i = 0; i < count && !loss_only; i++)
            learning->slopes[bilevel->members[i]] += learning->own_slopes[i];
        *mean += loss / (double)task->part_count;
    }
    return code;
}

int bilevel_learn(struct bilevel_task *task, double *shares)
{
    const struct logistic *student = task->parts[0].student;
    size_t rows = task->rows, sums = 2 * (size_t)student->classes;
    double *memory = calloc(7 * rows + 2 * student->parameters + sums, sizeof(*memory)), loss = 0;
    if (!memory)
        return XY_ENOMEM;
    struct learning learning = {
        .task = task, .z = memory, .slopes = memory + rows, .own_z = memory + 2 * rows,
        .weights = memory + 3 * rows, .own_slopes = memory + 4 * rows,
        .adam = {memory + 5 * rows, memory + 6 * rows, 1, 1}, .work = memory + 7 * rows,
        .sums = memory + 7 * rows + 2 * student->parameters};
    int code = XY_OK;
    for (uint32_t i = 0; i < task->iterations && code == XY_OK; i++) {
        code = look(&learning, false, &loss);
        task->first = i == 0 ? loss : task->first;
        if (code == XY_OK)
            step(&learning.adam, task->rate, learning.slopes, learning.z, rows);
    }
    if (code == XY_OK)
        code = look(&learning, true, &task->last);
    for (size_t i = 0; i < rows && code == XY_OK; i++)
        shares[i] = sigmoid(learning.z[i]);
    free(memory);
    return code;
}
