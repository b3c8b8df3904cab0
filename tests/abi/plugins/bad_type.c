/* SPDX-License-Identifier: Apache-2.0 */
/* An option of a type that no host of this minor knows. */
#include <xylem/plugin.h>

struct state {
    int64_t number;
    const char *text;
};

static const xy_option options[] = {
    {"number", 99, 0, NULL, 0, 0, 0, NULL, "h"},
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

XY_PLUGIN("bad_type", "1.0", "MIT", &stage)
