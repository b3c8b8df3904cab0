/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - a growing text for plugins, with JSON escaping. An allocation that fails is remembered
 * in `failed`, and every later append does nothing: look once, at the end. One thread at a time. */
#ifndef XYLEM_PLUGINS_COMMON_TEXT_H
#define XYLEM_PLUGINS_COMMON_TEXT_H

#include <stdbool.h>

#include <xylem/plugin.h>

struct text { /* zeroed: empty */
    char *bytes; /* always NUL-terminated once anything was added */
    size_t length, capacity;
    bool failed;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_add_str(struct text *text, xy_str str);
void text_add_literal(struct text *text, const char *literal);
/* As a JSON string, quotes included; and without them, to put one string together from several. */
void text_add_json(struct text *text, xy_str str);
void text_add_escaped(struct text *text, xy_str str);
/* The shortest of 15 to 17 significant digits that reads back the same, with '.' in any locale. */
void text_add_number(struct text *text, double number);
void text_add_integer(struct text *text, uint64_t number);
void text_add_signed(struct text *text, int64_t number);
/* Empties it but keeps the memory, unless that is more than 1 MiB. */
void text_clear(struct text *text);
void text_free(struct text *text);

#endif
