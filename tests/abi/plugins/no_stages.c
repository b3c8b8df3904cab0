/* SPDX-License-Identifier: Apache-2.0 */
/* Describes nothing. */
#include <xylem/plugin.h>

XY_EXPORT const xy_plugin *xy_plugin_v1(void)
{
    static const xy_stage *const stages[] = {NULL};
    static const xy_plugin plugin = {sizeof(plugin), XY_ABI_MAJOR, XY_ABI_MINOR, 0,
                                     "none", "1.0", "MIT", stages};
    return &plugin;
}
