/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - the learner that every other one must beat: it predicts how often each class was
 * seen. */
#include <stdlib.h>
#include <xylem/plugin.h>

struct state {
    double prior;
};

static const xy_option options[] = {
    {"prior", XY_OPT_NUMBER, offsetof(struct state, prior), "1", 0, 0, 1000, NULL,
     "Added to the count of each class."},
    {0},
};

/* What fit() leaves: the share of each class. */
struct shares {
    uint32_t classes;
    double share[];
};

static double weight_of(const xy_examples *examples, size_t row, uint32_t class)
{
    double weight = examples->weights ? (double)examples->weights[row] : 1;
    if (examples->soft)
        return weight * (double)examples->soft[row * examples->classes + class];
    return examples->labels[row] == (int32_t)class ? weight : 0;
}

static void count_shares(const xy_examples *examples, double prior, double *share)
{
    double total = 0;
    for (uint32_t class = 0; class < examples->classes; class++) {
        share[class] = prior;
        for (size_t row = 0; row < examples->count; row++)
            share[class] += weight_of(examples, row, class);
        total += share[class];
    }
    for (uint32_t class = 0; class < examples->classes; class++)
        share[class] = total > 0 ? share[class] / total : 1.0 / examples->classes;
}

static int fit(const void *data, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **fitted)
{
    (void)seed; /* nothing here is drawn */
    const struct state *state = data;
    if (examples->classes < 2)
        return xy_fail(job, XY_EINVAL, "%u classes: expected two or more", examples->classes);
    struct shares *shares = malloc(sizeof(*shares) + examples->classes * sizeof(double));
    if (!shares)
        return XY_ENOMEM;
    shares->classes = examples->classes;
    count_shares(examples, state->prior, shares->share);
    *fitted = shares;
    return XY_OK;
}

static int predict(const void *data, xy_job *job, const void *fitted, const xy_examples *examples,
                   float *probabilities)
{
    (void)data, (void)job;
    const struct shares *shares = fitted;
    for (size_t row = 0; row < examples->count; row++)
        for (uint32_t class = 0; class < shares->classes; class++)
            probabilities[row * shares->classes + class] = (float)shares->share[class];
    return XY_OK;
}

static void release(const void *data, void *fitted)
{
    (void)data;
    free(fitted);
}

static const xy_learner learner = {
    .size = sizeof(learner), .fit = fit, .predict = predict, .release = release};

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_LEARNER, .id = "my_plugin", .state_size = sizeof(struct state),
    .summary = "Predicts how often each class was seen.", .options = options, .learner = &learner,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
