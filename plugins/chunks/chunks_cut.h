/* SPDX-License-Identifier: Apache-2.0 */
/* chunks_cut.h - which parts of a document become chunks. A document is a list of units (words,
 * lines, sections ...), and a chunk is a run of them. [any], one thread at a time.
 *
 *   chunks_units.c   where the units are
 *   chunks_cut.c     runs of units, one after another or drawn at random
 */
#ifndef XYLEM_PLUGINS_CHUNKS_CHUNKS_CUT_H
#define XYLEM_PLUGINS_CHUNKS_CHUNKS_CUT_H

#include "chunks_document.h"

enum unit {
    UNIT_DOCUMENT = 0,
    UNIT_CHARACTERS,
    UNIT_WORDS,
    UNIT_SENTENCES,
    UNIT_PARAGRAPHS,
    UNIT_HEADINGS,
    UNIT_PAGES,
    UNIT_LINES,
    UNIT_COUNT
};

struct span { /* bytes of the document's text: from, up to but without `to` */
    size_t from, to;
};

struct spans { /* zeroed: empty */
    struct span *items;
    size_t count, room;
    bool failed;
};

struct cut_options {
    enum unit by, within;
    size_t size, overlap;   /* in units */
    size_t draw, smallest;  /* so many random runs of `smallest` to `size` units; draw 0: cut all */
};

void spans_add(struct spans *spans, size_t from, size_t to);
void spans_free(struct spans *spans);

/* Length in bytes of the character at `at`, in valid UTF-8. */
static inline size_t cut_character(const char *text, size_t at)
{
    unsigned char c = (unsigned char)text[at];
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}
/* Is there nothing but white space? */
bool cut_is_blank(const char *text, size_t from, size_t to);
/* Appends the span without the white space at its ends; nothing when it is only that. */
void cut_trimmed(const char *text, size_t from, size_t to, struct spans *out);

/* Appends the units of that part of the text, in order; none is empty or only white space, but
 * for lines. Characters, of which there would be too many to list, are not asked for. */
void cut_units(const struct document *document, struct span part, enum unit unit,
               struct spans *out);
/* Appends the chunks; `*random` is the stream that `draw` uses. Memory that fails shows in
 * out->failed. */
void cut_document(const struct document *document, const struct cut_options *options,
                  uint64_t *random, struct spans *out);

#endif
