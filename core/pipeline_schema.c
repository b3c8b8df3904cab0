/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema of pipeline files, for editors: the file's own keys from the text below, each
 * stage's options from its table, under if/then by `use:`. It is a little wider than the reader:
 * references, templates and what depends on two places are left to `xylem check`. */
#include <string.h>

#include "json.h"
#include "options.h"
#include "pipeline_internal.h"

#define TEXT "{\"type\":\"string\"}"
#define SCALAR "{\"type\":[\"string\",\"number\",\"boolean\"]}"
#define NUMBER "{\"type\":[\"number\",\"string\"]}"
#define COUNT "{\"type\":[\"integer\",\"string\"]}"
#define FLAG "{\"type\":[\"boolean\",\"string\"]}"
#define NAME "{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$\"}"
#define TEXTS "{\"anyOf\":[" SCALAR ",{\"type\":\"array\",\"items\":" SCALAR "}]}"
#define ANY_MAP "{\"type\":\"object\"}"

struct property {
    const char *name, *schema, *help;
};

static const struct property file_properties[] = {
    {"xylem", "{\"const\":1}", "Version of the file format."},
    {"name", SCALAR, "Name of the pipeline; the file's name when left out."},
    {"seed", COUNT, "Every random choice follows from it."},
    {"codebook", ANY_MAP, "The task and its labels: one text for the model and for people."},
    {"params", ANY_MAP, "Parameters with their defaults; null: must be given."},
    {"models", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/model\"}}",
     "Models by name."},
    {"plugins", TEXTS, "Folders or files to load plugins from."},
    {"tools", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/tool\"}}",
     "Tools that a model may call, by name."},
    {"budget",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"usd\":" NUMBER
     ",\"money\":" NUMBER ",\"tokens\":" COUNT "}}",
     "What the run may cost; it stops before it costs more."},
    {"cache", TEXT, "Folder of answers shared between runs."},
    {"steps", "{\"$ref\":\"#/$defs/steps\"}", "What to do, in order."},
    {"accept",
     "{\"anyOf\":[" COUNT ",{\"type\":\"object\",\"additionalProperties\":false,\"required\":"
     "[\"count\"],\"properties\":{\"count\":" COUNT ",\"per\":" TEXT
     ",\"candidates\":" COUNT "}}]}",
     "How many records must pass every filter: sources are asked again until then."},
    {"write",
     "{\"anyOf\":[{\"$ref\":\"#/$defs/write\"},{\"type\":\"array\",\"items\":{\"$ref\":"
     "\"#/$defs/write\"}}]}",
     "Where the records go."},
    {NULL, NULL, NULL},
};

static const struct property model_properties[] = {
    {"use", TEXT, "The generator."},
    {"concurrency", COUNT, "Most calls in flight."},
    {"requests_per_minute", NUMBER, "Limit; 0 or left out: none."},
    {"tokens_per_minute", NUMBER, "Limit; 0 or left out: none."},
    {"attempts", COUNT, "Tries in all for one call; 6 when left out."},
    {"timeout", NUMBER, "Seconds for one attempt; 600 when left out."},
    {"deadline", NUMBER, "Seconds over all attempts; none when left out."},
    {"price",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"input\":" NUMBER
     ",\"cached_input\":" NUMBER ",\"output\":" NUMBER "}}",
     "Money for 1,000,000 tokens."},
    {"params", "{\"$ref\":\"#/$defs/params\"}", "Parameters of each request."},
    {NULL, NULL, NULL},
};

static const struct property params_properties[] = {
    {"temperature", NUMBER, "Randomness of the choice of tokens; 0: the likeliest."},
    {"top_p", NUMBER, "Choose among the likeliest tokens that make up this share."},
    {"max_tokens", COUNT, "Longest answer."},
    {"seed", COUNT, "Seed for servers that honour one."},
    {"stop", TEXTS, "Texts at which the answer ends."},
    {"logprobs", FLAG, "Ask for the log-probabilities of the chosen tokens."},
    {"timeout", NUMBER, "Seconds for one attempt."},
    {"extra", ANY_MAP, "The provider's own parameters, sent as they are."},
    {NULL, NULL, NULL},
};

static const struct property tool_properties[] = {
    {"use", TEXT, "The stage: a condition that is a tool."},
    {"with", ANY_MAP, "Options of the stage."},
    {"description", SCALAR, "What the model is told; the stage's own words when left out."},
    {"timeout", NUMBER, "Seconds for one call; 60 when left out."},
    {NULL, NULL, NULL},
};

static const struct property write_properties[] = {
    {"path", TEXT, "The file; its ending chooses the format."},
    {"format", TEXT, "The format, where the ending does not tell."},
    {"from", TEXT, "The step whose records are written; the last one when left out."},
    {"fields", TEXTS, "The fields to write; all when left out."},
    {"rejects", TEXT, "File for the records that did not pass, with reasons."},
    {"with", ANY_MAP, "Options of the format."},
    {NULL, NULL, NULL},
};

#define MESSAGE                                                                                   \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"role\",\"content\"],"    \
    "\"properties\":{\"role\":{\"enum\":[\"system\",\"user\",\"assistant\"]},"                \
    "\"content\":" SCALAR "}}"
#define HISTORY                                                                                   \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"history\"],"           \
    "\"properties\":{\"history\":" TEXT ",\"swap\":" FLAG "}}"
#define REPEAT                                                                                    \
    "{\"anyOf\":[" COUNT ",{\"type\":\"object\",\"additionalProperties\":false,\"required\":"     \
    "[\"times\"],\"properties\":{\"times\":" COUNT ",\"until\":" SCALAR "}}]}"

static const struct property step_properties[] = {
    {"id", NAME, "Name of the step; what it uses when left out."},
    {"use", TEXT, "A stage, or generate, score or embed."},
    {"with", ANY_MAP, "Options of the stage."},
    {"from", TEXTS, "The steps whose records it reads; left out: the step before; [] for none."},
    {"when", SCALAR, "Expression: records for which it is false pass by."},
    {"expect", NUMBER, "For `check`: records that leave for each that enters."},
    {"expect_calls", NUMBER, "For `check`: calls for each record that enters."},
    {"repeat", REPEAT, "Run `steps` several times, until an expression is true."},
    {"steps", "{\"$ref\":\"#/$defs/steps\"}", "The steps of a repeat."},
    {"include", TEXT, "A file whose steps stand in this one's place."},
    {"params", ANY_MAP, "Parameters of the request, or of the included file."},
    {"model", TEXT, "A name under `models:`; may be left out when there is one."},
    {"prompt",
     "{\"anyOf\":[" SCALAR ",{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
     "{\"system\":" SCALAR ",\"user\":" SCALAR ",\"assistant\":" SCALAR
     ",\"messages\":{\"type\":\"array\",\"items\":{\"anyOf\":[" MESSAGE "," HISTORY
     "]}}}}]}",
     "The request: a template, or one for each role."},
    {"output",
     "{\"anyOf\":[" TEXT ",{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
     "{\"json_schema\":{\"type\":[\"object\",\"string\"]},\"fields\":{\"type\":[\"object\","
     "\"array\"]},\"into\":" TEXT ",\"retry\":" COUNT ",\"append_to\":" TEXT ",\"finish\":" TEXT
     ",\"role\":{\"enum\":["
     "\"system\",\"user\",\"assistant\"]}}}]}",
     "What comes back and where it goes."},
    {"samples", COUNT, "Answers for each record."},
    {"tools", TEXTS, "Names under `tools:` that the model may call."},
    {"tool_rounds", COUNT, "Most calls of tools in one answer; 8 when left out."},
    {"conversation", TEXT, "Field for the whole exchange in OpenAI's chat format."},
    {"candidates", "{\"type\":[\"array\",\"object\"]}", "Texts whose probabilities are wanted."},
    {"into", TEXT, "The field for the result."},
    {"normalize_length", FLAG, "Divide each candidate's log-probability by its tokens."},
    {"calibrate", FLAG, "Divide by the probabilities for `content_free`."},
    {"content_free", SCALAR, "The user's prompt with no content in it."},
    {"text", SCALAR, "Template of the text to embed."},
    {NULL, NULL, NULL},
};

static const char *const call_names[] = {"generate", "score", "embed"};
static const char *const call_needs[] = {"\"prompt\"", "\"prompt\",\"candidates\"", "\"text\""};

static void write_properties_of(const struct property *properties, struct buffer *out)
{
    buffer_append_text(out, "\"properties\":{");
    for (const struct property *property = properties; property->name; property++) {
        buffer_printf(out, "%s\"%s\":{\"description\":", property == properties ? "" : ",",
                      property->name);
        json_write_text(out, str_of(property->help));
        buffer_printf(out, ",\"allOf\":[%s]}", property->schema);
    }
    buffer_append_char(out, '}');
}

static bool is_step_kind(uint32_t kind)
{
    return kind == XY_CONDITION || kind == XY_FILTER || kind == XY_ENHANCER ||
           kind == XY_EVALUATOR;
}

/* Where a stage is named by `use:`. */
enum part { PART_STEP, PART_MODEL, PART_TOOL };

static bool is_wanted(const struct stage_type *type, enum part part)
{
    xy_tool tool;
    if (part == PART_TOOL)
        return registry_tool(type, &tool);
    return part == PART_STEP ? is_step_kind(type->stage.kind) : type->stage.kind == XY_GENERATOR;
}

/* Every value of `use:` with what it does, for completion. */
static void write_uses(const struct registry *registry, enum part part, struct buffer *out)
{
    buffer_append_text(out, "{\"properties\":{\"use\":{\"anyOf\":[{\"pattern\":\"[/$]\"}");
    for (size_t i = 0; part == PART_STEP && i < sizeof(call_names) / sizeof(call_names[0]); i++)
        buffer_printf(out, ",{\"const\":\"%s\",\"description\":\"A call of a model.\"}",
                      call_names[i]);
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
        for (size_t i = 0; i < plugin->stage_count; i++) {
            const xy_stage *stage = &plugin->stages[i].stage;
            if (!is_wanted(&plugin->stages[i], part))
                continue;
            buffer_append_text(out, ",{\"const\":");
            json_write_text(out, str_of(stage->id));
            buffer_append_text(out, ",\"description\":");
            json_write_text(out, str_of(stage->summary ? stage->summary : ""));
            buffer_append_char(out, '}');
        }
    }
    buffer_append_text(out, "]}}}");
}

/* Some other stage of the same name and another kind: only KIND/NAME says which is meant. */
static bool is_ambiguous(const struct registry *registry, const xy_stage *stage)
{
    static const uint32_t kinds[] = {XY_CONDITION, XY_FILTER, XY_ENHANCER, XY_EVALUATOR};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i] != stage->kind && registry_find(registry, kinds[i], stage->id))
            return true;
    }
    return false;
}

static void write_if_use(const struct registry *registry, const xy_stage *stage, bool steps,
                         struct buffer *out)
{
    buffer_append_text(out, ",{\"if\":{\"required\":[\"use\"],\"properties\":{\"use\":{\"enum\":[");
    if (!steps || !is_ambiguous(registry, stage)) {
        json_write_text(out, str_of(stage->id));
        if (steps)
            buffer_append_char(out, ',');
    }
    if (steps)
        buffer_printf(out, "\"%s/%s\"", kind_name(stage->kind), stage->id);
    buffer_append_text(out, "]}}},\"then\":");
}

static bool needs_options(const xy_option *options)
{
    for (; options && options->name; options++) {
        if (options->flags & XY_OPT_REQUIRED)
            return true;
    }
    return false;
}

/* A model's options stand beside the host's keys, so the table's object is taken apart: its
 * properties and what it requires stay, its refusal of other keys is left to the whole. */
static void write_model_options(const struct stage_type *type, struct buffer *out)
{
    struct buffer table;
    struct arena arena = {0};
    struct value schema;
    struct error error;
    buffer_init(&table, NODE_BYTES);
    options_schema(type->options, &table);
    if (json_parse(&arena, buffer_str(&table), &schema, &error) == 0) {
        const struct value *properties = value_member(&schema, STR("properties"));
        const struct value *required = value_member(&schema, STR("required"));
        const struct value *open = value_member(&schema, STR("additionalProperties"));
        buffer_append_text(out, "{\"properties\":");
        json_write(out, properties);
        buffer_append_text(out, ",\"required\":");
        json_write(out, required);
        if (open && open->type == VALUE_BOOL && open->boolean)
            buffer_append_text(out, ",\"additionalProperties\":true");
        buffer_append_char(out, '}');
    }
    buffer_free(&table);
    arena_free(&arena);
}

static void write_stages(const struct registry *registry, enum part part, struct buffer *out)
{
    static const char step_names[] = "\"id\",\"use\",\"with\",\"from\",\"when\",\"expect\","
                                     "\"expect_calls\"";
    static const char tool_names[] = "\"use\",\"with\",\"description\",\"timeout\"";
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
        for (size_t i = 0; i < plugin->stage_count; i++) {
            const struct stage_type *type = &plugin->stages[i];
            bool first = registry_find(registry, type->stage.kind, type->stage.id) == type;
            if (!first || !is_wanted(type, part))
                continue;
            write_if_use(registry, &type->stage, part != PART_MODEL, out);
            if (part != PART_MODEL) {
                buffer_printf(out, "{\"propertyNames\":{\"enum\":[%s]},\"properties\":{\"with\":",
                              part == PART_TOOL ? tool_names : step_names);
                options_schema(type->options, out);
                buffer_printf(out, "}%s}",
                              needs_options(type->options) ? ",\"required\":[\"with\"]" : "");
            } else {
                write_model_options(type, out);
            }
            buffer_append_char(out, '}');
        }
    }
}

static void write_calls(struct buffer *out)
{
    for (size_t i = 0; i < sizeof(call_names) / sizeof(call_names[0]); i++)
        buffer_printf(out,
                      ",{\"if\":{\"required\":[\"use\"],\"properties\":{\"use\":{\"const\":"
                      "\"%s\"}}},\"then\":{\"required\":[%s],\"properties\":{\"with\":false,"
                      "\"repeat\":false,"
                      "\"steps\":false,\"include\":false%s}}}",
                      call_names[i], call_needs[i],
                      i == 2 ? "" : ",\"params\":{\"$ref\":\"#/$defs/params\"}");
}

static void write_object(const struct property *properties, struct buffer *out)
{
    buffer_append_text(out, "{\"type\":\"object\",\"additionalProperties\":false,");
    write_properties_of(properties, out);
    buffer_append_char(out, '}');
}

void pipeline_schema(const struct registry *registry, struct buffer *buffer)
{
    buffer_append_text(buffer, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                               "\"title\":\"Xylem pipeline\",\"type\":\"object\",\"required\":"
                               "[\"xylem\",\"steps\"],\"additionalProperties\":false,");
    write_properties_of(file_properties, buffer);
    buffer_append_text(buffer, ",\"$defs\":{\"steps\":{\"type\":\"array\",\"minItems\":1,\"items\":"
                               "{\"$ref\":\"#/$defs/step\"}},\"params\":");
    write_object(params_properties, buffer);
    buffer_append_text(buffer, ",\"write\":{\"required\":[\"path\"],\"type\":\"object\","
                               "\"additionalProperties\":false,");
    write_properties_of(write_properties, buffer);
    buffer_append_text(buffer, "},\"model\":{\"type\":\"object\",\"required\":[\"use\"],"
                               "\"unevaluatedProperties\":false,");
    write_properties_of(model_properties, buffer);
    buffer_append_text(buffer, ",\"allOf\":[");
    write_uses(registry, PART_MODEL, buffer);
    write_stages(registry, PART_MODEL, buffer);
    buffer_append_text(buffer, "]},\"tool\":{\"type\":\"object\",\"required\":[\"use\"],"
                               "\"additionalProperties\":false,");
    write_properties_of(tool_properties, buffer);
    buffer_append_text(buffer, ",\"allOf\":[");
    write_uses(registry, PART_TOOL, buffer);
    write_stages(registry, PART_TOOL, buffer);
    buffer_append_text(buffer, "]},\"step\":{\"type\":\"object\",\"additionalProperties\":false,"
                               "\"oneOf\":[{\"required\":[\"use\"]},{\"required\":[\"repeat\","
                               "\"steps\"]},{\"required\":[\"include\"]}],");
    write_properties_of(step_properties, buffer);
    buffer_append_text(buffer, ",\"allOf\":[");
    write_uses(registry, PART_STEP, buffer);
    write_calls(buffer);
    write_stages(registry, PART_STEP, buffer);
    buffer_append_text(buffer, "]}}}\n");
}
