/* SPDX-License-Identifier: Apache-2.0 */
/* Probabilities that do not sum to 1. */
#include <stdlib.h>
#include <xylem/plugin.h>

static int fit(const void *state, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **fitted)
{
    (void)state, (void)job, (void)examples, (void)seed;
    *fitted = malloc(1);
    return *fitted ? XY_OK : XY_ENOMEM;
}

static int predict(const void *state, xy_job *job, const void *fitted, const xy_examples *examples,
                   float *probabilities)
{
    (void)state, (void)job, (void)fitted;
    for (size_t i = 0; i < examples->count * examples->classes; i++)
        probabilities[i] = 0.5f;
    return XY_OK;
}

static void release(const void *state, void *fitted)
{
    (void)state;
    free(fitted);
}

static const xy_learner learner = {sizeof(learner), fit, predict, release};
static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_LEARNER, .id = "unsure_learner", .summary = "Half, and half again.",
    .learner = &learner,
};

XY_PLUGIN("unsure_learner", "1.0", "MIT", &stage)
