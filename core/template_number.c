/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers to text and back as Python does it, whatever the locale. */
#include "template_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The first `precision` significant digits of a finite number and its decimal exponent. printf
 * rounds exactly; only its decimal point depends on the locale, and that is left out here. */
static int digits_of(double number, int precision, char *digits)
{
    char printed[NUMBER_TEXT];
    snprintf(printed, sizeof(printed), "%.*e", precision - 1, fabs(number));
    char *exponent = strchr(printed, 'e');
    int count = 0;
    for (const char *at = printed; at < exponent; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    digits[count] = '\0';
    return (int)strtol(exponent + 1, NULL, 10);
}

/* Digits times a power of ten; no decimal point, so that strtod needs no locale. */
static double from_digits(const char *digits, int64_t exponent)
{
    char text[NUMBER_TEXT * 3];
    snprintf(text, sizeof(text), "%se%" PRId64, digits, exponent);
    return strtod(text, NULL);
}

/* Digits with a point among or behind them; `exponent` is that of the first, 0 to 15. */
static int put_positional(const char *digits, int count, int exponent, char *text)
{
    int at = 0;
    for (int i = 0; i <= exponent || i < count; i++) {
        if (i == exponent + 1)
            text[at++] = '.';
        text[at++] = i < count ? digits[i] : '0';
    }
    if (count <= exponent + 1) {
        text[at++] = '.';
        text[at++] = '0';
    }
    text[at] = '\0';
    return at;
}

size_t number_repr(double number, char *text)
{
    char digits[32];
    int exponent = 0, precision = 1;
    if (isnan(number) || isinf(number))
        return (size_t)snprintf(text, NUMBER_TEXT,
                                isnan(number) ? "nan"
                                : number < 0  ? "-inf"
                                              : "inf");
    for (; precision <= 17; precision++) {
        exponent = digits_of(number, precision, digits);
        if (from_digits(digits, exponent - (int64_t)strlen(digits) + 1) == fabs(number))
            break;
    }
    int count = (int)strlen(digits), at = 0;
    if (signbit(number))
        text[at++] = '-';
    if (exponent < -4 || exponent >= 16) {
        at += snprintf(text + at, (size_t)(NUMBER_TEXT - at), "%c%s%se%c%02d", digits[0],
                       count > 1 ? "." : "", digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
        return (size_t)at;
    }
    if (exponent < 0) {
        at += snprintf(text + at, (size_t)(NUMBER_TEXT - at), "0.%.*s%s", -exponent - 1, "0000",
                       digits);
        return (size_t)at;
    }
    return (size_t)at + (size_t)put_positional(digits, count, exponent, text + at);
}

/* Digits without their underscores into `plain`; false for what Python refuses. */
static bool plain_digits(xy_str text, int base, bool prefixed, char *plain, size_t size)
{
    size_t length = 0;
    bool last_underscore = !prefixed;
    if (text.len == 0 || text.len >= size)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9'        ? c - '0'
                    : isalpha((unsigned char)c) ? (c | 32) - 'a' + 10
                                                : 99;
        if (c == '_' && !last_underscore) {
            last_underscore = true;
            continue;
        }
        if (digit >= base)
            return false;
        last_underscore = false;
        plain[length++] = c;
    }
    plain[length] = '\0';
    return !last_underscore;
}

/* Takes a sign from the front; whether it was a minus. */
static bool take_sign(xy_str *text)
{
    if (text->len == 0 || (text->ptr[0] != '-' && text->ptr[0] != '+'))
        return false;
    bool negative = text->ptr[0] == '-';
    *text = (xy_str){text->ptr + 1, text->len - 1};
    return negative;
}

/* Takes "0x", "0o" or "0b" from the front where the base allows it, and sets the base then. */
static bool take_prefix(xy_str *text, int *base)
{
    if (text->len <= 2 || text->ptr[0] != '0')
        return false;
    char letter = (char)(text->ptr[1] | 32);
    int found = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (found == 0 || (*base != 0 && *base != found))
        return false;
    *base = found;
    *text = (xy_str){text->ptr + 2, text->len - 2};
    return true;
}

/* In a literal of Python a number that begins with 0 is 0. */
static bool leading_zero_fits(xy_str text)
{
    for (size_t i = 0; i < text.len && text.ptr[0] == '0'; i++)
        if (text.ptr[i] != '0' && text.ptr[i] != '_')
            return false;
    return true;
}

/* False when the digits, valid in the base, stand for more than `limit`. */
static bool sum_digits(const char *digits, int base, uint64_t limit, uint64_t *sum)
{
    *sum = 0;
    for (const char *at = digits; *at; at++) {
        int digit = *at <= '9' ? *at - '0' : (*at | 32) - 'a' + 10;
        if (__builtin_mul_overflow(*sum, (uint64_t)base, sum) ||
            __builtin_add_overflow(*sum, (uint64_t)digit, sum) || *sum > limit)
            return false;
    }
    return true;
}

bool number_parse_int(xy_str text, int base, int64_t *out, bool *too_large)
{
    char plain[512];
    *too_large = false;
    text = text_strip(text, NULL, 3);
    bool negative = take_sign(&text);
    if (base != 0 && (base < 2 || base > 36))
        return false;
    bool prefixed = take_prefix(&text, &base);
    if (base == 0) {
        base = 10;
        if (!leading_zero_fits(text))
            return false;
    }
    if (!plain_digits(text, base, prefixed, plain, sizeof(plain))) {
        *too_large = text.len >= sizeof(plain);
        return false;
    }
    uint64_t value, limit = negative ? (uint64_t)1 << 63 : INT64_MAX;
    if (!sum_digits(plain, base, limit, &value)) {
        *too_large = true;
        return false;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool parse_word(xy_str text, double *out)
{
    static const char *const words[] = {"inf", "infinity", "nan"};
    bool negative = take_sign(&text);
    for (size_t i = 0; i < 3; i++)
        if (text.len == strlen(words[i]) && strncasecmp(text.ptr, words[i], text.len) == 0) {
            *out = i == 2 ? NAN : INFINITY;
            *out = negative ? -*out : *out;
            return true;
        }
    return false;
}

/* One run of digits with single underscores, appended to `digits`. */
static bool take_digits(xy_str text, size_t *at, char *digits, size_t *count, size_t size)
{
    size_t begin = *at;
    while (*at < text.len && ((text.ptr[*at] >= '0' && text.ptr[*at] <= '9') ||
                              (text.ptr[*at] == '_' && *at > begin && *at + 1 < text.len &&
                               text.ptr[*at + 1] >= '0' && text.ptr[*at + 1] <= '9'))) {
        if (*count + 1 >= size)
            return false;
        if (text.ptr[*at] != '_')
            digits[(*count)++] = text.ptr[*at];
        ++*at;
    }
    digits[*count] = '\0';
    return true;
}

/* "e-5" where one stands; false when there is an "e" without digits. */
static bool take_exponent(xy_str text, size_t *at, int64_t *exponent)
{
    char digits[32] = "0";
    size_t count = 0;
    *exponent = 0;
    if (*at >= text.len || (text.ptr[*at] | 32) != 'e')
        return true;
    ++*at;
    bool negative = *at < text.len && text.ptr[*at] == '-';
    *at += *at < text.len && (text.ptr[*at] == '-' || text.ptr[*at] == '+');
    if (!take_digits(text, at, digits, &count, 18) || count == 0)
        return false;
    *exponent = strtoll(digits, NULL, 10);
    *exponent = negative ? -*exponent : *exponent;
    return true;
}

bool number_parse_float(xy_str text, double *out)
{
    char digits[NUMBER_TEXT];
    size_t at = 0, count = 0;
    int64_t exponent;
    text = text_strip(text, NULL, 3);
    if (parse_word(text, out))
        return true;
    bool negative = take_sign(&text);
    if (!take_digits(text, &at, digits, &count, sizeof(digits)))
        return false;
    size_t whole = count;
    if (at < text.len && text.ptr[at] == '.') {
        at++;
        if (!take_digits(text, &at, digits, &count, sizeof(digits)))
            return false;
    }
    if (count == 0 || !take_exponent(text, &at, &exponent) || at != text.len)
        return false;
    *out = from_digits(digits, exponent - (int64_t)(count - whole));
    *out = negative ? -*out : *out;
    return true;
}

double number_round(double number, int64_t places)
{
    char printed[NUMBER_TEXT + 400], digits[NUMBER_TEXT + 400];
    if (!isfinite(number) || places > 323)
        return number;
    if (places < -308)
        return copysign(0, number);
    if (places < 0) {
        /* Round at a digit left of the point: keep that many significant digits. */
        int exponent = digits_of(number, 17, digits);
        int64_t keep = exponent + 1 + places;
        if (keep < 0)
            return copysign(0, number);
        if (keep == 0) {
            double half = from_digits("5", -places - 1);
            double result = fabs(number) > half ? from_digits("1", -places) : 0;
            return copysign(result, number);
        }
        exponent = digits_of(number, (int)keep, digits);
        return copysign(from_digits(digits, exponent - keep + 1), number);
    }
    snprintf(printed, sizeof(printed), "%.*f", (int)places, fabs(number));
    size_t count = 0;
    for (const char *at = printed; *at; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    digits[count] = '\0';
    return copysign(from_digits(digits, -places), number);
}

size_t number_print(double number, char type, int precision, bool alternate, char *text,
                    size_t size)
{
    char format[16];
    if (!isfinite(number))
        return (size_t)snprintf(text, size, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
    snprintf(format, sizeof(format), "%%%s.*%c", alternate ? "#" : "", type);
    int length = snprintf(text, size, format, precision, number);
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}
