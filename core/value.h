/* SPDX-License-Identifier: Apache-2.0 */
/* value.h - an immutable tree of values: what JSON parses to and what templates compute with.
 *
 * All memory of a tree belongs to one arena, or is borrowed by it; a value itself is passed by
 * copy. Maps keep the order of their members; a key appears once.
 */
#ifndef XYLEM_CORE_VALUE_H
#define XYLEM_CORE_VALUE_H

#include "error.h"
#include "memory.h"

enum value_type {
    VALUE_NULL, /* JSON null, Jinja2 none */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_MAP
};

struct member;

struct value {
    enum value_type type;
    union {
        bool boolean;
        int64_t integer;
        double number;
        xy_str text;
        struct {
            const struct value *items;
            size_t count;
        } list;
        struct {
            const struct member *members;
            size_t count;
        } map;
    };
};

struct member {
    xy_str key;
    struct value value;
};

struct value value_text(xy_str text);
struct value value_int(int64_t integer);
struct value value_number(double number);
struct value value_bool(bool boolean);
/* The member named `key`, or NULL when `map` is no map or has none. */
const struct value *value_member(const struct value *map, xy_str key);
/* Deep equality as JSON has it: 1 equals 1.0, order of map members does not matter. */
bool value_equal(const struct value *a, const struct value *b);
/* The first member whose key an earlier member has too, or NULL. O(n log n). [any] */
const struct member *value_duplicate(const struct member *members, size_t count);
/* -1, 0 or 1 as `a` is less than, equal to or greater than `b`, exactly, also where an integer has
 * no double. Both must be VALUE_INT or VALUE_NUMBER and none of them NaN. [any] */
int value_compare_numbers(const struct value *a, const struct value *b);
/* "null", "boolean", "integer", "number", "string", "array", "object": JSON Schema's words. */
const char *value_type_name(const struct value *value);

#endif
