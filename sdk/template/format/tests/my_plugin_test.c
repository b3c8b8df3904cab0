/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

static int failures;

static void check(const char *line, const char *expected)
{
    xy_str text = without_end(line, strlen(line));
    if (text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0)
        return;
    failures++;
    printf("got `%.*s`, expected `%s`\n", (int)text.len, text.ptr, expected);
}

int main(void)
{
    check("a line\n", "a line");
    check("a line\r\n", "a line");
    check("the last line", "the last line");
    check("\n", "");
    check("", "");
    return failures != 0;
}
