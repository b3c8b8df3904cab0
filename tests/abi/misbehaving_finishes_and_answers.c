/* SPDX-License-Identifier: Apache-2.0 */
/* Finishes a job and answers too. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state;
    job->api->finish(job, XY_OK);
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "finishes_and_answers",
    .summary = "Finishes a job and answers too.",
    .process = process,
};

XY_PLUGIN("finishes_and_answers", "1.0", "MIT", &stage)
