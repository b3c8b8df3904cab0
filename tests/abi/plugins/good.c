/* SPDX-License-Identifier: Apache-2.0 */
/* What every other file here breaks in one place: a filter and a generator that load. */
#include <xylem/plugin.h>

struct state {
    int64_t most;
    const char *field;
};

static const xy_option options[] = {
    {"most", XY_OPT_INT, offsetof(struct state, most), "10", 0, 1, 100, NULL, "Words at most."},
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "text", 0, 0, 0, NULL, "The field."},
    {0},
};

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const char *const needs[] = {XY_LOG, NULL};

static const xy_stage good = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "good", .version = "1.0", .summary = "Keeps all.",
    .state_size = sizeof(struct state), .options = options, .needs = needs, .process = process,
};

static uint32_t can(const void *state)
{
    (void)state;
    return XY_COMPLETE;
}

static int submit(void *state, xy_call *call)
{
    (void)state, (void)call;
    return XY_EUNSUPPORTED;
}

static void cancel(void *state, xy_call *call)
{
    (void)state, (void)call;
}

static const xy_generator table = {sizeof(table), can, submit, cancel};
static const xy_stage model = {
    XY_STAGE_INIT,       .kind = XY_GENERATOR, .id = "good", .summary = "Refuses all.",
    .generator = &table,
};

XY_PLUGIN("good", "1.2.3", "Apache-2.0", &good, &model)
