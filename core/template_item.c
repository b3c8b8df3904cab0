/* SPDX-License-Identifier: Apache-2.0 */
/* Items: made from record values and back, maps, truth, members and subscripts. */
#include "template_internal.h"

#include <string.h>

struct item item_of(const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL: return item_bool(value->boolean);
    case VALUE_INT: return item_int(value->integer);
    case VALUE_NUMBER: return item_float(value->number);
    case VALUE_TEXT: return item_text(value->text);
    case VALUE_LIST:
        return (struct item){
            .kind = KIND_LIST, .foreign = true, .list = {value->list.items, value->list.count}};
    case VALUE_MAP:
        return (struct item){
            .kind = KIND_MAP, .foreign = true, .map = {value->map.members, value->map.count}};
    default: return item_none();
    }
}

struct item item_text(xy_str text)
{
    return (struct item){.kind = KIND_TEXT, .text = {text.ptr ? text.ptr : "", text.len}};
}

struct item item_static(const char *text)
{
    return item_text(str_of(text));
}

struct item item_int(int64_t integer)
{
    return (struct item){.kind = KIND_INT, .integer = integer};
}

struct item item_float(double number)
{
    return (struct item){.kind = KIND_FLOAT, .number = number};
}

struct item item_bool(bool boolean)
{
    return (struct item){.kind = KIND_BOOL, .boolean = boolean};
}

struct item item_none(void)
{
    return (struct item){.kind = KIND_NONE};
}

struct item item_missing(const char *why)
{
    return (struct item){.kind = KIND_UNDEFINED, .attribute = true, .text = str_of(why)};
}

struct item item_list(const struct item *items, size_t count, bool tuple)
{
    return (struct item){.kind = tuple ? KIND_TUPLE : KIND_LIST, .list = {items, count}};
}

bool item_is_integer(const struct item *item)
{
    return item->kind == KIND_INT || item->kind == KIND_BOOL;
}

int64_t item_integer(const struct item *item)
{
    return item->kind == KIND_BOOL ? item->boolean : item->integer;
}

bool item_is_sequence(const struct item *item)
{
    return item->kind == KIND_LIST || item->kind == KIND_TUPLE || item->kind == KIND_RANGE;
}

struct item sequence_at(const struct item *sequence, size_t index)
{
    if (sequence->kind == KIND_RANGE)
        return item_int(sequence->range->start + (int64_t)index * sequence->range->step);
    if (sequence->foreign)
        return item_of((const struct value *)sequence->list.data + index);
    return ((const struct item *)sequence->list.data)[index];
}

size_t map_count(const struct item *map)
{
    return map->map.count;
}

struct pair map_at(const struct item *map, size_t index)
{
    if (!map->foreign)
        return ((const struct pair *)map->map.data)[index];
    const struct member *member = (const struct member *)map->map.data + index;
    return (struct pair){item_text(member->key), item_of(&member->value)};
}

static int find_text(struct render *render, const struct item *map, xy_str key, struct item *out)
{
    const struct member *members = map->map.data;
    if (!template_charge(render, map->map.count / 8))
        return -1;
    for (size_t i = 0; i < map->map.count; i++)
        if (str_equal(members[i].key, key)) {
            *out = item_of(&members[i].value);
            return 1;
        }
    return 0;
}

int map_find(struct render *render, const struct item *map, const struct item *key,
             struct item *out)
{
    if (!item_hashable(render, key))
        return -1;
    if (map->foreign)
        return key->kind == KIND_TEXT ? find_text(render, map, key->text, out) : 0;
    const struct pair *pairs = map->map.data;
    for (size_t i = 0; i < map->map.count; i++) {
        bool equal;
        if (!item_equal(render, &pairs[i].key, key, &equal))
            return -1;
        if (equal) {
            *out = pairs[i].value;
            return 1;
        }
    }
    return 0;
}

bool dictionary_set(struct render *render, struct dictionary *dictionary, const struct item *key,
                    const struct item *value)
{
    if (!item_hashable(render, key))
        return false;
    for (size_t i = 0; i < dictionary->count; i++) {
        bool equal;
        if (!item_equal(render, &dictionary->pairs[i].key, key, &equal))
            return false;
        if (equal) {
            dictionary->pairs[i].value = *value;
            return true;
        }
    }
    if (dictionary->count == dictionary->capacity) {
        size_t capacity = dictionary->capacity ? dictionary->capacity * 2 : 4;
        struct pair *grown = template_alloc(render, capacity, sizeof(*grown));
        if (!grown)
            return false;
        if (dictionary->count)
            memcpy(grown, dictionary->pairs, dictionary->count * sizeof(*grown));
        dictionary->pairs = grown;
        dictionary->capacity = capacity;
    }
    dictionary->pairs[dictionary->count++] = (struct pair){*key, *value};
    return true;
}

struct item dictionary_map(const struct dictionary *dictionary)
{
    return (struct item){.kind = KIND_MAP, .map = {dictionary->pairs, dictionary->count}};
}

bool item_truth(struct render *render, const struct item *item, bool *out)
{
    switch (item->kind) {
    case KIND_NONE: *out = false; return true;
    case KIND_BOOL: *out = item->boolean; return true;
    case KIND_INT: *out = item->integer != 0; return true;
    case KIND_FLOAT: *out = item->number != 0; return true;
    case KIND_TEXT: *out = item->text.len != 0; return true;
    case KIND_LIST:
    case KIND_TUPLE: *out = item->list.count != 0; return true;
    case KIND_MAP:
    case KIND_KEYS:
    case KIND_VALUES:
    case KIND_ITEMS: *out = item->map.count != 0; return true;
    case KIND_RANGE: *out = item->range->count != 0; return true;
    case KIND_UNDEFINED: *out = false; return item->lenient || template_undefined(render, item);
    default: *out = true; return true;
    }
}

const char *item_type(const struct item *item)
{
    static const char *const names[] = {
        [KIND_ABSENT] = "nothing",
        [KIND_UNDEFINED] = "an undefined value",
        [KIND_NONE] = "none",
        [KIND_BOOL] = "a boolean",
        [KIND_INT] = "an integer",
        [KIND_FLOAT] = "a float",
        [KIND_TEXT] = "a string",
        [KIND_LIST] = "a list",
        [KIND_TUPLE] = "a tuple",
        [KIND_MAP] = "a dict",
        [KIND_KEYS] = "a dict's keys",
        [KIND_VALUES] = "a dict's values",
        [KIND_ITEMS] = "a dict's items",
        [KIND_RANGE] = "a range",
        [KIND_GENERATOR] = "a generator",
        [KIND_NAMESPACE] = "a namespace",
        [KIND_LOOP] = "the loop",
        [KIND_CYCLER] = "a cycler",
        [KIND_JOINER] = "a joiner",
        [KIND_FUNCTION] = "a function",
    };
    return names[item->kind];
}

bool item_length(struct render *render, const struct item *item, int64_t *out)
{
    switch (item->kind) {
    case KIND_TEXT:
        *out = (int64_t)point_count(item->text);
        return template_charge(render, item->text.len / 64);
    case KIND_LIST:
    case KIND_TUPLE: *out = (int64_t)item->list.count; return true;
    case KIND_MAP:
    case KIND_KEYS:
    case KIND_VALUES:
    case KIND_ITEMS: *out = (int64_t)item->map.count; return true;
    case KIND_RANGE: *out = (int64_t)item->range->count; return true;
    case KIND_UNDEFINED: *out = 0; return item->lenient || template_undefined(render, item);
    default:
        return template_fail(render,
                             "found %s, which has no length; expected a string, a list or "
                             "a dict (`| list` makes one)",
                             item_type(item));
    }
}

/* A list as JSON, so that an expression's value can leave. */
static bool sequence_to_value(struct render *render, const struct item *item, struct value *out)
{
    struct item *items;
    size_t count;
    if (!item_collect(render, item, &items, &count))
        return false;
    struct value *values = template_alloc(render, count, sizeof(*values));
    if (!values)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!item_to_value(render, &items[i], &values[i]))
            return false;
    *out = (struct value){.type = VALUE_LIST, .list = {values, count}};
    return true;
}

static bool map_to_value(struct render *render, const struct item *item, struct value *out)
{
    struct member *members = template_alloc(render, item->map.count, sizeof(*members));
    if (!members)
        return false;
    for (size_t i = 0; i < item->map.count; i++) {
        struct pair pair = map_at(item, i);
        if (pair.key.kind != KIND_TEXT)
            return template_fail(render,
                                 "found %s as a dict's key in the result, expected a string",
                                 item_type(&pair.key));
        members[i].key = pair.key.text;
        if (!item_to_value(render, &pair.value, &members[i].value))
            return false;
    }
    *out = (struct value){.type = VALUE_MAP, .map = {members, item->map.count}};
    return true;
}

bool item_to_value(struct render *render, const struct item *item, struct value *out)
{
    switch (item->kind) {
    case KIND_NONE: *out = (struct value){.type = VALUE_NULL}; return true;
    case KIND_BOOL:
        *out = (struct value){.type = VALUE_BOOL, .boolean = item->boolean};
        return true;
    case KIND_INT: *out = (struct value){.type = VALUE_INT, .integer = item->integer}; return true;
    case KIND_FLOAT:
        *out = (struct value){.type = VALUE_NUMBER, .number = item->number};
        return true;
    case KIND_TEXT: *out = (struct value){.type = VALUE_TEXT, .text = item->text}; return true;
    case KIND_UNDEFINED: return template_undefined(render, item);
    default: break;
    }
    if (item->kind > KIND_GENERATOR)
        return template_fail(render, "found %s as the result, expected a plain value",
                             item_type(item));
    if (++render->nesting > TEMPLATE_NESTING)
        return template_fail(render, "found a value nested deeper than %d, expected less",
                             TEMPLATE_NESTING);
    bool good = item->kind == KIND_MAP ? map_to_value(render, item, out)
                                       : sequence_to_value(render, item, out);
    render->nesting--;
    return good;
}
