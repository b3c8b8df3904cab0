/* SPDX-License-Identifier: Apache-2.0 */
/* Uses a function of a library that it does not link. */
#include <xylem/plugin.h>

int function_of_no_library(void);

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return function_of_no_library();
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "undefined", .summary = "s", .process = process,
};

XY_PLUGIN("undefined", "1.0", "MIT", &stage)
