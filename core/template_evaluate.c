/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: walks the nodes. The parser bounds their depth, so recursion here is safe. */
#include "template_internal.h"

#include <string.h>

static bool evaluate_name(struct render *render, const struct node *node, struct item *out)
{
    struct item *slot = &render->slots[node->slot];
    if (slot->kind != KIND_ABSENT) {
        *out = *slot;
        return true;
    }
    /* Not looked up yet. What the caller says stays the same for the whole rendering. */
    struct item *external = &render->externals[render->program->slot_externals[node->slot]];
    if (external->kind == KIND_ABSENT) {
        struct value value;
        const struct function *function;
        if (render->scope && render->scope->lookup &&
            render->scope->lookup(render->scope->data, render->arena, node->text, &value))
            *external = item_of(&value);
        else {
            function = template_global(node->text);
            *external = function ? (struct item){.kind = KIND_FUNCTION, .function = function}
                                 : (struct item){.kind = KIND_UNDEFINED, .text = node->text};
        }
    }
    *slot = *external;
    *out = *slot;
    return true;
}

static bool evaluate_all(struct render *render, const struct node *node, size_t first,
                         struct item *items)
{
    for (size_t i = first; i < node->count; i++)
        if (!template_evaluate(render, node->children[i], &items[i - first]))
            return false;
    return true;
}

static bool evaluate_sequence(struct render *render, const struct node *node, struct item *out)
{
    struct item *items = template_alloc(render, node->count, sizeof(*items));
    if (!items || !evaluate_all(render, node, 0, items))
        return false;
    *out = item_list(items, node->count, node->type == NODE_TUPLE);
    return true;
}

static bool evaluate_dict(struct render *render, const struct node *node, struct item *out)
{
    struct dictionary dictionary = {0};
    for (size_t i = 0; i < node->count; i += 2) {
        struct item key, value;
        if (!template_evaluate(render, node->children[i], &key) ||
            !template_evaluate(render, node->children[i + 1], &value))
            return false;
        render->node = node->children[i];
        if (!dictionary_set(render, &dictionary, &key, &value))
            return false;
    }
    *out = dictionary_map(&dictionary);
    return true;
}

static bool evaluate_truth(struct render *render, const struct node *node, struct item *value,
                           bool *truth)
{
    if (!template_evaluate(render, node, value))
        return false;
    render->node = node;
    return item_truth(render, value, truth);
}

static bool evaluate_logic(struct render *render, const struct node *node, struct item *out)
{
    bool truth;
    if (!evaluate_truth(render, node->children[0], out, &truth))
        return false;
    if (truth == (node->type == NODE_OR))
        return true;
    return template_evaluate(render, node->children[1], out);
}

static bool evaluate_compare(struct render *render, const struct node *node, struct item *out)
{
    struct item left, right;
    bool result = true;
    if (!template_evaluate(render, node->children[0], &left))
        return false;
    for (size_t i = 1; i < node->count && result; i++) {
        if (!template_evaluate(render, node->children[i], &right))
            return false;
        render->node = node;
        if (!item_compare(render, node->operations[i - 1], &left, &right, &result))
            return false;
        left = right;
    }
    *out = item_bool(result);
    return true;
}

static bool evaluate_concat(struct render *render, const struct node *node, struct item *out)
{
    struct text text = {.render = render};
    struct item *items = template_alloc(render, node->count, sizeof(*items));
    if (!items || !evaluate_all(render, node, 0, items))
        return false;
    render->node = node;
    for (size_t i = 0; i < node->count; i++)
        if (!text_write(&text, &items[i]))
            return false;
    *out = item_text(text_str(&text));
    return true;
}

static bool evaluate_condition(struct render *render, const struct node *node, struct item *out)
{
    bool truth;
    if (!evaluate_truth(render, node->children[0], out, &truth))
        return false;
    if (truth)
        return template_evaluate(render, node->children[1], out);
    if (node->children[2])
        return template_evaluate(render, node->children[2], out);
    *out = item_missing("the value of an `if` without `else`");
    out->lenient = true; /* jinja2's cond_expr_undefined is not strict */
    return true;
}

static bool call_value(struct render *render, const struct item *callee,
                       const struct arguments *arguments, struct item *out)
{
    if (callee->kind == KIND_UNDEFINED)
        return template_undefined(render, callee);
    if (callee->kind == KIND_FUNCTION)
        return template_call(render, callee->function, callee, arguments, out);
    if (callee->kind != KIND_JOINER || arguments->count || arguments->keyword_count)
        return template_fail(render, "found a call of %s, expected a function", item_type(callee));
    *out = callee->joiner->used ? callee->joiner->separator : item_static("");
    callee->joiner->used = true;
    return true;
}

/* Filters, tests, methods and calls share one shape: a value, then arguments. Arguments live in the
 * arena, since a generator or a cycler keeps them. */
static bool evaluate_call(struct render *render, const struct node *node, struct item *out)
{
    struct item value, *items = NULL;
    if (!template_evaluate(render, node->children[0], &value))
        return false;
    if (node->count > 1) {
        items = template_alloc(render, node->count - 1, sizeof(*items));
        if (!items || !evaluate_all(render, node, 1, items))
            return false;
    }
    render->node = node;
    struct arguments arguments = {items, node->count - 1 - node->keyword_count, node->keyword_count,
                                  node->names};
    if (node->type == NODE_CALL)
        return call_value(render, &value, &arguments, out);
    if (node->type == NODE_METHOD && value.kind == KIND_UNDEFINED)
        return template_undefined(render, &value);
    if (!template_call(render, node->function, &value, &arguments, out))
        return false;
    if (node->negated)
        out->boolean = !out->boolean;
    return true;
}

static bool evaluate_subscript(struct render *render, const struct node *node, struct item *out)
{
    struct item owner, key;
    if (!template_evaluate(render, node->children[0], &owner))
        return false;
    const struct node *index = node->children[1];
    if (index->type != NODE_SLICE) {
        if (!template_evaluate(render, index, &key))
            return false;
        render->node = node;
        return item_subscript(render, &owner, &key, out);
    }
    struct item parts[3];
    for (size_t i = 0; i < 3; i++) {
        parts[i] = item_none();
        if (index->children[i] && !template_evaluate(render, index->children[i], &parts[i]))
            return false;
    }
    render->node = node;
    return item_slice(render, &owner, parts, out);
}

static bool evaluate_operator(struct render *render, const struct node *node, struct item *out)
{
    struct item left, right;
    if (!template_evaluate(render, node->children[0], &left))
        return false;
    if (node->type == NODE_BINARY) {
        if (!template_evaluate(render, node->children[1], &right))
            return false;
        render->node = node;
        return item_binary(render, node->operation, &left, &right, out);
    }
    render->node = node;
    if (node->type == NODE_ATTRIBUTE)
        return item_attribute(render, &left, node->text, out);
    if (node->type == NODE_UNARY) {
        if (node->operation == OP_NEG)
            return item_negate(render, &left, out);
        struct item zero = item_int(0);
        if (left.kind == KIND_FLOAT)
            *out = left;
        else if (left.kind == KIND_TEXT || left.kind == KIND_LIST || left.kind == KIND_TUPLE)
            return template_fail(render, "found + before %s, expected a number", item_type(&left));
        else
            return item_binary(render, OP_ADD, &zero, &left, out);
        return true;
    }
    bool truth;
    if (!item_truth(render, &left, &truth))
        return false;
    *out = item_bool(!truth);
    return true;
}

bool template_evaluate(struct render *render, const struct node *node, struct item *out)
{
    if (++render->steps > TEMPLATE_STEPS && !template_charge(render, 0))
        return false;
    switch (node->type) {
    case NODE_CONSTANT: *out = node->constant; return true;
    case NODE_NAME: return evaluate_name(render, node, out);
    case NODE_LIST:
    case NODE_TUPLE: return evaluate_sequence(render, node, out);
    case NODE_DICT: return evaluate_dict(render, node, out);
    case NODE_SUBSCRIPT: return evaluate_subscript(render, node, out);
    case NODE_AND:
    case NODE_OR: return evaluate_logic(render, node, out);
    case NODE_COMPARE: return evaluate_compare(render, node, out);
    case NODE_CONCAT: return evaluate_concat(render, node, out);
    case NODE_CONDITION: return evaluate_condition(render, node, out);
    case NODE_FILTER:
    case NODE_TEST:
    case NODE_METHOD:
    case NODE_CALL: return evaluate_call(render, node, out);
    default: return evaluate_operator(render, node, out);
    }
}
