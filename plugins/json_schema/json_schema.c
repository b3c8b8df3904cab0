/* SPDX-License-Identifier: Apache-2.0 */
/* json_schema - keeps the records whose fields, or one of whose fields, fit a JSON Schema. */
#include <stdlib.h>

#include <xylem/plugin.h>

#include "json_value.h"

struct json_schema {
    const char *schema, *field;
    const xy_schema *service;
    void *compiled;
};

static const xy_option options[] = {
    {.name = "schema", .type = XY_OPT_JSON, .offset = offsetof(struct json_schema, schema),
     .flags = XY_OPT_REQUIRED, .help = "The JSON Schema (draft 2020-12, the part that `xylem help` "
                                       "of structured output lists)."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct json_schema, field),
     .help = "Checks this field's JSON; without it the whole record, as one object."},
    {0},
};

static int open_schema(void *state, const xy_host *host)
{
    struct json_schema *filter = state;
    char error[256];
    filter->service = host->service(host, XY_SCHEMA);
    if (!filter->service)
        return XY_EUNSUPPORTED;
    filter->compiled = filter->service->compile(xy_text(filter->schema), error, sizeof(error));
    if (!filter->compiled)
        xy_log_line(host, XY_LOG_ERROR, "the schema: %s", error);
    return filter->compiled ? XY_OK : XY_EINVAL;
}

static void close_schema(void *state)
{
    struct json_schema *filter = state;
    if (filter->compiled)
        filter->service->release(filter->compiled);
}

/* Vectors are left out: they are numbers for machines, and no schema describes them usefully. */
static void add_record(struct text *json, const xy_record *record)
{
    text_add_literal(json, "{");
    for (size_t i = 0; record->api->field(record, i); i++) {
        const char *name = record->api->field(record, i);
        xy_value value = {.type = XY_NULL};
        if (record->api->get(record, name, &value) == XY_VECTOR)
            continue;
        text_add_literal(json, json->length > 1 ? "," : "");
        text_add_json(json, xy_text(name));
        text_add_literal(json, ":");
        json_value_add(json, &value);
    }
    text_add_literal(json, "}");
}

static int process(void *state, xy_job *job)
{
    const struct json_schema *filter = state;
    const xy_record *record = job->api->input(job, 0);
    struct text json = {0};
    char error[256];
    xy_value value = {.type = XY_NULL};
    if (!filter->field) {
        add_record(&json, record);
    } else if (record->api->get(record, filter->field, &value)) {
        json_value_add(&json, &value);
    } else {
        return xy_drop(job, "the field `%s` is missing", filter->field);
    }
    int code = json.failed ? XY_ENOMEM
                           : filter->service->validate(filter->compiled,
                                                       (xy_str){json.bytes, json.length}, error,
                                                       sizeof(error));
    text_free(&json);
    if (code == XY_EINVAL)
        return xy_drop(job, "%s", error);
    return code;
}

static const char *const needs[] = {XY_SCHEMA, NULL};

static const xy_stage json_schema = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct json_schema),
    .id = "json_schema",
    .version = "1.0.0",
    .summary = "Keeps the records that fit a JSON Schema, and names the first rule that one breaks",
    .needs = needs,
    .options = options,
    .open = open_schema,
    .close = close_schema,
    .process = process,
    .fields = "reads `field`, or all",
};

XY_PLUGIN("json_schema", "1.0.0", "Apache-2.0", &json_schema)
