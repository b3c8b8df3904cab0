/* SPDX-License-Identifier: Apache-2.0 */
/* chunks_document.h - one document as text, with what is known of its structure. Everything that
 * later refers to the document does so by places in this extracted text. One thread at a time;
 * [worker], but for what estimate() calls: [any].
 *
 *   chunks_document.c   reads a file, decides on its format, plain text
 *   chunks_markdown.c   headings of Markdown
 *   chunks_html.c       text and headings of HTML, by libxml2
 *   chunks_pdf.c        text and pages of PDF, by poppler
 */
#ifndef XYLEM_PLUGINS_CHUNKS_CHUNKS_DOCUMENT_H
#define XYLEM_PLUGINS_CHUNKS_CHUNKS_DOCUMENT_H

#include "text.h"

enum format { FORMAT_AUTO = 0, FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_HTML, FORMAT_PDF };

struct heading {
    size_t at, body;      /* bytes of the text: where the heading starts, and where what follows */
    size_t title, length; /* in the document's `titles` */
    int level;            /* from 1 */
};

struct document { /* zeroed: empty */
    struct text text;         /* what was extracted: valid UTF-8 */
    struct text titles;
    struct heading *headings; /* in the order of the text */
    size_t heading_count, heading_room;
    size_t *pages;            /* where each page starts; pages only */
    size_t page_count;
    size_t title, title_length; /* of the whole document, in `titles`; empty when it tells none */
};

enum { DOCUMENT_WHY = 480 };

/* Reads and extracts the file at `path`; `name` is what messages call it. 0, or XY_EINVAL, XY_EIO,
 * XY_EUNSUPPORTED or XY_ENOMEM with a sentence in `why`. */
int document_read(struct document *document, const char *path, const char *name,
                  enum format format, const char *password, char why[DOCUMENT_WHY]);
/* The same for a text that is at hand, as a record's. `format` is text, Markdown or HTML. */
int document_take(struct document *document, xy_str text, const char *name, enum format format,
                  char why[DOCUMENT_WHY]);
/* Empties it but keeps its memory. */
void document_clear(struct document *document);
void document_free(struct document *document);

/* Notes a heading that starts at byte `at` of the text; titles.failed when memory is short. */
void document_heading(struct document *document, size_t at, size_t body, int level, xy_str title);
/* Appends the titles of the headings that byte `at` stands under, as "Guide > Install", or the
 * document's own title where there is none. */
void document_path(const struct document *document, size_t at, struct text *out);

/* What follows is the formats' own. */
enum format document_format_of(const char *path); /* by its ending; FORMAT_TEXT for unknown ones */
void document_markdown(struct document *document);
int document_html(struct document *document, xy_str bytes, const char *name,
                  char why[DOCUMENT_WHY]);
int document_pdf(struct document *document, const char *path, const char *name,
                 const char *password, char why[DOCUMENT_WHY]);

#endif
