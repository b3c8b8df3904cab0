/* SPDX-License-Identifier: Apache-2.0 */
#include "../stutter.c"

static int failures;

static void check(xy_str text, int64_t expected)
{
    int64_t run = longest_run(text);
    if (run == expected)
        return;
    failures++;
    printf("`%.*s`: got %lld, expected %lld\n", (int)text.len, text.len ? text.ptr : "",
           (long long)run, (long long)expected);
}

int main(void)
{
    check((xy_str){NULL, 0}, 0);
    check(xy_text("   "), 0);
    check(xy_text("one two three"), 1);
    check(xy_text("very very\tvery good"), 3);
    check(xy_text("a b a b a"), 1);
    check(xy_text("no  no\nno no"), 4);
    check((xy_str){"a\0a a\0a", 7}, 2); /* a NUL byte is a byte like any other */
    return failures != 0;
}
