/* SPDX-License-Identifier: Apache-2.0 */
/* json_reader.h - reads JSON where it lies, without building a tree; compiled into each plugin that
 * needs it, since a plugin links nothing of the host.
 *
 * First json_check() on the whole text; then every value is a slice of it (its text, without the
 * spaces around it), and the functions below may be called on slices without fear. A slice that is
 * {NULL, 0} stands for "absent" and is accepted everywhere. [any]
 */
#ifndef XYLEM_PLUGINS_COMMON_JSON_READER_H
#define XYLEM_PLUGINS_COMMON_JSON_READER_H

#include <stdbool.h>

#include <xylem/plugin.h>

/* Strict RFC 8259, valid UTF-8, nesting of at most 64. The value's slice, or {NULL, 0}. */
xy_str json_check(xy_str text);

/* Checks an object as json_check() does, and hands out each member on the way: for a text that is
 * read once, in one pass. What was handed out is worth nothing when json_walk_end() says false.
 *
 *     struct json_walk walk = json_walk_begin(text);
 *     while (json_walk_next(&walk, &member))
 *         ...
 *     if (!json_walk_end(&walk))
 *         the text is no object, or something follows it
 */
struct json_walk {
    const char *at, *end;
    bool inside, wrong, first;
};
struct json_walk_member {
    xy_str key, value; /* as json_next() gives them */
    bool plain_key, plain_value; /* a string without escapes: its text lies between the quotes */
};
struct json_walk json_walk_begin(xy_str text);
bool json_walk_next(struct json_walk *walk, struct json_walk_member *member);
bool json_walk_end(const struct json_walk *walk);

/* '{', '[', '"', 't', 'f', 'n', '0' for a number, or 0 for an absent value. */
char json_kind(xy_str value);
bool json_is(xy_str value, const char *string); /* a string, equal to `string` without escapes */

/* The member's value; the first one where a key comes twice. Absent when `object` is no object. */
xy_str json_member(xy_str object, const char *key);
/* Several members in one walk: values[i] belongs to keys[i], absent ones are {NULL, 0}. */
void json_members(xy_str object, const char *const *keys, xy_str *values, size_t count);
/* json_member() along "choices.message.content"-like paths; a number is an index:
 * "choices.0.text". */
xy_str json_path(xy_str value, const char *path);

/* Walks an object or an array: a zeroed cursor before the first call; false after the last value.
 * `key` is the raw text between the quotes, untouched in an array. */
struct json_cursor {
    const char *at;
};
bool json_next(xy_str container, struct json_cursor *cursor, xy_str *key, xy_str *value);
size_t json_count(xy_str container);

/* The nearest double, whatever the locale; `otherwise` when absent or no number. */
double json_number(xy_str value, double otherwise);

/* Decodes a string into `out` (room for value.len bytes is always enough) and returns its length;
 * a NUL follows. Lone surrogates become U+FFFD. 0 when it is no string. */
size_t json_decode(xy_str value, char *out);

#endif
