/* SPDX-License-Identifier: Apache-2.0 */
/* knn - a learner: an example is what its nearest neighbours are. */
#include <math.h>
#include <stdlib.h>

#include "knn_rows.h"

struct knn {
    struct learner_input input;
    int64_t k;
    const char *votes;
};

#define AT(member) offsetof(struct knn, member)

static const xy_option options[] = {
    LEARNER_INPUT_OPTIONS(struct knn, input),
    {.name = "k", .type = XY_OPT_INT, .offset = AT(k), .def = "10", .low = 1, .high = 10000,
     .help = "How many neighbours have a vote."},
    {.name = "votes", .type = XY_OPT_TEXT, .offset = AT(votes), .def = "equal",
     .choices = "equal|cosine",
     .help = "Whether a neighbour's vote is its weight alone, or times its cosine (0 below 0)."},
    {0},
};

enum { POLL = 64 };

struct fitted {
    struct features features;
    struct knn_rows rows;
    uint32_t classes;
    float *targets; /* rows x classes: each row's votes, its weight included */
    double *shares; /* of all votes, for each class: for examples like nothing that was learnt */
};

static int open_knn(void *state, const xy_host *host)
{
    return learner_input_open(&((struct knn *)state)->input, host);
}

static void release(const void *state, void *data)
{
    (void)state;
    struct fitted *fitted = data;
    if (!fitted)
        return;
    features_free(&fitted->features);
    knn_rows_free(&fitted->rows);
    free(fitted->targets);
    free(fitted->shares);
    free(fitted);
}

/* Keeps the rows of weight above 0, with their votes. */
static int keep_rows(struct fitted *fitted, const xy_examples *examples,
                     const struct matrix *matrix, size_t *which)
{
    size_t count = 0;
    double sum = 0;
    for (size_t i = 0; i < examples->count; i++) {
        double weight = examples->weights ? (double)examples->weights[i] : 1;
        if (!(weight > 0))
            continue;
        for (uint32_t k = 0; k < fitted->classes; k++) {
            double vote = weight * learner_target(examples, i, k);
            fitted->targets[count * fitted->classes + k] = (float)vote;
            fitted->shares[k] += vote;
            sum += vote;
        }
        which[count++] = i;
    }
    for (uint32_t k = 0; k < fitted->classes; k++)
        fitted->shares[k] /= sum;
    return knn_rows_fill(&fitted->rows, matrix, which, count,
                         fitted->features.kind == FEATURE_VECTORS);
}

/* Nothing is drawn at random: the seed has no part in it. */
static int fit(const void *state, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **out)
{
    const struct knn *knn = state;
    struct matrix rows = {.entries = NULL};
    struct fitted *fitted = calloc(1, sizeof(*fitted));
    size_t *which = calloc(examples->count + 1, sizeof(*which));
    uint32_t *present = job->api->alloc(job, examples->classes * sizeof(*present));
    int code = fitted && which && present ? learner_present(job, examples, present) : XY_ENOMEM;
    (void)seed;
    if (code >= 0) {
        fitted->classes = examples->classes;
        fitted->targets = calloc(examples->count * examples->classes + 1, sizeof(float));
        fitted->shares = calloc(examples->classes, sizeof(double));
        code = fitted->targets && fitted->shares
                   ? learner_input_fit(&knn->input, job, examples, &fitted->features, &rows)
                   : XY_ENOMEM;
    }
    if (code == XY_OK)
        code = keep_rows(fitted, examples, &rows, which);
    matrix_free(&rows);
    free(which);
    if (code < 0) {
        release(knn, fitted);
        return code;
    }
    *out = fitted;
    return XY_OK;
}

static void vote(const struct knn *knn, const struct fitted *fitted, const struct knn_near *near,
                 size_t found, float *probabilities)
{
    double sum = 0;
    for (uint32_t k = 0; k < fitted->classes; k++) {
        double votes = 0;
        for (size_t i = 0; i < found; i++) {
            double cosine = fmax((double)near[i].cosine, 0);
            votes += (knn->votes[0] == 'c' ? cosine : 1) *
                     (double)fitted->targets[(size_t)near[i].row * fitted->classes + k];
        }
        probabilities[k] = (float)votes;
        sum += votes;
    }
    for (uint32_t k = 0; k < fitted->classes; k++)
        probabilities[k] = (float)(sum > 0 ? (double)probabilities[k] / sum : fitted->shares[k]);
}

static int predict_slice(const struct knn *knn, xy_job *job, const struct fitted *fitted,
                         const xy_examples *slice, float *scratch, struct knn_near *near,
                         float *probabilities)
{
    struct matrix rows = {.entries = NULL};
    int code = learner_input_rows(&knn->input, job, slice, &fitted->features, &rows);
    for (size_t i = 0; i < slice->count && code == XY_OK; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            code = XY_ECANCELED;
        size_t start = rows.starts[i];
        size_t found = knn_rows_nearest(&fitted->rows, rows.entries + start,
                                        rows.starts[i + 1] - start, (size_t)knn->k, scratch, near);
        vote(knn, fitted, near, found, probabilities + i * fitted->classes);
    }
    matrix_free(&rows);
    return code;
}

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct knn *knn = state;
    const struct fitted *fitted = data;
    float *scratch = calloc(fitted->rows.count + fitted->rows.dimension + 1, sizeof(*scratch));
    struct knn_near *near = calloc((size_t)knn->k, sizeof(*near));
    int code = scratch && near ? XY_OK : XY_ENOMEM;
    for (size_t first = 0; first < examples->count && code == XY_OK; first += LEARNER_SLICE) {
        xy_examples slice = learner_slice(examples, first, LEARNER_SLICE);
        code = predict_slice(knn, job, fitted, &slice, scratch, near,
                             probabilities + first * fitted->classes);
    }
    free(scratch);
    free(near);
    return code;
}

static const xy_learner learner = {
    .size = sizeof(learner), .fit = fit, .predict = predict, .release = release};

static const xy_stage knn_stage = {
    XY_STAGE_INIT,
    .kind = XY_LEARNER,
    .state_size = sizeof(struct knn),
    .id = "knn",
    .version = "1.0.0",
    .summary = "An example is what its nearest neighbours by cosine are",
    .options = options,
    .open = open_knn,
    .learner = &learner,
};

XY_PLUGIN("knn", "1.0.0", "Apache-2.0", &knn_stage)
