/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_solver.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { NEWTON_STEPS = 100, GRADIENT_STEPS = 200, HALVINGS = 30 };

#define TOLERANCE 1e-5        /* on the gradient, against that of the start */
#define SUFFICIENT_DECREASE 0.01

/* Vectors of one run. `size` is columns + 1: the intercept comes last. */
struct work {
    size_t size;
    double *gradient, *step, *residual, *direction, *image, *diagonal; /* size each */
    double *margins, *change, *curvature;                              /* rows each */
    double *memory;
};

static int work_init(struct work *work, const struct matrix *rows)
{
    size_t size = (size_t)rows->columns + 1, count = rows->rows;
    double *memory = calloc(6 * size + 3 * count, sizeof(*memory));
    if (!memory)
        return XY_ENOMEM;
    work->size = size;
    work->memory = memory;
    work->gradient = memory;
    work->step = memory + size;
    work->residual = memory + 2 * size;
    work->direction = memory + 3 * size;
    work->image = memory + 4 * size;
    work->diagonal = memory + 5 * size;
    work->margins = memory + 6 * size;
    work->change = work->margins + count;
    work->curvature = work->change + count;
    return XY_OK;
}

static double dot(const double *a, const double *b, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += a[i] * b[i];
    return sum;
}

/* out_i = vector . x_i, the intercept included. */
static void multiply(const struct matrix *rows, const double *vector, double *out)
{
    double intercept = vector[rows->columns];
    for (size_t i = 0; i < rows->rows; i++) {
        double sum = intercept;
        for (size_t j = rows->starts[i]; j < rows->starts[i + 1]; j++)
            sum += vector[rows->entries[j].column] * (double)rows->entries[j].value;
        out[i] = sum;
    }
}

/* out += sum_i scale_i x_i, the intercept included. */
static void add_transposed(const struct matrix *rows, const double *scale, double *out)
{
    double intercept = 0;
    for (size_t i = 0; i < rows->rows; i++) {
        intercept += scale[i];
        for (size_t j = rows->starts[i]; j < rows->starts[i + 1]; j++)
            out[rows->entries[j].column] += scale[i] * (double)rows->entries[j].value;
    }
    out[rows->columns] += intercept;
}

static double sigmoid(double z)
{
    if (z >= 0)
        return 1 / (1 + exp(-z));
    double e = exp(z);
    return e / (1 + e);
}

/* p log(1 + e^-z) + (1 - p) log(1 + e^z) without overflow. */
static double loss(double z, double target)
{
    return log1p(exp(-fabs(z))) + (z > 0 ? (1 - target) * z : -target * z);
}

/* The objective at solution + length * step; margins and change are of these two. */
static double objective(const struct task *task, const struct work *work, const double *solution,
                        double length)
{
    double norm = 0, sum = 0;
    for (size_t j = 0; j + 1 < work->size; j++) {
        double w = solution[j] + length * work->step[j];
        norm += w * w;
    }
    for (size_t i = 0; i < task->rows->rows; i++)
        if (task->weights[i] > 0)
            sum += task->weights[i] *
                   loss(work->margins[i] + length * work->change[i], task->targets[i]);
    return norm / 2 + sum;
}

/* Gradient, the rows' curvature, and the Hessian's diagonal as preconditioner. */
static void derive(const struct task *task, struct work *work, const double *solution)
{
    const struct matrix *rows = task->rows;
    double *pull = work->change; /* free until the next step is known */
    for (size_t i = 0; i < rows->rows; i++) {
        double p = sigmoid(work->margins[i]);
        pull[i] = task->weights[i] * (p - task->targets[i]);
        work->curvature[i] = task->weights[i] * p * (1 - p);
    }
    for (size_t j = 0; j < work->size; j++) {
        bool intercept = j + 1 == work->size;
        work->gradient[j] = intercept ? 0 : solution[j];
        work->diagonal[j] = intercept ? 1e-12 : 1; /* above 0 also where all rows are certain */
    }
    add_transposed(rows, pull, work->gradient);
    for (size_t i = 0; i < rows->rows; i++) {
        work->diagonal[rows->columns] += work->curvature[i];
        for (size_t j = rows->starts[i]; j < rows->starts[i + 1]; j++) {
            double x = (double)rows->entries[j].value;
            work->diagonal[rows->entries[j].column] += work->curvature[i] * x * x;
        }
    }
}

/* image = Hessian * direction. */
static void apply_hessian(const struct task *task, struct work *work)
{
    double *through = work->change;
    multiply(task->rows, work->direction, through);
    for (size_t i = 0; i < task->rows->rows; i++)
        through[i] *= work->curvature[i];
    for (size_t j = 0; j + 1 < work->size; j++)
        work->image[j] = work->direction[j];
    work->image[work->size - 1] = 0;
    add_transposed(task->rows, through, work->image);
}

/* Solves Hessian * step = -gradient roughly: the more exactly, the nearer the end is. */
static void find_step(const struct task *task, struct work *work, double norm)
{
    size_t size = work->size;
    double enough = norm * fmin(0.1, sqrt(norm)), rho = 0;
    for (size_t j = 0; j < size; j++) {
        work->step[j] = 0;
        work->residual[j] = -work->gradient[j];
        work->direction[j] = work->residual[j] / work->diagonal[j];
        rho += work->residual[j] * work->direction[j];
    }
    for (int i = 0; i < GRADIENT_STEPS; i++) {
        if (sqrt(dot(work->residual, work->residual, size)) <= enough ||
            task->job->api->cancelled(task->job))
            return;
        apply_hessian(task, work);
        double bend = dot(work->direction, work->image, size);
        if (!(bend > 0))
            return;
        double alpha = rho / bend, next = 0;
        for (size_t j = 0; j < size; j++) {
            work->step[j] += alpha * work->direction[j];
            work->residual[j] -= alpha * work->image[j];
            next += work->residual[j] * work->residual[j] / work->diagonal[j];
        }
        for (size_t j = 0; j < size; j++)
            work->direction[j] =
                work->residual[j] / work->diagonal[j] + next / rho * work->direction[j];
        rho = next;
    }
}

/* Halves the step until it decreases the objective enough; false when no step does: the end, as far
 * as this arithmetic goes. */
static bool take_step(const struct task *task, struct work *work, double *solution)
{
    multiply(task->rows, work->step, work->change);
    double slope = dot(work->gradient, work->step, work->size);
    double before = objective(task, work, solution, 0), length = 1;
    for (int i = 0; i < HALVINGS; i++, length /= 2) {
        if (objective(task, work, solution, length) <=
            before + SUFFICIENT_DECREASE * length * slope)
            break;
        if (i + 1 == HALVINGS)
            return false;
    }
    for (size_t j = 0; j < work->size; j++)
        solution[j] += length * work->step[j];
    for (size_t i = 0; i < task->rows->rows; i++)
        work->margins[i] += length * work->change[i];
    return true;
}

int solver_run(const struct task *task, double *solution)
{
    struct work work;
    if (work_init(&work, task->rows) < 0)
        return XY_ENOMEM;
    int code = XY_OK;
    double first = 0;
    multiply(task->rows, solution, work.margins);
    for (int i = 0; i < NEWTON_STEPS; i++) {
        if (task->job->api->cancelled(task->job)) {
            code = XY_ECANCELED;
            break;
        }
        derive(task, &work, solution);
        double norm = sqrt(dot(work.gradient, work.gradient, work.size));
        first = i == 0 ? norm : first;
        if (norm <= TOLERANCE * first)
            break;
        find_step(task, &work, norm);
        if (!take_step(task, &work, solution))
            break;
    }
    free(work.memory);
    return code;
}
