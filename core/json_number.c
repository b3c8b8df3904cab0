/* SPDX-License-Identifier: Apache-2.0 */
/* Text to number, exactly: integers in int64, everything else the nearest double. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "json_internal.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A token taken apart: value = digits * 10^exponent, when digits_exact. */
struct decimal {
    uint64_t digits;
    int64_t exponent;
    bool negative, whole, digits_exact;
};

static struct decimal take_apart(xy_str token)
{
    /* Above any length of a token, so that no fraction can bring such an exponent back. */
    const int64_t exponent_limit = INT64_C(100000000000000000);
    struct decimal decimal = {.whole = true, .digits_exact = true};
    const char *at = token.ptr, *end = token.ptr + token.len;
    decimal.negative = *at == '-';
    at += decimal.negative;
    for (; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            decimal.whole = false;
            continue;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        if (__builtin_mul_overflow(decimal.digits, (uint64_t)10, &decimal.digits) ||
            __builtin_add_overflow(decimal.digits, digit, &decimal.digits))
            decimal.digits_exact = false;
        decimal.exponent -= !decimal.whole;
    }
    if (at == end)
        return decimal;
    decimal.whole = false;
    at++; /* e or E */
    bool negative = *at == '-';
    at += negative || *at == '+';
    int64_t exponent = 0;
    for (; at < end; at++) {
        if (exponent < exponent_limit)
            exponent = exponent * 10 + (*at - '0');
    }
    decimal.exponent += negative ? -exponent : exponent;
    return decimal;
}

/* Clinger 1990, "How to read floating point numbers accurately", the exact case: digits below 2^53
 * and a power of ten that is itself a double make one correctly rounded operation. */
static bool exact_case(const struct decimal *decimal, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (!decimal->digits_exact || decimal->digits > (uint64_t)1 << 53 || decimal->exponent < -22 ||
        decimal->exponent > 22)
        return false;
    double digits = (double)decimal->digits;
    double number = decimal->exponent < 0 ? digits / powers[-decimal->exponent]
                                          : digits * powers[decimal->exponent];
    *out = decimal->negative ? -number : number;
    return true;
}

bool json_number(xy_str token, struct value *out)
{
    struct decimal decimal = take_apart(token);
    uint64_t limit = (uint64_t)INT64_MAX + decimal.negative;
    if (decimal.whole && decimal.digits_exact && decimal.digits <= limit) {
        /* Negated as unsigned, since the least integer has no positive counterpart. */
        *out = value_int((int64_t)(decimal.negative ? 0 - decimal.digits : decimal.digits));
        return true;
    }
    double number;
    if (!exact_case(&decimal, &number)) {
        /* The C locale is a constant of libc: this neither allocates nor has to be freed. */
        locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        number = strtod_l(token.ptr, NULL, c_locale);
        freelocale(c_locale);
    }
    *out = value_number(number);
    return isfinite(number);
}

int32_t json_hexadecimal(const char *digits)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        int32_t digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}
