/* SPDX-License-Identifier: Apache-2.0 */
/* The entry returns nothing. */
#include <xylem/plugin.h>

XY_EXPORT const xy_plugin *xy_plugin_v1(void)
{
    return NULL;
}
