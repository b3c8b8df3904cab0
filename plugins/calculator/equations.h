/* SPDX-License-Identifier: Apache-2.0 */
/* equations.h - the arithmetic that a text claims: "48 / 2 = 24", also in chains and as the
 * calculator annotations of GSM8K (Cobbe et al. 2021), <<48/2=24>>. [any] */
#ifndef XYLEM_PLUGINS_CALCULATOR_EQUATIONS_H
#define XYLEM_PLUGINS_CALCULATOR_EQUATIONS_H

#include "evaluate.h"

struct equations {
    uint32_t count, wrong;    /* equations whose two sides are arithmetic; those that do not hold */
    struct number last;       /* the right side of the last one */
    char first_wrong[EVALUATE_WHY]; /* "48 / 2 = 25, but 48 / 2 is 24" */
};

/* Both sides of each `=` are read as far as they are numbers and operators, on one line; it counts
 * when both have a value and one of them has an operator. They are equal within `tolerance`
 * (relative to the larger, absolute below 1), or, when the right side is a decimal with two
 * decimals or more, when it is the left one rounded. */
void equations_check(xy_str text, double tolerance, struct equations *out);

/* Are they equal within `tolerance`: exactly when both are exact and it is 0. */
bool equations_equal(struct number a, struct number b, double tolerance);

#endif
