/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

const char *prompt_keep(xy_job *job, struct text *text)
{
    char *copy = text->failed ? NULL : job->api->alloc(job, text->length + 1);
    if (copy)
        memcpy(copy, text->bytes, text->length + 1);
    text_clear(text);
    return copy;
}

void prompt_write_schema(struct text *out, xy_str tools)
{
    struct json_cursor cursor = {NULL};
    xy_str key, tool;
    text_add_literal(out, "{\"anyOf\":[");
    while (json_next(tools, &cursor, &key, &tool)) {
        text_add_literal(out, "{\"type\":\"object\",\"properties\":{\"tool\":{\"const\":");
        text_add_str(out, json_member(tool, "name"));
        text_add_literal(out, "},\"arguments\":");
        text_add_str(out, json_member(tool, "parameters"));
        text_add_literal(out, "},\"required\":[\"tool\",\"arguments\"],"
                              "\"additionalProperties\":false},");
    }
    text_add_literal(out, "{\"type\":\"object\",\"properties\":{\"answer\":{\"type\":\"string\"}},"
                          "\"required\":[\"answer\"],\"additionalProperties\":false},"
                          "{\"type\":\"object\",\"properties\":{\"give_up\":{\"type\":\"string\"}},"
                          "\"required\":[\"give_up\"],\"additionalProperties\":false}]}");
}

void prompt_write_block(struct text *out, xy_str tools)
{
    text_add_literal(out,
                     "\n\nAnswer with one JSON object and nothing else.\n"
                     "To call a tool: {\"tool\": NAME, \"arguments\": {...}}\n"
                     "Its result comes as the next message. When the task is done: "
                     "{\"answer\": \"...\"}\nWhen there is no way on from here: {\"give_up\": "
                     "\"why\"}\nThe tools, with the JSON schema of their arguments:\n");
    text_add_str(out, tools);
}

void prompt_write_list(struct text *out, xy_str tools)
{
    struct json_cursor cursor = {NULL};
    xy_str key, tool;
    text_add_literal(out, "[");
    while (json_next(tools, &cursor, &key, &tool)) {
        text_add_literal(out, out->length > 1 ? ",{\"type\":\"function\",\"function\":"
                                              : "{\"type\":\"function\",\"function\":");
        text_add_str(out, tool);
        text_add_literal(out, "}");
    }
    text_add_literal(out, "]");
}
