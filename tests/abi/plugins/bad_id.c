/* SPDX-License-Identifier: Apache-2.0 */
/* A name that no pipeline file could write. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "a stage!", .summary = "s", .process = process,
};

XY_PLUGIN("bad_id", "1.0", "MIT", &stage)
