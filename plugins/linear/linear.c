/* SPDX-License-Identifier: Apache-2.0 */
/* linear - a learner: logistic regression over n-grams, embeddings, or ready vectors. */
#include <math.h>
#include <stdlib.h>

#include "linear_features.h"
#include "linear_solver.h"

enum { POLL = 1024 };

struct linear {
    const char *features;
    int64_t ngrams, buckets;
    const xy_model *embed;
    double c;
    const xy_model_service *model;
};

static const xy_option options[] = {
    {.name = "features", .type = XY_OPT_TEXT, .offset = offsetof(struct linear, features),
     .def = "words", .choices = "words|characters|embedding",
     .help = "What a text is made into: its words, its characters, or a model's embedding."},
    {.name = "ngrams", .type = XY_OPT_INT, .offset = offsetof(struct linear, ngrams), .def = "2",
     .low = 1, .high = 5, .help = "Runs of up to so many words or characters are features."},
    {.name = "buckets", .type = XY_OPT_INT, .offset = offsetof(struct linear, buckets),
     .def = "1048576", .low = 256, .high = 67108864,
     .help = "Into how many features the n-grams are hashed."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = offsetof(struct linear, embed),
     .help = "The model that embeds, for `features: embedding`."},
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
    struct linear *linear = state;
    if (strcmp(linear->features, "embedding") != 0)
        return XY_OK;
    linear->model = host->service(host, XY_MODEL);
    if (!linear->model)
        return XY_EUNSUPPORTED;
    if (linear->embed)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`features: embedding` needs `embed`: the alias of a model");
    return XY_EINVAL;
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

/* ---- targets --------------------------------------------------------------------------------- */

static double target_of(const xy_examples *examples, size_t row, uint32_t class_index)
{
    if (examples->soft)
        return (double)examples->soft[row * examples->classes + class_index];
    return (uint32_t)examples->labels[row] == class_index;
}

/* Lists the classes that a row of weight above 0 has. */
static int find_present(xy_job *job, const xy_examples *examples, struct fitted *fitted)
{
    fitted->present = calloc(examples->classes, sizeof(*fitted->present));
    if (!fitted->present)
        return XY_ENOMEM;
    for (uint32_t k = 0; k < examples->classes; k++) {
        for (size_t i = 0; i < examples->count; i++) {
            bool counts = !examples->weights || examples->weights[i] > 0;
            if (!counts || target_of(examples, i, k) <= 0)
                continue;
            fitted->present[fitted->present_count++] = k;
            break;
        }
    }
    if (fitted->present_count == 0)
        return xy_fail(job, XY_EINVAL, "no example has a weight above 0");
    if (fitted->present_count == 1)
        return xy_fail(job, XY_EINVAL, "all %zu examples are of class %u (counted from 0): there "
                       "must be examples of two classes at least", examples->count,
                       fitted->present[0]);
    fitted->problems = fitted->present_count == 2 ? 1 : fitted->present_count;
    return XY_OK;
}

static int solve(const struct linear *linear, xy_job *job, const xy_examples *examples,
                 const struct matrix *rows, struct fitted *fitted)
{
    size_t width = (size_t)fitted->columns + 1;
    fitted->weights = calloc(fitted->problems * width, sizeof(double));
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
            targets[i] = target_of(examples, i, class_index);
        const struct task task = {.rows = rows, .targets = targets, .weights = costs, .job = job};
        code = solver_run(&task, fitted->weights + p * width);
    }
    free(targets);
    return code;
}

/* ---- features -------------------------------------------------------------------------------- */

/* Ready vectors, or the embeddings of the texts; NULL, and XY_OK, where texts are split. */
static int find_vectors(const struct linear *linear, xy_job *job, const xy_examples *examples,
                        const float **vectors, size_t *dimension)
{
    *vectors = examples->vectors;
    *dimension = examples->vectors ? examples->dimension : 0;
    if (*vectors)
        return XY_OK;
    if (!examples->texts)
        return xy_fail(job, XY_EINVAL, "there are neither texts nor vectors");
    if (!linear->model)
        return XY_OK;
    return linear->model->embed(job, linear->embed, examples->texts, examples->count, vectors,
                                dimension);
}

static enum feature_kind kind_of(const struct linear *linear, const float *vectors)
{
    if (vectors)
        return FEATURE_VECTORS;
    return strcmp(linear->features, "characters") == 0 ? FEATURE_CHARACTERS : FEATURE_WORDS;
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
    const float *vectors = NULL;
    fitted->classes = examples->classes;
    int code = find_present(job, examples, fitted);
    if (code == XY_OK)
        code = find_vectors(linear, job, examples, &vectors, &fitted->features.dimension);
    if (code == XY_OK) {
        fitted->features.kind = kind_of(linear, vectors);
        fitted->features.ngrams = (int)linear->ngrams;
        fitted->features.buckets = (uint32_t)linear->buckets;
        code = features_fit(&fitted->features, job, examples, vectors, &rows);
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

static double margin(const struct fitted *fitted, uint32_t problem, const struct matrix *row)
{
    const double *weights = fitted->weights + problem * ((size_t)fitted->columns + 1);
    double sum = weights[fitted->columns];
    for (size_t j = 0; j < row->entry_count; j++)
        sum += weights[row->entries[j].column] * (double)row->entries[j].value;
    return sum;
}

/* Probabilities of one row. One against the rest: each class's own probability, over their sum;
 * classes that training never saw have 0. */
static void judge(const struct fitted *fitted, const struct matrix *row, float *probabilities)
{
    for (uint32_t k = 0; k < fitted->classes; k++)
        probabilities[k] = 0;
    if (fitted->problems == 1) {
        double p = 1 / (1 + exp(-margin(fitted, 0, row)));
        probabilities[fitted->present[0]] = (float)(1 - p);
        probabilities[fitted->present[1]] = (float)p;
        return;
    }
    double sum = 0;
    for (uint32_t p = 0; p < fitted->problems; p++)
        sum += 1 / (1 + exp(-margin(fitted, p, row)));
    for (uint32_t p = 0; p < fitted->problems; p++) {
        double own = 1 / (1 + exp(-margin(fitted, p, row)));
        probabilities[fitted->present[p]] =
            (float)(sum > 0 ? own / sum : 1.0 / fitted->problems);
    }
}

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct linear *linear = state;
    const struct fitted *fitted = data;
    const float *vectors;
    size_t dimension;
    int code = find_vectors(linear, job, examples, &vectors, &dimension);
    if (code < 0)
        return code;
    if ((vectors != NULL) != (fitted->features.kind == FEATURE_VECTORS) ||
        (vectors && dimension != fitted->features.dimension))
        return xy_fail(job, XY_EINVAL, "trained on rows of %zu numbers, asked about rows of %zu "
                       "(0: texts)", fitted->features.dimension, dimension);
    struct features_pass pass = {.places = NULL};
    struct matrix row = {.entries = NULL};
    for (size_t i = 0; i < examples->count && code == XY_OK; i++) {
        if (i % POLL == 0 && job->api->cancelled(job)) {
            code = XY_ECANCELED;
            break;
        }
        row.rows = row.entry_count = 0;
        xy_str text = examples->texts ? examples->texts[i] : (xy_str){NULL, 0};
        code = features_row(&fitted->features, &pass, text,
                            vectors ? vectors + i * dimension : NULL, &row);
        if (code == XY_OK)
            judge(fitted, &row, probabilities + i * fitted->classes);
    }
    matrix_free(&row);
    features_pass_free(&pass);
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
