/* SPDX-License-Identifier: Apache-2.0 */
/* The text of PDF pages, by poppler through its C interface. Pages are joined by a form feed, as
 * pdftotext does. */
#include "chunks_document.h"

#ifdef CHUNKS_PDF
#include <stdlib.h>

#include <poppler.h>

#include "utf8.h"

static int refuse(const GError *error, const char *name, const char *password,
                  char why[DOCUMENT_WHY])
{
    if (error && error->domain == POPPLER_ERROR && error->code == POPPLER_ERROR_ENCRYPTED)
        snprintf(why, DOCUMENT_WHY, "`%s` is encrypted%s", name,
                 password ? ", and `password` does not open it"
                          : ": give its `password`, or decrypt it first, as with `qpdf --decrypt`");
    else
        snprintf(why, DOCUMENT_WHY, "`%s` is no PDF that can be read: %.200s; mend it, as with "
                 "`qpdf IN OUT`, or leave it out with `files`", name,
                 error ? error->message : "it has no pages");
    return XY_EINVAL;
}

static int add_page(struct document *document, PopplerDocument *pdf, int number, const char *name,
                    char why[DOCUMENT_WHY])
{
    PopplerPage *page = poppler_document_get_page(pdf, number);
    if (!page) {
        snprintf(why, DOCUMENT_WHY, "page %d of `%s` is damaged; mend it, as with `qpdf IN OUT`, "
                 "or leave it out with `files`", number + 1, name);
        return XY_EINVAL;
    }
    char *text = poppler_page_get_text(page);
    text_add_literal(&document->text, number ? "\f" : "");
    document->pages[document->page_count++] = document->text.length;
    /* A broken character map can yield anything; what it does yield must be text. */
    char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
    text_add_literal(&document->text, valid ? valid : "");
    g_free(valid);
    g_free(text);
    g_object_unref(page);
    return XY_OK;
}

static void add_title(struct document *document, PopplerDocument *pdf)
{
    char *title = poppler_document_get_title(pdf);
    if (title && utf8_check(xy_text(title)) == strlen(title)) {
        document->title = document->titles.length;
        document->title_length = strlen(title);
        text_add_literal(&document->titles, title);
    }
    g_free(title);
}

/* By its path: the functions that take bytes crash at a wrong password (poppler 22.12 tries it a
 * second time, on a stream that it has freed). */
int document_pdf(struct document *document, const char *path, const char *name,
                 const char *password, char why[DOCUMENT_WHY])
{
    GError *error = NULL;
    char *uri = g_filename_to_uri(path, NULL, &error);
    PopplerDocument *pdf = uri ? poppler_document_new_from_file(uri, password, &error) : NULL;
    int pages = pdf ? poppler_document_get_n_pages(pdf) : 0;
    int code = pages > 0 ? XY_OK : refuse(error, name, password, why);
    if (code == XY_OK) {
        free(document->pages);
        document->pages = calloc((size_t)pages, sizeof(*document->pages));
        if (!document->pages) {
            snprintf(why, DOCUMENT_WHY, "out of memory");
            code = XY_ENOMEM;
        }
    }
    for (int i = 0; i < pages && code == XY_OK; i++)
        code = add_page(document, pdf, i, name, why);
    if (code == XY_OK)
        add_title(document, pdf);
    g_clear_error(&error);
    if (pdf)
        g_object_unref(pdf);
    g_free(uri);
    return code;
}

#else

int document_pdf(struct document *document, const char *path, const char *name,
                 const char *password, char why[DOCUMENT_WHY])
{
    (void)document, (void)path, (void)password;
    snprintf(why, DOCUMENT_WHY, "`%s` is PDF, and this xylem was built without poppler: install "
             "libpoppler-glib-dev and build it again, or leave it out with `files`", name);
    return XY_EUNSUPPORTED;
}

#endif
