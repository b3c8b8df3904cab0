/* SPDX-License-Identifier: Apache-2.0 */
/* boosting - a learner: gradient-boosted trees over numbers, whose stages can be watched. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "boosting_tree.h"
#include "learner_input.h"

struct boosting {
    int64_t stages, depth;
    double rate, lambda, least_weight, least_gain;
    const xy_model *embed;
    const xy_model_service *model;
};

#define AT(member) offsetof(struct boosting, member)

static const xy_option options[] = {
    {.name = "stages", .type = XY_OPT_INT, .offset = AT(stages), .def = "100", .low = 1,
     .high = 100000, .help = "How many trees are grown one after another, for each class."},
    {.name = "rate", .type = XY_OPT_NUMBER, .offset = AT(rate), .def = "0.3", .low = 1e-6,
     .high = 1, .help = "The share of a tree's correction that is made."},
    {.name = "depth", .type = XY_OPT_INT, .offset = AT(depth), .def = "6", .low = 1, .high = 30,
     .help = "How many questions stand between a tree's root and a leaf, at most."},
    {.name = "lambda", .type = XY_OPT_NUMBER, .offset = AT(lambda), .def = "1", .low = 0,
     .high = 1e9, .help = "How strongly the leaves' values are drawn to 0."},
    {.name = "least_weight", .type = XY_OPT_NUMBER, .offset = AT(least_weight), .def = "1",
     .low = 0, .high = 1e9,
     .help = "The least sum of second derivatives in a leaf: an undecided example counts 1/4."},
    {.name = "least_gain", .type = XY_OPT_NUMBER, .offset = AT(least_gain), .def = "0", .low = 0,
     .high = 1e9, .help = "How much a split must lower the loss."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(embed),
     .help = "The model that makes numbers of texts, where there are no vectors."},
    {0},
};

struct fitted {
    uint32_t classes, present_count, outputs; /* 1 output for two classes present, else all */
    uint32_t *present;                        /* the classes that examples had */
    size_t dimension;
    double *base;                             /* of each output */
    struct tree *trees;                       /* stages x outputs */
    size_t tree_count;
};

static int open_boosting(void *state, const xy_host *host)
{
    struct boosting *boosting = state;
    boosting->model = host->service(host, XY_MODEL);
    return boosting->embed && !boosting->model ? XY_EUNSUPPORTED : XY_OK;
}

static void release(const void *state, void *data)
{
    (void)state;
    struct fitted *fitted = data;
    if (!fitted)
        return;
    for (size_t i = 0; i < fitted->tree_count; i++)
        tree_free(&fitted->trees[i]);
    free(fitted->trees);
    free(fitted->base);
    free(fitted->present);
    free(fitted);
}

static int find_vectors(const struct boosting *boosting, xy_job *job, const xy_examples *examples,
                        const float **vectors, size_t *dimension)
{
    *vectors = examples->vectors;
    *dimension = examples->dimension;
    if (*vectors)
        return XY_OK;
    if (!boosting->embed || !examples->texts)
        return xy_fail(job, XY_EINVAL, "`boosting` learns from numbers and got texts: name fields "
                       "of numbers (`features`, or `vector`) in the step, or a model that embeds "
                       "the texts (`embed`) in the learner");
    return boosting->model->embed(job, boosting->embed, examples->texts, examples->count, vectors,
                                  dimension);
}

/* ---- margins --------------------------------------------------------------------------------- */

/* From the outputs' margins to the probabilities of the classes present. */
static void judge(const struct fitted *fitted, const double *margins, double *p)
{
    if (fitted->outputs == 1) {
        p[1] = 1 / (1 + exp(-margins[0]));
        p[0] = 1 / (1 + exp(margins[0]));
        return;
    }
    double highest = -INFINITY, sum = 0;
    for (uint32_t k = 0; k < fitted->outputs; k++)
        highest = fmax(highest, margins[k]);
    for (uint32_t k = 0; k < fitted->outputs; k++)
        sum += p[k] = exp(margins[k] - highest);
    for (uint32_t k = 0; k < fitted->outputs; k++)
        p[k] /= sum;
}

/* Rows with the margins that the stages so far have given them. */
struct seats {
    const float *vectors;
    size_t count;
    double *margins; /* count x outputs */
};

static void sit(const struct fitted *fitted, const struct seats *seats)
{
    for (size_t i = 0; i < seats->count; i++)
        memcpy(seats->margins + i * fitted->outputs, fitted->base,
               fitted->outputs * sizeof(double));
}

/* Adds what one tree says. */
static void raise_margins(const struct fitted *fitted, const struct seats *seats, size_t tree)
{
    uint32_t output = (uint32_t)(tree % fitted->outputs);
    for (size_t i = 0; i < seats->count; i++)
        seats->margins[i * fitted->outputs + output] +=
            tree_value(&fitted->trees[tree], seats->vectors + i * fitted->dimension);
}

static void write_probabilities(const struct fitted *fitted, const struct seats *seats, double *p,
                                float *out)
{
    memset(out, 0, seats->count * fitted->classes * sizeof(*out));
    for (size_t i = 0; i < seats->count; i++) {
        judge(fitted, seats->margins + i * fitted->outputs, p);
        for (uint32_t k = 0; k < fitted->present_count; k++)
            out[i * fitted->classes + fitted->present[k]] = (float)p[k];
    }
}

/* ---- training -------------------------------------------------------------------------------- */

struct lesson {
    const struct boosting *boosting;
    xy_job *job;
    const xy_examples *examples;
    struct seats seats, watched;
    struct fitted *fitted;
    struct tree_bins bins;
    double *slopes;       /* outputs x count x 2 */
    double *p;            /* of one row, in the order of `present` */
    float *probabilities; /* stages x watched x classes, or NULL */
};

static double cost_of(const xy_examples *examples, size_t row)
{
    return examples->weights ? (double)examples->weights[row] : 1;
}

/* An output starts at the class's share of the examples: the best guess that asks nothing. */
static void find_base(struct lesson *lesson)
{
    struct fitted *fitted = lesson->fitted;
    double *shares = lesson->p;
    memset(shares, 0, fitted->present_count * sizeof(*shares));
    for (size_t i = 0; i < lesson->examples->count; i++)
        for (uint32_t k = 0; k < fitted->present_count; k++)
            shares[k] += cost_of(lesson->examples, i) *
                         learner_target(lesson->examples, i, fitted->present[k]);
    if (fitted->outputs == 1)
        fitted->base[0] = log(shares[1] / shares[0]);
    else
        for (uint32_t k = 0; k < fitted->outputs; k++)
            fitted->base[k] = log(shares[k]);
}

/* The loss's derivatives by each margin: w (p - t), and w p (1 - p). */
static void find_slopes(struct lesson *lesson)
{
    const struct fitted *fitted = lesson->fitted;
    size_t count = lesson->examples->count;
    for (size_t i = 0; i < count; i++) {
        double cost = cost_of(lesson->examples, i);
        judge(fitted, lesson->seats.margins + i * fitted->outputs, lesson->p);
        for (uint32_t k = 0; k < fitted->outputs; k++) {
            uint32_t of = fitted->outputs == 1 ? 1 : k;
            double p = lesson->p[of];
            double *slopes = lesson->slopes + (k * count + i) * 2;
            slopes[0] = cost * (p - learner_target(lesson->examples, i, fitted->present[of]));
            slopes[1] = cost * p * (1 - p);
        }
    }
}

static int run_stage(struct lesson *lesson, struct tree_grower *grower, uint32_t stage)
{
    struct fitted *fitted = lesson->fitted;
    find_slopes(lesson);
    for (uint32_t k = 0; k < fitted->outputs; k++) {
        if (lesson->job->api->cancelled(lesson->job))
            return XY_ECANCELED;
        grower->slopes = lesson->slopes + k * lesson->examples->count * 2;
        int code = tree_grow(grower, &fitted->trees[fitted->tree_count++]);
        if (code < 0)
            return code;
    }
    for (size_t tree = fitted->tree_count - fitted->outputs; tree < fitted->tree_count; tree++) {
        raise_margins(fitted, &lesson->seats, tree);
        if (lesson->probabilities)
            raise_margins(fitted, &lesson->watched, tree);
    }
    if (lesson->probabilities)
        write_probabilities(fitted, &lesson->watched, lesson->p,
                            lesson->probabilities +
                                stage * lesson->watched.count * fitted->classes);
    return XY_OK;
}

static int train(struct lesson *lesson)
{
    const struct boosting *boosting = lesson->boosting;
    struct fitted *fitted = lesson->fitted;
    const struct tree_settings settings = {(uint32_t)boosting->depth, boosting->rate,
                                           boosting->lambda, boosting->least_weight,
                                           boosting->least_gain};
    struct tree_grower grower = {.bins = &lesson->bins, .settings = &settings};
    int code = tree_bins_fill(&lesson->bins, lesson->job, lesson->seats.vectors,
                              lesson->seats.count, fitted->dimension);
    if (code == XY_OK)
        code = tree_grower_init(&grower);
    if (code == XY_OK) {
        find_base(lesson);
        sit(fitted, &lesson->seats);
        if (lesson->probabilities)
            sit(fitted, &lesson->watched);
    }
    for (uint32_t stage = 0; stage < (uint32_t)boosting->stages && code == XY_OK; stage++)
        code = run_stage(lesson, &grower, stage);
    tree_grower_free(&grower);
    tree_bins_free(&lesson->bins);
    return code;
}

static int make_room(struct lesson *lesson, bool watched)
{
    struct fitted *fitted = lesson->fitted;
    size_t stages = (size_t)lesson->boosting->stages;
    size_t outputs = fitted->outputs;
    size_t watched_cells = stages * lesson->watched.count * fitted->classes;
    fitted->base = calloc(outputs, sizeof(*fitted->base));
    fitted->trees = calloc(stages * outputs, sizeof(*fitted->trees));
    size_t rows = lesson->seats.count, others = lesson->watched.count;
    lesson->slopes = calloc((3 * rows + others) * outputs + fitted->present_count + 1,
                            sizeof(*lesson->slopes));
    lesson->probabilities =
        watched ? lesson->job->api->alloc(lesson->job, (watched_cells + 1) * sizeof(float)) : NULL;
    if (!fitted->base || !fitted->trees || !lesson->slopes || (watched && !lesson->probabilities))
        return XY_ENOMEM;
    lesson->seats.margins = lesson->slopes + 2 * rows * outputs;
    lesson->watched.margins = lesson->seats.margins + rows * outputs;
    lesson->p = lesson->watched.margins + others * outputs;
    return XY_OK;
}

/* Finds rows and classes and makes room; what fit() and trace() share. */
static int set_up(struct lesson *lesson, const xy_examples *watched)
{
    const struct boosting *boosting = lesson->boosting;
    struct fitted *fitted = lesson->fitted;
    const xy_examples *examples = lesson->examples;
    size_t dimension = 0;
    fitted->classes = examples->classes;
    fitted->present = calloc(examples->classes + 1, sizeof(*fitted->present));
    int present = fitted->present ? learner_present(lesson->job, examples, fitted->present)
                                  : XY_ENOMEM;
    if (present < 0)
        return present;
    fitted->present_count = (uint32_t)present;
    fitted->outputs = present == 2 ? 1 : (uint32_t)present;
    int code = find_vectors(boosting, lesson->job, examples, &lesson->seats.vectors,
                            &fitted->dimension);
    if (code == XY_OK && watched)
        code = find_vectors(boosting, lesson->job, watched, &lesson->watched.vectors, &dimension);
    if (code < 0)
        return code;
    if (watched && dimension != fitted->dimension)
        return xy_fail(lesson->job, XY_EINVAL, "trained on rows of %zu numbers, asked about rows "
                       "of %zu", fitted->dimension, dimension);
    lesson->seats.count = examples->count;
    lesson->watched.count = watched ? watched->count : 0;
    return make_room(lesson, watched != NULL);
}

static int learn(struct lesson *lesson, const xy_examples *watched, void **out)
{
    lesson->fitted = calloc(1, sizeof(*lesson->fitted));
    int code = lesson->fitted ? set_up(lesson, watched) : XY_ENOMEM;
    if (code == XY_OK)
        code = train(lesson);
    free(lesson->slopes);
    if (code < 0) {
        release(lesson->boosting, lesson->fitted);
        return code;
    }
    *out = lesson->fitted;
    return XY_OK;
}

/* Nothing is drawn at random: the seed has no part in it. */
static int fit(const void *state, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **out)
{
    (void)seed;
    struct lesson lesson = {.boosting = state, .job = job, .examples = examples};
    return learn(&lesson, NULL, out);
}

static int trace(const void *state, xy_job *job, const xy_examples *examples,
                 const xy_examples *watched, uint64_t seed, const float **probabilities,
                 uint32_t *passes, void **out)
{
    (void)seed;
    struct lesson lesson = {.boosting = state, .job = job, .examples = examples};
    int code = learn(&lesson, watched, out);
    *probabilities = lesson.probabilities;
    *passes = (uint32_t)lesson.boosting->stages;
    return code;
}

/* ---- prediction ------------------------------------------------------------------------------ */

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct fitted *fitted = data;
    struct seats seats = {.count = examples->count};
    size_t dimension;
    int code = find_vectors(state, job, examples, &seats.vectors, &dimension);
    if (code < 0)
        return code;
    if (dimension != fitted->dimension)
        return xy_fail(job, XY_EINVAL, "trained on rows of %zu numbers, asked about rows of %zu",
                       fitted->dimension, dimension);
    seats.margins = calloc(seats.count * fitted->outputs + fitted->present_count,
                           sizeof(*seats.margins));
    if (!seats.margins)
        return XY_ENOMEM;
    sit(fitted, &seats);
    for (size_t tree = 0; tree < fitted->tree_count && code == XY_OK; tree++) {
        raise_margins(fitted, &seats, tree);
        code = job->api->cancelled(job) ? XY_ECANCELED : XY_OK;
    }
    write_probabilities(fitted, &seats, seats.margins + seats.count * fitted->outputs,
                        probabilities);
    free(seats.margins);
    return code;
}

static const xy_learner learner = {
    .size = sizeof(learner), .fit = fit, .predict = predict, .release = release, .trace = trace};

static const xy_stage boosting_stage = {
    XY_STAGE_INIT,
    .kind = XY_LEARNER,
    .state_size = sizeof(struct boosting),
    .id = "boosting",
    .version = "1.0.0",
    .summary = "Gradient-boosted trees over numbers, with the probabilities after each stage",
    .options = options,
    .open = open_boosting,
    .learner = &learner,
};

XY_PLUGIN("boosting", "1.0.0", "Apache-2.0", &boosting_stage)
