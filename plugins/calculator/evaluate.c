/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive descent, from loose to tight: sum, product, sign, power, percent, number. */
#include "evaluate.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ARGUMENTS = 16, MOST_DIGITS = 18 };

struct parser {
    const char *start, *at, *end;
    int depth, calls; /* calls: how many argument lists are open, where a comma separates */
    char *why;
};

static int fail(struct parser *parser, const char *what)
{
    if (!parser->why[0])
        snprintf(parser->why, EVALUATE_WHY, "%s at character %zu", what,
                 (size_t)(parser->at - parser->start) + 1);
    return XY_EINVAL;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void skip_spaces(struct parser *parser)
{
    while (parser->at < parser->end && strchr(" \t\r\n", *parser->at) && *parser->at)
        parser->at++;
}

static bool take(struct parser *parser, const char *token)
{
    size_t length = strlen(token);
    skip_spaces(parser);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, token, length) != 0)
        return false;
    parser->at += length;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char peek(struct parser *parser)
{
    skip_spaces(parser);
    return parser->at < parser->end ? *parser->at : '\0';
}

/* 1,234,567 outside of a function's arguments: a comma before three digits and no fourth. */
static bool is_thousands_comma(const struct parser *parser)
{
    const char *at = parser->at;
    if (parser->calls || parser->end - at < 4 || *at != ',')
        return false;
    bool three = is_digit(at[1]) && is_digit(at[2]) && is_digit(at[3]);
    return three && (parser->end - at == 4 || !is_digit(at[4]));
}

/* The digits of a number as text, without its commas; false when there are none, or too many. */
static bool copy_digits(struct parser *parser, char text[64])
{
    size_t length = 0;
    bool point = false, any = false;
    for (; parser->at < parser->end; parser->at++) {
        char c = *parser->at;
        if (any && !point && is_thousands_comma(parser))
            continue;
        if (!is_digit(c) && (c != '.' || point))
            break;
        if (length + 1 == 64)
            return false;
        any = any || c != '.';
        point = point || c == '.';
        text[length++] = c;
    }
    text[length] = '\0';
    return any;
}

/* Up to 18 digits give an exact number; more of them the nearest double. */
static int read_number(struct parser *parser, struct number *out)
{
    char text[64];
    int digits = 0, decimals = 0;
    int64_t above = 0;
    if (!copy_digits(parser, text))
        return fail(parser, "expected a number of at most 60 digits");
    const char *point = strchr(text, '.');
    for (const char *c = text; *c; c++) {
        if (*c == '.')
            continue;
        digits += digits > 0 || *c != '0';
        decimals += point && c > point;
        if (digits <= MOST_DIGITS)
            above = above * 10 + (*c - '0');
    }
    struct number scale = number_power(number_of(10), number_of(decimals));
    bool fits = digits <= MOST_DIGITS && decimals <= MOST_DIGITS;
    *out = fits ? number_divide(number_of(above), scale) : number_of_double(strtod(text, NULL));
    return XY_OK;
}

/* 1.5e3: only where a digit follows, so that `2e` stays 2 times nothing, an error. */
static int read_exponent(struct parser *parser, struct number *number)
{
    const char *at = parser->at;
    if (at >= parser->end || (*at != 'e' && *at != 'E'))
        return XY_OK;
    at++;
    bool minus = at < parser->end && *at == '-';
    at += at < parser->end && (*at == '-' || *at == '+');
    if (at >= parser->end || !is_digit(*at))
        return XY_OK;
    int exponent = 0;
    for (; at < parser->end && is_digit(*at); at++)
        exponent = exponent < 10000 ? exponent * 10 + (*at - '0') : exponent;
    parser->at = at;
    *number = number_multiply(*number, number_power(number_of(10),
                                                    number_of(minus ? -exponent : exponent)));
    return isfinite(number->value) ? XY_OK : fail(parser, "a number that is too large");
}

/* ---- the grammar ----------------------------------------------------------------------------- */

static int read_sum(struct parser *parser, struct number *out);

static int check_finite(struct parser *parser, const struct number *number)
{
    if (isfinite(number->value))
        return XY_OK;
    return fail(parser, isnan(number->value) ? "no real result" : "a result that is too large");
}

static int read_call(struct parser *parser, xy_str name, struct number *out)
{
    struct number arguments[MOST_ARGUMENTS] = {0};
    int count = 0, code = XY_OK;
    parser->calls++;
    if (!take(parser, ")")) {
        do {
            if (count == MOST_ARGUMENTS)
                return fail(parser, "too many arguments");
            code = read_sum(parser, &arguments[count++]);
        } while (code == XY_OK && take(parser, ","));
        if (code == XY_OK && !take(parser, ")"))
            code = fail(parser, "expected `)`");
    }
    parser->calls--;
    if (code < 0)
        return code;
    const char *fault = evaluate_function(name, arguments, count, out);
    if (!fault)
        return check_finite(parser, out);
    snprintf(parser->why, EVALUATE_WHY, "`%.*s`: %s", (int)(name.len < 40 ? name.len : 40),
             name.ptr, fault);
    return XY_EINVAL;
}

static int read_name(struct parser *parser, struct number *out)
{
    xy_str name = {parser->at, 0};
    while (parser->at < parser->end && (is_letter(*parser->at) || is_digit(*parser->at)))
        parser->at++;
    name.len = (size_t)(parser->at - name.ptr);
    if (take(parser, "("))
        return read_call(parser, name, out);
    if (name.len == 2 && memcmp(name.ptr, "pi", 2) == 0) {
        *out = number_of_double(3.14159265358979323846);
        return XY_OK;
    }
    if (name.len == 1 && name.ptr[0] == 'e') {
        *out = number_of_double(2.71828182845904523536);
        return XY_OK;
    }
    snprintf(parser->why, EVALUATE_WHY, "unknown name `%.*s`",
             (int)(name.len < 40 ? name.len : 40), name.ptr);
    return XY_EINVAL;
}

static int read_atom(struct parser *parser, struct number *out)
{
    take(parser, "$"); /* an amount of money is a number */
    char next = peek(parser);
    if (is_digit(next) || next == '.') {
        int code = read_number(parser, out);
        return code < 0 ? code : read_exponent(parser, out);
    }
    if (is_letter(next))
        return read_name(parser, out);
    if (!take(parser, "("))
        return fail(parser, next ? "expected a number, a name or `(`" : "the expression ends");
    int calls = parser->calls;
    parser->calls = 0;
    int code = read_sum(parser, out);
    parser->calls = calls;
    if (code == XY_OK && !take(parser, ")"))
        code = fail(parser, "expected `)`");
    return code;
}

static bool begins_operand(char c)
{
    return is_digit(c) || is_letter(c) || c == '(' || c == '.';
}

/* `5 %` is 0.05; `%` before an operand is the remainder, which read_product() takes. */
static int read_percent(struct parser *parser, struct number *out)
{
    int code = read_atom(parser, out);
    while (code == XY_OK && peek(parser) == '%') {
        const char *before = parser->at;
        parser->at++;
        if (begins_operand(peek(parser))) {
            parser->at = before;
            break;
        }
        *out = number_divide(*out, number_of(100));
    }
    return code;
}

static int read_sign(struct parser *parser, struct number *out);

static int read_power(struct parser *parser, struct number *out)
{
    int code = read_percent(parser, out);
    if (code < 0 || (!take(parser, "**") && !take(parser, "^")))
        return code;
    struct number exponent = {0};
    code = read_sign(parser, &exponent);
    if (code < 0)
        return code;
    if (number_is_zero(*out) && exponent.value < 0)
        return fail(parser, "division by zero");
    *out = number_power(*out, exponent);
    return check_finite(parser, out);
}

/* Each way into a deeper level comes by here, so the depth is counted here. */
static int read_sign(struct parser *parser, struct number *out)
{
    int code;
    if (++parser->depth > EVALUATE_DEPTH)
        return fail(parser, "nesting that is too deep");
    if (take(parser, "-") || take(parser, "\xe2\x88\x92")) {
        code = read_sign(parser, out);
        if (code == XY_OK)
            *out = number_negate(*out);
    } else if (take(parser, "+")) {
        code = read_sign(parser, out);
    } else {
        code = read_power(parser, out);
    }
    parser->depth--;
    return code;
}

enum operation { NOTHING, TIMES, OVER, FLOOR, REST };

static enum operation take_operation(struct parser *parser)
{
    skip_spaces(parser);
    if (parser->end - parser->at >= 2 && memcmp(parser->at, "**", 2) == 0)
        return NOTHING;
    if (take(parser, "//"))
        return FLOOR;
    if (take(parser, "*") || take(parser, "\xc3\x97") || take(parser, "\xc2\xb7"))
        return TIMES;
    if (take(parser, "/") || take(parser, "\xc3\xb7"))
        return OVER;
    return take(parser, "%") ? REST : NOTHING;
}

static int read_product(struct parser *parser, struct number *out)
{
    int code = read_sign(parser, out);
    while (code == XY_OK) {
        enum operation operation = take_operation(parser);
        struct number right = {0};
        if (operation == NOTHING)
            break;
        code = read_sign(parser, &right);
        if (code < 0)
            break;
        if (operation != TIMES && number_is_zero(right))
            return fail(parser, "division by zero");
        *out = operation == TIMES   ? number_multiply(*out, right)
               : operation == OVER  ? number_divide(*out, right)
               : operation == FLOOR ? number_floor_divide(*out, right)
                                    : number_remainder(*out, right);
        code = check_finite(parser, out);
    }
    return code;
}

static int read_sum(struct parser *parser, struct number *out)
{
    int code = read_product(parser, out);
    while (code == XY_OK) {
        bool minus = take(parser, "-") || take(parser, "\xe2\x88\x92");
        struct number right = {0};
        if (!minus && !take(parser, "+"))
            break;
        code = read_product(parser, &right);
        if (code == XY_OK) {
            *out = number_add(*out, minus ? number_negate(right) : right);
            code = check_finite(parser, out);
        }
    }
    return code;
}

int evaluate(xy_str expression, struct number *out, char why[EVALUATE_WHY])
{
    struct parser parser = {.start = expression.ptr, .at = expression.ptr,
                            .end = expression.ptr + expression.len, .why = why};
    why[0] = '\0';
    if (expression.len > EVALUATE_LENGTH) {
        snprintf(why, EVALUATE_WHY, "an expression of more than %d bytes", EVALUATE_LENGTH);
        return XY_EINVAL;
    }
    if (!expression.len || !peek(&parser)) {
        snprintf(why, EVALUATE_WHY, "the expression is empty");
        return XY_EINVAL;
    }
    int code = read_sum(&parser, out);
    if (code == XY_OK && parser.at < parser.end) {
        skip_spaces(&parser);
        if (parser.at < parser.end)
            code = fail(&parser, "expected an operator");
    }
    return code;
}
