/* SPDX-License-Identifier: Apache-2.0 */
/* Reentrant, but not on a worker. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stage", .summary = "s", .process = process,
    .flags = XY_STAGE_REENTRANT,
};

XY_PLUGIN("bad_flags", "1.0", "MIT", &stage)
