/* SPDX-License-Identifier: Apache-2.0 */
/* + - * / // % ** with Python's types and rounding; integers that leave 64 bits are an error, where
 * Python would go on with larger ones. */
#include "template_internal.h"

#include <math.h>
#include <string.h>

static bool overflow(struct render *render)
{
    return template_fail(render, "the result does not fit a 64-bit integer, expected one between "
                                 "-2^63 and 2^63 - 1");
}

static bool zero_division(struct render *render)
{
    return template_fail(render, "found a division by zero, expected another divisor");
}

static bool integer_power(struct render *render, int64_t base, int64_t exponent, struct item *out)
{
    if (exponent < 0) {
        if (base == 0)
            return zero_division(render);
        *out = item_float(pow((double)base, (double)exponent));
        return true;
    }
    int64_t result = 1;
    if (base == 0 || base == 1 || base == -1)
        exponent = exponent == 0 ? 0 : 2 - exponent % 2;
    for (int64_t i = 0; i < exponent; i++)
        if (__builtin_mul_overflow(result, base, &result))
            return overflow(render);
    *out = item_int(result);
    return true;
}

static bool integer_divide(struct render *render, int operation, int64_t a, int64_t b,
                           struct item *out)
{
    if (b == 0)
        return zero_division(render);
    if (operation == OP_DIV) {
        *out = item_float((double)((long double)a / (long double)b));
        return true;
    }
    if (a == INT64_MIN && b == -1) {
        *out = item_int(0);
        return operation == OP_MOD ? true : overflow(render);
    }
    int64_t quotient = a / b, rest = a % b;
    if (rest != 0 && (rest < 0) != (b < 0)) {
        quotient--;
        rest += b;
    }
    *out = item_int(operation == OP_MOD ? rest : quotient);
    return true;
}

static bool integer_binary(struct render *render, int operation, int64_t a, int64_t b,
                           struct item *out)
{
    int64_t result = 0;
    bool over = false;
    switch (operation) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &result); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &result); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &result); break;
    case OP_POW: return integer_power(render, a, b, out);
    default: return integer_divide(render, operation, a, b, out);
    }
    *out = item_int(result);
    return over ? overflow(render) : true;
}

/* float_floor_div and float_rem of CPython's Objects/floatobject.c. */
static double float_divmod(double a, double b, double *rest)
{
    double mod = fmod(a, b), quotient = (a - mod) / b, whole;
    if (mod != 0) {
        if ((b < 0) != (mod < 0)) {
            mod += b;
            quotient -= 1;
        }
    } else
        mod = copysign(0, b);
    *rest = mod;
    if (quotient == 0)
        return copysign(0, a / b);
    whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

static bool float_power(struct render *render, double a, double b, struct item *out)
{
    if (a == 0 && b < 0)
        return zero_division(render);
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
        return template_fail(render, "found a fractional power of a negative number, expected a "
                                     "positive base");
    double result = pow(a, b);
    if (isinf(result) && isfinite(a) && isfinite(b))
        return template_fail(render, "the power is too large for a float, expected a smaller one");
    *out = item_float(result);
    return true;
}

static bool float_binary(struct render *render, int operation, double a, double b, struct item *out)
{
    double rest, whole;
    if (operation == OP_POW)
        return float_power(render, a, b, out);
    if (b == 0 && (operation == OP_DIV || operation == OP_MOD || operation == OP_FLOORDIV))
        return zero_division(render);
    switch (operation) {
    case OP_ADD: *out = item_float(a + b); return true;
    case OP_SUB: *out = item_float(a - b); return true;
    case OP_MUL: *out = item_float(a * b); return true;
    case OP_DIV: *out = item_float(a / b); return true;
    default: break;
    }
    whole = float_divmod(a, b, &rest);
    *out = item_float(operation == OP_MOD ? rest : whole);
    return true;
}

static bool mismatch(struct render *render, int operation, const struct item *a,
                     const struct item *b)
{
    static const char *const signs[] = {[OP_ADD] = "+", [OP_SUB] = "-",       [OP_MUL] = "*",
                                        [OP_DIV] = "/", [OP_FLOORDIV] = "//", [OP_MOD] = "%",
                                        [OP_POW] = "**"};
    if (a->kind == KIND_UNDEFINED || b->kind == KIND_UNDEFINED)
        return template_undefined(render, a->kind == KIND_UNDEFINED ? a : b);
    return template_fail(
        render, "found %s %s %s, expected numbers%s", item_type(a), signs[operation], item_type(b),
        operation == OP_ADD ? ", two strings (or ~ to join anything) or two lists" : "");
}

/* Markup escapes what is joined to it (markupsafe.Markup.__add__). */
static bool add_text(struct render *render, const struct item *a, const struct item *b,
                     struct item *out)
{
    struct text text = {.render = render};
    bool markup = a->markup || b->markup;
    const struct item *parts[2] = {a, b};
    for (size_t i = 0; i < 2; i++)
        if (!(markup && !parts[i]->markup
                  ? text_escape(&text, parts[i]->text)
                  : text_append(&text, parts[i]->text.ptr, parts[i]->text.len)))
            return false;
    *out = item_text(text_str(&text));
    out->markup = markup;
    return true;
}

static bool add_lists(struct render *render, const struct item *a, const struct item *b,
                      struct item *out)
{
    size_t count = a->list.count + b->list.count;
    struct item *items = template_alloc(render, count, sizeof(*items));
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++)
        items[i] = i < a->list.count ? sequence_at(a, i) : sequence_at(b, i - a->list.count);
    *out = item_list(items, count, a->kind == KIND_TUPLE);
    return true;
}

static bool repeat(struct render *render, const struct item *item, int64_t times, struct item *out)
{
    struct text text = {.render = render};
    bool is_text = item->kind == KIND_TEXT;
    size_t length = is_text ? item->text.len : item->list.count, total;
    if (times < 0 || length == 0)
        times = 0;
    if (__builtin_mul_overflow(length, (size_t)times, &total) || total > TEMPLATE_OUTPUT)
        return template_fail(render, "the repetition is too long, expected at most %d elements",
                             TEMPLATE_OUTPUT);
    struct item *items = is_text ? NULL : template_alloc(render, total, sizeof(*items));
    if (!is_text && !items)
        return false;
    for (size_t i = 0; !is_text && i < total; i++)
        /* `total` is 0 where `length` is.
         * NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
        items[i] = sequence_at(item, i % length);
    for (int64_t i = 0; is_text && i < times; i++)
        if (!text_append(&text, item->text.ptr, length))
            return false;
    *out = is_text ? item_text(text_str(&text)) : item_list(items, total, item->kind == KIND_TUPLE);
    out->markup = item->markup;
    return true;
}

static bool repeatable(const struct item *item)
{
    return item->kind == KIND_TEXT || item->kind == KIND_LIST || item->kind == KIND_TUPLE;
}

/* Joining and repeating texts, lists and tuples; `*done` false when the operation is neither. */
static bool sequence_binary(struct render *render, int operation, const struct item *a,
                            const struct item *b, struct item *out, bool *done)
{
    *done = true;
    if (operation == OP_ADD && a->kind == KIND_TEXT && b->kind == KIND_TEXT)
        return add_text(render, a, b, out);
    if (operation == OP_ADD && a->kind == b->kind && repeatable(a))
        return add_lists(render, a, b, out);
    if (operation == OP_MUL && repeatable(a) && item_is_integer(b))
        return repeat(render, a, item_integer(b), out);
    if (operation == OP_MUL && repeatable(b) && item_is_integer(a))
        return repeat(render, b, item_integer(a), out);
    *done = false;
    return true;
}

bool item_binary(struct render *render, int operation, const struct item *a, const struct item *b,
                 struct item *out)
{
    if (item_is_integer(a) && item_is_integer(b))
        return integer_binary(render, operation, item_integer(a), item_integer(b), out);
    bool a_number = item_is_integer(a) || a->kind == KIND_FLOAT;
    bool b_number = item_is_integer(b) || b->kind == KIND_FLOAT;
    if (a_number && b_number)
        return float_binary(render, operation,
                            a->kind == KIND_FLOAT ? a->number : (double)item_integer(a),
                            b->kind == KIND_FLOAT ? b->number : (double)item_integer(b), out);
    bool done, good = sequence_binary(render, operation, a, b, out, &done);
    if (done)
        return good;
    if (operation != OP_MOD || a->kind != KIND_TEXT)
        return mismatch(render, operation, a, b);
    if (a->markup)
        return template_fail(render, "found %% behind escaped text, which is not part of this "
                                     "subset; expected ~");
    return format_percent(render, a->text, b, out);
}

bool item_negate(struct render *render, const struct item *item, struct item *out)
{
    if (item->kind == KIND_FLOAT) {
        *out = item_float(-item->number);
        return true;
    }
    if (item_is_integer(item)) {
        struct item zero = item_int(0);
        return item_binary(render, OP_SUB, &zero, item, out);
    }
    if (item->kind == KIND_UNDEFINED)
        return template_undefined(render, item);
    return template_fail(render, "found - before %s, expected a number", item_type(item));
}
