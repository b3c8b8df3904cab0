/* SPDX-License-Identifier: Apache-2.0 */
#include "items.h"

#include <stdlib.h>
#include <strings.h>

#include "items_internal.h"

enum { LONGEST_NUMBER = 4 };

/* ---- adding ---------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

xy_str items_trim(xy_str text)
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text.ptr++, text.len--;
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static bool starts_with(xy_str text, const char *start)
{
    size_t length = strlen(start);
    return text.len >= length && memcmp(text.ptr, start, length) == 0;
}

static bool ends_with(xy_str text, const char *end)
{
    size_t length = strlen(end);
    return text.len >= length && memcmp(text.ptr + text.len - length, end, length) == 0;
}

const char *items_find(xy_str text, const char *part)
{
    return text.len ? memmem(text.ptr, text.len, part, strlen(part)) : NULL;
}

/* Without one pair of quotes around it, and without the marks that end an item and not its text. */
static xy_str bare(xy_str text)
{
    static const char *const pairs[][2] = {{"\"", "\""}, {"'", "'"}, {"`", "`"},
                                           {"\xe2\x80\x9c", "\xe2\x80\x9d"},
                                           {"\xe2\x80\x98", "\xe2\x80\x99"}};
    text = items_trim(text);
    while (text.len > 0 && (text.ptr[text.len - 1] == ',' || text.ptr[text.len - 1] == ';'))
        text.len--;
    /* The only full stop closes a sentence; one of several may belong to "e.g." or "U.S.". */
    if (text.len > 1 && text.ptr[text.len - 1] == '.' && !memchr(text.ptr, '.', text.len - 1))
        text.len--;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t open = strlen(pairs[i][0]), close = strlen(pairs[i][1]);
        if (text.len > open + close && starts_with(text, pairs[i][0]) &&
            ends_with(text, pairs[i][1])) {
            text.ptr += open;
            text.len -= open + close;
            break;
        }
    }
    return items_trim(text);
}

/* The name before its description: "Drama: plays about ..." is Drama. */
static xy_str before_description(xy_str text)
{
    static const char *const marks[] = {": ", " - ", " \xe2\x80\x93 ", " \xe2\x80\x94 "};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *at = items_find(text, marks[i]);
        if (at > text.ptr)
            text.len = (size_t)(at - text.ptr);
    }
    if (text.len > 1 && text.ptr[text.len - 1] == ':')
        text.len--;
    return text;
}

static bool grow(struct items *items)
{
    if (items->count + 1 < items->room)
        return true;
    size_t room = items->room ? items->room * 2 : 16;
    size_t *starts = realloc(items->starts, room * sizeof(*starts));
    if (!starts)
        return false;
    items->starts = starts;
    items->room = room;
    return true;
}

void items_add(struct items *items, xy_str item)
{
    if (!grow(items)) {
        items->failed = true;
        return;
    }
    items->starts[items->count++] = items->bytes.length;
    text_add_str(&items->bytes, item);
    text_add(&items->bytes, "", 1);
    items->starts[items->count] = items->bytes.length;
    items->failed = items->failed || items->bytes.failed;
}

void items_add_clean(struct items *items, xy_str item, bool cut)
{
    struct text plain = {0};
    for (xy_str left = item; left.len > 0;) { /* without the asterisks of bold print */
        const char *bold = items_find(left, "**");
        size_t length = bold ? (size_t)(bold - left.ptr) : left.len;
        text_add(&plain, left.ptr, length);
        left.ptr += length + (bold ? 2 : 0);
        left.len -= length + (bold ? 2 : 0);
    }
    xy_str kept = {plain.bytes, plain.length};
    kept = bare(cut ? before_description(items_trim(kept)) : kept);
    if (kept.len > 0)
        items_add(items, kept);
    items->failed = items->failed || plain.failed;
    text_free(&plain);
}

/* ---- lines ----------------------------------------------------------------------------------- */

enum mark { MARK_NONE, MARK_BULLET, MARK_NUMBER };

static xy_str next_line(xy_str *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    xy_str line = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
    size_t used = line.len + (end != NULL);
    text->ptr += used;
    text->len -= used;
    return line;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* "12." "12)" "(12)" "12:" and "a)", but not "3.5" or "12:30". Moves `line` behind it. */
static bool skip_number(xy_str *line)
{
    const char *at = line->ptr, *end = at + line->len, *closings = ".):";
    if (at < end && *at == '(') {
        closings = ")";
        at++;
    }
    const char *digits = at;
    while (at < end && is_digit(*at) && at - digits < LONGEST_NUMBER)
        at++;
    if (at == digits && at < end && is_letter(*at)) {
        closings = ")";
        at++;
    }
    if (at == digits || at == end || !*at || !strchr(closings, *at))
        return false;
    if (++at < end && is_digit(*at))
        return false;
    *line = (xy_str){at, (size_t)(end - at)};
    return true;
}

/* What marks the trimmed line as an item; `line` is then what stands behind the mark. */
static enum mark skip_mark(xy_str *line)
{
    static const char *const bullets[] = {"- ", "* ", "+ ", "\xe2\x80\xa2", "\xe2\x80\x93 ",
                                          "\xe2\x80\x94 ", "\xc2\xb7", "\xe2\x97\xa6"};
    for (size_t i = 0; i < sizeof(bullets) / sizeof(bullets[0]); i++)
        if (starts_with(*line, bullets[i])) {
            line->ptr += strlen(bullets[i]);
            line->len -= strlen(bullets[i]);
            return MARK_BULLET;
        }
    xy_str rest = *line;
    if (starts_with(rest, "**"))
        rest = (xy_str){rest.ptr + 2, rest.len - 2};
    if (!skip_number(&rest))
        return MARK_NONE;
    *line = rest;
    return MARK_NUMBER;
}

/* The lines that are marked as the first marked line is; bullets within an item are its own. */
static bool read_marked(struct items *items, xy_str text, bool cut)
{
    enum mark kind = MARK_NONE;
    ptrdiff_t first_indent = 0;
    while (text.len > 0) {
        xy_str whole = next_line(&text), line = items_trim(whole);
        ptrdiff_t indent = line.ptr - whole.ptr;
        enum mark mark = skip_mark(&line);
        if (mark != MARK_NONE && kind == MARK_NONE) {
            kind = mark;
            first_indent = indent;
        }
        if (mark != MARK_NONE && mark == kind &&
            (kind == MARK_NUMBER || indent <= first_indent + 1))
            items_add_clean(items, line, cut);
    }
    return kind != MARK_NONE;
}

/* Lines without marks, but for one that leads to the list and one that closes the answer. */
static void read_lines(struct items *items, xy_str text, bool cut)
{
    bool gap = false;
    while (text.len > 0) {
        xy_str line = items_trim(next_line(&text));
        bool last = items_trim(text).len == 0;
        if (line.len == 0) {
            gap = true;
            continue;
        }
        char end = line.ptr[line.len - 1];
        bool leads = end == ':', closes = last && gap && strchr(".!?", end);
        if (!leads && !closes)
            items_add_clean(items, line, cut);
        gap = false;
    }
}

/* Behind "Here are some:", where that leads to a line with commas; else its start. */
static const char *behind_colon(xy_str line)
{
    const char *colon = memchr(line.ptr, ':', line.len), *comma = memchr(line.ptr, ',', line.len);
    const char *end = line.ptr + line.len;
    bool leads = colon && comma && colon < comma &&
                 !memchr(colon + 1, ':', (size_t)(end - colon) - 1);
    return leads ? colon + 1 : line.ptr;
}

/* "A, B (one, two), and C". */
static void read_commas(struct items *items, xy_str line, bool cut)
{
    const char *start = behind_colon(line), *end = line.ptr + line.len;
    int depth = 0;
    for (const char *at = start; at <= end; at++) {
        char c = ',';
        if (at < end)
            c = *at;
        depth += (c == '(') - (c == ')' && depth > 0);
        if (at < end && (depth > 0 || !strchr(",;", c)))
            continue;
        xy_str item = items_trim((xy_str){start, (size_t)(at - start)});
        if (starts_with(item, "and ") && start > line.ptr)
            item = (xy_str){item.ptr + 4, item.len - 4};
        items_add_clean(items, item, cut);
        start = at + 1;
    }
}

static bool is_refusal(xy_str text)
{
    static const char *const starts[] = {
        "i'm sorry", "i\xe2\x80\x99m sorry", "i am sorry", "sorry", "i cannot", "i can't",
        "i can\xe2\x80\x99t", "as an ai", "i apologize", "i'm unable", "i am unable",
        "unfortunately, i", "i'm not able", "i am not able"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (text.len >= strlen(starts[i]) &&
            strncasecmp(text.ptr, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

void items_read(struct items *items, xy_str answer, bool cut)
{
    xy_str text = items_trim(answer);
    items->refused = false;
    items->whole = text.len > 0 && items_try_json(items, text, cut);
    if (text.len == 0 || items->whole || read_marked(items, text, cut))
        return;
    items->refused = is_refusal(text);
    if (items->refused)
        return;
    if (memchr(text.ptr, '\n', text.len))
        read_lines(items, text, cut);
    else
        read_commas(items, text, cut);
}

xy_str items_at(const struct items *items, size_t index)
{
    if (index >= items->count)
        return (xy_str){"", 0};
    size_t start = items->starts[index];
    return (xy_str){items->bytes.bytes + start, items->starts[index + 1] - start - 1};
}

void items_free(struct items *items)
{
    text_free(&items->bytes);
    free(items->starts);
    *items = (struct items){.count = 0};
}
