/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a field that is not there. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state;
    const volatile char *text = xy_get(job, "text").ptr;
    return text[0] ? XY_OK : xy_drop(job, "empty");
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "crashes_on_missing_field",
    .summary = "Reads a field that is not there.",
    .process = process,
};

XY_PLUGIN("crashes_on_missing_field", "1.0", "MIT", &stage)
