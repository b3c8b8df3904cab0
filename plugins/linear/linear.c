/* SPDX-License-Identifier: Apache-2.0 */
/* linear - a learner: logistic regression over n-grams, embeddings, or ready vectors. */
#include <math.h>
#include <stdlib.h>

#include "learner_input.h"
#include "linear_solver.h"

struct linear {
    struct learner_input input;
    double c;
};

static const xy_option options[] = {
    LEARNER_INPUT_OPTIONS(struct linear, input),
    {.name = "c", .type = XY_OPT_NUMBER, .offset = offsetof(struct linear, c), .def = "10",
     .low = 1e-6, .high = 1e6,
     .help = "How much the examples count against the regulariser; smaller is smoother."},
    {0},
};

/* One binary problem for each class, or one in all where there are two. */
struct fitted {
    struct features features;
    uint32_t classes, present_count, problems;
    uint32_t *present; /* the classes that training rows have, ascending */
    double *weights;   /* problems x (columns + 1), the intercept last */
    uint32_t columns;
};

static int open_linear(void *state, const xy_host *host)
{
    return learner_input_open(&((struct linear *)state)->input, host);
}

static void release(const void *state, void *data)
{
    (void)state;
    struct fitted *fitted = data;
    if (!fitted)
        return;
    features_free(&fitted->features);
    free(fitted->present);
    free(fitted->weights);
    free(fitted);
}

/* ---- training -------------------------------------------------------------------------------- */

static int solve(const struct linear *linear, xy_job *job, const xy_examples *examples,
                 const struct matrix *rows, struct fitted *fitted)
{
    size_t width = (size_t)fitted->columns + 1;
    fitted->weights = calloc(fitted->problems * width + 1, sizeof(double));
    double *targets = calloc(2 * examples->count + 1, sizeof(*targets));
    if (!fitted->weights || !targets) {
        free(targets);
        return XY_ENOMEM;
    }
    double *costs = targets + examples->count;
    for (size_t i = 0; i < examples->count; i++)
        costs[i] = linear->c * (examples->weights ? (double)examples->weights[i] : 1);
    int code = XY_OK;
    for (uint32_t p = 0; p < fitted->problems && code == XY_OK; p++) {
        /* Where there are two classes, the one problem is that of the second. */
        uint32_t class_index = fitted->present[fitted->problems == 1 ? 1 : p];
        for (size_t i = 0; i < examples->count; i++)
            targets[i] = learner_target(examples, i, class_index);
        const struct task task = {.rows = rows, .targets = targets, .weights = costs, .job = job};
        code = solver_run(&task, fitted->weights + p * width);
    }
    free(targets);
    return code;
}

static int fit(const void *state, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **out)
{
    (void)seed; /* the solver draws nothing */
    const struct linear *linear = state;
    struct fitted *fitted = calloc(1, sizeof(*fitted));
    if (!fitted)
        return XY_ENOMEM;
    struct matrix rows = {.entries = NULL};
    fitted->classes = examples->classes;
    fitted->present = calloc(examples->classes, sizeof(*fitted->present));
    int code = fitted->present ? learner_present(job, examples, fitted->present) : XY_ENOMEM;
    if (code > 0) {
        fitted->present_count = (uint32_t)code;
        fitted->problems = code == 2 ? 1 : fitted->present_count;
        code = learner_input_fit(&linear->input, job, examples, &fitted->features, &rows);
        fitted->columns = rows.columns;
    }
    if (code == XY_OK)
        code = solve(linear, job, examples, &rows, fitted);
    matrix_free(&rows);
    if (code < 0) {
        release(state, fitted);
        return code;
    }
    *out = fitted;
    return XY_OK;
}

/* ---- prediction ------------------------------------------------------------------------------ */

static double margin(const struct fitted *fitted, uint32_t problem, const struct entry *row,
                     size_t length)
{
    const double *weights = fitted->weights + problem * ((size_t)fitted->columns + 1);
    double sum = weights[fitted->columns];
    for (size_t j = 0; j < length; j++)
        sum += weights[row[j].column] * (double)row[j].value;
    return sum;
}

/* Probabilities of one row. One against the rest: each class's own probability, over their sum;
 * classes that training never saw have 0. */
static void judge(const struct fitted *fitted, const struct entry *row, size_t length,
                  float *probabilities)
{
    for (uint32_t k = 0; k < fitted->classes; k++)
        probabilities[k] = 0;
    if (fitted->problems == 1) {
        double p = 1 / (1 + exp(-margin(fitted, 0, row, length)));
        probabilities[fitted->present[0]] = (float)(1 - p);
        probabilities[fitted->present[1]] = (float)p;
        return;
    }
    double sum = 0;
    for (uint32_t p = 0; p < fitted->problems; p++)
        sum += 1 / (1 + exp(-margin(fitted, p, row, length)));
    for (uint32_t p = 0; p < fitted->problems; p++) {
        double own = 1 / (1 + exp(-margin(fitted, p, row, length)));
        probabilities[fitted->present[p]] =
            (float)(sum > 0 ? own / sum : 1.0 / fitted->problems);
    }
}

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct linear *linear = state;
    const struct fitted *fitted = data;
    int code = XY_OK;
    for (size_t first = 0; first < examples->count && code == XY_OK; first += LEARNER_SLICE) {
        xy_examples slice = learner_slice(examples, first, LEARNER_SLICE);
        struct matrix rows = {.entries = NULL};
        code = learner_input_rows(&linear->input, job, &slice, &fitted->features, &rows);
        for (size_t i = 0; i < rows.rows && code == XY_OK; i++)
            judge(fitted, rows.entries + rows.starts[i], rows.starts[i + 1] - rows.starts[i],
                  probabilities + (first + i) * fitted->classes);
        matrix_free(&rows);
    }
    return code;
}

static const xy_learner learner = {
    .size = sizeof(learner), .fit = fit, .predict = predict, .release = release};

static const xy_stage linear_stage = {
    XY_STAGE_INIT,
    .kind = XY_LEARNER,
    .state_size = sizeof(struct linear),
    .id = "linear",
    .version = "1.0.0",
    .summary = "Logistic regression over n-grams, embeddings or ready vectors",
    .options = options,
    .open = open_linear,
    .learner = &learner,
};

XY_PLUGIN("linear", "1.0.0", "Apache-2.0", &linear_stage)
