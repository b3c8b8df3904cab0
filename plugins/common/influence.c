/* SPDX-License-Identifier: Apache-2.0 */
#include "influence.h"

#include <math.h>
#include <stdlib.h>

#include "vectors.h"

enum { MOST_STEPS = 100, MOST_SOLVES = 1000, MOST_HALVINGS = 40 };

/* Gradients this much smaller than at the start count as zero. */
static const double SMALL = 1e-9, EXACT = 1e-10;

/* Parameters are classes x (dimension + 1) doubles; the last of each class is the intercept's. */
struct fit {
    const struct influence_task *task;
    xy_job *job;
    size_t width, parameters;
    double *w, *gradient, *step, *trial;
    double *probabilities;      /* train.count x classes, at `w` */
    double *residual, *direction, *product; /* of the conjugate gradients */
};

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static double weight_of(const struct influence_rows *rows, size_t row)
{
    return rows->weights ? (double)rows->weights[row] : 1;
}

/* One value for each class: the parameters' inner product with (row, 1). */
static void project(const struct fit *fit, const double *parameters, const float *row, double *out)
{
    for (uint32_t k = 0; k < fit->task->classes; k++) {
        const double *own = parameters + k * fit->width;
        out[k] = vectors_mixed_inner(own, row, fit->width - 1) + own[fit->width - 1];
    }
}

/* sums_k += factors_k (row, 1) for each class. */
static void spread(const struct fit *fit, double *sums, const double *factors, const float *row)
{
    for (uint32_t k = 0; k < fit->task->classes; k++) {
        double *own = sums + k * fit->width;
        vectors_add(own, factors[k], row, fit->width - 1);
        own[fit->width - 1] += factors[k];
    }
}

/* Turns logits into probabilities; returns -log p(label), which no rounding makes infinite. */
static double softmax(double *values, uint32_t classes, uint32_t label)
{
    double most = values[0], sum = 0, own = values[label];
    for (uint32_t k = 1; k < classes; k++)
        most = values[k] > most ? values[k] : most;
    for (uint32_t k = 0; k < classes; k++) {
        values[k] = exp(values[k] - most);
        sum += values[k];
    }
    for (uint32_t k = 0; k < classes; k++)
        values[k] /= sum;
    return log(sum) + most - own;
}

/* The objective at `parameters`; keeps the probabilities there. */
static double objective(struct fit *fit, const double *parameters)
{
    const struct influence_rows *train = &fit->task->train;
    double sum = dot(parameters, parameters, fit->parameters) / (2 * fit->task->c);
    for (size_t i = 0; i < train->count; i++) {
        double *p = fit->probabilities + i * fit->task->classes;
        project(fit, parameters, train->rows[i], p);
        sum += weight_of(train, i) * softmax(p, fit->task->classes, train->labels[i]);
    }
    return sum;
}

static void find_gradient(const struct fit *fit, double *factors)
{
    const struct influence_rows *train = &fit->task->train;
    for (size_t i = 0; i < fit->parameters; i++)
        fit->gradient[i] = fit->w[i] / fit->task->c;
    for (size_t i = 0; i < train->count; i++) {
        const double *p = fit->probabilities + i * fit->task->classes;
        for (uint32_t k = 0; k < fit->task->classes; k++)
            factors[k] = weight_of(train, i) * (p[k] - (k == train->labels[i]));
        spread(fit, fit->gradient, factors, train->rows[i]);
    }
}

/* out = H v, where H is the objective's second derivative: each row adds (diag(p) - p p') times its
 * outer product with itself. */
static void multiply(const struct fit *fit, const double *v, double *out, double *factors)
{
    const struct influence_rows *train = &fit->task->train;
    uint32_t classes = fit->task->classes;
    for (size_t i = 0; i < fit->parameters; i++)
        out[i] = v[i] / fit->task->c;
    for (size_t i = 0; i < train->count; i++) {
        const double *p = fit->probabilities + i * classes;
        project(fit, v, train->rows[i], factors);
        double mean = dot(p, factors, classes);
        for (uint32_t k = 0; k < classes; k++)
            factors[k] = weight_of(train, i) * p[k] * (factors[k] - mean);
        spread(fit, out, factors, train->rows[i]);
    }
}

/* Conjugate gradients: x with H x = b, to a residual of `tolerance` times the length of b. */
static int solve(const struct fit *fit, const double *b, double *x, double tolerance,
                 double *factors)
{
    size_t count = fit->parameters;
    double *residual = fit->residual, *direction = fit->direction;
    memset(x, 0, count * sizeof(*x));
    memcpy(residual, b, count * sizeof(*b));
    memcpy(direction, b, count * sizeof(*b));
    double square = dot(b, b, count), enough = tolerance * tolerance * square;
    for (int i = 0; i < MOST_SOLVES && square > enough; i++) {
        if (fit->job->api->cancelled(fit->job))
            return XY_ECANCELED;
        multiply(fit, direction, fit->product, factors);
        double length = square / dot(direction, fit->product, count), before = square;
        for (size_t j = 0; j < count; j++) {
            x[j] += length * direction[j];
            residual[j] -= length * fit->product[j];
        }
        square = dot(residual, residual, count);
        for (size_t j = 0; j < count; j++)
            direction[j] = residual[j] + square / before * direction[j];
    }
    return XY_OK;
}

/* Newton's method: each step by conjugate gradients, halved until the objective falls enough. */
static int train(struct fit *fit, double *factors)
{
    double value = objective(fit, fit->w), first = 0;
    for (int i = 0; i < MOST_STEPS; i++) {
        find_gradient(fit, factors);
        double length = sqrt(dot(fit->gradient, fit->gradient, fit->parameters));
        first = i == 0 ? length : first;
        if (length <= SMALL * first)
            break;
        int code = solve(fit, fit->gradient, fit->step, 1e-3, factors);
        if (code < 0)
            return code;
        double slope = dot(fit->gradient, fit->step, fit->parameters), size = 1, now = value;
        for (int halving = 0; halving < MOST_HALVINGS; halving++, size /= 2) {
            for (size_t j = 0; j < fit->parameters; j++)
                fit->trial[j] = fit->w[j] - size * fit->step[j];
            now = objective(fit, fit->trial);
            if (now <= value - 1e-4 * size * slope)
                break;
        }
        if (!(now < value)) {
            objective(fit, fit->w); /* as near as doubles can tell: keep the probabilities of `w` */
            break;
        }
        memcpy(fit->w, fit->trial, fit->parameters * sizeof(*fit->w));
        value = now;
    }
    return XY_OK;
}

/* The validation loss's gradient, into `gradient`: for cross-entropy p - y, and for its reverse
 * that times p(label). */
static void find_validation_gradient(const struct fit *fit, double *factors, double *accuracy)
{
    const struct influence_rows *rows = &fit->task->validation;
    uint32_t classes = fit->task->classes;
    size_t right = 0;
    memset(fit->gradient, 0, fit->parameters * sizeof(*fit->gradient));
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t label = rows->labels[i], best = 0;
        project(fit, fit->w, rows->rows[i], factors);
        softmax(factors, classes, label);
        double factor = weight_of(rows, i) * (fit->task->reverse ? factors[label] : 1);
        for (uint32_t k = 0; k < classes; k++) {
            best = factors[k] > factors[best] ? k : best;
        }
        right += best == label;
        for (uint32_t k = 0; k < classes; k++)
            factors[k] = factor * (factors[k] - (k == label));
        spread(fit, fit->gradient, factors, rows->rows[i]);
    }
    *accuracy = rows->count ? (double)right / (double)rows->count : 0;
}

static void score_rows(const struct fit *fit, double *factors, double *scores)
{
    const struct influence_rows *rows = &fit->task->train;
    uint32_t classes = fit->task->classes;
    for (size_t i = 0; i < rows->count; i++) {
        const double *p = fit->probabilities + i * classes;
        project(fit, fit->step, rows->rows[i], factors);
        scores[i] = -weight_of(rows, i) * (dot(p, factors, classes) - factors[rows->labels[i]]);
    }
}

static int measure(struct fit *fit, struct influence *influence, double *factors)
{
    int code = train(fit, factors);
    if (code < 0)
        return code;
    find_validation_gradient(fit, factors, &influence->accuracy);
    code = solve(fit, fit->gradient, fit->step, EXACT, factors);
    if (code == XY_OK)
        score_rows(fit, factors, influence->scores);
    return code;
}

int influence_measure(struct influence *influence, xy_job *job, const struct influence_task *task)
{
    struct fit fit = {.task = task, .job = job, .width = task->dimension + 1};
    fit.parameters = fit.width * task->classes;
    size_t rows = task->train.count * task->classes;
    double *memory = calloc(7 * fit.parameters + rows + task->classes, sizeof(*memory));
    influence->scores = calloc(task->train.count + 1, sizeof(*influence->scores));
    if (!memory || !influence->scores) {
        free(memory);
        return XY_ENOMEM;
    }
    double **parts[] = {&fit.w, &fit.gradient, &fit.step, &fit.trial, &fit.residual,
                        &fit.direction, &fit.product};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        *parts[i] = memory + i * fit.parameters;
    fit.probabilities = memory + 7 * fit.parameters;
    int code = measure(&fit, influence, fit.probabilities + rows);
    free(memory);
    return code;
}

void influence_free(struct influence *influence)
{
    free(influence->scores);
    *influence = (struct influence){0};
}
