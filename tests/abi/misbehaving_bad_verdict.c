/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with a number that is no verdict. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return 99;
}

static const xy_stage stage = {
    XY_STAGE_INIT,       .kind = XY_FILTER,
    .id = "bad_verdict", .summary = "Answers with a number that is no verdict.",
    .process = process,
};

XY_PLUGIN("bad_verdict", "1.0", "MIT", &stage)
