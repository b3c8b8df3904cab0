/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "chunks_cut.h"

void spans_add(struct spans *spans, size_t from, size_t to)
{
    if (spans->count == spans->room) {
        size_t room = spans->room ? spans->room * 2 : 64;
        struct span *items = realloc(spans->items, room * sizeof(*items));
        if (!items) {
            spans->failed = true;
            return;
        }
        spans->items = items;
        spans->room = room;
    }
    spans->items[spans->count++] = (struct span){from, to};
}

void spans_free(struct spans *spans)
{
    free(spans->items);
    *spans = (struct spans){0};
}

/* ---- characters ------------------------------------------------------------------------------ */

/* Length of the white space at `at`, 0 for anything else: ASCII's, and what Unicode calls spaces
 * that a line may break at (U+2000 to U+200A without the figure space, U+2028, U+2029, U+3000). */
static size_t space(const char *text, size_t at, size_t end)
{
    const unsigned char *c = (const unsigned char *)text + at;
    if (*c == ' ' || (*c >= '\t' && *c <= '\r'))
        return 1;
    if (*c < 0xe2 || end - at < 3)
        return 0;
    uint32_t code = (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f);
    if (*c > 0xef)
        return 0;
    bool general = code >= 0x2000 && code <= 0x200a && code != 0x2007;
    return general || code == 0x2028 || code == 0x2029 || code == 0x3000 ? 3 : 0;
}

void cut_trimmed(const char *text, size_t from, size_t to, struct spans *out)
{
    size_t gap;
    while (from < to && (gap = space(text, from, to)) > 0)
        from += gap;
    size_t last = from; /* behind the last character that is no white space */
    for (size_t at = from; at < to;) {
        gap = space(text, at, to);
        at += gap ? gap : cut_character(text, at);
        if (!gap)
            last = at;
    }
    if (last > from)
        spans_add(out, from, last);
}

static void add_words(const char *text, struct span part, struct spans *out)
{
    for (size_t at = part.from; at < part.to;) {
        size_t gap = space(text, at, part.to), from = at;
        if (gap) {
            at += gap;
            continue;
        }
        while (at < part.to && !space(text, at, part.to))
            at += cut_character(text, at);
        spans_add(out, from, at);
    }
}

/* ---- lines and paragraphs -------------------------------------------------------------------- */

/* Where the line that begins at `at` ends: at its line break, or at the end. */
static size_t line_end(const char *text, size_t at, size_t end)
{
    const char *stop = memchr(text + at, '\n', end - at);
    return stop ? (size_t)(stop - text) : end;
}

bool cut_is_blank(const char *text, size_t from, size_t to)
{
    size_t gap;
    while (from < to && (gap = space(text, from, to)) > 0)
        from += gap;
    return from == to;
}

/* Lines keep their indentation, since in source code it has a meaning. */
static void add_lines(const char *text, struct span part, struct spans *out)
{
    for (size_t at = part.from; at < part.to;) {
        size_t stop = line_end(text, at, part.to), to = stop;
        if (to > at && text[to - 1] == '\r')
            to--;
        spans_add(out, at, to);
        at = stop + 1;
    }
}

/* What blank lines, or a page's end, keep apart. */
static void add_paragraphs(const char *text, struct span part, struct spans *out)
{
    size_t from = part.from;
    for (size_t at = part.from; at < part.to;) {
        size_t stop = line_end(text, at, part.to);
        bool feed = memchr(text + at, '\f', stop - at) != NULL;
        if (cut_is_blank(text, at, stop) || feed) {
            cut_trimmed(text, from, at, out);
            from = at;
        }
        at = stop + 1;
    }
    cut_trimmed(text, from, part.to, out);
}

/* ---- sentences ------------------------------------------------------------------------------- */

/* Length of the mark that can end a sentence: . ! ? and the ellipsis, and the ideographic full stop
 * and wide marks, after which no space has to follow (`*wide`). */
static size_t end_mark(const char *text, size_t at, size_t end, bool *wide)
{
    static const char *const marks[] = {"\xe2\x80\xa6", "\xe3\x80\x82", "\xef\xbc\x81",
                                        "\xef\xbc\x9f"};
    *wide = false;
    if (strchr(".!?", text[at]) && text[at])
        return 1;
    for (size_t i = 0; i < 4 && end - at >= 3; i++)
        if (memcmp(text + at, marks[i], 3) == 0) {
            *wide = i > 0;
            return 3;
        }
    return 0;
}

/* Length of a quotation mark or bracket that closes after the end mark. */
static size_t closing(const char *text, size_t at, size_t end)
{
    static const char *const marks[] = {"\xe2\x80\x9d", "\xe2\x80\x99", "\xe3\x80\x8d",
                                        "\xe3\x80\x8f", "\xef\xbc\x89"};
    if (text[at] && strchr("\"')]", text[at]))
        return 1;
    for (size_t i = 0; i < 5 && end - at >= 3; i++)
        if (memcmp(text + at, marks[i], 3) == 0)
            return 3;
    return end - at >= 2 && memcmp(text + at, "\xc2\xbb", 2) == 0 ? 2 : 0;
}

/* Is the full stop at `at` part of an abbreviation, as in "Dr. Who", "J. Smith", "e.g. this"? */
static bool abbreviates(const char *text, size_t from, size_t at)
{
    static const char known[] =
        " mr mrs ms dr prof sr jr st mt vs etc e.g i.e cf fig figs eq eqs no vol pp ed eds al "
        "approx dept est inc ltd co corp gen col capt lt sgt rev hon jan feb mar apr jun jul aug "
        "sep sept oct nov dec ";
    char word[12] = " ";
    size_t start = at, length = 0;
    while (start > from && !strchr(" \t\n\r\f\v([\"'", text[start - 1]))
        start--;
    length = at - start;
    if (length == 0 || length + 3 > sizeof(word))
        return false;
    if (length == 1)
        return text[start] >= 'A' && text[start] <= 'Z'; /* an initial */
    for (size_t i = 0; i < length; i++)
        word[i + 1] = (char)(text[start + i] >= 'A' && text[start + i] <= 'Z'
                                 ? text[start + i] | 0x20 : text[start + i]);
    memcpy(word + length + 1, " ", 2);
    return strstr(known, word) != NULL;
}

/* Behind all end marks and closing marks from `at` on; `*wide` when one of them needs no space. */
static size_t behind_marks(const char *text, size_t at, size_t to, bool *wide)
{
    size_t length;
    bool is_wide;
    for (*wide = false; at < to && (length = end_mark(text, at, to, &is_wide)) > 0; at += length)
        *wide |= is_wide;
    while (at < to && (length = closing(text, at, to)) > 0)
        at += length;
    return at;
}

/* Where a sentence that the mark at `at` ends is over; 0 when it goes on. */
static size_t sentence_end(const char *text, size_t from, size_t at, size_t to)
{
    bool wide;
    if (!end_mark(text, at, to, &wide) || (text[at] == '.' && abbreviates(text, from, at)))
        return 0;
    size_t after = behind_marks(text, at, to, &wide), next = after, gap;
    if (after == to || wide)
        return after;
    while (next < to && (gap = space(text, next, to)) > 0)
        next += gap;
    /* What goes on in small letters is most often the same sentence, after an abbreviation. */
    bool small = next < to && text[next] >= 'a' && text[next] <= 'z';
    return next > after && !small ? after : 0;
}

static void add_sentences(const char *text, struct span part, struct spans *out)
{
    struct spans paragraphs = {0};
    add_paragraphs(text, part, &paragraphs);
    for (size_t i = 0; i < paragraphs.count; i++) {
        size_t from = paragraphs.items[i].from, to = paragraphs.items[i].to;
        for (size_t at = from; at < to;) {
            size_t over = sentence_end(text, from, at, to);
            if (over) {
                cut_trimmed(text, from, over, out);
                from = over;
            }
            at = over ? over : at + cut_character(text, at);
        }
        cut_trimmed(text, from, to, out);
    }
    out->failed |= paragraphs.failed;
    spans_free(&paragraphs);
}

/* ---- sections and pages ---------------------------------------------------------------------- */

/* From heading to heading. A heading with nothing under it is in the title of those below it. */
static void add_sections(const struct document *document, struct span part, struct spans *out)
{
    const char *text = document->text.bytes;
    size_t from = part.from;
    size_t body = from;
    for (size_t i = 0; i < document->heading_count; i++) {
        const struct heading *heading = &document->headings[i];
        if (heading->at < part.from || heading->at >= part.to)
            continue;
        if (!cut_is_blank(text, body, heading->at))
            cut_trimmed(text, from, heading->at, out);
        from = heading->at;
        body = heading->body < part.to ? heading->body : part.to;
    }
    if (!cut_is_blank(text, body, part.to))
        cut_trimmed(text, from, part.to, out);
}

static void add_pages(const struct document *document, struct span part, struct spans *out)
{
    size_t from = part.from;
    for (size_t i = 0; i < document->page_count; i++) {
        size_t at = document->pages[i];
        if (at <= from || at >= part.to)
            continue;
        cut_trimmed(document->text.bytes, from, at, out);
        from = at;
    }
    cut_trimmed(document->text.bytes, from, part.to, out);
}

void cut_units(const struct document *document, struct span part, enum unit unit,
               struct spans *out)
{
    const char *text = document->text.bytes;
    switch (unit) {
    case UNIT_WORDS: add_words(text, part, out); break;
    case UNIT_SENTENCES: add_sentences(text, part, out); break;
    case UNIT_PARAGRAPHS: add_paragraphs(text, part, out); break;
    case UNIT_HEADINGS: add_sections(document, part, out); break;
    case UNIT_PAGES: add_pages(document, part, out); break;
    case UNIT_LINES: add_lines(text, part, out); break;
    default: cut_trimmed(text, part.from, part.to, out); break;
    }
}
