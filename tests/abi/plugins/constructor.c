/* SPDX-License-Identifier: Apache-2.0 */
/* Code that runs when the object is opened, before any check: allowed, it does no harm. */
#include <xylem/plugin.h>

static int constructed;

__attribute__((constructor)) static void construct(void)
{
    constructed = 1;
}

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return constructed ? XY_OK : XY_EBUG;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "constructor", .summary = "s", .process = process,
};

XY_PLUGIN("constructor", "1.0", "MIT", &stage)
