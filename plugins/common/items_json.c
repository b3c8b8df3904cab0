/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "items_internal.h"
#include "json_reader.h"

enum { SALVAGES = 8 };

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
        items_add_clean(items, value, false);
    if (kind != '"')
        return;
    char *decoded = malloc(value.len + 1);
    if (decoded)
        items_add_clean(items, (xy_str){decoded, json_decode(value, decoded)}, cut);
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
        const char *at = items_find(answer, opens[i]);
        if (!at)
            continue;
        at += i < 2 ? strlen(opens[i]) : 0;
        xy_str rest = items_trim((xy_str){at, (size_t)(answer.ptr + answer.len - at)});
        if (rest.len && (rest.ptr[0] == '[' || rest.ptr[0] == '{'))
            return rest.ptr;
    }
    return NULL;
}

bool items_try_json(struct items *items, xy_str answer, bool cut)
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
