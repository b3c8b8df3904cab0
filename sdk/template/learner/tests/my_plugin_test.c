/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's own functions, called directly: its source is part of this program. */
#include "../my_plugin.c"

static int failures;

static void check(double actual, double expected, const char *what)
{
    if (actual - expected < 1e-9 && expected - actual < 1e-9)
        return;
    failures++;
    printf("%s: got %g, expected %g\n", what, actual, expected);
}

int main(void)
{
    const int32_t labels[] = {0, 1, 1, 1};
    const float weights[] = {3, 1, 1, 1};
    xy_examples examples = {
        .size = sizeof(examples), .classes = 2, .count = 4, .labels = labels};
    double share[2];
    count_shares(&examples, 0, share);
    check(share[1], 0.75, "three of four");
    count_shares(&examples, 2, share);
    check(share[1], 5.0 / 8, "with a prior of two each");
    examples.weights = weights;
    count_shares(&examples, 0, share);
    check(share[1], 0.5, "weighted");
    examples.count = 0;
    count_shares(&examples, 0, share);
    check(share[0], 0.5, "nothing seen");
    return failures != 0;
}
