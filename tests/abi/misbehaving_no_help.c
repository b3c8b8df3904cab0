/* SPDX-License-Identifier: Apache-2.0 */
/* An option that says nothing of itself. */
#include <xylem/plugin.h>

struct state {
    int64_t number;
};

static const xy_option options[] = {
    {"number", XY_OPT_INT, offsetof(struct state, number), "1", 0, 0, 9, NULL, NULL},
    {0},
};

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "no_help",
    .summary = "An option that says nothing of itself.",
    .state_size = sizeof(struct state),
    .options = options,
    .process = process,
};

XY_PLUGIN("no_help", "1.0", "MIT", &stage)
