/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a count outside its state. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state;
    static int seen;
    xy_record_set_int(job->api->input(job, 0), "seen", ++seen);
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,          .kind = XY_FILTER,
    .id = "not_repeatable", .summary = "Keeps a count outside its state.",
    .process = process,
};

XY_PLUGIN("not_repeatable", "1.0", "MIT", &stage)
