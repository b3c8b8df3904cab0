/* SPDX-License-Identifier: Apache-2.0 */
/* Forgot its kind. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .id = "stage", .summary = "s", .process = process,
};

XY_PLUGIN("bad_kind", "1.0", "MIT", &stage)
