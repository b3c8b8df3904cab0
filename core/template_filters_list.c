/* SPDX-License-Identifier: Apache-2.0 */
/* Filters over lists and dicts that read all at once (jinja2/filters.py). */
#include "template_internal.h"

#include <string.h>

static bool flag(struct render *render, const struct item *argument, bool *out)
{
    *out = false;
    return argument->kind == KIND_ABSENT || item_truth(render, argument, out);
}

/* make_attrgetter with ignore_case: what items are compared by. */
static bool key_of(struct render *render, const struct item *item, const struct item *attribute,
                   bool case_sensitive, const struct item *fallback, struct item *out)
{
    struct text text = {.render = render};
    if (!item_path(render, item, attribute, fallback, out))
        return false;
    if (case_sensitive || out->kind != KIND_TEXT)
        return true;
    if (!text_convert(&text, out->text, CASE_LOWER))
        return false;
    *out = item_text(text_str(&text));
    return true;
}

static bool filter_length(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    int64_t length;
    (void)arguments;
    if (!item_length(render, value, &length))
        return false;
    *out = item_int(length);
    return true;
}

static bool filter_first(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    struct cursor cursor;
    (void)arguments;
    if (!cursor_open(render, value, &cursor))
        return false;
    int state = cursor_next(render, &cursor, out);
    if (state == 0)
        *out = item_missing("the first item of an empty sequence");
    return state >= 0;
}

static bool filter_last(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    struct item *items;
    size_t count;
    (void)arguments;
    if (value->kind == KIND_GENERATOR)
        return template_fail(render, "last: found a generator, which cannot be read from its end; "
                                     "expected a list (`| list`)");
    if (!item_collect(render, value, &items, &count))
        return false;
    *out = count ? items[count - 1] : item_missing("the last item of an empty sequence");
    return true;
}

static bool filter_join(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct cursor cursor;
    struct item item, member;
    xy_str separator = STR("");
    if ((arguments[0].kind != KIND_ABSENT && !item_string(render, &arguments[0], &separator)) ||
        !cursor_open(render, value, &cursor))
        return false;
    int state = cursor_next(render, &cursor, &item);
    for (bool first = true; state > 0; state = cursor_next(render, &cursor, &item), first = false)
        if ((!first && !text_append(&text, separator.ptr, separator.len)) ||
            !item_path(render, &item, &arguments[1], NULL, &member) || !text_write(&text, &member))
            return false;
    *out = item_text(text_str(&text));
    return state == 0;
}

static bool filter_list(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    struct item *items;
    size_t count;
    (void)arguments;
    if (!item_collect(render, value, &items, &count))
        return false;
    *out = item_list(items, count, false);
    return true;
}

/* make_multi_attrgetter: "a,b.c" sorts by a, then by b.c. */
static bool sort_key(struct render *render, const struct item *item, const struct item *attribute,
                     bool case_sensitive, struct item *out)
{
    xy_str rest = attribute->kind == KIND_TEXT ? attribute->text : STR("");
    size_t parts = 1;
    for (size_t i = 0; i < rest.len; i++)
        parts += rest.ptr[i] == ',';
    struct item *keys = template_alloc(render, parts, sizeof(*keys));
    if (!keys)
        return false;
    for (size_t i = 0; i < parts; i++) {
        struct item part = *attribute;
        if (attribute->kind == KIND_TEXT) {
            const char *comma = memchr(rest.ptr, ',', rest.len);
            size_t length = comma ? (size_t)(comma - rest.ptr) : rest.len;
            part = item_text((xy_str){rest.ptr, length});
            rest =
                (xy_str){rest.ptr + length + (comma != NULL), rest.len - length - (comma != NULL)};
        }
        if (!key_of(render, item, &part, case_sensitive, NULL, &keys[i]))
            return false;
    }
    *out = item_list(keys, parts, false);
    return true;
}

static bool filter_sort(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    struct item *items, *keys;
    size_t count;
    bool reverse, case_sensitive;
    if (!flag(render, &arguments[0], &reverse) || !flag(render, &arguments[1], &case_sensitive) ||
        !item_collect(render, value, &items, &count))
        return false;
    keys = template_alloc(render, count, sizeof(*keys));
    if (!keys)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!sort_key(render, &items[i], &arguments[2], case_sensitive, &keys[i]))
            return false;
    *out = item_list(items, count, false);
    return items_sort(render, keys, items, count, reverse);
}

static bool extreme(struct render *render, const struct item *value, const struct item *arguments,
                    int operation, struct item *out)
{
    struct cursor cursor;
    struct item item, key, best;
    bool case_sensitive, better;
    if (!flag(render, &arguments[0], &case_sensitive) || !cursor_open(render, value, &cursor))
        return false;
    *out = item_missing("the smallest or largest item of an empty sequence");
    int state = cursor_next(render, &cursor, &item);
    for (bool first = true; state > 0; state = cursor_next(render, &cursor, &item), first = false) {
        if (!key_of(render, &item, &arguments[1], case_sensitive, NULL, &key))
            return false;
        better = first;
        if (!first && !item_ordered(render, &key, &best, operation, &better))
            return false;
        if (better) {
            *out = item;
            best = key;
        }
    }
    return state == 0;
}

static bool filter_min(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    return extreme(render, value, arguments, OP_LT, out);
}

static bool filter_max(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    return extreme(render, value, arguments, OP_GT, out);
}

static bool filter_dictsort(struct render *render, const struct item *value,
                            const struct item *arguments, struct item *out)
{
    struct item *items, *keys, pairs = *value;
    size_t count, by = 0;
    bool case_sensitive, reverse;
    if (arguments[1].kind != KIND_ABSENT) {
        by = arguments[1].kind == KIND_TEXT && str_is(arguments[1].text, "value");
        if (!by && (arguments[1].kind != KIND_TEXT || !str_is(arguments[1].text, "key")))
            return template_fail(render, "dictsort: found another `by`, expected 'key' or 'value'");
    }
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    if (value->kind != KIND_MAP)
        return template_fail(render, "dictsort: found %s, expected a dict", item_type(value));
    pairs.kind = KIND_ITEMS;
    if (!flag(render, &arguments[0], &case_sensitive) || !flag(render, &arguments[2], &reverse) ||
        !item_collect(render, &pairs, &items, &count))
        return false;
    keys = template_alloc(render, count, sizeof(*keys));
    if (!keys)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct item part = sequence_at(&items[i], by), none = item_none();
        if (!key_of(render, &part, &none, case_sensitive, NULL, &keys[i]))
            return false;
    }
    *out = item_list(items, count, false);
    return items_sort(render, keys, items, count, reverse);
}

/* One (key, items) group of groupby. */
static bool add_group(struct render *render, const struct item *items, size_t count,
                      const struct item *key, struct item *out)
{
    struct item *pair = template_alloc(render, 2, sizeof(*pair));
    if (!pair)
        return false;
    pair[0] = *key;
    pair[1] = item_list(items, count, false);
    *out = item_list(pair, 2, true);
    out->attribute = true; /* a named tuple: .grouper and .list */
    return true;
}

static bool filter_groupby(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    struct item *items, *keys, *groups;
    size_t count, group_count = 0;
    bool case_sensitive, equal;
    const struct item *fallback =
        arguments[1].kind == KIND_ABSENT || arguments[1].kind == KIND_NONE ? NULL : &arguments[1];
    if (!flag(render, &arguments[2], &case_sensitive) ||
        !item_collect(render, value, &items, &count))
        return false;
    keys = template_alloc(render, count * 2, sizeof(*keys));
    if (!keys)
        return false;
    groups = keys + count;
    for (size_t i = 0; i < count; i++)
        if (!key_of(render, &items[i], &arguments[0], case_sensitive, fallback, &keys[i]))
            return false;
    if (!items_sort(render, keys, items, count, false))
        return false;
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1, equal = true; to < count; to++) {
            if (!item_equal(render, &keys[to], &keys[from], &equal))
                return false;
            if (!equal)
                break;
        }
        struct item key;
        if (!key_of(render, &items[from], &arguments[0], true, fallback, &key) ||
            !add_group(render, items + from, to - from, &key, &groups[group_count++]))
            return false;
    }
    *out = item_list(groups, group_count, false);
    return true;
}

static bool filter_sum(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    struct cursor cursor;
    struct item item, member;
    *out = arguments[1].kind == KIND_ABSENT ? item_int(0) : arguments[1];
    if (out->kind == KIND_TEXT)
        return template_fail(render,
                             "sum: found a string to start with, expected a number (`| join` "
                             "joins strings)");
    if (!cursor_open(render, value, &cursor))
        return false;
    int state = cursor_next(render, &cursor, &item);
    for (; state > 0; state = cursor_next(render, &cursor, &item)) {
        struct item sum = *out;
        if (!item_path(render, &item, &arguments[0], NULL, &member) ||
            !item_binary(render, OP_ADD, &sum, &member, out))
            return false;
    }
    return state == 0;
}

static bool filter_default(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    bool boolean, truth = true;
    if (value->kind != KIND_UNDEFINED) {
        if (!flag(render, &arguments[1], &boolean) ||
            (boolean && !item_truth(render, value, &truth)))
            return false;
    } else
        truth = false;
    *out = truth ? *value : arguments[0].kind == KIND_ABSENT ? item_static("") : arguments[0];
    return true;
}

const struct function template_list_filters[] = {
    {.name = "length", .run = filter_length},
    {.name = "count", .run = filter_length},
    {.name = "first", .run = filter_first},
    {.name = "last", .run = filter_last},
    {.name = "join", .parameters = {"d", "attribute"}, .run = filter_join},
    {.name = "list", .run = filter_list},
    {.name = "sort", .parameters = {"reverse", "case_sensitive", "attribute"}, .run = filter_sort},
    {.name = "min", .parameters = {"case_sensitive", "attribute"}, .run = filter_min},
    {.name = "max", .parameters = {"case_sensitive", "attribute"}, .run = filter_max},
    {.name = "dictsort", .parameters = {"case_sensitive", "by", "reverse"}, .run = filter_dictsort},
    {.name = "groupby",
     .parameters = {"attribute", "default", "case_sensitive"},
     .required = 1,
     .run = filter_groupby},
    {.name = "sum", .parameters = {"attribute", "start"}, .run = filter_sum},
    {.name = "default", .parameters = {"default_value", "boolean"}, .run = filter_default},
    {.name = "d", .parameters = {"default_value", "boolean"}, .run = filter_default},
    {0}};
