/* SPDX-License-Identifier: Apache-2.0 */
/* Which variable a name means, after jinja2/idtracking.py: each block scope has its own variables;
 * whether one starts as the outer one, as the caller's value or as nothing is fixed here, so that
 * rendering only reads numbered slots. */
#include "template_internal.h"

#include <stdlib.h>
#include <string.h>

static struct symbol *find(const struct frame *frame, xy_str name)
{
    for (; frame; frame = frame->parent)
        for (size_t i = 0; i < frame->count; i++)
            if (str_equal(frame->symbols[i].name, name))
                return &frame->symbols[i];
    return NULL;
}

static struct symbol *find_own(const struct frame *frame, xy_str name)
{
    struct frame own = {.symbols = frame->symbols, .count = frame->count};
    return find(&own, name);
}

static uint32_t external(struct program *program, xy_str name)
{
    for (size_t i = 0; i < program->external_count; i++)
        if (str_equal(program->externals[i], name))
            return (uint32_t)i;
    program->externals =
        memory_resize(program->externals, program->external_count + 1, sizeof(*program->externals));
    program->externals[program->external_count] = name;
    return (uint32_t)program->external_count++;
}

static struct symbol *define(struct compiler *compiler, struct frame *frame, xy_str name,
                             enum load load)
{
    struct program *program = compiler->program;
    struct symbol *symbol = find_own(frame, name);
    if (!symbol) {
        frame->symbols = memory_resize(frame->symbols, frame->count + 1, sizeof(*symbol));
        symbol = &frame->symbols[frame->count++];
        program->slot_names = memory_resize(program->slot_names, program->slot_count + 1,
                                            sizeof(*program->slot_names));
        program->slot_names[program->slot_count] = name;
        *symbol = (struct symbol){.name = name, .slot = (uint32_t)program->slot_count++};
    }
    symbol->load = (uint8_t)load;
    return symbol;
}

static void load(struct compiler *compiler, struct frame *frame, xy_str name)
{
    if (!find(frame, name))
        define(compiler, frame, name, LOAD_RESOLVE);
}

static void store(struct compiler *compiler, struct frame *frame, xy_str name)
{
    struct symbol *symbol = find_own(frame, name);
    if (!symbol) {
        const struct symbol *outer = frame->parent ? find(frame->parent, name) : NULL;
        uint32_t slot = outer ? outer->slot : 0;
        symbol = define(compiler, frame, name, outer ? LOAD_ALIAS : LOAD_UNDEFINED);
        symbol->outer = slot;
    }
    symbol->stored = true;
}

/* A target's names: assigned, or given by the construct itself. */
static void visit_target(struct compiler *compiler, struct frame *frame, const struct node *target,
                         bool parameter)
{
    if (target->type == NODE_NAMESPACE)
        load(compiler, frame, target->children[0]->text);
    else if (target->type == NODE_NAME && parameter)
        define(compiler, frame, target->text, LOAD_PARAMETER)->stored = true;
    else if (target->type == NODE_NAME)
        store(compiler, frame, target->text);
    for (size_t i = 0; target->type == NODE_TUPLE && i < target->count; i++)
        visit_target(compiler, frame, target->children[i], parameter);
}

static void visit(struct compiler *compiler, struct frame *frame, const struct node *node);

/* An `if` may or may not assign: a name that only a branch stores starts as what it was outside
 * (Symbols.branch_update). Branches see copies, so that one's names do not leak into the next. */
static void visit_if(struct compiler *compiler, struct frame *frame, const struct node *node)
{
    size_t before = frame->count;
    bool *stored = memory_zeroed(before, sizeof(bool));
    for (size_t i = 0; i < before; i++)
        stored[i] = frame->symbols[i].stored;
    visit(compiler, frame, node->children[0]);
    /* Slots belong to (scope, name), so visiting in place gives what copies merged would give, but
     * for how a name starts out: that is decided below for those newly stored. */
    for (size_t i = 1; i < node->count; i++)
        if (node->children[i])
            visit(compiler, frame, node->children[i]);
    for (size_t i = 0; i < frame->count; i++) {
        struct symbol *symbol = &frame->symbols[i];
        if (!symbol->stored || (i < before && stored[i]) || symbol->load == LOAD_PARAMETER)
            continue;
        const struct symbol *outer = frame->parent ? find(frame->parent, symbol->name) : NULL;
        symbol->load = outer ? LOAD_ALIAS : LOAD_RESOLVE;
        symbol->outer = outer ? outer->slot : 0;
    }
    free(stored);
}

static void visit(struct compiler *compiler, struct frame *frame, const struct node *node)
{
    switch (node->type) {
    case NODE_NAME: load(compiler, frame, node->text); return;
    case NODE_IF: visit_if(compiler, frame, node); return;
    case NODE_FOR: visit(compiler, frame, node->children[1]); return;
    case NODE_SET:
        visit(compiler, frame, node->children[1]);
        visit_target(compiler, frame, node->children[0], false);
        return;
    case NODE_SET_BLOCK:
        if (node->children[2])
            visit(compiler, frame, node->children[2]);
        visit_target(compiler, frame, node->children[0], false);
        return;
    case NODE_FILTER_BLOCK: visit(compiler, frame, node->children[0]); return;
    case NODE_WITH:
        for (size_t i = 2; i < node->count; i += 2)
            visit(compiler, frame, node->children[i]);
        return;
    default:
        for (size_t i = 0; i < node->count; i++)
            if (node->children[i])
                visit(compiler, frame, node->children[i]);
    }
}

static uint32_t frame_new(struct compiler *compiler, struct frame *parent)
{
    struct program *program = compiler->program;
    program->frames =
        memory_resize(program->frames, program->frame_count + 1, sizeof(*program->frames));
    struct frame *frame = memory_zeroed(1, sizeof(*frame));
    frame->parent = parent;
    program->frames[program->frame_count] = frame;
    return (uint32_t)program->frame_count++;
}

static void resolve(struct compiler *compiler, struct frame *frame, struct node *node);

static void resolve_children(struct compiler *compiler, struct frame *frame, struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i])
            resolve(compiler, frame, node->children[i]);
}

static struct frame *open_frame(struct compiler *compiler, struct frame *parent, uint32_t *number)
{
    *number = frame_new(compiler, parent);
    return compiler->program->frames[*number];
}

static void resolve_for(struct compiler *compiler, struct frame *frame, struct node *node)
{
    struct node **child = node->children;
    resolve(compiler, frame, child[1]);
    struct frame *body = open_frame(compiler, frame, &node->scope[0]);
    define(compiler, body, STR("loop"), LOAD_PARAMETER)->stored = true;
    visit_target(compiler, body, child[0], true);
    visit(compiler, body, child[3]);
    resolve(compiler, body, child[0]);
    resolve(compiler, body, child[3]);
    node->slot = find_own(body, STR("loop"))->slot;
    if (child[4]) {
        struct frame *otherwise = open_frame(compiler, frame, &node->scope[1]);
        visit(compiler, otherwise, child[4]);
        resolve(compiler, otherwise, child[4]);
    }
    if (child[2]) {
        struct frame *test = open_frame(compiler, frame, &node->scope[2]);
        visit_target(compiler, test, child[0], true);
        visit(compiler, test, child[2]);
        resolve(compiler, test, child[2]);
        resolve(compiler, test, child[5]);
    }
}

static void resolve_block(struct compiler *compiler, struct frame *frame, struct node *node)
{
    struct node *body = node->children[node->type == NODE_WITH ? 0 : 1];
    struct frame *inner = open_frame(compiler, frame, &node->scope[0]);
    for (size_t i = 1; node->type == NODE_WITH && i < node->count; i += 2) {
        visit_target(compiler, inner, node->children[i], true);
        resolve(compiler, inner, node->children[i]);
        resolve(compiler, frame, node->children[i + 1]);
    }
    visit(compiler, inner, body);
    resolve(compiler, inner, body);
    if (node->type == NODE_WITH)
        return;
    resolve(compiler, frame, node->children[0]);
    if (node->type == NODE_SET_BLOCK && node->children[2])
        resolve(compiler, frame, node->children[2]);
}

/* f(...) where nothing can ever make `f` a function. */
static void check_callee(struct compiler *compiler, struct frame *frame, const struct node *node)
{
    const struct node *callee = node->children[0];
    if (callee->type != NODE_NAME)
        return;
    const struct symbol *symbol = find(frame, callee->text);
    if (!symbol || symbol->load != LOAD_RESOLVE || symbol->stored)
        return;
    const struct function *function = template_global(callee->text);
    struct token token = {.line = callee->line, .column = callee->column};
    char why[200];
    if (!function)
        compile_fail(compiler, &token,
                     "found a call of `%.*s`, expected range, dict, namespace, "
                     "cycler or joiner",
                     callee->text.len > 60 ? 60 : (int)callee->text.len, callee->text.ptr);
    else if (!template_fits(function, node->count - 1 - node->keyword_count, node->names,
                            node->keyword_count, why, sizeof(why)))
        compile_fail(compiler, &token, "%s(): %s", function->name, why);
}

static void resolve(struct compiler *compiler, struct frame *frame, struct node *node)
{
    switch (node->type) {
    case NODE_NAME: {
        load(compiler, frame, node->text);
        node->slot = find(frame, node->text)->slot;
        return;
    }
    case NODE_FOR: resolve_for(compiler, frame, node); return;
    case NODE_SET_BLOCK:
    case NODE_FILTER_BLOCK:
    case NODE_WITH: resolve_block(compiler, frame, node); return;
    case NODE_CALL: check_callee(compiler, frame, node); break;
    default: break;
    }
    resolve_children(compiler, frame, node);
}

/* The list for template_names(): what is looked up outside and is no function of Jinja2's own. */
static void collect_names(struct program *program)
{
    program->slot_externals = memory_zeroed(program->slot_count, sizeof(uint32_t));
    for (size_t i = 0; i < program->frame_count; i++)
        for (size_t j = 0; j < program->frames[i]->count; j++) {
            struct symbol *symbol = &program->frames[i]->symbols[j];
            symbol->external = external(program, symbol->name);
            program->slot_externals[symbol->slot] = symbol->external;
        }
    program->names =
        arena_alloc(&program->arena, (program->external_count + 1) * sizeof(*program->names));
}

/* In order of first use in the source: a walk over the nodes. */
static void note_names(const struct program *program, const struct node *node, bool *seen,
                       const bool *outside, size_t *count)
{
    if (node->type == NODE_NAME) {
        uint32_t number = program->slot_externals[node->slot];
        if (outside[node->slot] && !seen[number] && !template_global(node->text))
            program->names[(*count)++] =
                arena_copy((struct arena *)&program->arena, node->text.ptr, node->text.len);
        seen[number] = seen[number] || outside[node->slot];
    }
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i])
            note_names(program, node->children[i], seen, outside, count);
}

bool template_resolve(struct compiler *compiler)
{
    struct program *program = compiler->program;
    uint32_t number;
    struct frame *root = open_frame(compiler, NULL, &number);
    visit(compiler, root, program->root);
    resolve(compiler, root, program->root);
    if (compiler->failed)
        return false;
    collect_names(program);
    bool *outside = memory_zeroed(program->slot_count, sizeof(bool));
    bool *seen = memory_zeroed(program->external_count, sizeof(bool));
    for (size_t i = 0; i < program->frame_count; i++)
        for (size_t j = 0; j < program->frames[i]->count; j++)
            outside[program->frames[i]->symbols[j].slot] =
                program->frames[i]->symbols[j].load == LOAD_RESOLVE;
    size_t count = 0;
    note_names(program, program->root, seen, outside, &count);
    program->names[count] = NULL;
    free(outside);
    free(seen);
    return true;
}
