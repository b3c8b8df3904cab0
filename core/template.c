/* SPDX-License-Identifier: Apache-2.0 */
/* The door: compile, render, evaluate, free; and the bounds every rendering lives under. */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "template_internal.h"

struct template {
    struct program program;
};

struct expression {
    struct program program;
};

static void program_free(struct program *program)
{
    for (size_t i = 0; i < program->frame_count; i++) {
        free(program->frames[i]->symbols);
        free(program->frames[i]);
    }
    free(program->frames);
    free(program->slot_names);
    free(program->slot_externals);
    free(program->externals);
    arena_free(&program->arena);
    free(program);
}

static struct program *compile(xy_str source, bool expression, struct error *error)
{
    struct program *program = memory_zeroed(1, sizeof(*program));
    struct compiler compiler = {
        .program = program, .arena = &program->arena, .error = error, .source = source};
    bool good = template_lex(&compiler, expression);
    if (good && expression) {
        program->root = parse_tuple(&compiler, true, false, NULL);
        const struct token *token = token_at(&compiler, 0);
        char text[80];
        if (program->root && token->type != TOKEN_END)
            compile_fail(&compiler, token, "found %s, expected an operator, a filter or the end",
                         token_describe(token, text, sizeof(text)));
    } else if (good)
        program->root = parse_body(&compiler, NULL);
    good = good && !compiler.failed && program->root && template_resolve(&compiler);
    free(compiler.tokens);
    if (good)
        return program;
    program_free(program);
    return NULL;
}

struct template *template_compile(xy_str source, struct error *error)
{
    return (struct template *)compile(source, false, error);
}

struct expression *expression_compile(xy_str source, struct error *error)
{
    return (struct expression *)compile(source, true, error);
}

void template_free(struct template *template)
{
    if (template)
        program_free(&template->program);
}

void expression_free(struct expression *expression)
{
    if (expression)
        program_free(&expression->program);
}

const char *const *template_names(const struct template *template)
{
    return template->program.names;
}

const char *const *expression_names(const struct expression *expression)
{
    return expression->program.names;
}

bool template_fail(struct render *render, const char *format, ...)
{
    if (render->failed)
        return false;
    render->failed = true;
    char text[900];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(render->error, XY_EINVAL, "%s", text);
    if (render->node)
        error_at(render->error, NULL, (int)render->node->line, (int)render->node->column);
    return false;
}

bool template_undefined(struct render *render, const struct item *item)
{
    int length = item->text.len > 100 ? 100 : (int)item->text.len;
    if (item->attribute)
        return template_fail(render,
                             "`%.*s` is not there, expected an existing member (or "
                             "`| default(...)` behind it)",
                             length, item->text.ptr);
    return template_fail(render,
                         "`%.*s` is undefined, expected a name that the record has (or "
                         "`| default(...)` behind it)",
                         length, item->text.ptr);
}

bool template_charge(struct render *render, uint64_t steps)
{
    render->steps += steps;
    if (render->steps <= TEMPLATE_STEPS)
        return true;
    return template_fail(render,
                         "one rendering took more than %d operations, expected fewer: is "
                         "there a loop over too many items?",
                         TEMPLATE_STEPS);
}

void *template_alloc(struct render *render, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > (size_t)TEMPLATE_STEPS * 16) {
        template_fail(render, "one rendering asked for %zu elements at once, expected fewer",
                      count);
        return NULL;
    }
    /* Memory is paid for in operations, so that one rendering's arena is bounded by them. */
    return template_charge(render, bytes / 16) ? arena_alloc(render->arena, bytes ? bytes : 1)
                                               : NULL;
}

static void render_start(struct render *render, const struct program *program,
                         const struct scope *scope, struct arena *arena, struct error *error)
{
    *render = (struct render){.program = program, .scope = scope, .arena = arena, .error = error};
    render->slots = arena_alloc(arena, (program->slot_count + program->external_count + 1) *
                                           sizeof(struct item));
    render->externals = render->slots + program->slot_count;
    template_enter(render, 0);
}

int template_render(const struct template *template, const struct scope *scope, struct arena *arena,
                    struct buffer *out, struct error *error)
{
    struct render render;
    render_start(&render, &template->program, scope, arena, error);
    render.out = out;
    return template_execute(&render, template->program.root) ? 0 : XY_EINVAL;
}

int expression_evaluate(const struct expression *expression, const struct scope *scope,
                        struct arena *arena, struct value *out, struct error *error)
{
    struct render render;
    struct item item;
    render_start(&render, &expression->program, scope, arena, error);
    bool good = template_evaluate(&render, expression->program.root, &item) &&
                item_to_value(&render, &item, out);
    return good ? 0 : XY_EINVAL;
}

bool value_truth(const struct value *value)
{
    struct item item = item_of(value);
    bool truth = false;
    item_truth(NULL, &item, &truth);
    return truth;
}
