/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand behind `is` (jinja2/tests.py). */
#include "template_internal.h"

#include <utf8proc.h>

static bool test_defined(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind != KIND_UNDEFINED);
    return true;
}

static bool test_undefined(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_UNDEFINED);
    return true;
}

static bool test_none(struct render *render, const struct item *value, const struct item *arguments,
                      struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_NONE);
    return true;
}

static bool test_boolean(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_BOOL);
    return true;
}

static bool test_true(struct render *render, const struct item *value, const struct item *arguments,
                      struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_BOOL && value->boolean);
    return true;
}

static bool test_false(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_BOOL && !value->boolean);
    return true;
}

static bool test_integer(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_INT);
    return true;
}

static bool test_float(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_FLOAT);
    return true;
}

static bool test_number(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(item_is_integer(value) || value->kind == KIND_FLOAT);
    return true;
}

static bool test_string(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_TEXT);
    return true;
}

static bool test_mapping(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_MAP);
    return true;
}

static bool test_sequence(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out =
        item_bool(item_is_sequence(value) || value->kind == KIND_TEXT || value->kind == KIND_MAP);
    return true;
}

static bool test_iterable(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    (void)arguments;
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    *out = item_bool((value->kind >= KIND_TEXT && value->kind <= KIND_GENERATOR) ||
                     value->kind == KIND_LOOP);
    return true;
}

static bool test_callable(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    /* StrictUndefined has a __call__. */
    *out = item_bool(value->kind == KIND_FUNCTION || value->kind == KIND_JOINER ||
                     value->kind == KIND_LOOP || value->kind == KIND_UNDEFINED);
    return true;
}

static bool test_escaped(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)render, (void)arguments;
    *out = item_bool(value->kind == KIND_TEXT && value->markup);
    return true;
}

static bool remainder_is(struct render *render, const struct item *value,
                         const struct item *divisor, int64_t wanted, struct item *out)
{
    struct item rest, expected = item_int(wanted);
    bool equal;
    if (value->kind == KIND_TEXT)
        return template_fail(render, "found a string, expected a number (`| int` makes one)");
    if (!item_binary(render, OP_MOD, value, divisor, &rest) ||
        !item_equal(render, &rest, &expected, &equal))
        return false;
    *out = item_bool(equal);
    return true;
}

static bool test_odd(struct render *render, const struct item *value, const struct item *arguments,
                     struct item *out)
{
    struct item two = item_int(2);
    (void)arguments;
    return remainder_is(render, value, &two, 1, out);
}

static bool test_even(struct render *render, const struct item *value, const struct item *arguments,
                      struct item *out)
{
    struct item two = item_int(2);
    (void)arguments;
    return remainder_is(render, value, &two, 0, out);
}

static bool test_divisibleby(struct render *render, const struct item *value,
                             const struct item *arguments, struct item *out)
{
    return remainder_is(render, value, &arguments[0], 0, out);
}

/* One comparison under its names. */
static bool compare(struct render *render, int operation, const struct item *a,
                    const struct item *b, struct item *out)
{
    bool result;
    if (!item_compare(render, operation, a, b, &result))
        return false;
    *out = item_bool(result);
    return true;
}

static bool test_eq(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_EQ, value, arguments, out);
}

static bool test_ne(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_NE, value, arguments, out);
}

static bool test_lt(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_LT, value, arguments, out);
}

static bool test_le(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_LE, value, arguments, out);
}

static bool test_gt(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_GT, value, arguments, out);
}

static bool test_ge(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_GE, value, arguments, out);
}

static bool test_in(struct render *render, const struct item *value, const struct item *arguments,
                    struct item *out)
{
    return compare(render, OP_IN, value, arguments, out);
}

/* Identity is defined for what Python has one object of; for the rest it would depend on
 * CPython. */
static bool test_sameas(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    const struct item *other = arguments;
    bool single = value->kind == KIND_NONE || value->kind == KIND_BOOL ||
                  other->kind == KIND_NONE || other->kind == KIND_BOOL ||
                  value->kind != other->kind;
    if (!single)
        return template_fail(render,
                             "sameas: found %s, expected none, true or false on one side (`eq` "
                             "compares values)",
                             item_type(value));
    *out = item_bool(value->kind == other->kind &&
                     (value->kind == KIND_NONE || value->boolean == other->boolean));
    return true;
}

/* str.islower() and str.isupper(): some cased letter, and none of the other case. */
static bool has_case(struct render *render, const struct item *value, bool upper, struct item *out)
{
    xy_str text;
    bool found = false, other = false;
    if (!item_string(render, value, &text))
        return false;
    for (size_t at = 0; at < text.len;) {
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point_next(text, &at));
        bool is_upper = category == UTF8PROC_CATEGORY_LU,
             is_lower = category == UTF8PROC_CATEGORY_LL;
        found = found || (upper ? is_upper : is_lower);
        other = other || (upper ? is_lower : is_upper) || category == UTF8PROC_CATEGORY_LT;
    }
    *out = item_bool(found && !other);
    return true;
}

static bool test_lower(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    (void)arguments;
    return has_case(render, value, false, out);
}

static bool test_upper(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    (void)arguments;
    return has_case(render, value, true, out);
}

#define COMPARISON(name_, run_)                                                                    \
    {.name = name_, .parameters = {"other"}, .required = 1, .positional = true, .run = run_}

const struct function template_tests[] = {
    {.name = "defined", .run = test_defined},
    {.name = "undefined", .run = test_undefined},
    {.name = "none", .run = test_none},
    {.name = "string", .run = test_string},
    {.name = "number", .run = test_number},
    {.name = "integer", .run = test_integer},
    {.name = "float", .run = test_float},
    {.name = "boolean", .run = test_boolean},
    {.name = "true", .run = test_true},
    {.name = "false", .run = test_false},
    {.name = "mapping", .run = test_mapping},
    {.name = "sequence", .run = test_sequence},
    {.name = "iterable", .run = test_iterable},
    {.name = "callable", .run = test_callable},
    {.name = "escaped", .run = test_escaped},
    {.name = "odd", .run = test_odd},
    {.name = "even", .run = test_even},
    {.name = "divisibleby", .parameters = {"num"}, .required = 1, .run = test_divisibleby},
    {.name = "lower", .run = test_lower},
    {.name = "upper", .run = test_upper},
    {.name = "sameas", .parameters = {"other"}, .required = 1, .run = test_sameas},
    {.name = "in", .parameters = {"seq"}, .required = 1, .run = test_in},
    COMPARISON("eq", test_eq),
    COMPARISON("equalto", test_eq),
    COMPARISON("==", test_eq),
    COMPARISON("ne", test_ne),
    COMPARISON("!=", test_ne),
    COMPARISON("lt", test_lt),
    COMPARISON("lessthan", test_lt),
    COMPARISON("<", test_lt),
    COMPARISON("le", test_le),
    COMPARISON("<=", test_le),
    COMPARISON("gt", test_gt),
    COMPARISON("greaterthan", test_gt),
    COMPARISON(">", test_gt),
    COMPARISON("ge", test_ge),
    COMPARISON(">=", test_ge),
    {0}};
