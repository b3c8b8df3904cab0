/* SPDX-License-Identifier: Apache-2.0 */
/* Headings of Markdown, as CommonMark 0.31 defines them (sections 4.2 and 4.3): `# Title`, and
 * titles underlined with `===` or `---`. What stands in fenced code or in front matter is no
 * heading. The text itself stays as it is, so that places in it are places in the file. */
#include "chunks_document.h"

struct line {
    const char *from, *to; /* without the line break */
    size_t indent;         /* spaces before the first character */
    bool blank;
};

struct scan {
    struct document *document;
    const char *start, *at, *end;
    const char *paragraph; /* start of the paragraph that the last line belongs to, or NULL */
    char fence;            /* inside of fenced code: its character */
    size_t fence_length;
};

static bool next_line(struct scan *scan, struct line *line)
{
    if (scan->at == scan->end)
        return false;
    const char *stop = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    line->from = scan->at;
    line->to = stop ? stop : scan->end;
    scan->at = stop ? stop + 1 : scan->end;
    if (line->to > line->from && line->to[-1] == '\r')
        line->to--;
    const char *first = line->from;
    while (first < line->to && *first == ' ')
        first++;
    line->indent = (size_t)(first - line->from);
    while (first < line->to && (*first == ' ' || *first == '\t'))
        first++;
    line->blank = first == line->to;
    return true;
}

static size_t run_of(const char *at, const char *end, char c)
{
    size_t length = 0;
    while (at + length < end && at[length] == c)
        length++;
    return length;
}

static bool only_spaces(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at == end;
}

static xy_str trimmed(const char *from, const char *to)
{
    while (from < to && strchr(" \t\r\n", *from))
        from++;
    while (to > from && strchr(" \t\r\n", to[-1]))
        to--;
    return (xy_str){from, (size_t)(to - from)};
}

/* Does the line begin, lie in, or end fenced code? */
static bool take_fence(struct scan *scan, const struct line *line)
{
    const char *at = line->from + line->indent;
    char c = at < line->to ? *at : '\0';
    size_t length = line->indent < 4 && (c == '`' || c == '~') ? run_of(at, line->to, c) : 0;
    if (scan->fence) {
        if (c == scan->fence && length >= scan->fence_length &&
            only_spaces(at + length, line->to))
            scan->fence = '\0';
        return true;
    }
    if (length < 3 || (c == '`' && memchr(at + length, '`', (size_t)(line->to - at - length))))
        return false;
    scan->fence = c;
    scan->fence_length = length;
    return true;
}

static void add(struct scan *scan, const char *from, int level, xy_str title)
{
    document_heading(scan->document, (size_t)(from - scan->start),
                     (size_t)(scan->at - scan->start), level, title);
}

/* `## Title ##` */
static bool take_hashes(struct scan *scan, const struct line *line)
{
    const char *at = line->from + line->indent, *to = line->to;
    size_t level = line->indent < 4 ? run_of(at, to, '#') : 0;
    if (level < 1 || level > 6 || (at + level < to && at[level] != ' ' && at[level] != '\t'))
        return false;
    xy_str title = trimmed(at + level, to);
    size_t closing = 0;
    while (closing < title.len && title.ptr[title.len - 1 - closing] == '#')
        closing++;
    if (closing == title.len)
        title.len = 0;
    else if (closing && strchr(" \t", title.ptr[title.len - 1 - closing]))
        title = trimmed(title.ptr, title.ptr + title.len - closing);
    add(scan, line->from, (int)level, title);
    return true;
}

/* A paragraph with a line of `=` or `-` below it. */
static bool take_underline(struct scan *scan, const struct line *line)
{
    const char *at = line->from + line->indent;
    char c = at < line->to ? *at : '\0';
    if (!scan->paragraph || line->indent > 3 || (c != '=' && c != '-') ||
        !only_spaces(at + run_of(at, line->to, c), line->to))
        return false;
    add(scan, scan->paragraph, c == '=' ? 1 : 2, trimmed(scan->paragraph, line->from));
    return true;
}

/* Lists and quotes are no paragraphs that an underline could make a heading of. */
static bool starts_paragraph(const struct line *line)
{
    const char *at = line->from + line->indent;
    size_t left = (size_t)(line->to - at);
    bool bullet = left > 1 && strchr("-*+", *at) && (at[1] == ' ' || at[1] == '\t');
    size_t digits = 0;
    while (digits < left && at[digits] >= '0' && at[digits] <= '9')
        digits++;
    bool number = digits && digits + 1 < left && (at[digits] == '.' || at[digits] == ')') &&
                  at[digits + 1] == ' ';
    return left && *at != '>' && *at != '\t' && !bullet && !number;
}

/* Metadata between two lines of `---` at the very start. */
static void skip_front_matter(struct scan *scan)
{
    struct scan ahead = *scan;
    struct line line;
    if (!next_line(&ahead, &line) || line.to - line.from != 3 || memcmp(line.from, "---", 3) != 0)
        return;
    while (next_line(&ahead, &line))
        if (line.to - line.from == 3 &&
            (!memcmp(line.from, "---", 3) || !memcmp(line.from, "...", 3))) {
            scan->at = ahead.at;
            return;
        }
}

void document_markdown(struct document *document)
{
    const char *start = document->text.bytes;
    struct scan scan = {.document = document, .start = start, .at = start,
                        .end = start + document->text.length};
    struct line line;
    skip_front_matter(&scan);
    while (next_line(&scan, &line)) {
        if (take_fence(&scan, &line) || line.blank || take_hashes(&scan, &line) ||
            take_underline(&scan, &line))
            scan.paragraph = NULL;
        else if (line.indent < 4 && !starts_paragraph(&line))
            scan.paragraph = NULL;
        else if (!scan.paragraph && line.indent < 4)
            scan.paragraph = line.from;
    }
}
