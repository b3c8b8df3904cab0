/* SPDX-License-Identifier: Apache-2.0 */
/* Says that it cannot run in a host as old as this one. */
#include <xylem/plugin.h>

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "newer", .summary = "s", .process = process,
};

XY_EXPORT const xy_plugin *xy_plugin_v1(void)
{
    static const xy_stage *const stages[] = {&stage, NULL};
    static const xy_plugin plugin = {sizeof(plugin), XY_ABI_MAJOR, XY_ABI_MINOR + 3,
                                     XY_ABI_MINOR + 3, "newer", "1.0", "MIT", stages};
    return &plugin;
}
