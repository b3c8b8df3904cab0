/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a text into a buffer that is too small for some. */
#include <stdlib.h>
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state;
    char copy[4096];
    xy_str text = xy_get(job, "text");
    if (text.len > sizeof(copy))
        abort(); /* what a fortified memcpy() does */
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return text.len && copy[0] ? XY_OK : xy_drop(job, "empty");
}

static const xy_stage stage = {
    XY_STAGE_INIT,           .kind = XY_FILTER,
    .id = "crashes_on_huge", .summary = "Copies a text into a buffer that is too small for some.",
    .process = process,
};

XY_PLUGIN("crashes_on_huge", "1.0", "MIT", &stage)
