/* SPDX-License-Identifier: Apache-2.0 */
/* Names in prompts that no step sets: looked for before a run, where every record would fail. */
#include <string.h>

#include "engine.h"
#include "fields.h"

/* What one text is looked at for. */
struct look {
    struct fields *fields;
    const struct step *step;
    struct error_list *errors;
};

static bool is_global(const struct pipeline *pipeline, const char *name)
{
    static const char *const globals[] = {"scores", "round", "record_id", "record_weight"};
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
        if (strcmp(globals[i], name) == 0)
            return true;
    }
    return strcmp(name, "codebook") == 0 && pipeline->codebook.type == VALUE_MAP;
}

static bool in_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '_' || ((unsigned char)c & 0x80);
}

/* The name's next place in the text from `at` on, as a word of its own; NULL when there is none. */
static const char *next_place(const char *at, const char *start, const char *name)
{
    size_t length = strlen(name);
    for (at = strstr(at, name); at; at = strstr(at + 1, name)) {
        if (!in_name(at[length]) && (at == start || (!in_name(at[-1]) && at[-1] != '.')))
            return at;
    }
    return NULL;
}

/* `name is defined`, `name | default(...)`: the text asks by itself whether records have it. */
static bool is_asked_for(const char *text, const char *name)
{
    static const char *const words[] = {"is defined", "is not defined", "is undefined",
                                        "is not undefined", "|default", "| default", "|d(",
                                        "| d("};
    for (const char *at = next_place(text, text, name); at; at = next_place(at + 1, text, name)) {
        const char *behind = at + strlen(name);
        behind += strspn(behind, " \n");
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (strncmp(behind, words[i], strlen(words[i])) == 0)
                return true;
        }
    }
    return false;
}

static void refuse(const struct look *look, const struct node *node, const char *name)
{
    struct error error;
    const char *text = node->text.ptr, *at = next_place(text, text, name);
    const char *near = fields_nearest(look->fields, name);
    int line = 1, column = 1;
    for (const char *c = text; at && c < at; c++) {
        column = *c == '\n' ? 1 : column + (((unsigned char)*c & 0xc0) != 0x80);
        line += *c == '\n';
    }
    error_set(&error, XY_EINVAL, "step `%s`: no step sets `%s`, expected a field that records have",
              look->step->id, name);
    error_at(&error, "", line, column);
    node_place_within(node, &error);
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    else
        error_hint(&error, "where only some records have it, write `%s | default('')`", name);
    error_list_add(look->errors, &error);
}

static void look_at_names(const struct look *look, const struct node *node,
                          const char *const *names)
{
    for (; *names; names++) {
        if (!is_global(look->fields->pipeline, *names) && !fields_may_have(look->fields, *names) &&
            !is_asked_for(node->text.ptr, *names))
            refuse(look, node, *names);
    }
}

/* Every text below a prompt is a template; those that are not, as roles, name nothing. */
static void look_at_templates(const struct look *look, const struct node *node)
{
    struct error ignored;
    if (!node || node->secret)
        return;
    if (node->kind != NODE_SCALAR) {
        for (size_t i = 0; i < node->count; i++)
            look_at_templates(look, node->items[i]);
        return;
    }
    struct template *template = template_compile(node->text, &ignored);
    if (template)
        look_at_names(look, node, template_names(template));
    template_free(template);
}

static void look_at_expression(const struct look *look, const struct node *node)
{
    struct error ignored;
    if (!node || node->kind != NODE_SCALAR || node->secret)
        return;
    struct expression *expression = expression_compile(node->text, &ignored);
    if (expression)
        look_at_names(look, node, expression_names(expression));
    expression_free(expression);
}

static void look_at_steps(struct look *look, struct step *const *steps, size_t count)
{
    static const char *const keys[] = {"prompt", "text", "candidates", "content_free"};
    for (size_t i = 0; i < count; i++) {
        bool call = steps[i]->kind != STEP_STAGE && steps[i]->kind != STEP_REPEAT;
        look->step = steps[i];
        for (size_t k = 0; call && k < sizeof(keys) / sizeof(keys[0]); k++)
            look_at_templates(look, node_member(steps[i]->node, keys[k]));
        look_at_expression(look, node_member(steps[i]->node, "when"));
        look_at_steps(look, steps[i]->steps, steps[i]->step_count);
    }
}

void engine_check_names(const struct pipeline *pipeline, struct error_list *errors)
{
    struct fields fields;
    struct look look = {.fields = &fields, .errors = errors};
    fields_collect(&fields, pipeline);
    look_at_steps(&look, pipeline->steps, pipeline->step_count);
    fields_free(&fields);
}
