/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - one error with its place, and a list of them for `xylem check`.
 *
 * A function that can fail returns 0 or a negative XY_E* and fills the caller's `struct error`.
 * A message names what was found and what was expected; the place is in the fields, not in the
 * text.
 */
#ifndef XYLEM_CORE_ERROR_H
#define XYLEM_CORE_ERROR_H

#include <stdbool.h>
#include <stdio.h>

#include "memory.h"

struct error {
    int code;            /* XY_E*, 0 when none is set */
    char file[256];      /* empty when the error has no file */
    int line, column;    /* from 1; 0 when unknown */
    char text[1024];
    char hint[256];      /* what to do: "did you mean `threshold`?"; may be empty */
};

/* Sets code and text and forgets any place; returns `code`, so that `return error_set(...)`
 * reads. */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds the place; returns the error's code. */
int error_at(struct error *error, const char *file, int line, int column);
int error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "file:line:column: text (hint)" into `buffer`. */
void error_format(const struct error *error, struct buffer *buffer);

/* Short English for an XY_E* code, for example "cancelled". Static. */
const char *error_name(int code);

/* Every error found in one pass over a file, in the order found; at most `limit` are kept. */
struct error_list {
    struct error *errors;
    size_t count, total; /* total counts those past the limit too */
};

void error_list_add(struct error_list *list, const struct error *error);
void error_list_free(struct error_list *list);

/* The nearest of `names` (count of them) to `word` by edit distance, or NULL when none is near
 * (distance above a third of the longer word; two neighbours that changed places count once). Used
 * for every "did you mean". */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
