/* SPDX-License-Identifier: Apache-2.0 */
/* options_schema.c - an option table as JSON Schema, for the completion of editors. */
#include <string.h>

#include "json.h"
#include "options_internal.h"

/* Any value may come from the environment, and then it is text in the file. */
#define SUBSTITUTED "{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"}"

static void write_choices(const xy_option *option, struct buffer *out)
{
    buffer_append_text(out, "{\"enum\":[");
    const char *at = option->choices;
    while (*at) {
        size_t length = strcspn(at, "|");
        json_write_text(out, (xy_str){at, length});
        at += length + (at[length] == '|');
        if (*at)
            buffer_append_char(out, ',');
    }
    buffer_append_text(out, "]}");
}

static void write_scalar(const xy_option *option, struct buffer *out)
{
    if (option->choices)
        write_choices(option, out);
    else
        buffer_append_text(out, "{\"type\":[\"string\",\"number\",\"boolean\"]}");
}

/* The range bounds numbers only: "2M" and "500ms" are texts, which `xylem check` judges. */
static void write_number(const xy_option *option, const char *type, struct buffer *out)
{
    buffer_printf(out, "{\"type\":[\"%s\",\"string\"]", type);
    if (option->low != 0 || option->high != 0) {
        buffer_append_text(out, ",\"minimum\":");
        json_write_number(out, option->low);
        buffer_append_text(out, ",\"maximum\":");
        json_write_number(out, option->high);
    }
    buffer_append_char(out, '}');
}

static void write_type(const xy_option *option, struct buffer *out)
{
    switch (option->type) {
    case XY_OPT_INT: write_number(option, "integer", out); break;
    case XY_OPT_NUMBER: case XY_OPT_SECONDS: write_number(option, "number", out); break;
    case XY_OPT_BOOL:
        buffer_append_text(out, "{\"anyOf\":[{\"type\":\"boolean\"}," SUBSTITUTED "]}");
        break;
    case XY_OPT_LIST:
        buffer_append_text(out, "{\"anyOf\":[");
        write_scalar(option, out);
        buffer_append_text(out, ",{\"type\":\"array\",\"items\":{\"anyOf\":[");
        write_scalar(option, out);
        buffer_append_text(out, "," SUBSTITUTED "]}}," SUBSTITUTED "]}");
        break;
    case XY_OPT_JSON: buffer_append_text(out, "true"); break;
    case XY_OPT_LEARNER:
        buffer_append_text(out, "{\"type\":[\"string\",\"object\"]}");
        break;
    case XY_OPT_TEXT: case XY_OPT_FIELD:
        buffer_append_text(out, "{\"anyOf\":[");
        write_scalar(option, out);
        buffer_append_text(out, "," SUBSTITUTED "]}");
        break;
    default: buffer_append_text(out, "{\"type\":\"string\"}"); break;
    }
}

/* One property: the type stands under allOf, so that the description is beside it. */
static void write_property(const xy_option *option, struct buffer *out)
{
    json_write_text(out, str_of(option->name));
    buffer_append_text(out, ":{\"description\":");
    json_write_text(out, str_of(option->help ? option->help : ""));
    if (option->def && !(option->flags & XY_OPT_SECRET)) {
        struct arena arena = {0};
        struct error error;
        struct node *node = option_default_node(&arena, option, &error);
        bool typed = option->type == XY_OPT_INT || option->type == XY_OPT_NUMBER ||
                     option->type == XY_OPT_BOOL || option->type == XY_OPT_SECONDS;
        if (node && typed)
            node->plain = true;
        const char *json = node ? option_json(&arena, node, &error) : NULL;
        if (json)
            buffer_printf(out, ",\"default\":%s", json);
        arena_free(&arena);
    }
    buffer_append_text(out, ",\"allOf\":[");
    write_type(option, out);
    buffer_append_text(out, "]}");
}

void options_schema(const xy_option *options, struct buffer *buffer)
{
    bool open = false;
    size_t written = 0;
    buffer_append_text(buffer, "{\"type\":\"object\",\"properties\":{");
    for (const xy_option *option = options; option && option->name; option++) {
        if (option->flags & XY_OPT_REST) {
            open = true;
            continue;
        }
        if (written++ > 0)
            buffer_append_char(buffer, ',');
        write_property(option, buffer);
    }
    buffer_append_text(buffer, "},\"required\":[");
    written = 0;
    for (const xy_option *option = options; option && option->name; option++) {
        if (!(option->flags & XY_OPT_REQUIRED) || (option->flags & XY_OPT_REST))
            continue;
        if (written++ > 0)
            buffer_append_char(buffer, ',');
        json_write_text(buffer, str_of(option->name));
    }
    buffer_printf(buffer, "],\"additionalProperties\":%s}", open ? "true" : "false");
}
