/* SPDX-License-Identifier: Apache-2.0 */
#include "softmax_train.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const double tiny = 1e-8;         /* keeps AdaGrad's first divisor above 0 */
static const double softening = 10;      /* q = softmax(10 x one-hot), as SunGen's code has it */
static const double symmetric_share = 0.1;
static const double momentum = 0.8;      /* of the temporal ensemble */
static const double ramp = 10;           /* passes until it counts in full */

void softmax_judge(const struct softmax_model *model, const struct entry *row, size_t length,
                   double *probabilities)
{
    double highest = -INFINITY, sum = 0;
    for (uint32_t k = 0; k < model->classes; k++) {
        const double *weights = model->weights + k * ((size_t)model->columns + 1);
        double margin = weights[model->columns];
        for (size_t j = 0; j < length; j++)
            margin += weights[row[j].column] * (double)row[j].value;
        probabilities[k] = margin;
        highest = fmax(highest, margin);
    }
    for (uint32_t k = 0; k < model->classes; k++)
        sum += probabilities[k] = exp(probabilities[k] - highest);
    for (uint32_t k = 0; k < model->classes; k++)
        probabilities[k] /= sum;
}

/* ---- losses ---------------------------------------------------------------------------------- */

/* -log of the target softened: what the reverse loss charges for probability on class k. */
static double reverse_charge(const double *target, uint32_t classes, uint32_t k)
{
    double sum = 0;
    for (uint32_t c = 0; c < classes; c++)
        sum += exp(softening * target[c]);
    return log(sum) - softening * target[k];
}

static double loss_of(const struct softmax_settings *settings, const double *p,
                      const double *target, uint32_t classes)
{
    double cross = 0, reverse = 0;
    for (uint32_t k = 0; k < classes; k++) {
        cross -= target[k] > 0 ? target[k] * log(fmax(p[k], 1e-300)) : 0;
        if (settings->loss != LOSS_CROSS_ENTROPY)
            reverse += p[k] * reverse_charge(target, classes, k);
    }
    return settings->loss == LOSS_CROSS_ENTROPY ? cross
           : settings->loss == LOSS_REVERSE     ? reverse
                                                : reverse + symmetric_share * cross;
}

/* The loss's derivative by each margin: p - t for cross-entropy; for the reverse loss, which is
 * linear in p with charges a, p_k (a_k - sum_c p_c a_c). */
static void slopes(const struct softmax_settings *settings, const double *p, const double *target,
                   uint32_t classes, double *out)
{
    double mean = 0;
    for (uint32_t k = 0; k < classes && settings->loss != LOSS_CROSS_ENTROPY; k++)
        mean += p[k] * reverse_charge(target, classes, k);
    for (uint32_t k = 0; k < classes; k++) {
        double cross = p[k] - target[k];
        double reverse = settings->loss == LOSS_CROSS_ENTROPY
                             ? 0 : p[k] * (reverse_charge(target, classes, k) - mean);
        out[k] = settings->loss == LOSS_CROSS_ENTROPY ? cross
                 : settings->loss == LOSS_REVERSE     ? reverse
                                                      : reverse + symmetric_share * cross;
    }
}

/* ---- training -------------------------------------------------------------------------------- */

struct training {
    const struct softmax_task *task;
    struct softmax_model *model;
    size_t *order;           /* the examples to step on, then those held out */
    size_t count, held;
    double *squares;         /* AdaGrad's sums, in the shape of the weights */
    double *gradient;        /* of a batch; zero wherever `touched` does not say otherwise */
    uint32_t *touched;       /* columns that the batch has */
    bool *is_touched;
    size_t touched_count;
    double *p, *slope;       /* of one example */
    double *best;            /* weights of the best pass, with examples held out */
    double *ensemble;        /* rows x classes, the bias of its start not yet taken off; or NULL */
    double pull, unbias;     /* how much it counts in this pass; what takes the bias off */
};

static const struct entry *row_of(const struct matrix *rows, size_t index, size_t *length)
{
    *length = rows->starts[index + 1] - rows->starts[index];
    return rows->entries + rows->starts[index];
}

static void shuffle(size_t *items, size_t count, uint64_t *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)xy_random_below(random, i), kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

static void touch(struct training *training, uint32_t column)
{
    if (training->is_touched[column])
        return;
    training->is_touched[column] = true;
    training->touched[training->touched_count++] = column;
}

/* Adds the derivative of the KL term, p - z. */
static void pull_slopes(const struct training *training, size_t index)
{
    uint32_t classes = training->model->classes;
    for (uint32_t k = 0; k < classes && training->ensemble && training->pull > 0; k++)
        training->slope[k] += training->pull * (training->p[k] - training->unbias *
                                                training->ensemble[index * classes + k]);
}

/* What the pass left of each example goes into its ensemble. */
static void keep_pass(struct training *training, uint32_t pass)
{
    const struct softmax_task *task = training->task;
    uint32_t classes = training->model->classes;
    for (size_t i = 0; i < training->count && training->ensemble; i++) {
        size_t index = training->order[i], length;
        const struct entry *row = row_of(task->rows, index, &length);
        double *kept = training->ensemble + index * classes;
        softmax_judge(training->model, row, length, training->p);
        for (uint32_t k = 0; k < classes; k++)
            kept[k] = momentum * kept[k] + (1 - momentum) * training->p[k];
    }
    if (training->ensemble) {
        training->pull = task->settings->ensemble * fmin(1, (pass + 1) / ramp);
        training->unbias = 1 / (1 - pow(momentum, pass + 1));
    }
}

static void add_example(struct training *training, size_t index)
{
    const struct softmax_task *task = training->task;
    struct softmax_model *model = training->model;
    size_t length, width = (size_t)model->columns + 1;
    const struct entry *row = row_of(task->rows, index, &length);
    const double *target = task->targets + index * model->classes;
    softmax_judge(model, row, length, training->p);
    slopes(task->settings, training->p, target, model->classes, training->slope);
    pull_slopes(training, index);
    touch(training, model->columns);
    for (size_t j = 0; j < length; j++)
        touch(training, row[j].column);
    for (uint32_t k = 0; k < model->classes; k++) {
        double slope = task->costs[index] * training->slope[k];
        double *gradient = training->gradient + k * width;
        for (size_t j = 0; j < length; j++)
            gradient[row[j].column] += slope * (double)row[j].value;
        gradient[model->columns] += slope;
    }
}

/* One step on what the batch has summed up; `cost` is the sum of its examples' weights. */
static void step(struct training *training, double cost)
{
    const struct softmax_settings *settings = training->task->settings;
    struct softmax_model *model = training->model;
    size_t width = (size_t)model->columns + 1;
    for (size_t i = 0; i < training->touched_count; i++) {
        uint32_t column = training->touched[i];
        training->is_touched[column] = false;
        for (uint32_t k = 0; k < model->classes; k++) {
            size_t at = k * width + column;
            double gradient = training->gradient[at] / cost;
            if (column != model->columns)
                gradient += settings->decay * model->weights[at];
            training->gradient[at] = 0;
            training->squares[at] += gradient * gradient;
            model->weights[at] -= settings->rate * gradient / (sqrt(training->squares[at]) + tiny);
        }
    }
    training->touched_count = 0;
}

static void run_pass(struct training *training, uint64_t *random)
{
    const struct softmax_task *task = training->task;
    size_t in_batch = 0;
    double cost = 0;
    shuffle(training->order, training->count, random);
    for (size_t i = 0; i < training->count; i++) {
        add_example(training, training->order[i]);
        cost += task->costs[training->order[i]];
        in_batch++;
        if (in_batch < task->settings->batch && i + 1 < training->count)
            continue;
        step(training, cost);
        in_batch = 0;
        cost = 0;
    }
}

static double held_out_loss(struct training *training)
{
    const struct softmax_task *task = training->task;
    double sum = 0, cost = 0;
    for (size_t i = training->count; i < training->count + training->held; i++) {
        size_t index = training->order[i], length;
        const struct entry *row = row_of(task->rows, index, &length);
        softmax_judge(training->model, row, length, training->p);
        sum += task->costs[index] * loss_of(task->settings, training->p,
                                            task->targets + index * training->model->classes,
                                            training->model->classes);
        cost += task->costs[index];
    }
    return sum / cost;
}

static int prepare(struct training *training, uint64_t *random)
{
    const struct softmax_task *task = training->task;
    size_t columns = (size_t)training->model->columns + 1, rows = task->rows->rows;
    size_t size = columns * training->model->classes;
    training->order = calloc(rows + 1, sizeof(*training->order));
    training->squares = calloc(2 * size + 2 * (size_t)training->model->classes, sizeof(double));
    training->best = task->settings->hold_out > 0 ? calloc(size, sizeof(double)) : NULL;
    if (task->settings->ensemble > 0)
        training->ensemble = calloc(rows * training->model->classes + 1, sizeof(double));
    training->touched = calloc(columns, sizeof(*training->touched));
    training->is_touched = calloc(columns, sizeof(*training->is_touched));
    if (!training->order || !training->squares || !training->touched || !training->is_touched ||
        (task->settings->hold_out > 0 && !training->best) ||
        (task->settings->ensemble > 0 && !training->ensemble))
        return XY_ENOMEM;
    training->gradient = training->squares + size;
    training->p = training->gradient + size;
    training->slope = training->p + training->model->classes;
    for (size_t i = 0; i < rows; i++) {
        if (task->costs[i] > 0)
            training->order[training->count++] = i;
    }
    shuffle(training->order, training->count, random);
    training->held = (size_t)(task->settings->hold_out * (double)training->count);
    training->count -= training->held;
    return XY_OK;
}

int softmax_train(const struct softmax_task *task, struct softmax_model *model, uint32_t *passes)
{
    struct training training = {.task = task, .model = model};
    uint64_t random = task->seed;
    size_t size = ((size_t)model->columns + 1) * model->classes * sizeof(double);
    double best = INFINITY;
    uint32_t since_best = 0;
    int code = prepare(&training, &random);
    *passes = 0;
    for (uint32_t pass = 0; pass < task->settings->passes && code == XY_OK; pass++) {
        if (task->job->api->cancelled(task->job)) {
            code = XY_ECANCELED;
            break;
        }
        run_pass(&training, &random);
        keep_pass(&training, pass);
        *passes = pass + 1;
        if (task->passed)
            task->passed(task->data, model, pass);
        if (training.held == 0)
            continue;
        double loss = held_out_loss(&training);
        since_best++;
        if (loss < best && training.best) {
            best = loss;
            since_best = 0;
            memcpy(training.best, model->weights, size);
        }
        if (task->settings->patience && since_best >= task->settings->patience)
            break;
    }
    if (code == XY_OK && training.held && training.best)
        memcpy(model->weights, training.best, size);
    free(training.order);
    free(training.squares);
    free(training.best);
    free(training.ensemble);
    free(training.touched);
    free(training.is_touched);
    return code;
}
