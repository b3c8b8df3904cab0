/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a service by a name without a revision. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stage", .summary = "s", .process = process,
    .needs = (const char *const[]){"xylem.log", NULL},
};

XY_PLUGIN("bad_need", "1.0", "MIT", &stage)
