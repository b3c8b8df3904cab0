/* SPDX-License-Identifier: Apache-2.0 */
/* Forgot XY_STAGE_INIT: the stage says that it has no bytes. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    .kind = XY_FILTER, .id = "small", .summary = "s", .process = process,
};

XY_PLUGIN("small", "1.0", "MIT", &stage)
