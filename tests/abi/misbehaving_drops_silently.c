/* SPDX-License-Identifier: Apache-2.0 */
/* Drops records without a reason. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_DROP;
}

static const xy_stage stage = {
    XY_STAGE_INIT,          .kind = XY_FILTER,
    .id = "drops_silently", .summary = "Drops records without a reason.",
    .process = process,
};

XY_PLUGIN("drops_silently", "1.0", "MIT", &stage)
