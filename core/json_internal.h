/* SPDX-License-Identifier: Apache-2.0 */
/* json_internal.h - what the strict reader and the mending reader of JSON share. */
#ifndef XYLEM_CORE_JSON_INTERNAL_H
#define XYLEM_CORE_JSON_INTERNAL_H

#include "json.h"

/* Values whose list or map is still open. They are copied to the arena, all at once and without a
 * gap, when the bracket closes: so a tree costs one allocation for each list or map. */
struct json_stack {
    struct member *members; /* items of a list have an empty key */
    size_t count, capacity;
};

void json_stack_free(struct json_stack *stack);
/* The new top, not yet set; valid until the next push. */
struct member *json_stack_push(struct json_stack *stack);
/* Pops everything above `base` into a list or map in `arena`. */
struct value json_stack_list(struct json_stack *stack, size_t base, struct arena *arena);
struct value json_stack_map(struct json_stack *stack, size_t base, struct arena *arena);

/* As json_parse(), but text after the value is no error: *used is the number of bytes read,
 * also on an error. */
int json_parse_prefix(struct arena *arena, xy_str text, struct value *out, size_t *used,
                      struct error *error);

/* Reads the list or map that `text` starts with and mends its slips; false when that cannot be
 * done. Text behind it is no error; *used is the number of bytes read, also on failure. */
bool json_mend(struct arena *arena, xy_str text, struct value *out, size_t *used);

/* The number that `token`, which must be one by RFC 8259, stands for; NUL or any byte that
 * cannot go on with a number must follow it. False when it is past the range of a double. */
bool json_number(xy_str token, struct value *out);

/* The four hexadecimal digits at `digits`, or -1. Reads no further than the first other byte. */
int32_t json_hexadecimal(const char *digits);

#endif
