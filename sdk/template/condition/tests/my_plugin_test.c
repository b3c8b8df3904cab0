/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

static int failures;

static void check(const char *actual, const char *expected, const char *what)
{
    if (actual == expected || (actual && expected && strcmp(actual, expected) == 0))
        return;
    failures++;
    printf("%s: got %s, expected %s\n", what, actual ? actual : "none",
           expected ? expected : "none");
}

int main(void)
{
    const char *const values[] = {"a", "b", NULL};
    const char *const none[] = {NULL};
    struct state state = {.values = values, .times = 2};
    check(value_at(&state, 0), "a", "the first");
    check(value_at(&state, 3), "b", "the last of the second time");
    check(value_at(&state, 4), NULL, "past the end");
    failures += estimate(&state) != 4;
    state.values = none;
    check(value_at(&state, 0), NULL, "no values");
    return failures != 0;
}
