/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_logistic.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_STEPS = 100, MOST_SOLVES = 1000, MOST_HALVINGS = 40, PARTS = 7 };

static const double EXACT = 1e-9, COARSE = 1e-2;
/* Near the optimum the objective cannot tell any more whether a step is a good one; the gradient,
 * which the steps end by, still can. */
static const double ROUNDING = 1e-13;
/* How strongly intercepts are drawn to 0: enough that no shift of all of them is free. */
static const double INTERCEPT_SHARE = 1e-6;
static const double SOFTENING = 10; /* of the label in the reverse loss */

int logistic_init(struct logistic *student, xy_job *job, const struct logistic_rows *rows,
                  uint32_t classes, double c)
{
    *student = (struct logistic){.rows = *rows, .classes = classes, .c = c, .job = job,
                                 .tolerance = EXACT,
                                 .width = (size_t)rows->matrix->columns + 1};
    student->parameters = student->width * classes;
    size_t cells = rows->matrix->rows * classes;
    double *memory = calloc(PARTS * student->parameters + cells + classes, sizeof(*memory));
    if (!memory)
        return XY_ENOMEM;
    double **parts[PARTS] = {&student->w,        &student->gradient,  &student->step,
                             &student->trial,    &student->residual,  &student->direction,
                             &student->product};
    for (size_t i = 0; i < PARTS; i++)
        *parts[i] = memory + i * student->parameters;
    student->p = memory + PARTS * student->parameters;
    student->factors = student->p + cells;
    return XY_OK;
}

void logistic_free(struct logistic *student)
{
    free(student->w); /* the first part of the one block */
    *student = (struct logistic){.w = NULL};
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Eight sums, since each addition waits for the one before. */
static double dot(const double *a, const double *b, size_t count)
{
    enum { SUMS = 8 };
    double sums[SUMS] = {0}, sum = 0;
    size_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (size_t part = 0; part < SUMS; part++)
            sums[part] += a[i + part] * b[i + part];
    for (; i < count; i++)
        sum += a[i] * b[i];
    for (size_t part = 0; part < SUMS; part++)
        sum += sums[part];
    return sum;
}

/* The usual two classes: their sums stay in registers. */
static void project_two(const double *parameters, const struct entry *entries, size_t count,
                        double *out)
{
    double first = out[0], second = out[1];
    for (size_t j = 0; j < count; j++) {
        const double *own = parameters + 2 * (size_t)entries[j].column;
        first += own[0] * (double)entries[j].value;
        second += own[1] * (double)entries[j].value;
    }
    out[0] = first;
    out[1] = second;
}

/* One value for each class: the parameters' inner product with (row, 1). */
static void project(const struct logistic *student, const double *parameters,
                    const struct matrix *matrix, size_t row, double *out)
{
    uint32_t classes = student->classes;
    memcpy(out, parameters + (student->width - 1) * classes, classes * sizeof(*out));
    if (classes == 2) {
        project_two(parameters, matrix->entries + matrix->starts[row],
                    matrix->starts[row + 1] - matrix->starts[row], out);
        return;
    }
    for (size_t j = matrix->starts[row]; j < matrix->starts[row + 1]; j++) {
        const double *own = parameters + (size_t)matrix->entries[j].column * classes;
        double value = (double)matrix->entries[j].value;
        for (uint32_t k = 0; k < classes; k++)
            out[k] += own[k] * value;
    }
}

/* sums_k += factors_k (row, 1) for each class. */
static void spread(const struct logistic *student, double *sums, const double *factors,
                   const struct matrix *matrix, size_t row)
{
    uint32_t classes = student->classes;
    double *intercepts = sums + (student->width - 1) * classes;
    for (size_t j = matrix->starts[row]; j < matrix->starts[row + 1]; j++) {
        double *own = sums + (size_t)matrix->entries[j].column * classes;
        double value = (double)matrix->entries[j].value;
        for (uint32_t k = 0; k < classes; k++)
            own[k] += factors[k] * value;
    }
    for (uint32_t k = 0; k < classes; k++)
        intercepts[k] += factors[k];
}

/* Turns logits into probabilities; returns -log p(label), which no rounding makes infinite. */
static double soften(double *values, uint32_t classes, uint32_t label)
{
    double most = values[0], sum = 0, own = values[label];
    for (uint32_t k = 1; k < classes; k++)
        most = fmax(most, values[k]);
    for (uint32_t k = 0; k < classes; k++) {
        values[k] = exp(values[k] - most);
        sum += values[k];
    }
    for (uint32_t k = 0; k < classes; k++)
        values[k] /= sum;
    return log(sum) + most - own;
}

/* ---- the objective --------------------------------------------------------------------------- */

/* out = v / c, the penalty's second derivative times v. */
static void draw_back(const struct logistic *student, const double *v, double *out)
{
    size_t penalised = (student->width - 1) * student->classes;
    for (size_t i = 0; i < student->parameters; i++)
        out[i] = v[i] / student->c;
    for (size_t i = penalised; i < student->parameters; i++)
        out[i] *= INTERCEPT_SHARE;
}

static double objective(struct logistic *student, const double *weights, const double *w)
{
    double sum = 0;
    draw_back(student, w, student->product);
    sum = dot(w, student->product, student->parameters) / 2;
    for (size_t i = 0; i < student->rows.matrix->rows; i++) {
        double *p = student->p + i * student->classes;
        project(student, w, student->rows.matrix, i, p);
        sum += weights[i] * soften(p, student->classes, student->rows.labels[i]);
    }
    return sum;
}

static void add_slopes(struct logistic *student, const double *weights, double *sums)
{
    for (size_t i = 0; i < student->rows.matrix->rows; i++) {
        const double *p = student->p + i * student->classes;
        for (uint32_t k = 0; k < student->classes; k++)
            student->factors[k] = weights[i] * (p[k] - (k == student->rows.labels[i]));
        if (weights[i] > 0)
            spread(student, sums, student->factors, student->rows.matrix, i);
    }
}

/* out = H v: each row adds (diag(p) - p p') times its outer product with itself. */
static void multiply(struct logistic *student, const double *weights, const double *v, double *out)
{
    double *factors = student->factors;
    draw_back(student, v, out);
    for (size_t i = 0; i < student->rows.matrix->rows; i++) {
        const double *p = student->p + i * student->classes;
        if (!(weights[i] > 0))
            continue;
        project(student, v, student->rows.matrix, i, factors);
        double mean = dot(p, factors, student->classes);
        for (uint32_t k = 0; k < student->classes; k++)
            factors[k] = weights[i] * p[k] * (factors[k] - mean);
        spread(student, out, factors, student->rows.matrix, i);
    }
}

/* ---- solving --------------------------------------------------------------------------------- */

/* Conjugate gradients, to a residual of `tolerance` times the length of b. */
static int solve(struct logistic *student, const double *weights, const double *b, double *x,
                 double tolerance)
{
    size_t count = student->parameters;
    double *residual = student->residual, *direction = student->direction;
    memset(x, 0, count * sizeof(*x));
    memcpy(residual, b, count * sizeof(*b));
    memcpy(direction, b, count * sizeof(*b));
    double square = dot(b, b, count), enough = tolerance * tolerance * square;
    for (int i = 0; i < MOST_SOLVES && square > enough; i++) {
        if (student->job->api->cancelled(student->job))
            return XY_ECANCELED;
        multiply(student, weights, direction, student->product);
        double length = square / dot(direction, student->product, count), before = square;
        for (size_t j = 0; j < count; j++) {
            x[j] += length * direction[j];
            residual[j] -= length * student->product[j];
        }
        square = dot(residual, residual, count);
        for (size_t j = 0; j < count; j++)
            direction[j] = residual[j] + square / before * direction[j];
    }
    return XY_OK;
}

int logistic_solve(struct logistic *student, const double *weights, const double *b, double *x)
{
    return solve(student, weights, b, x, student->tolerance);
}

/* The length of the gradient at W = 0: what "small" is measured by, wherever training starts. */
static double first_length(struct logistic *student, const double *weights)
{
    memset(student->trial, 0, student->parameters * sizeof(double));
    objective(student, weights, student->trial);
    add_slopes(student, weights, student->trial);
    return sqrt(dot(student->trial, student->trial, student->parameters));
}

int logistic_fit(struct logistic *student, const double *weights)
{
    size_t count = student->parameters;
    double enough = student->tolerance * first_length(student, weights);
    double value = objective(student, weights, student->w);
    for (int i = 0; i < MOST_STEPS; i++) {
        draw_back(student, student->w, student->gradient);
        add_slopes(student, weights, student->gradient);
        double length = sqrt(dot(student->gradient, student->gradient, count));
        if (length <= enough)
            break;
        int code = solve(student, weights, student->gradient, student->step, COARSE);
        if (code < 0)
            return code;
        double slope = dot(student->gradient, student->step, count), size = 1, now = value;
        for (int halving = 0; halving < MOST_HALVINGS; halving++, size /= 2) {
            for (size_t j = 0; j < count; j++)
                student->trial[j] = student->w[j] - size * student->step[j];
            now = objective(student, weights, student->trial);
            if (now <= value - 1e-4 * size * slope + ROUNDING * value)
                break;
        }
        if (!(now <= value + ROUNDING * value)) {
            logistic_look(student); /* no step helps */
            break;
        }
        memcpy(student->w, student->trial, count * sizeof(double));
        value = now;
    }
    return XY_OK;
}

void logistic_look(struct logistic *student)
{
    for (size_t i = 0; i < student->rows.matrix->rows; i++) {
        double *p = student->p + i * student->classes;
        project(student, student->w, student->rows.matrix, i, p);
        soften(p, student->classes, student->rows.labels[i]);
    }
}

/* ---- losses ---------------------------------------------------------------------------------- */

double logistic_measure(const struct logistic *student, const struct logistic_rows *rows,
                        const double *weights, enum logistic_loss loss, double *gradient)
{
    uint32_t classes = student->classes;
    double *p = student->factors, sum = 0, total = 0;
    /* -log q of the label, and of any other class. */
    double own = log1p((classes - 1) * exp(-SOFTENING)), other = own + SOFTENING;
    memset(gradient, 0, student->parameters * sizeof(*gradient));
    for (size_t i = 0; i < rows->matrix->rows; i++)
        total += weights ? weights[i] : 1;
    for (size_t i = 0; i < rows->matrix->rows && total > 0; i++) {
        double share = (weights ? weights[i] : 1) / total, factor = share;
        uint32_t label = rows->labels[i];
        project(student, student->w, rows->matrix, i, p);
        double cross = soften(p, classes, label);
        if (loss == LOGISTIC_REVERSE) {
            cross = other - SOFTENING * p[label];
            factor *= SOFTENING * p[label];
        }
        sum += share * cross;
        for (uint32_t k = 0; k < classes; k++)
            p[k] = factor * (p[k] - (k == label));
        spread(student, gradient, p, rows->matrix, i);
    }
    return sum;
}

double logistic_along(const struct logistic *student, size_t row, const double *direction)
{
    const double *p = student->p + row * student->classes;
    project(student, direction, student->rows.matrix, row, student->factors);
    return dot(p, student->factors, student->classes) -
           student->factors[student->rows.labels[row]];
}

void logistic_descend(struct logistic *student, const double *weights, double length)
{
    memset(student->gradient, 0, student->parameters * sizeof(double));
    add_slopes(student, weights, student->gradient);
    for (size_t i = 0; i < student->parameters; i++)
        student->w[i] -= length * student->gradient[i];
    logistic_look(student);
}
