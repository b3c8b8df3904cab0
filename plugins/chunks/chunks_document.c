/* SPDX-License-Identifier: Apache-2.0 */
#include "chunks_document.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "utf8.h"

/* Larger files are data sets or archives; the list of a document's words is ten times as large. */
#define DOCUMENT_MOST ((size_t)256 << 20)

/* ---- formats --------------------------------------------------------------------------------- */

enum format document_format_of(const char *path)
{
    static const struct {
        const char *ending;
        enum format format;
    } known[] = {{".md", FORMAT_MARKDOWN},  {".markdown", FORMAT_MARKDOWN}, {".html", FORMAT_HTML},
                 {".htm", FORMAT_HTML},     {".xhtml", FORMAT_HTML},        {".pdf", FORMAT_PDF}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t ending = strlen(known[i].ending);
        if (length > ending && strcasecmp(path + length - ending, known[i].ending) == 0)
            return known[i].format;
    }
    return FORMAT_TEXT;
}

static size_t lines_before(xy_str text, size_t at)
{
    size_t lines = 0;
    for (size_t i = 0; i < at; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

/* Plain text must be UTF-8, since a guessed encoding gives wrong letters that nobody notices. */
static int take_text(struct document *document, xy_str bytes, const char *name,
                     char why[DOCUMENT_WHY])
{
    if (bytes.len >= 3 && memcmp(bytes.ptr, "\xef\xbb\xbf", 3) == 0) {
        bytes.ptr += 3;
        bytes.len -= 3;
    }
    size_t good = utf8_check(bytes);
    bool wide = bytes.len >= 2 && (memcmp(bytes.ptr, "\xff\xfe", 2) == 0 ||
                                   memcmp(bytes.ptr, "\xfe\xff", 2) == 0);
    if (wide) {
        snprintf(why, DOCUMENT_WHY, "`%s` is UTF-16, not UTF-8: convert it with `iconv -f UTF-16 "
                 "-t UTF-8`", name);
        return XY_EINVAL;
    }
    if (bytes.len && memchr(bytes.ptr, '\0', bytes.len)) {
        snprintf(why, DOCUMENT_WHY, "`%s` holds NUL bytes, so it is no text: leave it out with "
                 "`files`, or tell its `format`", name);
        return XY_EINVAL;
    }
    if (good < bytes.len) {
        snprintf(why, DOCUMENT_WHY, "`%s` is not UTF-8: byte 0x%02x on line %zu; convert it, as "
                 "with `iconv -f ISO-8859-1 -t UTF-8`, or leave it out with `files`", name,
                 (unsigned char)bytes.ptr[good], lines_before(bytes, good) + 1);
        return XY_EINVAL;
    }
    text_add_str(&document->text, bytes);
    return XY_OK;
}

/* What is left to do once a format has given its text, or failed with `code`. */
static int settle(struct document *document, int code, const char *name, enum format format,
                  char why[DOCUMENT_WHY])
{
    text_add_literal(&document->text, ""); /* so that an empty one has bytes, too */
    text_add_literal(&document->titles, "");
    xy_str text = {document->text.bytes, document->text.length};
    if (code == XY_OK && (document->text.failed || document->titles.failed)) {
        snprintf(why, DOCUMENT_WHY, "out of memory");
        return XY_ENOMEM;
    }
    if (code == XY_OK && utf8_check(text) < text.len) {
        snprintf(why, DOCUMENT_WHY, "the text of `%s` is not what its charset says", name);
        return XY_EINVAL;
    }
    if (code == XY_OK && format == FORMAT_MARKDOWN)
        document_markdown(document);
    return code;
}

int document_take(struct document *document, xy_str text, const char *name, enum format format,
                  char why[DOCUMENT_WHY])
{
    int code = XY_OK;
    document_clear(document);
    if (format == FORMAT_HTML)
        code = document_html(document, text, name, why);
    else
        text_add_str(&document->text, text);
    return settle(document, code, name, format, why);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int cannot_read(const char *name, const char *reason, char why[DOCUMENT_WHY])
{
    snprintf(why, DOCUMENT_WHY, "`%s` cannot be read: %s", name, reason);
    return XY_EINVAL;
}

static int read_file(const char *path, const char *name, struct text *bytes,
                     char why[DOCUMENT_WHY])
{
    char block[65536];
    FILE *file = fopen(path, "re");
    if (!file)
        return cannot_read(name, strerror(errno), why);
    size_t got = fread(block, 1, sizeof(block), file);
    for (; got > 0 && bytes->length <= DOCUMENT_MOST; got = fread(block, 1, sizeof(block), file))
        text_add(bytes, block, got);
    int failed = ferror(file) ? errno : 0;
    fclose(file);
    if (failed)
        return cannot_read(name, strerror(failed), why);
    if (bytes->length > DOCUMENT_MOST)
        return cannot_read(name, "it has more than 256 MiB: split it", why);
    if (!bytes->failed)
        return XY_OK;
    snprintf(why, DOCUMENT_WHY, "out of memory");
    return XY_ENOMEM;
}

int document_read(struct document *document, const char *path, const char *name,
                  enum format format, const char *password, char why[DOCUMENT_WHY])
{
    struct text bytes = {0};
    document_clear(document);
    if (format == FORMAT_AUTO)
        format = document_format_of(path);
    int code = format == FORMAT_PDF ? document_pdf(document, path, name, password, why)
                                    : read_file(path, name, &bytes, why);
    xy_str read = {bytes.bytes, bytes.length};
    if (code == XY_OK && format == FORMAT_HTML)
        code = document_html(document, read, name, why);
    else if (code == XY_OK && format != FORMAT_PDF)
        code = take_text(document, read, name, why);
    text_free(&bytes);
    return settle(document, code, name, format, why);
}

void document_clear(struct document *document)
{
    text_clear(&document->text);
    text_clear(&document->titles);
    document->heading_count = document->page_count = 0;
    document->title = document->title_length = 0;
}

void document_free(struct document *document)
{
    text_free(&document->text);
    text_free(&document->titles);
    free(document->headings);
    free(document->pages);
    *document = (struct document){0};
}

/* ---- headings -------------------------------------------------------------------------------- */

void document_heading(struct document *document, size_t at, size_t body, int level, xy_str title)
{
    if (document->heading_count == document->heading_room) {
        size_t room = document->heading_room ? document->heading_room * 2 : 32;
        struct heading *more = realloc(document->headings, room * sizeof(*more));
        if (!more) {
            document->titles.failed = true;
            return;
        }
        document->headings = more;
        document->heading_room = room;
    }
    document->headings[document->heading_count++] =
        (struct heading){.at = at, .body = body, .level = level,
                         .title = document->titles.length, .length = title.len};
    size_t start = document->titles.length;
    text_add_str(&document->titles, title);
    for (size_t i = start; i < document->titles.length; i++) /* a title is one line */
        if (strchr("\r\n\t\f", document->titles.bytes[i]))
            document->titles.bytes[i] = ' ';
}

/* The last heading that starts at or before `at`, plus one; 0: none. */
static size_t headings_up_to(const struct document *document, size_t at)
{
    size_t low = 0, high = document->heading_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (document->headings[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void document_path(const struct document *document, size_t at, struct text *out)
{
    enum { DEEPEST = 16 };
    const struct heading *path[DEEPEST];
    size_t depth = 0;
    int level = INT32_MAX;
    for (size_t i = headings_up_to(document, at); i-- > 0 && depth < DEEPEST && level > 1;) {
        const struct heading *heading = &document->headings[i];
        if (heading->level >= level)
            continue;
        path[depth++] = heading;
        level = heading->level;
    }
    if (depth == 0 && document->title_length)
        text_add(out, document->titles.bytes + document->title, document->title_length);
    for (size_t i = depth; i-- > 0;) {
        text_add(out, document->titles.bytes + path[i]->title, path[i]->length);
        text_add_literal(out, i ? " > " : "");
    }
}
