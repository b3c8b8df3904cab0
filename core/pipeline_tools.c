/* SPDX-License-Identifier: Apache-2.0 */
/* `tools:` of the file: stages that a model may call; and `tools:` of a generate step: what it is
 * told about them, and the schema of its messages. docs/core/tools.md has the protocol. */
#include <string.h>

#include "json.h"
#include "pipeline_internal.h"

enum { TOOL_TIMEOUT = 60, BLOCK_BYTES = 1 << 20 };

/* ---- tools of the file ----------------------------------------------------------------------- */

/* A schema that stands inside of another has no "#" of its own to refer to. */
static bool has_reference(const struct value *value)
{
    bool found = value_member(value, STR("$ref")) != NULL;
    for (size_t i = 0; value->type == VALUE_MAP && !found && i < value->map.count; i++)
        found = has_reference(&value->map.members[i].value);
    for (size_t i = 0; value->type == VALUE_LIST && !found && i < value->list.count; i++)
        found = has_reference(&value->list.items[i]);
    return found;
}

/* The plugin's own mistakes, told at the line that names it. */
static void take_parameters(struct pipeline_reader *reader, struct tool_spec *spec,
                            const struct node *use, const xy_tool *tool)
{
    struct value value = {.type = VALUE_NULL};
    struct error error = {0};
    spec->parameters = str_of(tool->parameters);
    spec->result = tool->result;
    if (!tool->description || !tool->parameters || !tool->result) {
        pipeline_fail(reader, use, NULL, "`%s` is no complete tool: it lacks its description, "
                      "parameters or result", spec->step.type->stage.id);
        return;
    }
    if (json_parse(reader->arena, spec->parameters, &value, &error) < 0 || has_reference(&value)) {
        pipeline_fail(reader, use, NULL, "`%s`: the schema of its arguments cannot be used: %.800s",
                      spec->step.type->stage.id, error.code ? error.text : "it has a `$ref`");
        return;
    }
    spec->schema = pipeline_compile_schema(reader, use, spec->parameters);
}

static const struct stage_type *find_tool(struct pipeline_reader *reader, const struct node *map,
                                          const char *where, xy_tool *tool)
{
    const struct node *node = pipeline_member(map, "use");
    const char *use = NULL;
    char found[NODE_SHOWN];
    if (!node) {
        pipeline_fail(reader, map, "use: the name of a condition that is a tool",
                      "%s: needs `use:`", where);
        return NULL;
    }
    if (!pipeline_text(reader, map, "use", &use))
        return NULL;
    const struct stage_type *type = pipeline_find_stage(reader, node, use);
    if (!type || registry_tool(type, tool))
        return type;
    pipeline_fail(reader, node, "a tool is a condition with the extension " XY_TOOL
                  ", such as `calculator`", "%s: %s is a %s and no tool", where,
                  node_shown(node, found), kind_name(type->stage.kind));
    return NULL;
}

static void read_tool(struct pipeline_reader *reader, const struct node *key,
                      const struct node *map, struct tool_spec *spec)
{
    static const char *const known[] = {"use", "with", "description", "timeout", NULL};
    const char *where = arena_printf(reader->arena, "tool `%s`", key->text.ptr);
    char found[NODE_SHOWN];
    xy_tool tool = {.size = sizeof(tool)};
    spec->name = key->text.ptr;
    spec->timeout = TOOL_TIMEOUT;
    spec->step.kind = STEP_STAGE;
    spec->step.node = map;
    spec->step.id = arena_printf(reader->arena, "tools.%s", spec->name);
    if (pipeline_check_name(reader, key, spec->name, "the name of a tool") &&
        strchr(spec->name, '.'))
        pipeline_fail(reader, key, NULL, "the name of a tool has no `.`, found %s",
                      node_shown(key, found));
    if (map->kind != NODE_MAP) {
        pipeline_fail(reader, map, NULL, "%s: expected a map, found %s", where,
                      node_shown(map, found));
        return;
    }
    spec->step.type = find_tool(reader, map, where, &tool);
    spec->step.with = pipeline_member(map, "with");
    pipeline_check_keys(reader, map, known, where,
                        spec->step.type ? spec->step.type->options : NULL);
    if (pipeline_seconds(reader, map, "timeout", &spec->timeout) && spec->timeout <= 0)
        pipeline_fail(reader, pipeline_member(map, "timeout"), NULL,
                      "`timeout`: expected more than nothing");
    if (!spec->step.type)
        return;
    take_parameters(reader, spec, pipeline_member(map, "use"), &tool);
    spec->description = tool.description;
    pipeline_text(reader, map, "description", &spec->description);
    pipeline_check_options(reader, NULL, spec->step.type, spec->step.with, where, map, NULL);
}

void pipeline_read_tools(struct pipeline_reader *reader, const struct node *node)
{
    struct pipeline *pipeline = reader->pipeline;
    char found[NODE_SHOWN];
    if (!node)
        return;
    if (node->kind != NODE_MAP || node->count > MOST_TOOLS) {
        pipeline_fail(reader, node, NULL, "`tools`: expected a map of at most %d names, found %s",
                      MOST_TOOLS, node_shown(node, found));
        return;
    }
    pipeline->tools = arena_alloc(reader->arena, (node->count + 1) * sizeof(*pipeline->tools));
    pipeline->tool_count = node->count;
    for (size_t i = 0; i < node->count; i++)
        read_tool(reader, node->keys[i], node->items[i], &pipeline->tools[i]);
}

/* ---- tools of a generate step ---------------------------------------------------------------- */

static const struct tool_spec *find_named(struct pipeline_reader *reader, const struct node *node)
{
    const struct pipeline *pipeline = reader->pipeline;
    const char *names[MOST_TOOLS];
    char found[NODE_SHOWN];
    const char *name = pipeline_scalar(reader, node, "`tools`");
    for (size_t i = 0; name && i < pipeline->tool_count; i++) {
        names[i] = pipeline->tools[i].name;
        if (strcmp(names[i], name) == 0)
            return &pipeline->tools[i];
    }
    if (!name)
        return NULL;
    const char *hint = pipeline->tool_count
                           ? pipeline_nearest(reader, name, names, pipeline->tool_count) : NULL;
    pipeline_fail(reader, node, hint ? hint : "describe it under `tools:` at the top of the file",
                  "unknown tool %s", node_shown(node, found));
    return NULL;
}

static void find_all(struct pipeline_reader *reader, struct call_spec *call,
                     const struct node *list)
{
    char found[NODE_SHOWN];
    if (list->kind == NODE_MAP || (list->kind == NODE_LIST && list->count == 0)) {
        pipeline_fail(reader, list, NULL, "`tools`: expected a list of names, found %s",
                      list->kind == NODE_LIST ? "an empty one" : node_shown(list, found));
        return;
    }
    size_t count = list->kind == NODE_LIST ? list->count : 1;
    call->tools = arena_alloc(reader->arena, count * sizeof(struct tool_spec *));
    for (size_t i = 0; i < count; i++) {
        const struct node *item = list->kind == NODE_LIST ? list->items[i] : list;
        const struct tool_spec *tool = find_named(reader, item);
        for (size_t k = 0; tool && k < call->tool_count; k++) {
            if (call->tools[k] == tool)
                pipeline_fail(reader, item, NULL, "`tools`: %s twice", node_shown(item, found));
        }
        if (tool)
            call->tools[call->tool_count++] = tool;
    }
}

/* anyOf: a call of each tool with its own arguments, or the answer. */
static void write_turn_schema(const struct call_spec *call, struct buffer *out)
{
    buffer_append_text(out, "{\"anyOf\":[");
    for (size_t i = 0; i < call->tool_count; i++) {
        buffer_append_text(out, "{\"type\":\"object\",\"properties\":{\"tool\":{\"const\":");
        json_write_text(out, str_of(call->tools[i]->name));
        buffer_append_text(out, "},\"arguments\":");
        buffer_append_str(out, call->tools[i]->parameters);
        buffer_append_text(out, "},\"required\":[\"tool\",\"arguments\"],"
                                "\"additionalProperties\":false},");
    }
    buffer_append_text(out, "{\"type\":\"object\",\"properties\":{\"answer\":");
    buffer_append_str(out, call->schema_text.len ? call->schema_text
                                                 : STR("{\"type\":\"string\"}"));
    buffer_append_text(out, "},\"required\":[\"answer\"],\"additionalProperties\":false}]}");
}

static void write_block(const struct call_spec *call, struct buffer *out)
{
    buffer_append_text(out, "You can call tools. Answer with one JSON object and nothing else.\n"
                            "To call a tool: {\"tool\": NAME, \"arguments\": {...}}\n"
                            "Its result comes as the next message. When you know the answer: "
                            "{\"answer\": ...}\n");
    if (call->schema_text.len) {
        buffer_append_text(out, "The answer fits this JSON schema: ");
        buffer_append_str(out, call->schema_text);
    } else {
        buffer_append_text(out, "The answer is a text.");
    }
    buffer_append_text(out, "\nThe tools, with the JSON schema of their arguments:");
    for (size_t i = 0; i < call->tool_count; i++) {
        const struct tool_spec *tool = call->tools[i];
        buffer_printf(out, "\n- %s: %s ", tool->name, tool->description);
        buffer_append_str(out, tool->parameters);
    }
}

static void write_list(const struct call_spec *call, struct buffer *out)
{
    for (size_t i = 0; i < call->tool_count; i++) {
        const struct tool_spec *tool = call->tools[i];
        buffer_append_text(out, i ? "," : "[");
        buffer_append_text(out, "{\"type\":\"function\",\"function\":{\"name\":");
        json_write_text(out, str_of(tool->name));
        buffer_append_text(out, ",\"description\":");
        json_write_text(out, str_of(tool->description));
        buffer_append_text(out, ",\"parameters\":");
        buffer_append_str(out, tool->parameters);
        buffer_append_text(out, "}}");
    }
    buffer_append_char(out, ']');
}

static xy_str written(struct pipeline_reader *reader, const struct call_spec *call,
                      void (*write)(const struct call_spec *call, struct buffer *out))
{
    struct buffer buffer;
    buffer_init(&buffer, BLOCK_BYTES);
    write(call, &buffer);
    if (buffer.overflowed)
        pipeline_fail(reader, reader->pipeline->root, NULL,
                      "the descriptions of the tools are longer than %d bytes", BLOCK_BYTES);
    xy_str text = arena_str(reader->arena, buffer_str(&buffer));
    buffer_free(&buffer);
    return text;
}

static void check_answer(struct pipeline_reader *reader, const struct step *step)
{
    const struct call_spec *call = &step->call;
    struct value schema = {.type = VALUE_NULL};
    struct error ignored = {0};
    /* A conversation (`history:`) has no role of its own. */
    const char *last = call->message_count ? call->messages[call->message_count - 1].role : NULL;
    if (last && strcmp(last, "assistant") == 0)
        pipeline_fail(reader, pipeline_member(step->node, "prompt"), NULL,
                      "a prompt that ends with the assistant's words cannot stand with `tools:`");
    if (call->schema_text.len &&
        json_parse(reader->arena, call->schema_text, &schema, &ignored) == 0 &&
        has_reference(&schema))
        pipeline_fail(reader, pipeline_member(step->node, "output"), "write the part out",
                      "with `tools:` the answer's schema stands inside of another: it cannot have "
                      "a `$ref`");
}

void pipeline_read_call_tools(struct pipeline_reader *reader, struct step *step)
{
    struct call_spec *call = &step->call;
    const struct node *list = pipeline_member(step->node, "tools");
    int64_t rounds;
    size_t before = reader->errors->total;
    call->tool_rounds = TOOL_ROUNDS;
    if (pipeline_count(reader, step->node, "tool_rounds", 1, MOST_TOOL_ROUNDS, &rounds))
        call->tool_rounds = (uint32_t)rounds;
    pipeline_text(reader, step->node, "conversation", &call->conversation);
    if (!list) {
        const struct node *lone = pipeline_member(step->node, "tool_rounds");
        if (!lone)
            lone = pipeline_member(step->node, "conversation");
        if (lone)
            pipeline_fail(reader, lone, "tools: [NAME]",
                          "`tool_rounds` and `conversation` need `tools:`");
        return;
    }
    find_all(reader, call, list);
    check_answer(reader, step);
    for (size_t i = 0; i < call->tool_count; i++) {
        if (!call->tools[i]->schema)
            return; /* its own mistake was told */
    }
    if (reader->errors->total > before)
        return;
    call->turn_schema = written(reader, call, write_turn_schema);
    call->tool_block = written(reader, call, write_block);
    call->tool_list = written(reader, call, write_list);
}
