/* SPDX-License-Identifier: Apache-2.0 */
/* A filter without process(). */
#include <xylem/plugin.h>

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stage", .summary = "s",
};

XY_PLUGIN("no_process", "1.0", "MIT", &stage)
