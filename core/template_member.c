/* SPDX-License-Identifier: Apache-2.0 */
/* x.name, x[key] and x[a:b], as jinja2's environment.getattr and getitem do them. */
#include "template_internal.h"

#include <string.h>

/* What Python's own types answer to by name: there jinja2 gives a bound method, which prints with a
 * memory address. Reading one without calling it is refused rather than rendered differently. */
static const char *const text_members[] = {
    "capitalize",   "casefold",    "center",    "count",      "encode",       "endswith",
    "expandtabs",   "find",        "format",    "format_map", "index",        "isalnum",
    "isalpha",      "isascii",     "isdecimal", "isdigit",    "isidentifier", "islower",
    "isnumeric",    "isprintable", "isspace",   "istitle",    "isupper",      "join",
    "ljust",        "lower",       "lstrip",    "maketrans",  "partition",    "removeprefix",
    "removesuffix", "replace",     "rfind",     "rindex",     "rjust",        "rpartition",
    "rsplit",       "rstrip",      "split",     "splitlines", "startswith",   "strip",
    "swapcase",     "title",       "translate", "upper",      "zfill",        NULL};
static const char *const map_members[] = {"clear",      "copy",   "fromkeys", "get",
                                          "items",      "keys",   "pop",      "popitem",
                                          "setdefault", "update", "values",   NULL};
static const char *const list_members[] = {"append", "clear",   "copy",   "count",
                                           "extend", "index",   "insert", "pop",
                                           "remove", "reverse", "sort",   NULL};
static const char *const tuple_members[] = {"count", "index", NULL};
static const char *const range_members[] = {"count", "index", "start", "step", "stop", NULL};
static const char *const view_members[] = {"isdisjoint", "mapping", NULL};
static const char *const integer_members[] = {
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "imag",
    "numerator",        "real",      "to_bytes",   NULL};
static const char *const float_members[] = {
    "as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real", NULL};
static const char *const generator_members[] = {"close",      "gi_code",      "gi_frame",
                                                "gi_running", "gi_suspended", "gi_yieldfrom",
                                                "send",       "throw",        NULL};
static const char *const cycler_members[] = {"current", "items", "next", "pos", "reset", NULL};
static const char *const joiner_members[] = {"sep", "used", NULL};

static const char *const *const members[] = {
    [KIND_BOOL] = integer_members,  [KIND_INT] = integer_members,
    [KIND_FLOAT] = float_members,   [KIND_TEXT] = text_members,
    [KIND_LIST] = list_members,     [KIND_TUPLE] = tuple_members,
    [KIND_MAP] = map_members,       [KIND_KEYS] = view_members,
    [KIND_VALUES] = view_members,   [KIND_ITEMS] = view_members,
    [KIND_RANGE] = range_members,   [KIND_GENERATOR] = generator_members,
    [KIND_CYCLER] = cycler_members, [KIND_JOINER] = joiner_members,
    [KIND_FUNCTION] = NULL,
};

static bool is_python_member(const struct item *item, xy_str name)
{
    if (name.len > 4 && memcmp(name.ptr, "__", 2) == 0 &&
        memcmp(name.ptr + name.len - 2, "__", 2) == 0)
        return true;
    const char *const *names = members[item->kind];
    for (; names && *names; names++)
        if (str_is(name, *names))
            return true;
    return item->kind == KIND_TEXT && item->markup &&
           (str_is(name, "striptags") || str_is(name, "unescape") || str_is(name, "escape"));
}

static bool refuse_member(struct render *render, const struct item *item, xy_str name)
{
    return template_fail(render,
                         "found `%.*s` read from %s, where Python has a method of that name; "
                         "expected a call of it, or another name",
                         name.len > 60 ? 60 : (int)name.len, name.ptr, item_type(item));
}

/* What groupby gives is a named tuple. */
static bool group_member(const struct item *item, xy_str name, struct item *out)
{
    if (item->kind != KIND_TUPLE || !item->attribute)
        return false;
    bool grouper = str_is(name, "grouper");
    if (grouper || str_is(name, "list"))
        *out = sequence_at(item, grouper ? 0 : 1);
    return grouper || str_is(name, "list");
}

static struct item missing(xy_str name)
{
    return (struct item){.kind = KIND_UNDEFINED, .attribute = true, .text = name};
}

bool item_attribute(struct render *render, const struct item *item, xy_str name, struct item *out)
{
    struct item key = item_text(name), map;
    switch (item->kind) {
    case KIND_UNDEFINED: return template_undefined(render, item);
    case KIND_LOOP: return item_loop_attribute(render, item->loop, name, out);
    case KIND_NAMESPACE: map = dictionary_map(item->dictionary); break;
    case KIND_CYCLER:
        if (str_is(name, "current")) {
            *out = item->cycler->items[item->cycler->position];
            return true;
        }
        /* fall through */
    default:
        if (group_member(item, name, out))
            return true;
        if (is_python_member(item, name))
            return refuse_member(render, item, name);
        *out = missing(name);
        if (item->kind != KIND_MAP)
            return true;
        map = *item;
    }
    int found = map_find(render, &map, &key, out);
    if (found == 0)
        *out = missing(name);
    return found >= 0;
}

static bool index_sequence(struct render *render, const struct item *item, const struct item *key,
                           struct item *out)
{
    int64_t index = item_integer(key), length;
    if (!item_length(render, item, &length))
        return false;
    if (index < 0)
        index += length;
    *out = missing(STR("an index past the end"));
    if (index < 0 || index >= length)
        return true;
    if (item->kind != KIND_TEXT) {
        *out = sequence_at(item, (size_t)index);
        return true;
    }
    size_t at = point_offset(item->text, (size_t)index), end = at;
    point_next(item->text, &end);
    *out = item_text((xy_str){item->text.ptr + at, end - at});
    out->markup = item->markup;
    return true;
}

/* A subscript that is a name may be an attribute, as in jinja2's getitem(). */
static bool named_member(struct render *render, const struct item *item, xy_str name,
                         struct item *out)
{
    if (item->kind == KIND_NAMESPACE || item->kind == KIND_LOOP || item->kind == KIND_CYCLER)
        return item_attribute(render, item, name, out);
    if (group_member(item, name, out))
        return true;
    return is_python_member(item, name) ? refuse_member(render, item, name) : true;
}

bool item_subscript(struct render *render, const struct item *item, const struct item *key,
                    struct item *out)
{
    if (item->kind == KIND_UNDEFINED)
        return template_undefined(render, item);
    *out = missing(key->kind == KIND_TEXT ? key->text : STR("a subscript"));
    bool sequence = item_is_sequence(item) || item->kind == KIND_TEXT;
    if (item->kind == KIND_MAP) {
        if (key->kind == KIND_LIST || key->kind == KIND_MAP)
            return true; /* unhashable: Python's TypeError, which jinja2 takes for a miss */
        int found = map_find(render, item, key, out);
        if (found != 0)
            return found > 0;
    } else if (sequence && item_is_integer(key))
        return index_sequence(render, item, key, out);
    else if (sequence && key->kind == KIND_UNDEFINED)
        return template_undefined(render, key);
    return key->kind == KIND_TEXT ? named_member(render, item, key->text, out) : true;
}

/* PySlice_AdjustIndices: where a slice begins and ends within `length`. */
static bool slice_bound(struct render *render, const struct item *part, int64_t length,
                        int64_t step, int64_t otherwise, int64_t *out)
{
    if (part->kind == KIND_NONE) {
        *out = otherwise;
        return true;
    }
    if (!item_is_integer(part))
        return part->kind == KIND_UNDEFINED
                   ? template_undefined(render, part)
                   : template_fail(render, "found %s in a slice, expected an integer",
                                   item_type(part));
    int64_t at = item_integer(part);
    if (at < 0)
        at = at + length < 0 ? (step < 0 ? -1 : 0) : at + length;
    else if (at >= length)
        at = step < 0 ? length - 1 : length;
    *out = at;
    return true;
}

static bool slice_text(struct render *render, const struct item *item, int64_t start, int64_t step,
                       size_t count, struct item *out)
{
    struct text text = {.render = render};
    if (step == 1) {
        size_t from = point_offset(item->text, (size_t)start);
        xy_str rest = {item->text.ptr + from, item->text.len - from};
        *out = item_text((xy_str){rest.ptr, point_offset(rest, count)});
    } else {
        size_t length = point_count(item->text);
        uint32_t *offsets = template_alloc(render, length + 1, sizeof(*offsets));
        if (!offsets)
            return false;
        for (size_t at = 0, i = 0; i < length; i++) {
            offsets[i] = (uint32_t)at;
            point_next(item->text, &at);
            offsets[i + 1] = (uint32_t)at;
        }
        for (size_t i = 0; i < count; i++, start += step)
            if (!text_append(&text, item->text.ptr + offsets[start],
                             offsets[start + 1] - offsets[start]))
                return false;
        *out = item_text(text_str(&text));
    }
    out->markup = item->markup;
    return true;
}

static bool slice_step(struct render *render, const struct item *part, int64_t *step)
{
    *step = 1;
    if (part->kind == KIND_NONE)
        return true;
    if (!item_is_integer(part) || item_integer(part) == INT64_MIN)
        return template_fail(render, "found %s as a slice's step, expected an integer",
                             item_type(part));
    *step = item_integer(part);
    if (*step != 0)
        return true;
    *step = 1;
    return template_fail(render, "found 0 as a slice's step, expected another number");
}

static bool slice_list(struct render *render, const struct item *item, int64_t start, int64_t step,
                       size_t count, struct item *out)
{
    if (item->kind == KIND_RANGE)
        return template_fail(render, "found a slice of a range, which is not part of this subset; "
                                     "expected a list (`| list`)");
    struct item *items = template_alloc(render, count, sizeof(*items));
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++)
        items[i] = sequence_at(item, (size_t)(start + (int64_t)i * step));
    *out = item_list(items, count, item->kind == KIND_TUPLE);
    return true;
}

static size_t slice_count(int64_t start, int64_t stop, int64_t step)
{
    int64_t span = step > 0 ? stop - start : start - stop, stride = step > 0 ? step : -step;
    return span > 0 ? (size_t)((span - 1) / stride + 1) : 0;
}

bool item_slice(struct render *render, const struct item *item, const struct item parts[3],
                struct item *out)
{
    int64_t start = 0, stop = 0, step, length = 0;
    if (item->kind == KIND_UNDEFINED)
        return template_undefined(render, item);
    if (!item_is_sequence(item) && item->kind != KIND_TEXT)
        return template_fail(render, "found a slice of %s, expected a string, a list or a tuple",
                             item_type(item));
    if (!slice_step(render, &parts[2], &step) || !item_length(render, item, &length) ||
        !slice_bound(render, &parts[0], length, step, step < 0 ? length - 1 : 0, &start) ||
        !slice_bound(render, &parts[1], length, step, step < 0 ? -1 : length, &stop))
        return false;
    size_t count = slice_count(start, stop, step);
    if (item->kind == KIND_TEXT)
        return slice_text(render, item, count ? start : 0, count > 1 ? step : 1, count, out);
    return slice_list(render, item, start, step, count, out);
}

/* One part of a dotted path: an index where it is all digits, else a name. */
static struct item path_key(xy_str part)
{
    bool digits = part.len > 0, too_large;
    for (size_t i = 0; i < part.len; i++)
        digits = digits && part.ptr[i] >= '0' && part.ptr[i] <= '9';
    int64_t index;
    return digits && number_parse_int(part, 10, &index, &too_large) ? item_int(index)
                                                                    : item_text(part);
}

bool item_path(struct render *render, const struct item *item, const struct item *attribute,
               const struct item *fallback, struct item *out)
{
    *out = *item;
    if (attribute->kind == KIND_NONE || attribute->kind == KIND_ABSENT)
        return true;
    if (attribute->kind != KIND_TEXT) {
        struct item owner = *out;
        if (!item_subscript(render, &owner, attribute, out))
            return false;
        if (fallback && out->kind == KIND_UNDEFINED)
            *out = *fallback;
        return true;
    }
    xy_str rest = attribute->text;
    for (;;) {
        const char *dot = memchr(rest.ptr, '.', rest.len);
        xy_str part = {rest.ptr, dot ? (size_t)(dot - rest.ptr) : rest.len};
        struct item owner = *out, key = path_key(part);
        if (!item_subscript(render, &owner, &key, out))
            return false;
        if (fallback && out->kind == KIND_UNDEFINED)
            *out = *fallback;
        if (!dot)
            return true;
        rest = (xy_str){dot + 1, rest.len - part.len - 1};
    }
}
