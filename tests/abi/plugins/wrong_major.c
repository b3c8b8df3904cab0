/* SPDX-License-Identifier: Apache-2.0 */
/* Of another major: its entry has another name, and calling it would be wrong. */
#include <stdlib.h>
#include <xylem/plugin.h>

XY_EXPORT const void *xy_plugin_v2(void);
const void *xy_plugin_v2(void)
{
    abort();
}
