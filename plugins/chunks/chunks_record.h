/* SPDX-License-Identifier: Apache-2.0 */
/* chunks_record.h - a chunk as a record: its text, its title, and the exact place it was cut from.
 * [worker], one thread at a time. */
#ifndef XYLEM_PLUGINS_CHUNKS_CHUNKS_RECORD_H
#define XYLEM_PLUGINS_CHUNKS_CHUNKS_RECORD_H

#include "chunks_cut.h"

struct record_fields {
    const char *text, *title, *number, *source;
};

/* Turns bytes of a document's text into characters and lines: counts every so many bytes, so that a
 * place costs the same at the end of a long document as at its start. */
struct places { /* zeroed: empty */
    struct place {
        size_t characters, lines;
    } *marks;
    size_t count;
};

/* Counts through the document. False: no memory. */
bool places_init(struct places *places, const struct document *document);
void places_free(struct places *places);

/* Sets the fields of chunk `number` on the record. `scratch` is cleared and used. 0 or an error. */
int record_fill(xy_record *record, const struct record_fields *fields,
                const struct document *document, const struct places *places, struct span span,
                size_t number, struct text *scratch);

#endif
