/* SPDX-License-Identifier: Apache-2.0 */
/* A source that answers as if it had input. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .id = "endless_source_of_nothing",
    .summary = "A source that answers as if it had input.",
    .flags = XY_STAGE_SOURCE,
    .process = process,
};

XY_PLUGIN("endless_source_of_nothing", "1.0", "MIT", &stage)
