/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the name of a step that the language has. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "repeat", .summary = "s", .process = process,
};

XY_PLUGIN("reserved_id", "1.0", "MIT", &stage)
