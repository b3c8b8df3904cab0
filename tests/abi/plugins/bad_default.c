/* SPDX-License-Identifier: Apache-2.0 */
/* A default that its own range refuses. */
#include <xylem/plugin.h>

struct state {
    int64_t number;
    const char *text;
};

static const xy_option options[] = {
    {"number", XY_OPT_INT, 0, "11", 0, 1, 10, NULL, "h"},
    {0},
};

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stage", .summary = "s", .process = process,
    .state_size = sizeof(struct state), .options = options,
};

XY_PLUGIN("bad_default", "1.0", "MIT", &stage)
