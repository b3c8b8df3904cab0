/* SPDX-License-Identifier: Apache-2.0 */
#include "chunks_record.h"

#include <stdlib.h>

enum { MARK_BYTES = 4096 };

static void count_on(struct place *place, const char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        place->characters += ((unsigned char)text[i] & 0xc0) != 0x80;
        place->lines += text[i] == '\n';
    }
}

bool places_init(struct places *places, const struct document *document)
{
    size_t length = document->text.length;
    places->count = length / MARK_BYTES + 1;
    places->marks = calloc(places->count, sizeof(*places->marks));
    for (size_t i = 1; places->marks && i < places->count; i++) {
        places->marks[i] = places->marks[i - 1];
        count_on(&places->marks[i], document->text.bytes, (i - 1) * MARK_BYTES, i * MARK_BYTES);
    }
    return places->marks != NULL;
}

void places_free(struct places *places)
{
    free(places->marks);
    *places = (struct places){0};
}

static struct place place_at(const struct places *places, const char *text, size_t at)
{
    struct place place = places->marks[at / MARK_BYTES];
    count_on(&place, text, at / MARK_BYTES * MARK_BYTES, at);
    return place;
}

/* The page, from 1, that holds byte `at`. */
static size_t page_of(const struct document *document, size_t at)
{
    size_t low = 0, high = document->page_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (document->pages[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_member(struct text *out, const char *name, size_t number)
{
    text_add_literal(out, out->length ? "," : "{");
    text_add_json(out, xy_text(name));
    text_add_literal(out, ":");
    text_add_integer(out, number);
}

static void write_source(struct text *out, const struct document *document,
                         const struct places *places, struct span span)
{
    const char *text = document->text.bytes;
    struct place first = place_at(places, text, span.from), last = place_at(places, text, span.to);
    add_member(out, "start", first.characters);
    add_member(out, "end", last.characters);
    add_member(out, "start_byte", span.from);
    add_member(out, "end_byte", span.to);
    add_member(out, "line", first.lines + 1);
    add_member(out, "end_line", last.lines + 1);
    if (document->page_count) {
        add_member(out, "page", page_of(document, span.from));
        add_member(out, "end_page", page_of(document, span.to - 1));
    }
    text_add_literal(out, "}");
}

int record_fill(xy_record *record, const struct record_fields *fields,
                const struct document *document, const struct places *places, struct span span,
                size_t number, struct text *scratch)
{
    xy_str text = {document->text.bytes + span.from, span.to - span.from};
    text_clear(scratch);
    text_add_literal(scratch, "");
    document_path(document, span.from, scratch);
    int code = scratch->failed ? XY_ENOMEM : xy_record_set_text(record, fields->text, text);
    if (code >= 0)
        code = xy_record_set_text(record, fields->title, (xy_str){scratch->bytes, scratch->length});
    if (code >= 0)
        code = xy_record_set_int(record, fields->number, (int64_t)number);
    text_clear(scratch);
    write_source(scratch, document, places, span);
    if (code >= 0)
        code = scratch->failed ? XY_ENOMEM
                               : xy_record_set_json(record, fields->source,
                                                    (xy_str){scratch->bytes, scratch->length});
    return code;
}
