/* SPDX-License-Identifier: Apache-2.0 */
/* options_parse.c - numbers, counts and durations as people write them, strictly.
 *
 * Nothing here looks at the locale: a decimal comma in the environment must not change a pipeline.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options_parse.h"

enum { NUMBER_TEXT = 64, DIGITS = 1000 };

/* One decimal number at the start of a text: its digits without the point, and the power of ten
 * that they stand before. */
struct decimal {
    bool negative;
    size_t length; /* bytes of the text that it took; 0: there is no number */
    uint64_t digits;
    bool overflowed;
    int exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void take_digit(struct decimal *out, char digit)
{
    uint64_t next;
    if (__builtin_mul_overflow(out->digits, (uint64_t)10, &next) ||
        __builtin_add_overflow(next, (uint64_t)(digit - '0'), &next))
        out->overflowed = true;
    else
        out->digits = next;
}

/* Takes a sign where one stands; whether it is a minus. */
static bool read_sign(xy_str text, size_t *at)
{
    if (*at >= text.len || (text.ptr[*at] != '-' && text.ptr[*at] != '+'))
        return false;
    return text.ptr[(*at)++] == '-';
}

/* e [+-] digits; where no digit follows, the `e` is not part of the number. */
static void read_exponent(xy_str text, size_t *at, struct decimal *out)
{
    size_t mark = *at + 1;
    bool down = read_sign(text, &mark);
    int power = 0;
    size_t first = mark;
    for (; mark < text.len && is_digit(text.ptr[mark]); mark++)
        if (power < DIGITS)
            power = power * 10 + (text.ptr[mark] - '0');
    if (mark > first) {
        out->exponent += down ? -power : power;
        *at = mark;
    }
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. */
static struct decimal read_decimal(xy_str text)
{
    struct decimal out = {0};
    size_t at = 0, seen = 0;
    out.negative = read_sign(text, &at);
    for (; at < text.len && is_digit(text.ptr[at]); at++, seen++)
        take_digit(&out, text.ptr[at]);
    if (at < text.len && text.ptr[at] == '.')
        for (at++; at < text.len && is_digit(text.ptr[at]); at++, seen++) {
            take_digit(&out, text.ptr[at]);
            out.exponent--;
        }
    if (seen == 0)
        return (struct decimal){0};
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E'))
        read_exponent(text, &at, &out);
    out.length = at;
    return out;
}

/* digits * 10^exponent as a whole number; false when it is none, or too large. */
static bool decimal_integer(struct decimal decimal, int64_t *out)
{
    if (decimal.overflowed)
        return false;
    while (decimal.exponent < 0) {
        if (decimal.digits == 0)
            break;
        if (decimal.digits % 10 != 0)
            return false;
        decimal.digits /= 10;
        decimal.exponent++;
    }
    for (; decimal.exponent > 0 && decimal.digits > 0; decimal.exponent--)
        if (__builtin_mul_overflow(decimal.digits, (uint64_t)10, &decimal.digits))
            return false;
    uint64_t most = (uint64_t)INT64_MAX + decimal.negative;
    if (decimal.digits > most)
        return false;
    *out = decimal.negative ? (int64_t)(0 - decimal.digits) : (int64_t)decimal.digits;
    return true;
}

int parse_count(xy_str text, int64_t *out)
{
    struct decimal decimal = read_decimal(text);
    if (decimal.length == 0)
        return XY_EINVAL;
    if (decimal.length + 1 == text.len) {
        switch (text.ptr[decimal.length]) {
        case 'k': case 'K': decimal.exponent += 3; break;
        case 'M': decimal.exponent += 6; break;
        case 'G': decimal.exponent += 9; break;
        default: return XY_EINVAL;
        }
    } else if (decimal.length != text.len) {
        return XY_EINVAL;
    }
    return decimal_integer(decimal, out) ? 0 : XY_EINVAL;
}

int parse_number(xy_str text, double *out)
{
    char copy[NUMBER_TEXT];
    if (text.len == 0 || text.len >= sizeof(copy) || read_decimal(text).length != text.len)
        return XY_EINVAL;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return XY_EINVAL;
    double number = strtod_l(copy, NULL, plain);
    freelocale(plain);
    if (!isfinite(number))
        return XY_EINVAL;
    *out = number;
    return 0;
}

int parse_seconds(xy_str text, double *out)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1},   {"us", 1e-6}, {"ms", 1e-3}, {"s", 1},
                 {"m", 60}, {"h", 3600},  {"d", 86400}};
    size_t length = read_decimal(text).length;
    double number;
    if (length == 0 || parse_number((xy_str){text.ptr, length}, &number) < 0 || number < 0)
        return XY_EINVAL;
    xy_str unit = {text.ptr + length, text.len - length};
    if (unit.len > 1 && unit.ptr[0] == ' ')
        unit.ptr++, unit.len--;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (str_is(unit, units[i].name)) {
            *out = number * units[i].seconds;
            return isfinite(*out) ? 0 : XY_EINVAL;
        }
    return XY_EINVAL;
}
