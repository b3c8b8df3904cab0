/* SPDX-License-Identifier: Apache-2.0 */
/* set - sets fields to the values of expressions over the other fields. */
#include <stdlib.h>

#include <xylem/plugin.h>

#include "json_reader.h"

struct field {
    char *name;
    void *compiled;
};

struct set {
    const char *fields_json;
    const xy_expression *language;
    struct field *fields;
    size_t count;
};

static const xy_option options[] = {
    {.name = "fields", .type = XY_OPT_JSON, .offset = offsetof(struct set, fields_json),
     .flags = XY_OPT_REST,
     .help = "Each key is a field to set, its value the expression, as in `text: \"a ~ ' ' ~ b\"`; "
             "in order, so that a later one may use an earlier one."},
    {0},
};

static int compile(struct set *set, const xy_host *host, xy_str key, xy_str value)
{
    struct field *field = &set->fields[set->count];
    char error[256];
    char *source = malloc(value.len + 1);
    field->name = malloc(key.len + 3);
    if (!source || !field->name) {
        free(source);
        return XY_ENOMEM;
    }
    set->count++;
    field->name[json_decode((xy_str){key.ptr - 1, key.len + 2}, field->name)] = '\0';
    /* A number or a bool in the file is an expression as it stands. */
    xy_str text = value;
    if (json_kind(value) == '"')
        text = (xy_str){source, json_decode(value, source)};
    field->compiled = set->language->compile(text, error, sizeof(error));
    if (!field->compiled)
        xy_log_line(host, XY_LOG_ERROR, "`%s`: %s", field->name, error);
    free(source);
    return field->compiled ? XY_OK : XY_EINVAL;
}

static void close_set(void *state)
{
    struct set *set = state;
    for (size_t i = 0; i < set->count; i++) {
        if (set->fields[i].compiled)
            set->language->release(set->fields[i].compiled);
        free(set->fields[i].name);
    }
    free(set->fields);
}

static int open_set(void *state, const xy_host *host)
{
    struct set *set = state;
    set->language = host->service(host, XY_EXPRESSION);
    if (!set->language)
        return XY_EUNSUPPORTED;
    xy_str map = json_check(xy_text(set->fields_json ? set->fields_json : "{}"));
    if (json_count(map) == 0) {
        xy_log_line(host, XY_LOG_ERROR, "name at least one field: `FIELD: EXPRESSION`");
        return XY_EINVAL;
    }
    set->fields = calloc(json_count(map), sizeof(*set->fields));
    if (!set->fields)
        return XY_ENOMEM;
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    int code = XY_OK;
    while (code == XY_OK && json_next(map, &at, &key, &value))
        code = compile(set, host, key, value);
    if (code < 0)
        close_set(set); /* the host closes only what it has opened */
    return code;
}

static int process(void *state, xy_job *job)
{
    const struct set *set = state;
    xy_record *record = job->api->input(job, 0);
    for (size_t i = 0; i < set->count; i++) {
        xy_value value;
        memset(&value, 0, sizeof(value));
        int code = set->language->evaluate(job, set->fields[i].compiled, record, &value);
        if (code == XY_OK)
            code = record->api->set(record, set->fields[i].name, &value);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ twice: \"1 + 1\" }" : NULL;
}

static const char *const needs[] = {XY_EXPRESSION, NULL};

static const xy_stage set_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct set),
    .id = "set",
    .version = "1.0.0",
    .summary = "Sets fields to the values of expressions over the other fields",
    .needs = needs,
    .options = options,
    .open = open_set,
    .close = close_set,
    .process = process,
    .extension = extension,
    .fields = "sets each key of its options",
};

XY_PLUGIN("set", "1.0.0", "Apache-2.0", &set_stage)
