/* SPDX-License-Identifier: Apache-2.0 */
/* number.h - numbers that stay exact while they can: fractions of 64-bit integers in lowest terms,
 * with 0.1 being 1/10; what does not fit, and what has no fraction (a root, a sine), is a double.
 * [any] */
#ifndef XYLEM_PLUGINS_CALCULATOR_NUMBER_H
#define XYLEM_PLUGINS_CALCULATOR_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

struct number {
    bool exact;
    int64_t above, below; /* exact: the fraction, below > 0 */
    double value;         /* always: the nearest double */
};

struct number number_of(int64_t integer);
struct number number_of_double(double value); /* a whole double of at most 2^53 is exact */
/* above / below in lowest terms; below must not be 0. */
struct number number_fraction(int64_t above, int64_t below);
bool number_is_zero(struct number a);
bool number_is_whole(struct number a); /* exact and an integer */
/* -1, 0 or 1; exact where both are. */
int number_compare(struct number a, struct number b);

struct number number_negate(struct number a);
struct number number_add(struct number a, struct number b);
struct number number_multiply(struct number a, struct number b);
/* These three need a divisor that is not zero. The quotient is rounded down and the remainder has
 * the divisor's sign, as in Python. */
struct number number_divide(struct number a, struct number b);
struct number number_floor_divide(struct number a, struct number b);
struct number number_remainder(struct number a, struct number b);
/* NaN where there is no real result, infinite where it is too large. */
struct number number_power(struct number a, struct number b);
struct number number_root(struct number a); /* square root of a number that is not negative */
struct number number_floor(struct number a);
/* To `digits` decimals, halves away from zero. */
struct number number_round(struct number a, int digits);

#endif
