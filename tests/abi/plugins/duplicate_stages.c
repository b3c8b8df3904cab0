/* SPDX-License-Identifier: Apache-2.0 */
/* Two stages of one kind and name. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stage", .summary = "s", .process = process,
};

XY_PLUGIN("duplicate_stages", "1.0", "MIT", &stage, &stage)
