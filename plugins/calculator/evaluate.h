/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - the value of an arithmetic expression. [any] */
#ifndef XYLEM_PLUGINS_CALCULATOR_EVALUATE_H
#define XYLEM_PLUGINS_CALCULATOR_EVALUATE_H

#include <xylem/plugin.h>

#include "number.h"

enum { EVALUATE_LENGTH = 10000, EVALUATE_DEPTH = 64, EVALUATE_WHY = 256 };

/* 0 with *out finite, or XY_EINVAL with what is wrong and where in `why`. */
int evaluate(xy_str expression, struct number *out, char why[EVALUATE_WHY]);

/* A function's value; NULL when it is known and its arguments fit, else what is wrong with them.
 * Arguments are finite. */
const char *evaluate_function(xy_str name, const struct number *arguments, int count,
                              struct number *out);

#endif
