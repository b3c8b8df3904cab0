/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that an expression may call. */
#include <math.h>

#include "evaluate.h"

/* ---- of one argument, by double -------------------------------------------------------------- */

static const struct {
    const char *name;
    double (*function)(double);
} curves[] = {{"exp", exp},     {"log2", log2}, {"log10", log10}, {"sin", sin},   {"cos", cos},
              {"tan", tan},     {"asin", asin}, {"acos", acos},   {"atan", atan}};

/* ---- of whole numbers ------------------------------------------------------------------------ */

static int64_t divisor_of(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static const char *factorial(const struct number *arguments, struct number *out)
{
    enum { MOST = 170 }; /* 171! is no double any more */
    if (!number_is_whole(arguments[0]) || arguments[0].above < 0 || arguments[0].above > MOST)
        return "expects a whole number from 0 to 170";
    *out = number_of(1);
    for (int64_t i = 2; i <= arguments[0].above; i++)
        *out = number_multiply(*out, number_of(i));
    return NULL;
}

static const char *divisor(const struct number *arguments, bool multiple, struct number *out)
{
    if (!number_is_whole(arguments[0]) || !number_is_whole(arguments[1]))
        return "expects whole numbers";
    int64_t common = divisor_of(arguments[0].above, arguments[1].above);
    *out = number_of(common);
    if (multiple && common) {
        struct number part = number_of(arguments[0].above / common);
        *out = number_multiply(part, arguments[1]);
        if (out->value < 0)
            *out = number_negate(*out);
    }
    return NULL;
}

/* n! / (k! (n - k)!), by whole steps. */
static const char *combinations(const struct number *arguments, struct number *out)
{
    enum { MOST = 1000 };
    struct number n = arguments[0], k = arguments[1];
    if (!number_is_whole(n) || !number_is_whole(k) || n.above < 0 || k.above < 0 || n.above > MOST)
        return "expects two whole numbers, the first from 0 to 1000";
    *out = number_of(k.above <= n.above);
    for (int64_t i = 1; i <= k.above && k.above <= n.above; i++)
        *out = number_divide(number_multiply(*out, number_of(n.above - k.above + i)),
                             number_of(i));
    return NULL;
}

/* ---- the others ------------------------------------------------------------------------------ */

static const char *extreme(const struct number *arguments, int count, int sign,
                           struct number *out)
{
    *out = arguments[0];
    for (int i = 1; i < count; i++) {
        if (number_compare(arguments[i], *out) * sign > 0)
            *out = arguments[i];
    }
    return NULL;
}

static const char *rounded(const struct number *arguments, int count, struct number *out)
{
    struct number digits = count > 1 ? arguments[1] : number_of(0);
    if (!number_is_whole(digits) || digits.above < -15 || digits.above > 15)
        return "expects -15 to 15 decimals";
    *out = number_round(arguments[0], (int)digits.above);
    return NULL;
}

static const char *logarithm(const struct number *arguments, int count, struct number *out)
{
    double base = count > 1 ? arguments[1].value : 0;
    if (arguments[0].value <= 0 || (count > 1 && (base <= 0 || base == 1)))
        return "expects more than 0, and a base that is not 1";
    *out = number_of_double(log(arguments[0].value) / (count > 1 ? log(base) : 1));
    return NULL;
}

static const char *root(const struct number *arguments, struct number *out)
{
    if (arguments[0].value < 0)
        return "the root of a negative number is no real number";
    *out = number_root(arguments[0]);
    return NULL;
}

static const char *simple(char which, const struct number *arguments, struct number *out)
{
    struct number a = arguments[0];
    if (which == 'a')
        *out = a.value < 0 ? number_negate(a) : a;
    else if (which == 'f')
        *out = number_floor(a);
    else
        *out = number_negate(number_floor(number_negate(a)));
    return NULL;
}

static const struct {
    const char *name;
    int least, most;
} known[] = {{"abs", 1, 1},  {"floor", 1, 1}, {"ceil", 1, 1}, {"sqrt", 1, 1}, {"factorial", 1, 1},
             {"gcd", 2, 2},  {"lcm", 2, 2},   {"comb", 2, 2}, {"min", 1, 16}, {"max", 1, 16},
             {"round", 1, 2}, {"log", 1, 2}};

enum { KNOWN = sizeof(known) / sizeof(known[0]), CURVES = sizeof(curves) / sizeof(curves[0]) };

static bool is(xy_str name, const char *word)
{
    return name.len == strlen(word) && memcmp(name.ptr, word, name.len) == 0;
}

static const char *by_index(size_t index, const struct number *arguments, int count,
                            struct number *out)
{
    switch (index) {
    case 0:
    case 1:
    case 2: return simple("afc"[index], arguments, out);
    case 3: return root(arguments, out);
    case 4: return factorial(arguments, out);
    case 5:
    case 6: return divisor(arguments, index == 6, out);
    case 7: return combinations(arguments, out);
    case 8:
    case 9: return extreme(arguments, count, index == 8 ? -1 : 1, out);
    case 10: return rounded(arguments, count, out);
    default: return logarithm(arguments, count, out);
    }
}

const char *evaluate_function(xy_str name, const struct number *arguments, int count,
                              struct number *out)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (!is(name, known[i].name))
            continue;
        if (count < known[i].least || count > known[i].most)
            return known[i].most == 1 ? "expects one argument" : "another number of arguments";
        return by_index(i, arguments, count, out);
    }
    for (size_t i = 0; i < CURVES; i++) {
        if (!is(name, curves[i].name))
            continue;
        if (count != 1)
            return "expects one argument";
        *out = number_of_double(curves[i].function(arguments[0].value));
        return NULL;
    }
    return "no such function; there are abs, floor, ceil, round, sqrt, min, max, factorial, gcd, "
           "lcm, comb, log, log2, log10, exp, sin, cos, tan, asin, acos, atan";
}
