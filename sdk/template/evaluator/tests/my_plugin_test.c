/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

int main(void)
{
    int failures = 0;
    failures += mean(10, 4) != 2.5;
    failures += mean(0, 0) != 0; /* no records */
    if (failures)
        printf("%d wrong means\n", failures);
    return failures != 0;
}
