/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <stdlib.h>
#include <string.h>

/* Up to here comparing each key with each other is faster than sorting them. */
enum { FEW_MEMBERS = 16 };

struct value value_text(xy_str text)
{
    return (struct value){.type = VALUE_TEXT, .text = text};
}

struct value value_int(int64_t integer)
{
    return (struct value){.type = VALUE_INT, .integer = integer};
}

struct value value_number(double number)
{
    return (struct value){.type = VALUE_NUMBER, .number = number};
}

struct value value_bool(bool boolean)
{
    return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

const struct value *value_member(const struct value *map, xy_str key)
{
    if (!map || map->type != VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < map->map.count; i++) {
        if (str_equal(map->map.members[i].key, key))
            return &map->map.members[i].value;
    }
    return NULL;
}

/* Any total order will do, so the cheap one: by length first. */
static int compare_keys(const void *left, const void *right)
{
    const struct member *const *a = left, *const *b = right;
    size_t a_length = (*a)->key.len, b_length = (*b)->key.len;
    if (a_length != b_length)
        return a_length < b_length ? -1 : 1;
    int order = a_length ? memcmp((*a)->key.ptr, (*b)->key.ptr, a_length) : 0;
    if (order != 0)
        return order;
    return *a < *b ? -1 : *a > *b; /* equal keys stay in the order of the members */
}

static const struct member **sorted_by_key(const struct member *members, size_t count)
{
    const struct member **sorted = memory_resize(NULL, count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    qsort(sorted, count, sizeof(*sorted), compare_keys);
    return sorted;
}

const struct member *value_duplicate(const struct member *members, size_t count)
{
    if (count <= FEW_MEMBERS) {
        for (size_t i = 1; i < count; i++) {
            for (size_t j = 0; j < i; j++) {
                if (str_equal(members[i].key, members[j].key))
                    return &members[i];
            }
        }
        return NULL;
    }
    const struct member **sorted = sorted_by_key(members, count);
    const struct member *first = NULL;
    for (size_t i = 1; i < count; i++) {
        if (str_equal(sorted[i - 1]->key, sorted[i]->key) && (!first || sorted[i] < first))
            first = sorted[i];
    }
    free(sorted);
    return first;
}

static bool lists_equal(const struct value *a, const struct value *b)
{
    if (a->list.count != b->list.count)
        return false;
    for (size_t i = 0; i < a->list.count; i++) {
        if (!value_equal(&a->list.items[i], &b->list.items[i]))
            return false;
    }
    return true;
}

static bool few_members_equal(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->map.count; i++) {
        const struct member *member = &a->map.members[i];
        const struct value *other = value_member(b, member->key);
        if (!other || !value_equal(&member->value, other))
            return false;
    }
    return true;
}

static bool maps_equal(const struct value *a, const struct value *b)
{
    size_t count = a->map.count;
    if (count != b->map.count)
        return false;
    if (count <= FEW_MEMBERS)
        return few_members_equal(a, b);
    const struct member **left = sorted_by_key(a->map.members, count);
    const struct member **right = sorted_by_key(b->map.members, count);
    bool equal = true;
    for (size_t i = 0; equal && i < count; i++)
        equal = str_equal(left[i]->key, right[i]->key) &&
                value_equal(&left[i]->value, &right[i]->value);
    free(left);
    free(right);
    return equal;
}

int value_compare_numbers(const struct value *a, const struct value *b)
{
    /* Each side's rounding error is avoided: converting a large integer to double would make
     * 2^53 + 1 equal to 2^53. */
    if (a->type == VALUE_INT && b->type == VALUE_INT)
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    if (a->type == VALUE_NUMBER && b->type == VALUE_NUMBER)
        return a->number < b->number ? -1 : a->number > b->number;
    if (a->type == VALUE_NUMBER)
        return -value_compare_numbers(b, a);
    double number = b->number;
    if (number >= 0x1p63)
        return -1;
    if (number < -0x1p63)
        return 1;
    int64_t whole = (int64_t)number;
    if (a->integer != whole)
        return a->integer < whole ? -1 : 1;
    double rest = number - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

static bool is_numeric(const struct value *value)
{
    return value->type == VALUE_INT || value->type == VALUE_NUMBER;
}

static bool numbers_equal(const struct value *a, const struct value *b)
{
    bool nan = (a->type == VALUE_NUMBER && a->number != a->number) ||
               (b->type == VALUE_NUMBER && b->number != b->number);
    return !nan && value_compare_numbers(a, b) == 0;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (is_numeric(a) && is_numeric(b))
        return numbers_equal(a, b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_BOOL: return a->boolean == b->boolean;
    case VALUE_TEXT: return str_equal(a->text, b->text);
    case VALUE_LIST: return lists_equal(a, b);
    case VALUE_MAP: return maps_equal(a, b);
    default: return true;
    }
}

const char *value_type_name(const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL: return "boolean";
    case VALUE_INT: return "integer";
    case VALUE_NUMBER: return "number";
    case VALUE_TEXT: return "string";
    case VALUE_LIST: return "array";
    case VALUE_MAP: return "object";
    default: return "null";
    }
}
