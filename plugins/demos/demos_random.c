/* SPDX-License-Identifier: Apache-2.0 */
/* demos.random - demonstrations drawn at random, of the record's own label, or of all labels
 * alike; from one pool, or from two mixed. */
#include "demos.h"
#include "demos_draw.h"

struct random_demos {
    struct pool_options options;
    struct drawing drawing;
};

static const xy_option options[] = {
    POOL_OPTIONS,
    SECOND_OPTIONS,
    {.name = "balance", .type = XY_OPT_FIELD, .offset = POOL_AT(balance),
     .help = "Draws from each of this field's values as evenly as possible."},
    {.name = "weighted", .type = XY_OPT_BOOL, .offset = POOL_AT(weighted), .def = "false",
     .help = "Draws in proportion to the weights of the pool's records, never one of weight 0."},
    SHARE_OPTION(struct random_demos),
    {.name = "field", .type = XY_OPT_FIELD, .offset = POOL_AT(text_field), .def = "text",
     .help = "The text by which `exclude_self` knows a record again."},
    GIVE_OPTIONS,
    {0},
};

static int open_random(void *state, const xy_host *host)
{
    struct random_demos *demos = state;
    demos->options.query_field = demos->options.text_field;
    return drawing_open(&demos->drawing, host);
}

static int prepare(void *state, xy_job *job)
{
    struct random_demos *demos = state;
    return pool_read(&demos->drawing.pool, job, &demos->options);
}

static void close_random(void *state)
{
    struct random_demos *demos = state;
    pool_free(&demos->drawing.pool);
}

static int process(void *state, xy_job *job)
{
    struct random_demos *demos = state;
    return drawing_process(&demos->drawing, job, &demos->options);
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage demos_random = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct random_demos),
    .id = "demos.random",
    .version = "1.2.0",
    .summary = "Gives each record demonstrations drawn at random from a pool",
    .needs = needs,
    .options = options,
    .open = open_random,
    .prepare = prepare,
    .close = close_random,
    .process = process,
    .fields = "reads `match` and `field`, sets `into` and `ids`; rejects records below `least`",
};
