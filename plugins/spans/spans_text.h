/* SPDX-License-Identifier: Apache-2.0 */
/* spans_text.h - where a mention stands in a text, and the text's tokens. Texts are valid UTF-8, as
 * every text of a record is; places are half-open and counted in bytes unless said otherwise. [any]
 */
#ifndef XYLEM_PLUGINS_SPANS_SPANS_TEXT_H
#define XYLEM_PLUGINS_SPANS_SPANS_TEXT_H

#include <stdbool.h>

#include <xylem/plugin.h>

enum match {
    MATCH_EXACT = 1, /* byte for byte */
    MATCH_LOOSE = 2, /* any white space, composed or decomposed letters, straight or curly quotes,
                        any dash; characters without a shape of their own are left out */
    MATCH_CASE = 3   /* loose, and in any case */
};

struct place {
    size_t start, end;
};

/* All places of `mention`, in order, none overlapping another; where some neither begin nor end
 * inside a word, only those. The array is the job's. */
struct place *text_places(xy_job *job, xy_str text, xy_str mention, enum match match,
                          size_t *count);

/* Are the two the same, as far as `match` looks? White space at the ends does not count. */
bool text_same(xy_str a, xy_str b, enum match match);

/* How many code points the first `bytes` bytes have; and the byte where the `points`-th code point
 * begins, or text.len past the end. */
size_t text_points(xy_str text, size_t bytes);
size_t text_byte(xy_str text, size_t points);

/* The next token at or after `*at`, which then stands behind it: a run of letters, marks and
 * digits, a Chinese or Japanese character, or any one character that is no white space. False at
 * the end. */
bool text_token(xy_str text, size_t *at, struct place *token);

#endif
