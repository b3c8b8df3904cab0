/* SPDX-License-Identifier: Apache-2.0 */
#include "equations.h"

#include <math.h>

enum { SIDE = 512 }; /* bytes of one side; a longer one is no arithmetic that a person wrote */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of the multiplication, division or minus sign outside of ASCII at `at`, or 0. */
static size_t sign_length(const char *at, const char *end)
{
    static const char *const signs[] = {"\xc3\x97", "\xc3\xb7", "\xc2\xb7", "\xe2\x88\x92"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t length = strlen(signs[i]);
        if ((size_t)(end - at) >= length && memcmp(at, signs[i], length) == 0)
            return length;
    }
    return 0;
}

/* A character of an expression. A point or a comma is one only within a number: elsewhere it ends a
 * sentence. */
static bool is_plain(const char *start, const char *at, const char *end)
{
    bool before = at > start && is_digit(at[-1]), after = at + 1 < end && is_digit(at[1]);
    if (*at == '.')
        return after;
    if (*at == ',')
        return before && after;
    return is_digit(*at) || (*at && strchr(" \t+-*/%^$", *at));
}

/* 3 x 4: an x between two operands multiplies. */
static bool is_times(const char *start, const char *at, const char *end)
{
    const char *left = at - 1, *right = at + 1;
    if (*at != 'x' && *at != 'X')
        return false;
    while (left >= start && *left == ' ')
        left--;
    while (right < end && *right == ' ')
        right++;
    return left >= start && right < end && (is_digit(*left) || *left == ')' || *left == '%') &&
           (is_digit(*right) || *right == '(' || *right == '$');
}

/* From `from` backwards, as far as it is arithmetic; an open bracket without its end stops it. */
static const char *side_begin(const char *start, const char *from, const char *end)
{
    int depth = 0;
    while (from > start) {
        const char *at = from - 1;
        if (*at == ')')
            depth++;
        else if (*at == '(' && depth-- == 0)
            break;
        size_t length = 0;
        for (size_t back = 2; back <= 3 && !length && (size_t)(from - start) >= back; back++)
            length = sign_length(from - back, end) == back ? back : 0;
        if (length)
            from -= length;
        else if (is_plain(start, at, end) || *at == '(' || *at == ')' ||
                 is_times(start, at, end))
            from = at;
        else
            break;
    }
    return from;
}

static const char *side_end(const char *start, const char *from, const char *end)
{
    int depth = 0;
    while (from < end) {
        if (*from == '(')
            depth++;
        else if (*from == ')' && depth-- == 0)
            break;
        size_t length = sign_length(from, end);
        if (length)
            from += length;
        else if (is_plain(start, from, end) || *from == '(' || *from == ')' ||
                 is_times(start, from, end))
            from++;
        else
            break;
    }
    return from;
}

/* The side without the marks around it, an x between operands as `*`; false when it is too long. */
static bool clean(const char *from, const char *to, char side[SIDE])
{
    while (from < to && strchr(" \t*", *from))
        from++;
    while (from < to && strchr(" \t*.,-", to[-1]))
        to--;
    size_t length = (size_t)(to - from);
    if (length == 0 || length >= SIDE)
        return false;
    memcpy(side, from, length);
    side[length] = '\0';
    for (char *c = side; *c; c++) {
        if (*c == 'x' || *c == 'X')
            *c = '*';
    }
    return true;
}

/* Is there an operator with something before it? */
static bool has_operator(const char *side)
{
    for (const char *c = side + 1; side[0] && *c; c++) {
        if (strchr("+-*/%^", *c) || ((unsigned char)*c & 0x80))
            return true;
    }
    return false;
}

/* What is cut off at its left ("apples - 2") is no whole expression. */
static bool begins_whole(const char *side)
{
    return !strchr("+-*/%^,", side[0]) && ((unsigned char)side[0] & 0x80) == 0;
}

/* Digits after the point of a plain decimal; 0 for anything else. */
static int decimals_of(const char *side)
{
    const char *point = strchr(side, '.');
    int count = 0;
    if (!point || has_operator(side))
        return 0;
    while (is_digit(point[1 + count]))
        count++;
    return point[1 + count] == '\0' ? count : 0;
}

bool equations_equal(struct number a, struct number b, double tolerance)
{
    if (number_compare(a, b) == 0)
        return true;
    double scale = fmax(1, fmax(fabs(a.value), fabs(b.value)));
    return fabs(a.value - b.value) <= tolerance * scale;
}

static bool holds(struct number left, struct number right, const char *written, double tolerance)
{
    int decimals = decimals_of(written);
    if (equations_equal(left, right, tolerance))
        return true;
    return decimals >= 2 && fabs(left.value - right.value) <= 0.5000001 * pow(10, -decimals);
}

static void check_one(const char *start, const char *equals, const char *end, double tolerance,
                      struct equations *out)
{
    char left[SIDE], right[SIDE], why[EVALUATE_WHY];
    struct number a, b;
    const char *begin = side_begin(start, equals, end);
    if (!clean(begin, equals, left) || !clean(equals + 1, side_end(start, equals + 1, end), right))
        return;
    bool chained = begin > start && begin[-1] == '=';
    if (!begins_whole(left) && !(chained && left[0] == '-'))
        return;
    if (!has_operator(left) && !has_operator(right))
        return;
    if (evaluate(xy_text(left), &a, why) < 0 || evaluate(xy_text(right), &b, why) < 0)
        return;
    out->count++;
    out->last = b;
    if (holds(a, b, right, tolerance) || out->wrong++)
        return;
    snprintf(out->first_wrong, sizeof(out->first_wrong), "%.80s = %.80s, but %.60s is %.15g", left,
             right, left, a.value);
}

void equations_check(xy_str text, double tolerance, struct equations *out)
{
    const char *start = text.ptr, *end = text.ptr + text.len;
    *out = (struct equations){0};
    for (const char *at = start; at < end; at++) {
        bool compared = at > start && strchr("=<>!:", at[-1]) && at[-1];
        bool twice = at + 1 < end && at[1] == '=';
        if (*at == '=' && !compared && !twice)
            check_one(start, at, end, tolerance, out);
    }
}
