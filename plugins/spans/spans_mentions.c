/* SPDX-License-Identifier: Apache-2.0 */
/* spans_mentions.c - reading what a model said. */
#include "spans_mentions.h"

xy_str mentions_decode(xy_job *job, xy_str json)
{
    if (json_kind(json) != '"')
        return (xy_str){NULL, 0};
    char *bytes = job->api->alloc(job, json.len + 1);
    size_t length = json_decode(json, bytes);
    return (xy_str){bytes, length};
}

static int64_t read_offset(xy_str object, const char *key)
{
    double number = json_number(json_member(object, key), -1);
    return number >= 0 && number < 1e15 ? (int64_t)number : -1;
}

static bool is_known_type(const struct rules *rules, xy_str type)
{
    for (size_t i = 0; rules->types[i]; i++)
        if (strlen(rules->types[i]) == type.len &&
            memcmp(rules->types[i], type.ptr, type.len) == 0)
            return true;
    return false;
}

static void check_type(struct mention *mention, xy_job *job, const struct rules *rules)
{
    if (!rules->types || !rules->types[0] || (mention->type.ptr && is_known_type(rules,
                                                                                 mention->type)))
        return;
    char *why = job->api->alloc(job, 128);
    if (mention->type.ptr)
        snprintf(why, 128, "its type is \"%.*s\", which is none of `types`",
                 (int)(mention->type.len < 60 ? mention->type.len : 60), mention->type.ptr);
    else
        snprintf(why, 128, "it has no type");
    mention->why = why;
}

/* Offsets alone are a mention too: the text between them. */
static void read_offsets(struct mention *mention, xy_str text)
{
    mention->from = read_offset(mention->object, "start");
    mention->to = read_offset(mention->object, "end");
    if (mention->surface.ptr || mention->from < 0 || mention->to <= mention->from)
        return;
    size_t start = text_byte(text, (size_t)mention->from);
    size_t end = text_byte(text, (size_t)mention->to);
    if (end > start)
        mention->surface = (xy_str){text.ptr + start, end - start};
}

static int add(struct mentions *mentions, xy_str item, xy_str type, xy_str text,
               const struct rules *rules)
{
    if (mentions->count == MENTIONS_MAX)
        return xy_drop(mentions->job, "there are more than %d mentions", MENTIONS_MAX);
    if (mentions->count == mentions->room) {
        size_t room = mentions->room * 2 + 8;
        struct mention *more = mentions->job->api->alloc(mentions->job, room * sizeof(*more));
        if (mentions->count)
            memcpy(more, mentions->items, mentions->count * sizeof(*more));
        mentions->items = more;
        mentions->room = room;
    }
    struct mention *mention = &mentions->items[mentions->count];
    *mention = (struct mention){.from = -1, .to = -1, .type = type, .said = mentions->count};
    if (json_kind(item) == '{') {
        mention->object = item;
        mention->surface = mentions_decode(mentions->job, json_member(item, rules->text_key));
        if (!type.ptr)
            mention->type = mentions_decode(mentions->job, json_member(item, rules->type_key));
        read_offsets(mention, text);
    } else {
        mention->surface = mentions_decode(mentions->job, item);
    }
    mentions->count++;
    check_type(mention, mentions->job, rules);
    if (!mention->surface.ptr || mention->surface.len == 0)
        mention->why = "it says no text";
    return XY_OK;
}

static int read_list(struct mentions *mentions, xy_str list, xy_str type, xy_str text,
                     const struct rules *rules)
{
    struct json_cursor cursor = {0};
    xy_str key, item;
    int code = XY_OK;
    while (code == XY_OK && json_next(list, &cursor, &key, &item))
        code = add(mentions, item, type, text, rules);
    return code;
}

static int read_by_type(struct mentions *mentions, xy_str object, xy_str text,
                        const struct rules *rules)
{
    struct json_cursor cursor = {0};
    xy_str key, value;
    int code = XY_OK;
    while (code == XY_OK && json_next(object, &cursor, &key, &value)) {
        xy_str quoted = {key.ptr - 1, key.len + 2};
        xy_str type = mentions_decode(mentions->job, quoted);
        if (json_kind(value) == '[')
            code = read_list(mentions, value, type, text, rules);
        else if (json_kind(value) == '"')
            code = add(mentions, value, type, text, rules);
    }
    return code;
}

int mentions_read(struct mentions *mentions, xy_job *job, xy_str json, xy_str text,
                  const struct rules *rules)
{
    *mentions = (struct mentions){.job = job};
    xy_str value = json.ptr ? json_check(json) : json;
    if (json_kind(value) == '[')
        return read_list(mentions, value, (xy_str){NULL, 0}, text, rules);
    if (json_kind(value) == '{')
        return read_by_type(mentions, value, text, rules);
    return xy_drop(job, "the mentions are no JSON list and no object of lists");
}
