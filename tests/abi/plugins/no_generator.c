/* SPDX-License-Identifier: Apache-2.0 */
/* A generator without its table. */
#include <xylem/plugin.h>

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_GENERATOR, .id = "stage", .summary = "s",
};

XY_PLUGIN("no_generator", "1.0", "MIT", &stage)
