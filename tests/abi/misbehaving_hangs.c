/* SPDX-License-Identifier: Apache-2.0 */
/* Never comes back from an empty text. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state;
    static volatile int forever = 1;
    xy_str text = xy_get(job, "text");
    while (text.ptr && text.len == 0 && forever)
        continue;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,      .kind = XY_FILTER,
    .id = "hangs",      .summary = "Never comes back from an empty text.",
    .process = process,
};

XY_PLUGIN("hangs", "1.0", "MIT", &stage)
