/* SPDX-License-Identifier: Apache-2.0 */
/* An evaluator that edits. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state;
    xy_record_set_int(job->api->input(job, 0), "score", 1);
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .id = "changes_what_it_evaluates",
    .summary = "An evaluator that edits.",
    .process = process,
};

XY_PLUGIN("changes_what_it_evaluates", "1.0", "MIT", &stage)
