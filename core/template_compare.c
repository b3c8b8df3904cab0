/* SPDX-License-Identifier: Apache-2.0 */
/* ==, <, in, hashing and sorting with Python's rules: True equals 1 equals 1.0, an order exists
 * only within numbers, strings and sequences, and a list cannot be a key. */
#include "template_internal.h"

#include <math.h>
#include <string.h>

static bool enter(struct render *render)
{
    if (++render->nesting <= TEMPLATE_NESTING)
        return true;
    return template_fail(render, "found a value nested deeper than %d, expected less",
                         TEMPLATE_NESTING);
}

/* -1, 0, 1; 2 when one is NaN. Exact, where a conversion to double would round. */
static int order_numbers(const struct item *a, const struct item *b)
{
    if (item_is_integer(a) && item_is_integer(b)) {
        int64_t x = item_integer(a), y = item_integer(b);
        return (x > y) - (x < y);
    }
    if (a->kind == KIND_FLOAT && b->kind == KIND_FLOAT) {
        double x = a->number, y = b->number;
        return isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
    }
    if (a->kind == KIND_FLOAT) {
        int order = order_numbers(b, a);
        return order == 2 ? 2 : -order;
    }
    int64_t x = item_integer(a);
    double y = b->number;
    if (isnan(y))
        return 2;
    if (y >= 0x1p63 || y < -0x1p63)
        return y > 0 ? -1 : 1;
    int64_t whole = (int64_t)y;
    if (x != whole)
        return x < whole ? -1 : 1;
    double rest = y - (double)whole;
    return (rest < 0) - (rest > 0);
}

static bool is_number(const struct item *item)
{
    return item_is_integer(item) || item->kind == KIND_FLOAT;
}

static int order_text(struct render *render, xy_str a, xy_str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    template_charge(render, shared / 64);
    /* UTF-8 sorts by bytes as its code points do. */
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order ? (order > 0) - (order < 0) : (a.len > b.len) - (a.len < b.len);
}

static bool equal_sequences(struct render *render, const struct item *a, const struct item *b,
                            bool *out)
{
    int64_t length, other;
    if (!item_length(render, a, &length) || !item_length(render, b, &other) || !enter(render))
        return false;
    *out = length == other;
    for (int64_t i = 0; i < length && *out; i++) {
        struct item x = sequence_at(a, (size_t)i), y = sequence_at(b, (size_t)i);
        if (!item_equal(render, &x, &y, out))
            return false;
    }
    render->nesting--;
    return true;
}

static bool equal_maps(struct render *render, const struct item *a, const struct item *b, bool *out)
{
    *out = a->map.count == b->map.count;
    if (!enter(render))
        return false;
    for (size_t i = 0; i < a->map.count && *out; i++) {
        struct pair pair = map_at(a, i);
        struct item other;
        int found = map_find(render, b, &pair.key, &other);
        if (found < 0)
            return false;
        *out = found > 0;
        if (found && !item_equal(render, &pair.value, &other, out))
            return false;
    }
    render->nesting--;
    return true;
}

/* Two items of one kind that are no numbers. */
static bool equal_alike(struct render *render, const struct item *a, const struct item *b,
                        bool *out)
{
    switch (a->kind) {
    case KIND_TEXT:
        *out = a->text.len == b->text.len && order_text(render, a->text, b->text) == 0;
        break;
    case KIND_NONE:
    case KIND_UNDEFINED: *out = true; break;
    case KIND_LIST:
    case KIND_TUPLE:
    case KIND_RANGE: return equal_sequences(render, a, b, out);
    case KIND_MAP: return equal_maps(render, a, b, out);
    case KIND_KEYS:
    case KIND_ITEMS:
        return template_fail(render,
                             "found a comparison of %s, which is not part of this subset; "
                             "expected lists (`| list`)",
                             item_type(a));
    default: *out = a->list.data == b->list.data;
    }
    return !render->failed;
}

bool item_equal(struct render *render, const struct item *a, const struct item *b, bool *out)
{
    const struct item *strict = a->kind == KIND_UNDEFINED && !a->lenient   ? a
                                : b->kind == KIND_UNDEFINED && !b->lenient ? b
                                                                           : NULL;
    if (strict)
        return template_undefined(render, strict);
    if (!template_charge(render, 1))
        return false;
    *out = false;
    if (is_number(a) && is_number(b))
        *out = order_numbers(a, b) == 0;
    else if (a->kind == b->kind)
        return equal_alike(render, a, b, out);
    else
        return true;
    return !render->failed;
}

/* The order of two sequences is that of their first unequal items. */
static bool order_sequences(struct render *render, const struct item *a, const struct item *b,
                            int operation, bool *out)
{
    size_t shared = a->list.count < b->list.count ? a->list.count : b->list.count;
    if (!enter(render))
        return false;
    for (size_t i = 0; i < shared; i++) {
        struct item x = sequence_at(a, i), y = sequence_at(b, i);
        bool equal = false;
        if (!item_equal(render, &x, &y, &equal))
            return false;
        if (!equal) {
            bool good = item_ordered(render, &x, &y, operation, out);
            render->nesting--;
            return good;
        }
    }
    render->nesting--;
    struct item x = item_int((int64_t)a->list.count), y = item_int((int64_t)b->list.count);
    return item_ordered(render, &x, &y, operation, out);
}

/* Whether `order` (2: not comparable, as with NaN) is what the operation asks for. */
static bool order_holds(int order, int operation)
{
    if (order == 2)
        return false;
    switch (operation) {
    case OP_LT: return order < 0;
    case OP_LE: return order <= 0;
    case OP_GT: return order > 0;
    case OP_GE: return order >= 0;
    default: return false;
    }
}

bool item_ordered(struct render *render, const struct item *a, const struct item *b, int operation,
                  bool *out)
{
    static const char *const signs[] = {
        [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">="};
    int order;
    if (a->kind == KIND_UNDEFINED || b->kind == KIND_UNDEFINED)
        return template_undefined(render, a->kind == KIND_UNDEFINED ? a : b);
    if (!template_charge(render, 1))
        return false;
    if (is_number(a) && is_number(b))
        order = order_numbers(a, b);
    else if (a->kind == KIND_TEXT && b->kind == KIND_TEXT)
        order = order_text(render, a->text, b->text);
    else if (a->kind == b->kind && (a->kind == KIND_LIST || a->kind == KIND_TUPLE))
        return order_sequences(render, a, b, operation, out);
    else
        return template_fail(render,
                             "found %s %s %s, expected two numbers, two strings or two lists",
                             item_type(a), signs[operation], item_type(b));
    *out = order_holds(order, operation);
    return !render->failed;
}

bool item_contains(struct render *render, const struct item *container, const struct item *item,
                   bool *out)
{
    struct cursor cursor;
    struct item element;
    size_t at;
    if (container->kind == KIND_TEXT) {
        if (item->kind == KIND_UNDEFINED)
            return template_undefined(render, item);
        if (item->kind != KIND_TEXT)
            return template_fail(render, "found %s in a string, expected a string to look for",
                                 item_type(item));
        *out = text_find(container->text, item->text, 0, &at);
        return template_charge(render, container->text.len / 16);
    }
    if (container->kind == KIND_MAP || container->kind == KIND_KEYS) {
        int found = map_find(render, container, item, &element);
        *out = found > 0;
        return found >= 0;
    }
    if (!cursor_open(render, container, &cursor))
        return false;
    *out = false;
    int state = cursor_next(render, &cursor, &element);
    for (; state > 0 && !*out; state = *out ? 1 : cursor_next(render, &cursor, &element))
        if (!item_equal(render, item, &element, out))
            return false;
    return state >= 0;
}

bool item_compare(struct render *render, int operation, const struct item *a, const struct item *b,
                  bool *out)
{
    bool good;
    switch (operation) {
    case OP_EQ: return item_equal(render, a, b, out);
    case OP_IN: return item_contains(render, b, a, out);
    case OP_NE: good = item_equal(render, a, b, out); break;
    case OP_NOT_IN: good = item_contains(render, b, a, out); break;
    default: return item_ordered(render, a, b, operation, out);
    }
    if (good)
        *out = !*out;
    return good;
}

bool item_hashable(struct render *render, const struct item *item)
{
    if (item->kind == KIND_UNDEFINED)
        return item->lenient || template_undefined(render, item);
    if (item->kind == KIND_LIST || item->kind == KIND_MAP || item->kind == KIND_KEYS ||
        item->kind == KIND_ITEMS)
        return template_fail(render, "found %s as a key, expected a string, a number or a tuple",
                             item_type(item));
    if (item->kind != KIND_TUPLE)
        return true;
    if (!enter(render))
        return false;
    for (size_t i = 0; i < item->list.count; i++) {
        struct item element = sequence_at(item, i);
        if (!template_charge(render, 1) || !item_hashable(render, &element))
            return false;
    }
    render->nesting--;
    return true;
}

/* FNV-1a (Fowler, Noll, Vo 1991). Items that are equal have equal hashes. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t item_hash(const struct item *item)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (item->kind == KIND_TEXT)
        return hash_bytes(hash, item->text.ptr, item->text.len);
    if (item->kind == KIND_TUPLE) {
        for (size_t i = 0; i < item->list.count; i++) {
            struct item element = sequence_at(item, i);
            hash = hash * UINT64_C(0x100000001b3) ^ item_hash(&element);
        }
        return hash;
    }
    if (!item_is_integer(item) && item->kind != KIND_FLOAT)
        return hash + item->kind;
    double number = item->kind == KIND_FLOAT ? item->number : (double)item_integer(item);
    if (number == 0)
        number = 0; /* -0.0 equals 0 */
    return hash_bytes(hash, &number, sizeof(number));
}

struct sorting {
    struct render *render;
    struct item *keys, *items, *spare_keys, *spare_items;
    bool reverse;
};

/* Merges [from, middle) and [middle, to). Stable also in reverse, as Python's sort is. */
static bool merge(struct sorting *s, size_t from, size_t middle, size_t to)
{
    size_t left = from, right = middle;
    for (size_t at = from; at < to; at++) {
        bool take_right = left == middle;
        if (left < middle && right < to) {
            const struct item *a = &s->keys[s->reverse ? left : right];
            const struct item *b = &s->keys[s->reverse ? right : left];
            if (!item_ordered(s->render, a, b, OP_LT, &take_right))
                return false;
        }
        size_t source = take_right ? right++ : left++;
        s->spare_keys[at] = s->keys[source];
        s->spare_items[at] = s->items[source];
    }
    memcpy(s->keys + from, s->spare_keys + from, (to - from) * sizeof(struct item));
    memcpy(s->items + from, s->spare_items + from, (to - from) * sizeof(struct item));
    return true;
}

bool items_sort(struct render *render, struct item *keys, struct item *items, size_t count,
                bool reverse)
{
    struct sorting sorting = {.render = render, .keys = keys, .items = items, .reverse = reverse};
    sorting.spare_keys = template_alloc(render, count * 2, sizeof(struct item));
    if (!sorting.spare_keys)
        return false;
    sorting.spare_items = sorting.spare_keys + count;
    for (size_t width = 1; width < count; width *= 2)
        for (size_t from = 0; from + width < count; from += 2 * width) {
            size_t to = from + 2 * width < count ? from + 2 * width : count;
            if (!merge(&sorting, from, from + width, to))
                return false;
        }
    return true;
}
