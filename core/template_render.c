/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: text, output, if, set, with, filter blocks. Loops are in template_loop.c. */
#include "template_internal.h"

#include <string.h>

/* Gives the variables of a scope their first values, each time the scope is entered. */
void template_enter(struct render *render, uint32_t number)
{
    const struct frame *frame = render->program->frames[number];
    for (size_t i = 0; i < frame->count; i++) {
        const struct symbol *symbol = &frame->symbols[i];
        struct item *slot = &render->slots[symbol->slot];
        if (symbol->load == LOAD_ALIAS)
            *slot = render->slots[symbol->outer];
        else if (symbol->load == LOAD_UNDEFINED)
            *slot = (struct item){.kind = KIND_UNDEFINED, .text = symbol->name};
        else if (symbol->load == LOAD_RESOLVE)
            slot->kind = KIND_ABSENT; /* looked up when it is first read */
    }
}

static bool emit_bytes(struct render *render, xy_str text)
{
    if (render->capture)
        return text_append(render->capture, text.ptr, text.len);
    render->written += text.len;
    if (render->written > TEMPLATE_OUTPUT || !buffer_append(render->out, text.ptr, text.len))
        return template_fail(render, "the text written is too long, expected at most %zu bytes",
                             render->out->ceiling < TEMPLATE_OUTPUT ? render->out->ceiling
                                                                    : (size_t)TEMPLATE_OUTPUT);
    return true;
}

bool template_emit(struct render *render, const struct item *item)
{
    xy_str text = item->text;
    if (item->kind != KIND_TEXT && !item_string(render, item, &text))
        return false;
    return template_charge(render, 1 + text.len / 64) && emit_bytes(render, text);
}

static bool assign_tuple(struct render *render, const struct node *target, const struct item *value)
{
    struct item *items;
    size_t count;
    if (!item_collect(render, value, &items, &count))
        return false;
    if (count != target->count)
        return template_fail(render, "found %zu values to unpack, expected %zu", count,
                             target->count);
    for (size_t i = 0; i < count; i++)
        if (!template_assign(render, target->children[i], &items[i]))
            return false;
    return true;
}

bool template_assign(struct render *render, const struct node *target, const struct item *value)
{
    if (target->type == NODE_NAME) {
        render->slots[target->slot] = *value;
        return true;
    }
    render->node = target;
    if (target->type == NODE_TUPLE)
        return assign_tuple(render, target, value);
    struct item owner, key = item_text(target->text);
    if (!template_evaluate(render, target->children[0], &owner))
        return false;
    if (owner.kind == KIND_UNDEFINED)
        return template_undefined(render, &owner);
    if (owner.kind != KIND_NAMESPACE)
        return template_fail(render, "found %s to set a member of, expected a namespace()",
                             item_type(&owner));
    return dictionary_set(render, owner.dictionary, &key, value);
}

/* A node's body into a text of its own. */
static bool capture(struct render *render, const struct node *node, const struct node *body,
                    struct item *out)
{
    struct text text = {.render = render}, *outer = render->capture;
    template_enter(render, node->scope[0]);
    render->capture = &text;
    bool good = template_execute(render, body);
    render->capture = outer;
    *out = item_text(text_str(&text));
    return good;
}

/* The filters of {% set x | f %} and {% filter f %}: a chain whose innermost value is missing. */
static bool apply_filters(struct render *render, const struct node *node, struct item *value)
{
    const struct node *chain[TEMPLATE_CHAIN];
    size_t count = 0;
    for (; node; node = node->children[0])
        chain[count++] = node;
    while (count > 0) {
        const struct node *filter = chain[--count];
        struct item *items = template_alloc(render, filter->count, sizeof(struct item));
        if (!items)
            return false;
        for (size_t i = 1; i < filter->count; i++)
            if (!template_evaluate(render, filter->children[i], &items[i]))
                return false;
        render->node = filter;
        struct arguments arguments = {items + 1, filter->count - 1 - filter->keyword_count,
                                      filter->keyword_count, filter->names};
        struct item input = *value;
        if (!template_call(render, filter->function, &input, &arguments, value))
            return false;
    }
    return true;
}

static bool execute_if(struct render *render, const struct node *node)
{
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        struct item test;
        bool truth;
        if (!template_evaluate(render, node->children[i], &test))
            return false;
        render->node = node->children[i];
        if (!item_truth(render, &test, &truth))
            return false;
        if (truth)
            return template_execute(render, node->children[i + 1]);
    }
    const struct node *otherwise = node->children[node->count - 1];
    return !otherwise || template_execute(render, otherwise);
}

static bool execute_block(struct render *render, const struct node *node)
{
    struct item value;
    switch (node->type) {
    case NODE_SET:
        return template_evaluate(render, node->children[1], &value) &&
               template_assign(render, node->children[0], &value);
    case NODE_SET_BLOCK:
        return capture(render, node, node->children[1], &value) &&
               apply_filters(render, node->children[2], &value) &&
               template_assign(render, node->children[0], &value);
    case NODE_FILTER_BLOCK:
        return capture(render, node, node->children[1], &value) &&
               apply_filters(render, node->children[0], &value) && template_emit(render, &value);
    default: break;
    }
    template_enter(render, node->scope[0]);
    for (size_t i = 1; i < node->count; i += 2)
        if (!template_evaluate(render, node->children[i + 1], &value) ||
            !template_assign(render, node->children[i], &value))
            return false;
    return template_execute(render, node->children[0]);
}

bool template_execute(struct render *render, const struct node *node)
{
    struct item value;
    switch (node->type) {
    case NODE_TEXT:
        return template_charge(render, 1 + node->text.len / 64) && emit_bytes(render, node->text);
    case NODE_OUTPUT:
        if (!template_evaluate(render, node->children[0], &value))
            return false;
        render->node = node->children[0];
        return template_emit(render, &value);
    case NODE_IF: return execute_if(render, node);
    case NODE_FOR: return template_for(render, node);
    case NODE_BODY:
        for (size_t i = 0; i < node->count; i++)
            if (!template_execute(render, node->children[i]))
                return false;
        return true;
    default: return template_charge(render, 1) && execute_block(render, node);
    }
}
