/* SPDX-License-Identifier: Apache-2.0 */
/* A whole-dataset filter without run(). */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stage", .summary = "s", .process = process,
    .flags = XY_STAGE_DATASET,
};

XY_PLUGIN("no_run", "1.0", "MIT", &stage)
