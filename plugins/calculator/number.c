/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"

#include <math.h>

typedef __int128 wide;

static wide common_divisor(wide a, wide b)
{
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    while (b) {
        wide rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A fraction that has become too long is carried on as a double. */
static struct number reduced(wide above, wide below)
{
    wide divisor = common_divisor(above, below);
    if (below < 0)
        divisor = -divisor;
    above /= divisor;
    below /= divisor;
    struct number number = {.value = (double)((long double)above / (long double)below)};
    number.exact = above >= -INT64_MAX && above <= INT64_MAX && below <= INT64_MAX;
    if (number.exact) {
        number.above = (int64_t)above;
        number.below = (int64_t)below;
    }
    return number;
}

static struct number inexact(double value)
{
    return (struct number){.value = value};
}

struct number number_of(int64_t integer)
{
    return reduced(integer, 1);
}

struct number number_of_double(double value)
{
    if (fabs(value) <= 0x1p53 && floor(value) == value)
        return number_of((int64_t)value);
    return inexact(value);
}

struct number number_fraction(int64_t above, int64_t below)
{
    return reduced(above, below);
}

bool number_is_zero(struct number a)
{
    return a.exact ? a.above == 0 : a.value == 0;
}

bool number_is_whole(struct number a)
{
    return a.exact && a.below == 1;
}

int number_compare(struct number a, struct number b)
{
    if (a.exact && b.exact) {
        wide left = (wide)a.above * b.below, right = (wide)b.above * a.below;
        return (left > right) - (left < right);
    }
    return (a.value > b.value) - (a.value < b.value);
}

struct number number_negate(struct number a)
{
    return a.exact ? reduced(-(wide)a.above, a.below) : inexact(-a.value);
}

struct number number_add(struct number a, struct number b)
{
    wide left, right, sum;
    if (!a.exact || !b.exact)
        return inexact(a.value + b.value);
    left = (wide)a.above * b.below;
    right = (wide)b.above * a.below;
    if (__builtin_add_overflow(left, right, &sum))
        return inexact(a.value + b.value);
    return reduced(sum, (wide)a.below * b.below);
}

struct number number_multiply(struct number a, struct number b)
{
    if (!a.exact || !b.exact)
        return inexact(a.value * b.value);
    return reduced((wide)a.above * b.above, (wide)a.below * b.below);
}

struct number number_divide(struct number a, struct number b)
{
    if (!a.exact || !b.exact)
        return inexact(a.value / b.value);
    return reduced((wide)a.above * b.below, (wide)a.below * b.above);
}

struct number number_floor(struct number a)
{
    if (!a.exact)
        return number_of_double(floor(a.value));
    /* The lower part of an exact number is above 0.
     * NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
    int64_t whole = a.above / a.below;
    return number_of(whole - (a.above % a.below < 0));
}

struct number number_floor_divide(struct number a, struct number b)
{
    return number_floor(number_divide(a, b));
}

struct number number_remainder(struct number a, struct number b)
{
    if (a.exact && b.exact) {
        struct number whole = number_floor_divide(a, b);
        return number_add(a, number_negate(number_multiply(whole, b)));
    }
    double rest = fmod(a.value, b.value);
    return inexact(rest != 0 && (rest < 0) != (b.value < 0) ? rest + b.value : rest);
}

struct number number_power(struct number a, struct number b)
{
    enum { MOST = 1024 }; /* no larger exact power fits, but those of 0, 1 and -1 */
    if (!a.exact || !number_is_whole(b) || b.above > MOST || b.above < -MOST)
        return number_of_double(pow(a.value, b.value));
    int64_t count = b.above < 0 ? -b.above : b.above;
    struct number result = number_of(1);
    for (int64_t i = 0; i < count && result.exact; i++)
        result = number_multiply(result, a);
    if (!result.exact)
        return inexact(pow(a.value, b.value));
    return b.above < 0 ? number_divide(number_of(1), result) : result;
}

static int64_t whole_root(int64_t value)
{
    int64_t root = (int64_t)sqrt((double)value);
    while ((wide)root * root > value)
        root--;
    while ((wide)(root + 1) * (root + 1) <= value)
        root++;
    return (wide)root * root == value ? root : -1;
}

struct number number_root(struct number a)
{
    if (a.exact && whole_root(a.above) >= 0 && whole_root(a.below) >= 0)
        return number_fraction(whole_root(a.above), whole_root(a.below));
    return inexact(sqrt(a.value));
}

struct number number_round(struct number a, int digits)
{
    struct number scale = number_power(number_of(10), number_of(digits));
    bool negative = a.value < 0;
    struct number scaled = number_multiply(negative ? number_negate(a) : a, scale);
    struct number whole = number_floor(number_add(scaled, number_fraction(1, 2)));
    struct number rounded = number_divide(whole, scale);
    return negative ? number_negate(rounded) : rounded;
}
