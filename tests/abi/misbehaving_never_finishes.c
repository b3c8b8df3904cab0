/* SPDX-License-Identifier: Apache-2.0 */
/* Says that it will finish, and does not. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_PENDING;
}

static const xy_stage stage = {
    XY_STAGE_INIT,          .kind = XY_FILTER,
    .id = "never_finishes", .summary = "Says that it will finish, and does not.",
    .process = process,
};

XY_PLUGIN("never_finishes", "1.0", "MIT", &stage)
