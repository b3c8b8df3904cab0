/* SPDX-License-Identifier: Apache-2.0 */
/* Second pass over `generate`, `score` and `embed`: the model, and what comes back. */
#include <string.h>

#include "json.h"
#include "pipeline_internal.h"

enum { CANDIDATES = 1000 };

/* ---- model and request parameters ------------------------------------------------------------ */

static void read_model(struct pipeline_reader *reader, struct step *step)
{
    const struct pipeline *pipeline = reader->pipeline;
    const struct node *node = pipeline_member(step->node, "model");
    const char *alias;
    char found[NODE_SHOWN];
    if (node) {
        if (!pipeline_text(reader, step->node, "model", &alias))
            return;
        step->call.model = pipeline_find_model(reader, str_of(alias));
        if (!step->call.model)
            pipeline_fail(reader, node, pipeline_nearest_model(reader, alias), "unknown model %s",
                          node_shown(node, found));
    } else if (pipeline->model_count == 1) {
        step->call.model = &pipeline->models[0];
    } else {
        pipeline_fail(reader, step->node, NULL, "step `%s` needs `model:`, %s", step->id,
                      pipeline->model_count ? "one of the names under `models:`"
                                            : "and the file needs `models:`");
    }
}

/* The step's parameters over the model's. */
static struct value merge_params(struct pipeline_reader *reader, const struct value *below,
                                 const struct value *above)
{
    if (below->type != VALUE_MAP)
        return *above;
    if (above->type != VALUE_MAP)
        return *below;
    struct member *members = arena_alloc(
        reader->arena, (below->map.count + above->map.count + 1) * sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < below->map.count; i++) {
        if (!value_member(above, below->map.members[i].key))
            members[count++] = below->map.members[i];
    }
    for (size_t i = 0; i < above->map.count; i++)
        members[count++] = above->map.members[i];
    return (struct value){.type = VALUE_MAP, .map = {members, count}};
}

/* ---- what a generate step gets back ---------------------------------------------------------- */

static void read_into(struct pipeline_reader *reader, const struct node *map, const char **into)
{
    const struct node *node = pipeline_member(map, "into");
    if (node)
        pipeline_field(reader, node, "`into`", into);
}

/* JSON text of a value; its depth is bounded by the file's own. */
static xy_str json_text(struct pipeline_reader *reader, const struct value *value)
{
    struct buffer buffer;
    buffer_init(&buffer, (size_t)NODE_BYTES * 2);
    json_write(&buffer, value);
    xy_str text = arena_str(reader->arena, buffer_str(&buffer));
    buffer_free(&buffer);
    return text;
}

static struct value text_value(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = str_of(text)};
}

static struct value one_member(struct pipeline_reader *reader, const char *key, struct value value)
{
    struct member *member = arena_alloc(reader->arena, sizeof(*member));
    *member = (struct member){str_of(key), value};
    return (struct value){.type = VALUE_MAP, .map = {member, 1}};
}

/* The schema of one field: a word, a list of choices, or a schema of its own. */
static struct value field_schema(struct pipeline_reader *reader, const struct node *node)
{
    static const char *const words[] = {"text", "integer", "number", "boolean", "list"};
    char found[NODE_SHOWN];
    struct value value = {.type = VALUE_NULL};
    if (node->kind == NODE_MAP || node->kind == NODE_LIST) {
        node_value(reader->arena, node, &value);
        return node->kind == NODE_MAP ? value : one_member(reader, "enum", value);
    }
    if (node_is_null(node) || str_is(node->text, "text") || str_is(node->text, "string"))
        return one_member(reader, "type", text_value("string"));
    if (str_is(node->text, "list")) {
        struct member *members = arena_alloc(reader->arena, 2 * sizeof(*members));
        members[0] = (struct member){STR("type"), text_value("array")};
        members[1] = (struct member){STR("items"),
                                     one_member(reader, "type", text_value("string"))};
        return (struct value){.type = VALUE_MAP, .map = {members, 2}};
    }
    bool known = str_is(node->text, "integer") || str_is(node->text, "number") ||
                 str_is(node->text, "boolean");
    if (!known)
        pipeline_fail(reader, node,
                      pipeline_nearest(reader, node->text.ptr, words,
                                       sizeof(words) / sizeof(words[0])),
                      "a field is text, integer, number, boolean, list, a list of choices or a "
                      "schema, found %s", node_shown(node, found));
    return one_member(reader, "type", (struct value){.type = VALUE_TEXT, .text = node->text});
}

/* `fields: [a, b]` or `fields: {a: text, b: [yes, no]}`: an object of just these. */
static xy_str fields_schema(struct pipeline_reader *reader, const struct node *fields)
{
    static const struct node text_node = {.kind = NODE_SCALAR, .plain = true, .text = {"text", 4}};
    char found[NODE_SHOWN];
    if (fields->kind == NODE_SCALAR || fields->count == 0) {
        pipeline_fail(reader, fields, NULL, "`fields`: expected a map or a list of names, found %s",
                      fields->kind == NODE_SCALAR ? node_shown(fields, found) : "an empty one");
        return (xy_str){NULL, 0};
    }
    bool map = fields->kind == NODE_MAP;
    struct member *properties = arena_alloc(reader->arena, fields->count * sizeof(*properties));
    struct value *required = arena_alloc(reader->arena, fields->count * sizeof(*required));
    size_t before = reader->errors->total;
    for (size_t i = 0; i < fields->count; i++) {
        const struct node *key = map ? fields->keys[i] : fields->items[i];
        const char *name = pipeline_scalar(reader, key, "`fields`");
        if (!name || !pipeline_check_field(reader, key, name))
            return (xy_str){NULL, 0};
        properties[i].key = str_of(name);
        properties[i].value = field_schema(reader, map ? fields->items[i] : &text_node);
        required[i] = text_value(name);
    }
    if (reader->errors->total > before)
        return (xy_str){NULL, 0};
    struct member *members = arena_alloc(reader->arena, 4 * sizeof(*members));
    members[0] = (struct member){STR("type"), text_value("object")};
    members[1] = (struct member){STR("properties"),
                                 {.type = VALUE_MAP, .map = {properties, fields->count}}};
    members[2] = (struct member){STR("required"),
                                 {.type = VALUE_LIST, .list = {required, fields->count}}};
    members[3] = (struct member){STR("additionalProperties"), {.type = VALUE_BOOL}};
    struct value schema = {.type = VALUE_MAP, .map = {members, 4}};
    return json_text(reader, &schema);
}

/* `json_schema:` as a map, or as JSON in a text. */
static xy_str given_schema(struct pipeline_reader *reader, const struct node *node, bool *object)
{
    struct value schema = {.type = VALUE_NULL};
    struct error error = {0};
    if (node->kind != NODE_SCALAR) {
        node_value(reader->arena, node, &schema);
    } else if (json_parse(reader->arena, node->text, &schema, &error) < 0) {
        pipeline_fail(reader, node, NULL, "`json_schema`: not JSON: %.800s",
                      node->secret ? "it holds a value from the environment" : error.text);
        return (xy_str){NULL, 0};
    }
    const struct value *type = value_member(&schema, STR("type"));
    *object = type && type->type == VALUE_TEXT && str_is(type->text, "object");
    return json_text(reader, &schema);
}

static void read_schema(struct pipeline_reader *reader, struct call_spec *call,
                        const struct node *output)
{
    const struct node *given = pipeline_member(output, "json_schema");
    const struct node *fields = pipeline_member(output, "fields");
    if (given && fields) {
        pipeline_fail(reader, fields, NULL, "`output` has `json_schema:` or `fields:`, not both");
        return;
    }
    if (!given && !fields)
        return;
    bool object = true;
    call->schema_text = given ? given_schema(reader, given, &object)
                              : fields_schema(reader, fields);
    if (call->schema_text.len == 0)
        return;
    call->schema = pipeline_compile_schema(reader, given ? given : fields, call->schema_text);
    call->spread = !call->into;
    call->retry = 2;
    if (call->spread && !object)
        pipeline_fail(reader, given, "or give it `type: object`",
                      "`output` needs `into:`, the field for an answer that is no object");
}

/* `append_to: FIELD`: the answer is a turn of that conversation, `role` says whose. */
static void read_append(struct pipeline_reader *reader, struct call_spec *call,
                        const struct node *output)
{
    const struct node *node = pipeline_member(output, "append_to");
    const struct node *role = pipeline_member(output, "role");
    if (node) {
        pipeline_field(reader, node, "`append_to`", &call->append_to);
        call->append_role = role ? pipeline_role(reader, output) : "assistant";
        if (pipeline_member(output, "json_schema") || pipeline_member(output, "fields"))
            pipeline_fail(reader, node, NULL,
                          "`append_to` adds a text to a conversation: it goes with no "
                          "`json_schema:` and no `fields:`");
    } else if (role) {
        pipeline_fail(reader, role, NULL,
                      "`role` says whose turn `append_to:` adds: name that field, too");
    }
}

static void check_append(struct pipeline_reader *reader, const struct call_spec *call,
                         const struct node *output)
{
    if (call->append_to && call->into && strcmp(call->append_to, call->into) == 0)
        pipeline_fail(reader, node_member(output, "append_to"),
                      "name another field with `into:`",
                      "`append_to`: the field `%s` takes the answer itself", call->into);
}

static void read_retry(struct pipeline_reader *reader, struct step *step,
                       const struct node *output)
{
    int64_t retry;
    if (!pipeline_count(reader, output, "retry", 0, 100, &retry))
        return;
    step->call.retry = (uint32_t)retry;
    bool checked = pipeline_member(output, "json_schema") || pipeline_member(output, "fields") ||
                   pipeline_member(step->node, "tools");
    if (!checked)
        pipeline_fail(reader, node_member(output, "retry"), NULL,
                      "`retry` asks again when the answer breaks its schema: it needs "
                      "`json_schema:` or `fields:`");
}

static void read_output(struct pipeline_reader *reader, struct step *step)
{
    static const char *const keys[] = {"json_schema", "into", "retry", "fields", "append_to",
                                       "role", "finish", NULL};
    struct call_spec *call = &step->call;
    const struct node *output = pipeline_member(step->node, "output");
    const struct node *finish = NULL;
    call->retry = pipeline_member(step->node, "tools") ? 2 : 0;
    if (output && output->kind == NODE_SCALAR) {
        pipeline_field(reader, output, "`output`", &call->into);
    } else if (output && pipeline_check_keys(reader, output, keys, "`output`", NULL)) {
        read_into(reader, output, &call->into);
        read_append(reader, call, output);
        read_schema(reader, call, output);
        finish = pipeline_member(output, "finish");
        if (finish)
            pipeline_field(reader, finish, "`finish`", &call->finish);
        read_retry(reader, step, output);
    }
    if (!call->into && !call->spread)
        call->into = "text";
    check_append(reader, call, output);
}

/* ---- score and embed ------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A candidate often starts with the space that the prompt left out; its class does not. */
static const char *trimmed(struct pipeline_reader *reader, xy_str text)
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text.ptr++, text.len--;
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return arena_copy(reader->arena, text.ptr, text.len);
}

static void read_candidates(struct pipeline_reader *reader, struct step *step)
{
    struct call_spec *call = &step->call;
    char found[NODE_SHOWN];
    const struct node *node = pipeline_member(step->node, "candidates");
    if (!node) {
        pipeline_fail(reader, step->node, "a list of texts, or a map from class to text",
                      "step `%s` needs `candidates:`", step->id);
        return;
    }
    if (node->kind == NODE_SCALAR || node->count < 2 || node->count > CANDIDATES) {
        pipeline_fail(reader, node, NULL,
                      "`candidates`: expected 2 to %d texts, in a list or in a map from class to "
                      "text, found %s", CANDIDATES,
                      node->kind == NODE_SCALAR ? node_shown(node, found)
                                                : arena_printf(reader->arena, "%zu", node->count));
        return;
    }
    const char **names = arena_alloc(reader->arena, (node->count + 1) * sizeof(*names));
    call->candidates = arena_alloc(reader->arena, node->count * sizeof(*call->candidates));
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        if (!pipeline_scalar(reader, item, "`candidates`"))
            continue;
        names[i] = node->kind == NODE_MAP ? node->keys[i]->text.ptr : trimmed(reader, item->text);
        call->candidates[i] = pipeline_template(reader, item, "a candidate");
        for (size_t j = 0; j < i; j++) {
            if (names[j] && strcmp(names[i], names[j]) == 0)
                pipeline_fail(reader, item, NULL, "`candidates`: %s twice", item->secret
                              ? node_shown(item, found)
                              : arena_printf(reader->arena, "`%.80s`", names[i]));
        }
    }
    call->names = names;
    call->candidate_count = node->count;
}

static void read_score(struct pipeline_reader *reader, struct step *step)
{
    struct call_spec *call = &step->call;
    const struct node *map = step->node;
    call->into = "scores";
    pipeline_read_prompt(reader, step);
    read_candidates(reader, step);
    read_into(reader, map, &call->into);
    pipeline_bool(reader, map, "normalize_length", &call->normalize_length);
    const struct node *content_free = pipeline_member(map, "content_free");
    if (content_free)
        call->content_free = pipeline_template(reader, content_free, "`content_free`");
    call->calibrate = content_free != NULL;
    bool user = false;
    for (size_t i = 0; i < call->message_count; i++)
        user = user || (call->messages[i].role && strcmp(call->messages[i].role, "user") == 0);
    if (content_free && call->message_count && !user)
        pipeline_fail(reader, content_free, NULL,
                      "`content_free` stands in for the prompt's last user message, and the prompt "
                      "writes none");
    if (pipeline_bool(reader, map, "calibrate", &call->calibrate) && call->calibrate &&
        !content_free)
        pipeline_fail(reader, node_member(map, "calibrate"), NULL,
                      "`calibrate` needs `content_free:`, the user's prompt with no content in it");
}

static void read_embed(struct pipeline_reader *reader, struct step *step)
{
    const struct node *text = pipeline_member(step->node, "text");
    step->call.into = "embedding";
    read_into(reader, step->node, &step->call.into);
    if (text)
        step->call.text = pipeline_template(reader, text, "`text`");
    else
        pipeline_fail(reader, step->node, "for example \"{{ text }}\"", "step `%s` needs `text:`",
                      step->id);
}

void pipeline_read_call(struct pipeline_reader *reader, struct step *step)
{
    struct call_spec *call = &step->call;
    int64_t samples;
    call->samples = 1;
    read_model(reader, step);
    if (step->kind != STEP_EMBED) {
        struct value params = pipeline_read_params(reader, step->node);
        struct value none = {.type = VALUE_NULL};
        call->params = merge_params(reader, call->model ? &call->model->params : &none, &params);
    }
    if (step->kind == STEP_EMBED) {
        read_embed(reader, step);
    } else if (step->kind == STEP_SCORE) {
        read_score(reader, step);
    } else {
        pipeline_read_prompt(reader, step);
        read_output(reader, step);
        pipeline_read_call_tools(reader, step);
        if (pipeline_count(reader, step->node, "samples", 1, 10000, &samples))
            call->samples = (uint32_t)samples;
    }
}
