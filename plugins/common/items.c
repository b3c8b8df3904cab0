/* SPDX-License-Identifier: Apache-2.0 */
#include "items.h"

#include <stdlib.h>
#include <strings.h>

#include "json_reader.h"

enum { LONGEST_NUMBER = 4, SALVAGES = 8 };

/* ---- adding ---------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static xy_str trim(xy_str text)
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

static const char *find(xy_str text, const char *part)
{
    return text.len ? memmem(text.ptr, text.len, part, strlen(part)) : NULL;
}

/* Without one pair of quotes around it, and without the marks that end an item and not its text. */
static xy_str bare(xy_str text)
{
    static const char *const pairs[][2] = {{"\"", "\""}, {"'", "'"}, {"`", "`"},
                                           {"\xe2\x80\x9c", "\xe2\x80\x9d"},
                                           {"\xe2\x80\x98", "\xe2\x80\x99"}};
    text = trim(text);
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
    return trim(text);
}

/* The name before its description: "Drama: plays about ..." is Drama. */
static xy_str before_description(xy_str text)
{
    static const char *const marks[] = {": ", " - ", " \xe2\x80\x93 ", " \xe2\x80\x94 "};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *at = find(text, marks[i]);
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

static void add(struct items *items, xy_str item, bool cut)
{
    struct text plain = {0};
    for (xy_str left = item; left.len > 0;) { /* without the asterisks of bold print */
        const char *bold = find(left, "**");
        size_t length = bold ? (size_t)(bold - left.ptr) : left.len;
        text_add(&plain, left.ptr, length);
        left.ptr += length + (bold ? 2 : 0);
        left.len -= length + (bold ? 2 : 0);
    }
    xy_str kept = {plain.bytes, plain.length};
    kept = bare(cut ? before_description(trim(kept)) : kept);
    if (kept.len > 0)
        items_add(items, kept);
    items->failed = items->failed || plain.failed;
    text_free(&plain);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* The text of one item: a string, a number as it stands, or what an object is called by. */
static void add_json(struct items *items, xy_str value, bool cut)
{
    static const char *const names[] = {"name", "value", "title", "topic"};
    char kind = json_kind(value);
    if (kind == '{') {
        xy_str key = {NULL, 0}, member = {NULL, 0}, found = {NULL, 0};
        struct json_cursor at = {0};
        for (size_t i = 0; !found.ptr && i < sizeof(names) / sizeof(names[0]); i++)
            found = json_member(value, names[i]);
        while (!found.ptr && json_next(value, &at, &key, &member))
            found = json_kind(member) == '"' ? member : found;
        value = found;
        kind = json_kind(value);
    }
    if (kind == '0')
        add(items, value, false);
    if (kind != '"')
        return;
    char *decoded = malloc(value.len + 1);
    if (decoded)
        add(items, (xy_str){decoded, json_decode(value, decoded)}, cut);
    else
        items->failed = true;
    free(decoded);
}

/* A whole value; an object stands for the first list in it. False: there is no list. */
static bool read_json(struct items *items, xy_str value, bool cut)
{
    xy_str key = {NULL, 0}, member = {NULL, 0}, list = value;
    struct json_cursor at = {0};
    if (json_kind(value) == '{') {
        list = (xy_str){NULL, 0};
        while (!list.ptr && json_next(value, &at, &key, &member))
            list = json_kind(member) == '[' ? member : list;
    }
    if (json_kind(list) != '[')
        return false;
    at = (struct json_cursor){0};
    while (json_next(list, &at, &key, &member))
        add_json(items, member, cut);
    return true;
}

/* A list that was cut off, closed behind one of its last commas. */
static bool salvage(struct items *items, xy_str from, bool cut)
{
    struct text closed = {0};
    bool found = false;
    for (int i = 0; i < SALVAGES && !found; i++) {
        const char *comma = memrchr(from.ptr, ',', from.len);
        if (!comma)
            break;
        from.len = (size_t)(comma - from.ptr);
        text_clear(&closed);
        text_add_str(&closed, from);
        text_add_literal(&closed, "]");
        xy_str value = closed.failed ? (xy_str){NULL, 0}
                                     : json_check((xy_str){closed.bytes, closed.length});
        found = value.ptr && read_json(items, value, cut);
    }
    text_free(&closed);
    return found;
}

/* Where JSON begins: at the start, behind a fence, or where a list of strings opens. */
static const char *json_start(xy_str answer)
{
    static const char *const opens[] = {"```json", "```", "[\""};
    if (answer.len && (answer.ptr[0] == '[' || answer.ptr[0] == '{'))
        return answer.ptr;
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        const char *at = find(answer, opens[i]);
        if (!at)
            continue;
        at += i < 2 ? strlen(opens[i]) : 0;
        xy_str rest = trim((xy_str){at, (size_t)(answer.ptr + answer.len - at)});
        if (rest.len && (rest.ptr[0] == '[' || rest.ptr[0] == '{'))
            return rest.ptr;
    }
    return NULL;
}

static bool try_json(struct items *items, xy_str answer, bool cut)
{
    const char *start = json_start(answer);
    if (!start)
        return false;
    xy_str from = {start, (size_t)(answer.ptr + answer.len - start)};
    const char *end = memrchr(from.ptr, *start == '[' ? ']' : '}', from.len);
    xy_str value = {NULL, 0};
    if (end)
        value = json_check((xy_str){start, (size_t)(end - start) + 1});
    if (value.ptr)
        return read_json(items, value, cut);
    const char *list = memchr(from.ptr, '[', from.len);
    return list && salvage(items, (xy_str){list, from.len - (size_t)(list - from.ptr)}, cut);
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

/* "12." "12)" "(12)" "12:" and "a)", but not "3.5" or "12:30". Moves `line` behind it. */
static bool skip_number(xy_str *line)
{
    const char *at = line->ptr, *end = at + line->len;
    bool open = at < end && *at == '(';
    at += open;
    const char *digits = at;
    while (at < end && *at >= '0' && *at <= '9' && at - digits < LONGEST_NUMBER)
        at++;
    bool letter = at == digits && at < end && ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z');
    at += letter;
    if (at == digits || at == end || !memchr(letter || open ? ")))" : ".):", *at, 3))
        return false;
    if (++at < end && *at >= '0' && *at <= '9')
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
        xy_str whole = next_line(&text), line = trim(whole);
        ptrdiff_t indent = line.ptr - whole.ptr;
        enum mark mark = skip_mark(&line);
        if (mark != MARK_NONE && kind == MARK_NONE) {
            kind = mark;
            first_indent = indent;
        }
        if (mark != MARK_NONE && mark == kind &&
            (kind == MARK_NUMBER || indent <= first_indent + 1))
            add(items, line, cut);
    }
    return kind != MARK_NONE;
}

/* Lines without marks, but for one that leads to the list and one that closes the answer. */
static void read_lines(struct items *items, xy_str text, bool cut)
{
    bool gap = false;
    while (text.len > 0) {
        xy_str line = trim(next_line(&text));
        bool last = trim(text).len == 0;
        if (line.len == 0) {
            gap = true;
            continue;
        }
        char end = line.ptr[line.len - 1];
        bool leads = end == ':', closes = last && gap && strchr(".!?", end);
        if (!leads && !closes)
            add(items, line, cut);
        gap = false;
    }
}

/* "A, B (one, two), and C". */
static void read_commas(struct items *items, xy_str line, bool cut)
{
    const char *colon = memchr(line.ptr, ':', line.len), *comma = memchr(line.ptr, ',', line.len);
    const char *end = line.ptr + line.len;
    bool leads = colon && comma && colon < comma && end - colon > 1 &&
                 !memchr(colon + 1, ':', (size_t)(end - colon) - 1);
    const char *start = leads ? colon + 1 : line.ptr;
    int depth = 0;
    for (const char *at = start; at <= end; at++) {
        depth += at < end && *at == '(' ? 1 : at < end && *at == ')' && depth > 0 ? -1 : 0;
        if (at < end && (depth > 0 || (*at != ',' && *at != ';')))
            continue;
        xy_str item = trim((xy_str){start, (size_t)(at - start)});
        if (starts_with(item, "and ") && start > line.ptr)
            item = (xy_str){item.ptr + 4, item.len - 4};
        add(items, item, cut);
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
    xy_str text = trim(answer);
    items->refused = false;
    items->whole = text.len > 0 && try_json(items, text, cut);
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
