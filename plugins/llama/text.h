/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - a growing buffer of bytes that remembers a failed allocation instead of reporting it at
 * each step. Zero-initialised is empty. Not thread-safe.
 */
#ifndef XYLEM_PLUGINS_LLAMA_TEXT_H
#define XYLEM_PLUGINS_LLAMA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *ptr;     /* NUL-terminated once anything was added */
    size_t len, capacity;
    bool failed;   /* memory ran out: what is in `ptr` is not whole */
};

void text_add(struct text *text, const char *bytes, size_t len);
void text_add_string(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_print(struct text *text, const char *format, ...);
void text_free(struct text *text);

/* The length of the longest prefix of the bytes that does not end inside a UTF-8 character. */
size_t text_whole_characters(const char *bytes, size_t len);
/* Replaces each byte that belongs to no valid UTF-8 character by U+FFFD. */
void text_repair_utf8(struct text *text);

#endif
