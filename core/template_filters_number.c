/* SPDX-License-Identifier: Apache-2.0 */
/* int, float, round, abs, and the functions range, dict, namespace, cycler and joiner. */
#include "template_internal.h"

#include <math.h>
#include <string.h>

static bool too_large(struct render *render, const char *what)
{
    return template_fail(render,
                         "%s: the number does not fit a 64-bit integer, expected one between "
                         "-2^63 and 2^63 - 1",
                         what);
}

/* int(float(value)) of do_int's second attempt: the default where Python raises. */
static bool int_of_float(struct render *render, double number, const struct item *otherwise,
                         struct item *out)
{
    *out = otherwise->kind == KIND_ABSENT ? item_int(0) : *otherwise;
    if (!isfinite(number))
        return true;
    if (number >= 0x1p63 || number < -0x1p63)
        return too_large(render, "int");
    *out = item_int((int64_t)number);
    return true;
}

static bool filter_int(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    int64_t base = 10, integer;
    bool large = false;
    double number;
    if (arguments[1].kind != KIND_ABSENT) {
        if (!item_is_integer(&arguments[1]))
            return template_fail(render, "int: found %s as base, expected an integer",
                                 item_type(&arguments[1]));
        base = item_integer(&arguments[1]);
    }
    *out = arguments[0].kind == KIND_ABSENT ? item_int(0) : arguments[0];
    if (item_is_integer(value)) {
        *out = item_int(item_integer(value));
        return true;
    }
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    if (value->kind == KIND_FLOAT)
        return int_of_float(render, value->number, &arguments[0], out);
    if (value->kind != KIND_TEXT)
        return true;
    if (base >= 0 && base <= 36 && number_parse_int(value->text, (int)base, &integer, &large)) {
        *out = item_int(integer);
        return true;
    }
    if (large)
        return too_large(render, "int");
    return number_parse_float(value->text, &number)
               ? int_of_float(render, number, &arguments[0], out)
               : true;
}

static bool filter_float(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    double number;
    *out = arguments[0].kind == KIND_ABSENT ? item_float(0) : arguments[0];
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    if (value->kind == KIND_FLOAT)
        *out = *value;
    else if (item_is_integer(value))
        *out = item_float((double)item_integer(value));
    else if (value->kind == KIND_TEXT && number_parse_float(value->text, &number))
        *out = item_float(number);
    return true;
}

static bool filter_abs(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    (void)arguments;
    if (value->kind == KIND_FLOAT) {
        *out = item_float(fabs(value->number));
        return true;
    }
    *out = item_int(item_is_integer(value) ? item_integer(value) : 0);
    if (item_is_integer(value))
        return out->integer >= 0 || item_negate(render, value, out);
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    return template_fail(render, "abs: found %s, expected a number", item_type(value));
}

/* Python's round() of an integer to tens, hundreds and so on: half to even. */
static bool round_integer(struct render *render, int64_t integer, int64_t places, struct item *out)
{
    *out = item_int(integer);
    if (places >= 0)
        return true;
    *out = item_int(0);
    if (places < -18)
        return places < -19 || (integer < 5000000000000000000 && integer > -5000000000000000000)
                   ? true
                   : too_large(render, "round");
    int64_t unit = 1;
    for (int64_t i = 0; i < -places; i++)
        unit *= 10;
    int64_t rest = integer % unit, whole = integer - rest, size = rest < 0 ? -rest : rest;
    bool odd = (whole / unit) % 2 != 0;
    if (size > unit - size || (size == unit - size && odd))
        if (__builtin_add_overflow(whole, rest < 0 ? -unit : unit, &whole))
            return too_large(render, "round");
    *out = item_int(whole);
    return true;
}

static bool round_directed(struct render *render, const struct item *value, int64_t places,
                           bool ceiling, struct item *out)
{
    double number = value->kind == KIND_FLOAT ? value->number : (double)item_integer(value);
    if (places < -300 || places > 300 || !isfinite(number) || fabs(number) >= 0x1p53 ||
        (places < 0 && value->kind != KIND_FLOAT && fabs(number) >= 0x1p53))
        return template_fail(render,
                             "round: found a number or a precision out of range, expected a "
                             "finite number below 2^53");
    double unit = pow(10, (double)places);
    double scaled = number * unit;
    scaled = ceiling ? ceil(scaled) : floor(scaled);
    *out = item_float((scaled == 0 ? 0 : scaled) / unit);
    return true;
}

static bool filter_round(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    int64_t places = 0;
    bool common = arguments[1].kind == KIND_ABSENT, ceiling = false;
    if (arguments[0].kind != KIND_ABSENT) {
        if (!item_is_integer(&arguments[0]))
            return template_fail(render, "round: found %s as precision, expected an integer",
                                 item_type(&arguments[0]));
        places = item_integer(&arguments[0]);
    }
    if (!common) {
        if (arguments[1].kind != KIND_TEXT ||
            (!str_is(arguments[1].text, "common") && !str_is(arguments[1].text, "ceil") &&
             !str_is(arguments[1].text, "floor")))
            return template_fail(render,
                                 "round: found another method, expected 'common', 'ceil' or "
                                 "'floor'");
        common = str_is(arguments[1].text, "common");
        ceiling = str_is(arguments[1].text, "ceil");
    }
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    if (value->kind != KIND_FLOAT && !item_is_integer(value))
        return template_fail(render, "round: found %s, expected a number", item_type(value));
    if (!common)
        return round_directed(render, value, places, ceiling, out);
    if (value->kind != KIND_FLOAT)
        return round_integer(render, item_integer(value), places, out);
    *out = item_float(number_round(value->number, places));
    if (isinf(out->number) && isfinite(value->number))
        return template_fail(render, "round: the result is too large for a float");
    return true;
}

const struct function template_number_filters[] = {
    {.name = "int", .parameters = {"default", "base"}, .run = filter_int},
    {.name = "float", .parameters = {"default"}, .run = filter_float},
    {.name = "abs", .positional = true, .run = filter_abs},
    {.name = "round", .parameters = {"precision", "method"}, .run = filter_round},
    {0}};

/* ---- functions ------------------------------------------------------------------------------- */

/* Sets how many numbers the range has; false when its ends are too far apart for 64 bits. */
static bool count_range(struct range *range)
{
    int64_t span;
    if (range->step > 0 ? range->start >= range->stop : range->start <= range->stop)
        return true;
    if (__builtin_sub_overflow(range->stop, range->start, &span) || span == INT64_MIN ||
        range->step == INT64_MIN)
        return false;
    range->count = (size_t)((range->step > 0 ? span - 1 : -span - 1) /
                                (range->step > 0 ? range->step : -range->step) +
                            1);
    return true;
}

static bool global_range(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    int64_t numbers[3] = {0, 0, 1};
    size_t count = 0;
    (void)value;
    for (; count < 3 && arguments[count].kind != KIND_ABSENT; count++) {
        if (!item_is_integer(&arguments[count]))
            return arguments[count].kind == KIND_UNDEFINED
                       ? template_undefined(render, &arguments[count])
                       : template_fail(render, "range: found %s, expected an integer",
                                       item_type(&arguments[count]));
        numbers[count] = item_integer(&arguments[count]);
    }
    struct range *range = template_alloc(render, 1, sizeof(*range));
    if (!range)
        return false;
    *range = (struct range){.start = count == 1 ? 0 : numbers[0],
                            .stop = count == 1 ? numbers[0] : numbers[1],
                            .step = numbers[2]};
    if (range->step == 0)
        return template_fail(render, "range: found a step of 0, expected another number");
    if (!count_range(range))
        return too_large(render, "range");
    *out = (struct item){.kind = KIND_RANGE, .range = range};
    return true;
}

/* dict(other, key=value): what both dict() and namespace() take. */
static bool build(struct render *render, const struct arguments *arguments,
                  struct dictionary *dictionary)
{
    struct item *items, source;
    size_t count;
    if (arguments->count > 1)
        return template_fail(render, "found %zu arguments, expected one dict or list of pairs",
                             arguments->count);
    if (arguments->count == 1) {
        source = arguments->items[0];
        if (source.kind == KIND_MAP)
            source.kind = KIND_ITEMS;
        if (!item_collect(render, &source, &items, &count))
            return false;
        for (size_t i = 0; i < count; i++) {
            struct item *pair;
            size_t size;
            if (!item_collect(render, &items[i], &pair, &size))
                return false;
            if (size != 2)
                return template_fail(render, "found %zu values, expected pairs of key and value",
                                     size);
            if (!dictionary_set(render, dictionary, &pair[0], &pair[1]))
                return false;
        }
    }
    for (size_t i = 0; i < arguments->keyword_count; i++) {
        struct item key = item_text(arguments->names[i]);
        if (!dictionary_set(render, dictionary, &key, &arguments->items[arguments->count + i]))
            return false;
    }
    return true;
}

static bool global_dict(struct render *render, const struct item *value,
                        const struct arguments *arguments, struct item *out)
{
    struct dictionary dictionary = {0};
    (void)value;
    if (!build(render, arguments, &dictionary))
        return false;
    *out = dictionary_map(&dictionary);
    return true;
}

static bool global_namespace(struct render *render, const struct item *value,
                             const struct arguments *arguments, struct item *out)
{
    struct dictionary *dictionary = template_alloc(render, 1, sizeof(*dictionary));
    (void)value;
    if (!dictionary || !build(render, arguments, dictionary))
        return false;
    *out = (struct item){.kind = KIND_NAMESPACE, .dictionary = dictionary};
    return true;
}

static bool global_cycler(struct render *render, const struct item *value,
                          const struct arguments *arguments, struct item *out)
{
    struct cycler *cycler = template_alloc(render, 1, sizeof(*cycler));
    (void)value;
    if (!cycler)
        return false;
    if (arguments->count == 0 || arguments->keyword_count)
        return template_fail(render, "cycler: found no items, expected some by position");
    *cycler = (struct cycler){.items = arguments->items, .count = arguments->count};
    *out = (struct item){.kind = KIND_CYCLER, .cycler = cycler};
    return true;
}

static bool global_joiner(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    struct joiner *joiner = template_alloc(render, 1, sizeof(*joiner));
    (void)value;
    if (!joiner)
        return false;
    joiner->separator = arguments[0].kind == KIND_ABSENT ? item_static(", ") : arguments[0];
    *out = (struct item){.kind = KIND_JOINER, .joiner = joiner};
    return true;
}

const struct function template_globals[] = {
    {.name = "range",
     .parameters = {"start", "stop", "step"},
     .required = 1,
     .positional = true,
     .run = global_range},
    {.name = "dict", .call = global_dict},
    {.name = "namespace", .call = global_namespace},
    {.name = "cycler", .call = global_cycler},
    {.name = "joiner", .parameters = {"sep"}, .run = global_joiner},
    {0}};
