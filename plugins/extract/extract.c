/* SPDX-License-Identifier: Apache-2.0 */
/* extract - the groups of a regular expression as fields: a model's text becomes data. */
#include <stdlib.h>

#include "extract_types.h"
#include "json_value.h"
#include "pattern.h"

struct capture {
    const char *field;
    uint32_t group;
    enum extract_type type;
};

struct extract {
    const char *field, *pattern, *into, *which, *types, *on_missing;
    int32_t all;
    struct pattern *compiled;
    struct capture *captures;
    uint32_t count;
    bool named; /* by groups of the pattern; else the one capture is `into` */
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct extract, field),
     .def = "text", .help = "The text field to search."},
    {.name = "pattern", .type = XY_OPT_TEXT, .offset = offsetof(struct extract, pattern),
     .flags = XY_OPT_REQUIRED,
     .help = "The regular expression (PCRE2); a named group `(?<name>...)` becomes the field of "
             "that name."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct extract, into),
     .help = "With `all`, the field for the list; else the field for the only group, or for the "
             "whole match, of a pattern without names."},
    {.name = "all", .type = XY_OPT_BOOL, .offset = offsetof(struct extract, all), .def = "false",
     .help = "Sets `into` to a list of all matches: objects of the named groups, or texts."},
    {.name = "which", .type = XY_OPT_TEXT, .offset = offsetof(struct extract, which),
     .def = "first", .choices = "first|last", .help = "Which match counts, without `all`."},
    {.name = "types", .type = XY_OPT_JSON, .offset = offsetof(struct extract, types),
     .help = "A map from group to `text` (the default), `integer` or `number`; or one of these for "
             "a pattern without names."},
    {.name = "on_missing", .type = XY_OPT_TEXT, .offset = offsetof(struct extract, on_missing),
     .def = "drop", .choices = "drop|clear",
     .help = "What becomes of a record without a match: it is dropped, or goes on without the "
             "fields (with `all`, with an empty list)."},
    {0},
};

/* ---- life ------------------------------------------------------------------------------------ */

static void close_extract(void *state)
{
    struct extract *extract = state;
    pattern_free(extract->compiled);
    free(extract->captures);
}

static int make_captures(struct extract *extract)
{
    uint32_t names = pattern_name_count(extract->compiled);
    extract->named = names > 0;
    extract->count = names ? names : 1;
    extract->captures = calloc(extract->count, sizeof(*extract->captures));
    if (!extract->captures)
        return XY_ENOMEM;
    for (uint32_t i = 0; i < names; i++)
        extract->captures[i] = (struct capture){pattern_name(extract->compiled, i),
                                                pattern_name_group(extract->compiled, i),
                                                EXTRACT_TEXT};
    if (!names) {
        uint32_t only = pattern_group_count(extract->compiled) == 1;
        extract->captures[0] = (struct capture){extract->into, only, EXTRACT_TEXT};
    }
    return XY_OK;
}

/* The type's text lies in JSON quotes. */
static enum extract_type read_type(xy_str json)
{
    return json_kind(json) == '"' ? extract_type_of((xy_str){json.ptr + 1, json.len - 2}) : 0;
}

static int bad_type(const xy_host *host, xy_str json)
{
    xy_log_line(host, XY_LOG_ERROR, "`types`: found %.*s; a type is `text`, `integer` or `number`",
                (int)json.len, json.ptr);
    return XY_EINVAL;
}

static int set_type(struct extract *extract, const xy_host *host, xy_str key, xy_str json)
{
    enum extract_type type = read_type(json);
    bool found = false;
    if (!type)
        return bad_type(host, json);
    for (uint32_t i = 0; i < extract->count; i++) {
        struct capture *capture = &extract->captures[i];
        if (strlen(capture->field) != key.len || memcmp(capture->field, key.ptr, key.len) != 0)
            continue;
        capture->type = type;
        found = true;
    }
    if (found)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`types`: the pattern has no group named `%.*s`", (int)key.len,
                key.ptr);
    return XY_EINVAL;
}

static int read_types(struct extract *extract, const xy_host *host)
{
    xy_str types = json_check(xy_text(extract->types ? extract->types : "{}"));
    if (json_kind(types) == '"' && !extract->named) {
        extract->captures[0].type = read_type(types);
        return extract->captures[0].type ? XY_OK : bad_type(host, types);
    }
    if (json_kind(types) != '{') {
        xy_log_line(host, XY_LOG_ERROR, "`types` is no map; write `GROUP: integer`");
        return XY_EINVAL;
    }
    struct json_cursor at = {0};
    xy_str key, value;
    int code = XY_OK;
    while (code == XY_OK && json_next(types, &at, &key, &value))
        code = set_type(extract, host, key, value);
    return code;
}

/* What the options say together; NULL when they make sense. */
static const char *complaint(const struct extract *extract)
{
    bool named = pattern_name_count(extract->compiled) > 0;
    if (extract->all && !extract->into)
        return "`all` needs `into`, the field for the list of matches";
    if (!named && !extract->into)
        return "the pattern has no named group `(?<name>...)`; name one, or give `into`";
    if (named && !extract->all && extract->into)
        return "the pattern's named groups are the fields; `into` goes with `all`, or with a "
               "pattern without names";
    return NULL;
}

static int open_extract(void *state, const xy_host *host)
{
    struct extract *extract = state;
    char error[512];
    extract->compiled = pattern_compile(xy_text(extract->pattern), error, sizeof(error));
    if (!extract->compiled) {
        xy_log_line(host, XY_LOG_ERROR, "`pattern`: %s", error);
        return XY_EINVAL;
    }
    const char *wrong = complaint(extract);
    if (wrong)
        xy_log_line(host, XY_LOG_ERROR, "%s", wrong);
    int code = wrong ? XY_EINVAL : make_captures(extract);
    if (code == XY_OK)
        code = read_types(extract, host);
    if (code < 0)
        close_extract(extract); /* the host closes only what it has opened */
    return code;
}

/* ---- a record -------------------------------------------------------------------------------- */

/* Is every group that took part of its type? */
static bool fits(const struct extract *extract, const struct pattern_match *match, xy_str text)
{
    for (uint32_t i = 0; i < extract->count; i++) {
        xy_str captured = pattern_group(match, text, extract->captures[i].group);
        xy_value value;
        if (captured.ptr && !extract_value(captured, extract->captures[i].type, &value))
            return false;
    }
    return true;
}

static int clear_fields(const struct extract *extract, xy_record *record)
{
    const xy_value none = {.type = XY_NULL};
    int code = XY_OK;
    for (uint32_t i = 0; code == XY_OK && i < extract->count; i++)
        code = record->api->set(record, extract->captures[i].field, &none);
    return code;
}

static int set_fields(const struct extract *extract, xy_record *record,
                      const struct pattern_match *match, xy_str text)
{
    int code = XY_OK;
    for (uint32_t i = 0; code == XY_OK && i < extract->count; i++) {
        xy_str captured = pattern_group(match, text, extract->captures[i].group);
        xy_value value;
        if (captured.ptr && extract_value(captured, extract->captures[i].type, &value))
            code = record->api->set(record, extract->captures[i].field, &value);
    }
    return code;
}

static void add_match(const struct extract *extract, struct text *list,
                      const struct pattern_match *match, xy_str text)
{
    bool first = true;
    text_add_literal(list, list->length ? "," : "[");
    if (extract->named)
        text_add_literal(list, "{");
    for (uint32_t i = 0; i < extract->count; i++) {
        xy_str captured = pattern_group(match, text, extract->captures[i].group);
        xy_value value = {.type = XY_NULL};
        if (captured.ptr)
            extract_value(captured, extract->captures[i].type, &value);
        else if (extract->named)
            continue; /* an absent group is an absent member, as it is an absent field */
        text_add_literal(list, first ? "" : ",");
        first = false;
        if (extract->named) {
            text_add_json(list, xy_text(extract->captures[i].field));
            text_add_literal(list, ":");
        }
        json_value_add(list, &value);
    }
    if (extract->named)
        text_add_literal(list, "}");
}

/* Goes through the matches; what is kept of them is the list, or the record's fields, set by each
 * match that counts. The number of those matches, or an error of pattern_find(). */
static int64_t search(const struct extract *extract, xy_record *record, xy_str text,
                      struct pattern_match *match, struct text *list)
{
    int64_t count = 0;
    size_t from = 0;
    int found, flags = 0;
    bool more = true;
    while (more && (found = pattern_find(extract->compiled, match, text, from, flags)) != 0) {
        if (found < 0)
            return found;
        /* After an empty match the next one begins further on, or is not empty. */
        flags = match->bounds[0] == match->bounds[1] ? PATTERN_NOT_EMPTY_HERE : 0;
        from = match->bounds[1];
        if (!fits(extract, match, text))
            continue;
        count++;
        if (extract->all)
            add_match(extract, list, match, text);
        else if (clear_fields(extract, record) < 0 || set_fields(extract, record, match, text) < 0)
            return XY_ENOMEM;
        more = extract->all || extract->which[0] == 'l';
    }
    return count;
}

static int conclude(const struct extract *extract, xy_job *job, int64_t count, struct text *list)
{
    xy_record *record = job->api->input(job, 0);
    if (count == XY_EINVAL)
        return xy_fail(job, XY_EINVAL, "`pattern` takes more than %d steps on this text; write it "
                       "without nested repetitions", PATTERN_STEPS);
    if (count < 0 || list->failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (count == 0 && extract->on_missing[0] == 'd')
        return xy_drop(job, "nothing in `%s` matches %s", extract->field, extract->pattern);
    if (!extract->all)
        return count == 0 ? clear_fields(extract, record) : XY_OK;
    text_add_literal(list, count ? "]" : "[]");
    return list->failed ? XY_ENOMEM
                        : xy_record_set_json(record, extract->into,
                                             (xy_str){list->bytes, list->length});
}

static int process(void *state, xy_job *job)
{
    const struct extract *extract = state;
    xy_record *record = job->api->input(job, 0);
    xy_str given = xy_get(job, extract->field);
    struct text list = {0};
    if (!given.ptr && extract->on_missing[0] == 'd')
        return xy_drop(job, "`%s` is missing or no text", extract->field);
    /* A copy: a group may be named as the field that is searched, and setting it ends its text. */
    char *copy = job->api->alloc(job, given.len + 1);
    struct pattern_match match;
    if (!copy || pattern_match_init(&match, extract->compiled) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (given.ptr)
        memcpy(copy, given.ptr, given.len);
    int64_t count = search(extract, record, (xy_str){copy, given.len}, &match, &list);
    int code = conclude(extract, job, count, &list);
    text_free(&list);
    pattern_match_free(&match);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ pattern: \"(?<word>\\\\w+)\" }" : NULL;
}

static const xy_stage extract_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct extract),
    .id = "extract",
    .version = "1.0.0",
    .summary = "Sets fields to what the groups of a regular expression match in a text",
    .options = options,
    .open = open_extract,
    .close = close_extract,
    .process = process,
    .extension = extension,
    .fields = "reads `field`, sets the pattern's named groups, or `into`",
};

XY_PLUGIN("extract", "1.0.0", "Apache-2.0", &extract_stage)
