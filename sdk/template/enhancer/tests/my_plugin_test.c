/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

static int failures;

static void check(const char *label, const char *expected)
{
    char out[64];
    size_t length = normalize(xy_text(label), out);
    if (length == strlen(expected) && memcmp(out, expected, length) == 0)
        return;
    failures++;
    printf("`%s`: got `%.*s`, expected `%s`\n", label, (int)length, out, expected);
}

int main(void)
{
    check("Positive", "positive");
    check("  very GOOD ", "very good");
    check("   ", "");
    check("", "");
    check("\xc3\x89tat", "\xc3\x89tat"); /* only ASCII letters change */
    return failures != 0;
}
