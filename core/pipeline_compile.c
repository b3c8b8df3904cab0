/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, expressions and schemas of a pipeline: compiled once, freed with it. */
#include "pipeline_internal.h"
#include "schema.h"

static struct compiled *remember(struct pipeline_reader *reader)
{
    struct compiled *compiled = arena_alloc(reader->arena, sizeof(*compiled));
    compiled->next = reader->pipeline->compiled;
    reader->pipeline->compiled = compiled;
    return compiled;
}

/* What a compiler found within the text of `node`, told at its place in the file. */
static void report_within(struct pipeline_reader *reader, const struct node *node,
                          const char *what, const struct error *cause)
{
    struct error error;
    error_set(&error, XY_EINVAL, "%s: %.900s", what,
              node->secret ? "does not compile (it holds a value from the environment)"
                           : cause->text);
    error_at(&error, "", cause->line, cause->column);
    node_place_within(node, &error);
    if (cause->hint[0] && !node->secret)
        error_hint(&error, "%s", cause->hint);
    error_list_add(reader->errors, &error);
}

struct template *pipeline_template(struct pipeline_reader *reader, const struct node *node,
                                   const char *what)
{
    struct error error = {0};
    char found[NODE_SHOWN];
    if (node->kind != NODE_SCALAR) {
        pipeline_fail(reader, node, NULL, "%s: expected a text, found %s", what,
                      node_shown(node, found));
        return NULL;
    }
    struct template *template = template_compile(node->text, &error);
    if (!template) {
        report_within(reader, node, what, &error);
        return NULL;
    }
    remember(reader)->template = template;
    return template;
}

struct expression *pipeline_expression(struct pipeline_reader *reader, const struct node *node,
                                       const char *what)
{
    struct error error = {0};
    char found[NODE_SHOWN];
    if (node->kind != NODE_SCALAR) {
        pipeline_fail(reader, node, NULL, "%s: expected an expression, found %s", what,
                      node_shown(node, found));
        return NULL;
    }
    struct expression *expression = expression_compile(node->text, &error);
    if (!expression) {
        report_within(reader, node, what, &error);
        return NULL;
    }
    remember(reader)->expression = expression;
    return expression;
}

static bool has_secret(const struct node *node)
{
    bool secret = node->secret;
    for (size_t i = 0; !secret && i < node->count; i++)
        secret = has_secret(node->items[i]);
    return secret;
}

struct schema *pipeline_compile_schema(struct pipeline_reader *reader, const struct node *node,
                                       xy_str text)
{
    struct error error = {0};
    struct schema *schema = schema_compile(text, &error);
    if (!schema && has_secret(node)) {
        pipeline_fail(reader, node, NULL, "`json_schema`: does not compile (it holds a value from "
                      "the environment)");
        return NULL;
    }
    if (!schema) {
        pipeline_fail(reader, node, error.hint[0] ? error.hint : NULL, "`json_schema`: %.900s",
                      error.text);
        return NULL;
    }
    remember(reader)->schema = schema;
    return schema;
}

void pipeline_free_compiled(struct compiled *compiled)
{
    for (; compiled; compiled = compiled->next) {
        if (compiled->template)
            template_free(compiled->template);
        if (compiled->expression)
            expression_free(compiled->expression);
        if (compiled->schema)
            schema_free(compiled->schema);
    }
}
