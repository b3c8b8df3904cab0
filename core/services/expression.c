/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.expression/1, xylem.template/1 and xylem.schema/1: the core's own language and checks, lent
 * to plugins. */
#include <string.h>

#include "instance.h"
#include "job.h"
#include "json.h"
#include "schema.h"

static bool global(const struct record_scope *data, struct arena *arena, xy_str name,
                   struct value *out)
{
    const struct services *services = data->services;
    if (str_is(name, "codebook") && services->pipeline &&
        services->pipeline->codebook.type == VALUE_MAP) {
        *out = services->pipeline->codebook;
        return true;
    }
    if (str_is(name, "scores") && services->report) {
        *out = report_tree(services->report, arena);
        return true;
    }
    if (str_is(name, "round")) {
        *out = value_int(data->round);
        return true;
    }
    if (str_is(name, "record_id") && data->record) {
        char id[17];
        record_id_text(data->record->id, id);
        *out = value_text(arena_str(arena, str_of(id)));
        return true;
    }
    if (str_is(name, "record_weight") && data->record) {
        *out = value_number(data->record->weight);
        return true;
    }
    return false;
}

static bool lookup(const void *opaque, struct arena *arena, xy_str name, struct value *out)
{
    const struct record_scope *data = opaque;
    if (data->record && record_value(data->record, arena, name, out))
        return true;
    return global(data, arena, name, out);
}

struct scope record_scope(const struct record_scope *data)
{
    return (struct scope){.lookup = lookup, .data = data};
}

int record_when(const struct record_scope *data, const struct expression *when, bool *holds,
                struct error *error)
{
    struct scope scope = record_scope(data);
    struct arena arena = {0};
    struct value value;
    int code = expression_evaluate(when, &scope, &arena, &value, error);
    *holds = code >= 0 && value_truth(&value);
    arena_free(&arena);
    return code;
}

static void say(char *text, size_t size, const struct error *error)
{
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    if (error->line > 0)
        buffer_printf(&buffer, "%d:%d: ", error->line, error->column);
    buffer_append_text(&buffer, error->text);
    if (size)
        snprintf(text, size, "%s", buffer_str(&buffer).ptr);
    buffer_free(&buffer);
}

static void *compile(xy_str source, char *text, size_t size)
{
    struct error error = {0};
    struct expression *expression = expression_compile(source, &error);
    if (!expression)
        say(text, size, &error);
    return expression;
}

static void as_xy_value(struct arena *arena, const struct value *value, xy_value *out)
{
    *out = (xy_value){.type = XY_NULL};
    switch (value->type) {
    case VALUE_NULL: break;
    case VALUE_BOOL: *out = (xy_value){.type = XY_BOOL, .integer = value->boolean}; break;
    case VALUE_INT: *out = (xy_value){.type = XY_INT, .integer = value->integer}; break;
    case VALUE_NUMBER: *out = (xy_value){.type = XY_NUMBER, .number = value->number}; break;
    case VALUE_TEXT: *out = (xy_value){.type = XY_TEXT, .text = value->text}; break;
    default: {
        struct buffer buffer;
        buffer_init(&buffer, TEMPLATE_OUTPUT);
        json_write(&buffer, value);
        *out = (xy_value){.type = XY_JSON, .text = arena_str(arena, buffer_str(&buffer))};
        buffer_free(&buffer);
    }
    }
}

static int evaluate(xy_job *base, const void *compiled, const xy_record *record, xy_value *out)
{
    struct job *job = (struct job *)base;
    struct record_scope data = {.record = (const struct record *)record,
                                .services = instance_services(job->instance),
                                .round = job->round};
    struct scope scope = record_scope(&data);
    struct value value;
    struct error error = {0};
    int code = expression_evaluate(compiled, &scope, &job->arena, &value, &error);
    if (code < 0) {
        base->api->explain(base, error.text);
        return code;
    }
    as_xy_value(&job->arena, &value, out);
    return XY_OK;
}

static int truth(const xy_value *value)
{
    switch (value->type) {
    case XY_TEXT: return value->text.len > 0;
    case XY_INT:
    case XY_BOOL: return value->integer != 0;
    case XY_NUMBER: return value->number != 0;
    case XY_JSON: return !str_is(value->text, "[]") && !str_is(value->text, "{}");
    case XY_VECTOR: return value->length > 0;
    default: return 0;
    }
}

static void release(void *compiled)
{
    expression_free(compiled);
}

const xy_expression service_expression = {
    .size = sizeof(xy_expression),
    .compile = compile,
    .evaluate = evaluate,
    .truth = truth,
    .release = release,
};

static void *compile_template(xy_str source, char *text, size_t size)
{
    struct error error = {0};
    struct template *template = template_compile(source, &error);
    if (!template)
        say(text, size, &error);
    return template;
}

static int render(xy_job *base, const void *compiled, const xy_record *record, xy_str *out)
{
    struct job *job = (struct job *)base;
    struct record_scope data = {.record = (const struct record *)record,
                                .services = instance_services(job->instance),
                                .round = job->round};
    struct scope scope = record_scope(&data);
    struct buffer buffer;
    struct error error = {0};
    buffer_init(&buffer, TEMPLATE_OUTPUT);
    int code = template_render(compiled, &scope, &job->arena, &buffer, &error);
    if (code < 0)
        base->api->explain(base, error.text);
    else
        *out = arena_str(&job->arena, buffer_str(&buffer));
    buffer_free(&buffer);
    return code;
}

static void release_template(void *compiled)
{
    template_free(compiled);
}

const xy_template service_template = {
    .size = sizeof(xy_template),
    .compile = compile_template,
    .render = render,
    .release = release_template,
};

static void *compile_schema(xy_str source, char *text, size_t size)
{
    struct error error = {0};
    struct schema *schema = schema_compile(source, &error);
    if (!schema)
        say(text, size, &error);
    return schema;
}

static int validate(const void *compiled, xy_str json, char *text, size_t size)
{
    struct arena arena = {0};
    struct value value;
    struct error error = {0};
    int code = json_parse(&arena, json, &value, &error);
    if (code == 0)
        code = schema_check(compiled, &value, &error);
    if (code < 0)
        say(text, size, &error);
    arena_free(&arena);
    return code;
}

static void release_schema(void *compiled)
{
    schema_free(compiled);
}

const xy_schema service_schema = {
    .size = sizeof(xy_schema),
    .compile = compile_schema,
    .validate = validate,
    .release = release_schema,
};
