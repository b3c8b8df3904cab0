/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

static int failures;

static void check(int correct, const char *what)
{
    if (correct)
        return;
    failures++;
    printf("wrong: %s\n", what);
}

int main(void)
{
    char out[8];
    capitals(xy_text("aZ 1z"), out);
    check(memcmp(out, "AZ 1Z", 5) == 0, "capitals");
    check(cut(xy_text("abc"), 10) == 3, "a short text");
    check(cut(xy_text("abc"), 2) == 2, "a long text");
    check(cut(xy_text("a\xc3\xa9"), 2) == 1, "not within a character");
    check(cut(xy_text("a\xc3\xa9"), 3) == 3, "a whole character");
    return failures != 0;
}
