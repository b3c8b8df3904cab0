/* SPDX-License-Identifier: Apache-2.0 */
/* linear - a learner: logistic regression over n-grams, embeddings, or ready vectors. */
#include <math.h>
#include <stdlib.h>

#include "learner_input.h"
#include "linear_solver.h"

#define TOLERANCE 1e-6 /* of the solver */

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
    double *weights;   /* (columns + 1) x problems, the intercepts last */
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

/* Solves the problems from `first` on, as many as go side by side. `targets` and `costs` are
 * scratch of rows x SOLVER_MOST and of rows. */
static int solve_some(xy_job *job, const xy_examples *examples, const struct linear_rows *rows,
                      struct fitted *fitted, uint32_t first, double *targets, const double *costs)
{
    size_t count = fitted->problems - first < SOLVER_MOST ? fitted->problems - first : SOLVER_MOST;
    for (size_t i = 0; i < examples->count; i++)
        for (size_t k = 0; k < count; k++)
            targets[i * count + k] = learner_target(
                /* Where there are two classes, the one problem is that of the second. */
                examples, i, fitted->present[fitted->problems == 1 ? 1 : first + k]);
    const struct task task = {.rows = rows, .problems = count, .targets = targets, .costs = costs,
                              .tolerance = TOLERANCE, .job = job};
    return solver_run(&task, fitted->weights + first, fitted->problems);
}

static int solve(const struct linear *linear, xy_job *job, const xy_examples *examples,
                 struct matrix *matrix, struct fitted *fitted)
{
    size_t cells = fitted->problems * ((size_t)fitted->columns + 1);
    size_t lanes = fitted->problems < SOLVER_MOST ? fitted->problems : SOLVER_MOST;
    struct linear_rows rows = {.matrix = NULL};
    fitted->weights = calloc(cells + 1, sizeof(double));
    double *targets = calloc((lanes + 1) * examples->count + 1, sizeof(*targets));
    int code = fitted->weights && targets ? linear_rows_init(&rows, matrix) : XY_ENOMEM;
    double *costs = targets + lanes * examples->count;
    for (size_t i = 0; i < examples->count && code == XY_OK; i++)
        costs[i] = linear->c * (examples->weights ? (double)examples->weights[i] : 1);
    for (uint32_t p = 0; p < fitted->problems && code == XY_OK; p += SOLVER_MOST)
        code = solve_some(job, examples, &rows, fitted, p, targets, costs);
    linear_rows_free(&rows);
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

/* Each problem's own probability, 1 / (1 + e^-margin). */
static void judge_problems(const struct fitted *fitted, const struct entry *row, size_t length,
                           double *own)
{
    size_t problems = fitted->problems;
    memcpy(own, fitted->weights + fitted->columns * problems, problems * sizeof(*own));
    for (size_t j = 0; j < length; j++) {
        const double *weights = fitted->weights + row[j].column * problems;
        for (size_t p = 0; p < problems; p++)
            own[p] += weights[p] * (double)row[j].value;
    }
    for (size_t p = 0; p < problems; p++)
        own[p] = 1 / (1 + exp(-own[p]));
}

/* Probabilities of one row. One against the rest: each class's own probability, over their sum;
 * classes that training never saw have 0. `own`: room for each problem. */
static void judge(const struct fitted *fitted, const struct entry *row, size_t length, double *own,
                  float *probabilities)
{
    double sum = 0;
    memset(probabilities, 0, fitted->classes * sizeof(*probabilities));
    judge_problems(fitted, row, length, own);
    if (fitted->problems == 1) {
        probabilities[fitted->present[0]] = (float)(1 - own[0]);
        probabilities[fitted->present[1]] = (float)own[0];
        return;
    }
    for (uint32_t p = 0; p < fitted->problems; p++)
        sum += own[p];
    for (uint32_t p = 0; p < fitted->problems; p++)
        probabilities[fitted->present[p]] =
            (float)(sum > 0 ? own[p] / sum : 1.0 / fitted->problems);
}

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct linear *linear = state;
    const struct fitted *fitted = data;
    double *own = calloc((size_t)fitted->problems + 1, sizeof(*own));
    int code = own ? XY_OK : XY_ENOMEM;
    for (size_t first = 0; first < examples->count && code == XY_OK; first += LEARNER_SLICE) {
        xy_examples slice = learner_slice(examples, first, LEARNER_SLICE);
        struct matrix rows = {.entries = NULL};
        code = learner_input_rows(&linear->input, job, &slice, &fitted->features, &rows);
        for (size_t i = 0; i < rows.rows && code == XY_OK; i++)
            judge(fitted, rows.entries + rows.starts[i], rows.starts[i + 1] - rows.starts[i], own,
                  probabilities + (first + i) * fitted->classes);
        matrix_free(&rows);
    }
    free(own);
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
