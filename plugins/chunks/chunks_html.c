/* SPDX-License-Identifier: Apache-2.0 */
/* The text of HTML as a reader sees it, and its headings. libxml2 parses; this walks its tree. */
#include "chunks_document.h"

#ifdef CHUNKS_HTML
#include <strings.h>

#include <libxml/HTMLparser.h>
#include <libxml/HTMLtree.h>

#include "utf8.h"

/* What an element means for the text around it. */
enum role {
    ROLE_INLINE = 0,
    ROLE_HIDDEN,    /* its content is not shown */
    ROLE_LINE,      /* on a line of its own */
    ROLE_PARAGRAPH, /* with an empty line around it */
    ROLE_HEADING,   /* a paragraph that titles what follows */
    ROLE_BREAK,     /* a line break */
    ROLE_CELL,      /* a tab after it */
    ROLE_VERBATIM   /* a paragraph in which white space counts */
};

static enum role role_of(const xmlNode *node)
{
    static const struct {
        const char *name;
        enum role role;
    } known[] = {
        {"script", ROLE_HIDDEN},    {"style", ROLE_HIDDEN},       {"head", ROLE_HIDDEN},
        {"template", ROLE_HIDDEN},  {"noscript", ROLE_HIDDEN},    {"svg", ROLE_HIDDEN},
        {"math", ROLE_HIDDEN},      {"iframe", ROLE_HIDDEN},      {"object", ROLE_HIDDEN},
        {"select", ROLE_HIDDEN},    {"textarea", ROLE_HIDDEN},    {"div", ROLE_LINE},
        {"li", ROLE_LINE},          {"tr", ROLE_LINE},            {"dt", ROLE_LINE},
        {"dd", ROLE_LINE},          {"caption", ROLE_LINE},       {"figcaption", ROLE_LINE},
        {"option", ROLE_LINE},      {"hr", ROLE_PARAGRAPH},       {"p", ROLE_PARAGRAPH},
        {"ul", ROLE_PARAGRAPH},     {"ol", ROLE_PARAGRAPH},       {"dl", ROLE_PARAGRAPH},
        {"table", ROLE_PARAGRAPH},  {"blockquote", ROLE_PARAGRAPH}, {"section", ROLE_PARAGRAPH},
        {"article", ROLE_PARAGRAPH}, {"header", ROLE_PARAGRAPH},  {"footer", ROLE_PARAGRAPH},
        {"nav", ROLE_PARAGRAPH},    {"aside", ROLE_PARAGRAPH},    {"main", ROLE_PARAGRAPH},
        {"figure", ROLE_PARAGRAPH}, {"address", ROLE_PARAGRAPH},  {"form", ROLE_PARAGRAPH},
        {"details", ROLE_PARAGRAPH}, {"br", ROLE_BREAK},          {"td", ROLE_CELL},
        {"th", ROLE_CELL},          {"pre", ROLE_VERBATIM},
    };
    const char *name = (const char *)node->name;
    if ((name[0] == 'h' || name[0] == 'H') && name[1] >= '1' && name[1] <= '6' && !name[2])
        return ROLE_HEADING;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasecmp(name, known[i].name) == 0)
            return known[i].role;
    return ROLE_INLINE;
}

struct walk {
    struct document *document;
    struct text *text;
    int breaks;            /* line breaks wanted before the next character: 0, 1 or 2 */
    bool space;            /* white space was seen after the last character */
    int verbatim;          /* how many open elements keep white space */
    const xmlNode *heading;
    size_t heading_at;     /* where it starts, once its first character is there */
    bool heading_began;
};

/* Writes the white space that is due before the next character. */
static void settle(struct walk *walk)
{
    struct text *text = walk->text;
    bool tab = text->length && text->bytes[text->length - 1] == '\t';
    if (text->length && walk->breaks) {
        while (text->length && strchr(" \t", text->bytes[text->length - 1]))
            text->length--;
        text_add(text, "\n\n", (size_t)walk->breaks);
    } else if (text->length && walk->space && !tab) {
        text_add_literal(text, " ");
    }
    walk->breaks = 0;
    walk->space = false;
    if (walk->heading && !walk->heading_began) {
        walk->heading_began = true;
        walk->heading_at = text->length;
    }
}

static void add_text(struct walk *walk, const char *content)
{
    if (walk->verbatim) {
        settle(walk);
        text_add_literal(walk->text, content);
        return;
    }
    while (*content) {
        size_t gap = strspn(content, " \t\r\n\f"), run = strcspn(content + gap, " \t\r\n\f");
        walk->space |= gap > 0 && walk->breaks == 0;
        if (run) {
            settle(walk);
            text_add(walk->text, content + gap, run);
        }
        content += gap + run;
    }
}

static void want_breaks(struct walk *walk, int breaks)
{
    if (walk->breaks < breaks)
        walk->breaks = breaks;
    walk->space = false;
}

static int breaks_of(enum role role)
{
    switch (role) {
    case ROLE_LINE: case ROLE_BREAK: return 1;
    case ROLE_PARAGRAPH: case ROLE_HEADING: case ROLE_VERBATIM: return 2;
    default: return 0;
    }
}

/* False: nothing below this node is shown. */
static bool enter(struct walk *walk, const xmlNode *node)
{
    if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content)
        add_text(walk, (const char *)node->content);
    if (node->type != XML_ELEMENT_NODE)
        return node->type == XML_HTML_DOCUMENT_NODE || node->type == XML_DOCUMENT_NODE;
    enum role role = role_of(node);
    if (role == ROLE_HIDDEN)
        return false;
    if (breaks_of(role))
        want_breaks(walk, breaks_of(role));
    walk->verbatim += role == ROLE_VERBATIM;
    if (role == ROLE_HEADING && !walk->heading) {
        walk->heading = node;
        walk->heading_began = false;
    }
    return true;
}

static void leave(struct walk *walk, const xmlNode *node)
{
    enum role role = node->type == XML_ELEMENT_NODE ? role_of(node) : ROLE_INLINE;
    if (role == ROLE_CELL && walk->text->length && !walk->breaks)
        text_add_literal(walk->text, "\t");
    walk->verbatim -= role == ROLE_VERBATIM;
    if (breaks_of(role) && role != ROLE_BREAK)
        want_breaks(walk, breaks_of(role));
    if (node != walk->heading)
        return;
    walk->heading = NULL;
    if (walk->heading_began) {
        size_t at = walk->heading_at, to = walk->text->length;
        xy_str title = {walk->text->bytes + at, to - at};
        document_heading(walk->document, at, to, node->name[1] - '0', title);
    }
}

/* Without recursion: how deep a page is nested is up to the page. */
static void walk_tree(struct walk *walk, const xmlNode *root)
{
    const xmlNode *node = root;
    while (node) {
        bool shown = enter(walk, node);
        if (shown && node->children) {
            node = node->children;
            continue;
        }
        for (;;) {
            if (shown)
                leave(walk, node);
            if (node == root)
                return;
            if (node->next)
                break;
            node = node->parent;
            shown = true;
        }
        node = node->next;
    }
}

static void add_title(struct document *document, const xmlNode *root)
{
    const xmlNode *node = root;
    while (node && !(node->type == XML_ELEMENT_NODE &&
                     strcasecmp((const char *)node->name, "title") == 0)) {
        if (node->children && node->type != XML_ENTITY_REF_NODE) {
            node = node->children;
            continue;
        }
        while (node && node != root && !node->next)
            node = node->parent;
        node = node && node != root ? node->next : NULL;
    }
    if (!node || !node->children || !node->children->content)
        return;
    struct document part = {0};
    struct walk walk = {.document = &part, .text = &document->titles};
    document->title = document->titles.length;
    add_text(&walk, (const char *)node->children->content);
    document->title_length = document->titles.length - document->title;
}

int document_html(struct document *document, xy_str bytes, const char *name,
                  char why[DOCUMENT_WHY])
{
    bool utf8 = utf8_check(bytes) == bytes.len;
    htmlDocPtr page = htmlReadMemory(bytes.ptr ? bytes.ptr : "", (int)bytes.len, NULL,
                                     utf8 ? "UTF-8" : NULL,
                                     HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                         HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                         HTML_PARSE_COMPACT);
    if (page && !utf8 && !page->encoding && !htmlGetMetaEncoding(page)) {
        snprintf(why, DOCUMENT_WHY, "`%s` is not UTF-8 and its page names no charset: convert it, "
                 "as with `iconv -f ISO-8859-1 -t UTF-8`, or leave it out with `files`", name);
        xmlFreeDoc(page);
        return XY_EINVAL;
    }
    if (page) { /* an empty file has no tree, and no text */
        struct walk walk = {.document = document, .text = &document->text};
        add_title(document, (const xmlNode *)page);
        walk_tree(&walk, (const xmlNode *)page);
        xmlFreeDoc(page);
    }
    struct text *text = &document->text;
    while (text->length && strchr(" \t\n", text->bytes[text->length - 1]))
        text->length--;
    return XY_OK;
}

#else

int document_html(struct document *document, xy_str bytes, const char *name,
                  char why[DOCUMENT_WHY])
{
    (void)document, (void)bytes;
    snprintf(why, DOCUMENT_WHY, "`%s` is HTML, and this xylem was built without libxml2: install "
             "libxml2-dev and build it again, or leave it out with `files`", name);
    return XY_EUNSUPPORTED;
}

#endif
