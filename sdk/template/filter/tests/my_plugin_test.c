/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

static int failures;

static void check(int64_t actual, int64_t expected, const char *what)
{
    if (actual == expected)
        return;
    failures++;
    printf("%s: got %lld, expected %lld\n", what, (long long)actual, (long long)expected);
}

int main(void)
{
    check(count_words(xy_text("")), 0, "no text");
    check(count_words(xy_text("   ")), 0, "spaces only");
    check(count_words(xy_text("one")), 1, "one word");
    check(count_words(xy_text("  two  words ")), 2, "spaces around");
    check(count_words((xy_str){NULL, 0}), 0, "an absent field");
    return failures != 0;
}
