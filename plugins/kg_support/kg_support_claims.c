/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"
#include "json_reader.h"
#include "kg_support.h"

static const char *const part_names[CLAIM_PARTS] = {"subject", "relation", "object"};

xy_str claims_fold(xy_job *job, xy_str text)
{
    struct text folded = {0};
    fold_add(&folded, text, FOLD_WORDS);
    char *copy = folded.failed ? NULL : job->api->alloc(job, folded.length + 1);
    if (copy && folded.length)
        memcpy(copy, folded.bytes, folded.length);
    xy_str out = {copy, folded.length};
    text_free(&folded);
    return copy ? out : (xy_str){NULL, 0};
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* A string decoded, any other scalar as it is written. */
static xy_str scalar(xy_job *job, xy_str value)
{
    if (json_kind(value) != '"')
        return value;
    char *text = job->api->alloc(job, value.len + 1);
    return text ? (xy_str){text, json_decode(value, text)} : (xy_str){NULL, 0};
}

static int set_part(xy_job *job, struct claim *claim, size_t part, xy_str text)
{
    claim->parts[part] = text;
    claim->folded[part] = claims_fold(job, text);
    return claim->folded[part].ptr ? XY_OK : XY_ENOMEM;
}

/* {subject, relation, object}, or [s, r, o]. */
static int read_triple(xy_job *job, struct claim *claim, xy_str value)
{
    xy_str parts[CLAIM_PARTS] = {{NULL, 0}};
    struct json_cursor cursor = {0};
    xy_str key;
    if (json_kind(value) == '{')
        json_members(value, part_names, parts, CLAIM_PARTS);
    else if (json_kind(value) == '[' && json_count(value) == CLAIM_PARTS)
        for (size_t i = 0; i < CLAIM_PARTS && json_next(value, &cursor, &key, &parts[i]); i++) {}
    for (size_t i = 0; i < CLAIM_PARTS; i++) {
        char kind = json_kind(parts[i]);
        if (kind == 0 || kind == '{' || kind == '[' || kind == 'n')
            return XY_DROP;
        int code = set_part(job, claim, i, scalar(job, parts[i]));
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static int read_list(struct claims *claims, xy_job *job, xy_str list, const char *field)
{
    struct json_cursor cursor = {0};
    xy_str key, value;
    claims->items = job->api->alloc(job, (json_count(list) + 1) * sizeof(*claims->items));
    if (!claims->items)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    while (json_next(list, &cursor, &key, &value)) {
        int code = read_triple(job, &claims->items[claims->count++], value);
        if (code == XY_DROP)
            return xy_drop(job, "item %zu of `%s` is no triple: it begins %.*s", claims->count,
                           field, (int)(value.len < 60 ? value.len : 60), value.ptr);
        if (code < 0)
            return xy_fail(job, code, "out of memory");
    }
    return XY_OK;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static xy_str trimmed(xy_str text)
{
    while (text.len && strchr(" \t\r(", text.ptr[0]))
        text.ptr++, text.len--;
    while (text.len && strchr(" \t\r", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* One line's three parts, between '|' where it has one, else between ';'. */
static int read_line(xy_job *job, struct claim *claim, xy_str line)
{
    char mark = memchr(line.ptr, '|', line.len) ? '|' : ';';
    if (line.len && line.ptr[0] == '(' && line.ptr[line.len - 1] == ')')
        line.len--;
    for (size_t i = 0; i < CLAIM_PARTS; i++) {
        const char *end = memchr(line.ptr, mark, line.len);
        size_t length = end ? (size_t)(end - line.ptr) : line.len;
        bool last = i + 1 == CLAIM_PARTS;
        xy_str part = trimmed((xy_str){line.ptr, length});
        if (last == (end != NULL) || part.len == 0)
            return XY_DROP;
        int code = set_part(job, claim, i, part);
        if (code < 0)
            return code;
        line.ptr += length + !last;
        line.len -= length + !last;
    }
    return XY_OK;
}

static int read_lines(struct claims *claims, xy_job *job, xy_str text, const char *field)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    claims->items = job->api->alloc(job, lines * sizeof(*claims->items));
    if (!claims->items)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t length = end ? (size_t)(end - text.ptr) : text.len;
        xy_str line = {text.ptr, length};
        while (line.len && strchr(" \t\r", line.ptr[line.len - 1]))
            line.len--;
        int code = line.len ? read_line(job, &claims->items[claims->count++], line) : XY_OK;
        if (code == XY_DROP)
            return xy_drop(job, "a line of `%s` is no triple `(subject; relation; object)`: %.*s",
                           field, (int)(line.len < 80 ? line.len : 80), line.ptr);
        if (code < 0)
            return xy_fail(job, code, "out of memory");
        text.ptr += length + (end != NULL);
        text.len -= length + (end != NULL);
    }
    return XY_OK;
}

/* ---- fields ---------------------------------------------------------------------------------- */

int claims_read(struct claims *claims, xy_job *job, const xy_record *record, const char *field)
{
    xy_str text = field ? xy_record_text(record, field) : (xy_str){NULL, 0};
    xy_str json = json_check(text);
    if (json_kind(json) == '[')
        return read_list(claims, job, json, field);
    return text.len ? read_lines(claims, job, text, field) : XY_OK;
}

int claims_read_names(struct claims *claims, xy_job *job, const xy_record *record,
                      const char *field)
{
    xy_str text = field ? xy_record_text(record, field) : (xy_str){NULL, 0}, key, value;
    xy_str json = json_check(text);
    struct json_cursor cursor = {0};
    bool list = json_kind(json) == '[';
    if (text.len == 0)
        return XY_OK;
    size_t count = list ? json_count(json) : 1;
    claims->items = job->api->alloc(job, (count + 1) * sizeof(*claims->items));
    if (!claims->items)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (!list)
        return set_part(job, &claims->items[claims->count++], 0, text);
    while (json_next(json, &cursor, &key, &value)) {
        if (json_kind(value) != '"')
            return xy_drop(job, "`%s` lists what is no name: %.*s", field,
                           (int)(value.len < 60 ? value.len : 60), value.ptr);
        int code = set_part(job, &claims->items[claims->count++], 0, scalar(job, value));
        if (code < 0)
            return xy_fail(job, code, "out of memory");
    }
    return XY_OK;
}
