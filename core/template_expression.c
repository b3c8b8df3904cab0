/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens to expressions, with the precedence of jinja2/parser.py. What stands behind
 * a value (filters, tests, calls, subscripts) is in template_postfix.c. */
#include "template_internal.h"

#include <string.h>

static struct node *parse_unary(struct compiler *compiler, bool with_filter);
static struct node *parse_or(struct compiler *compiler);

static struct node *binary(struct compiler *compiler, enum node_type type, int operation,
                           const struct token *token, struct node *left, struct node *right)
{
    if (!left || !right)
        return NULL;
    struct node *node = syntax_new(compiler, type, token, 2);
    node->operation = (uint8_t)operation;
    node->children[0] = left;
    node->children[1] = right;
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *constant(struct compiler *compiler, const struct token *token, struct item item)
{
    struct node *node = syntax_new(compiler, NODE_CONSTANT, token, 0);
    node->constant = item;
    return node;
}

static bool tuple_ends(const struct token *token, const char *end_name)
{
    return token->type == TOKEN_OUTPUT_END || token->type == TOKEN_BLOCK_END ||
           token_is(token, ")") || (end_name && token_is_name(token, end_name));
}

struct node *parse_tuple(struct compiler *compiler, bool condition, bool parentheses,
                         const char *end_name)
{
    const struct token *begin = token_at(compiler, 0);
    struct node *tuple = syntax_new(compiler, NODE_TUPLE, begin, 0);
    bool comma = false;
    for (;;) {
        if (tuple_ends(token_at(compiler, 0), end_name))
            break;
        struct node *item = condition ? parse_expression(compiler) : parse_or(compiler);
        if (!item)
            return NULL;
        syntax_add(compiler, tuple, item);
        if (!skip_operator(compiler, ","))
            break;
        comma = true;
        if (token_at(compiler, 0)->type == TOKEN_END)
            break;
    }
    if (!comma && tuple->count)
        return tuple->children[0];
    char text[80];
    if (!comma && !parentheses)
        return compile_fail(compiler, begin, "found %s, expected an expression",
                            token_describe(begin, text, sizeof(text)));
    return syntax_check_depth(compiler, tuple) ? tuple : NULL;
}

struct node *parse_expression(struct compiler *compiler)
{
    const struct token *token = token_at(compiler, 0);
    struct node *value = parse_or(compiler);
    while (value && skip_name(compiler, "if")) {
        struct node *node = syntax_new(compiler, NODE_CONDITION, token, 3);
        node->children[1] = value;
        node->children[0] = parse_or(compiler);
        if (!node->children[0])
            return NULL;
        if (skip_name(compiler, "else")) {
            if (!compile_enter(compiler))
                return NULL;
            node->children[2] = parse_expression(compiler);
            compiler->depth--;
            if (!node->children[2])
                return NULL;
        }
        value = syntax_check_depth(compiler, node) ? node : NULL;
        token = token_at(compiler, 0);
    }
    return value;
}

static struct node *parse_not(struct compiler *compiler);

static struct node *parse_and(struct compiler *compiler)
{
    struct node *left = parse_not(compiler);
    while (left && token_is_name(token_at(compiler, 0), "and")) {
        const struct token *token = token_at(compiler, 0);
        compiler->position++;
        left = binary(compiler, NODE_AND, 0, token, left, parse_not(compiler));
    }
    return left;
}

static struct node *parse_or(struct compiler *compiler)
{
    struct node *left = parse_and(compiler);
    while (left && token_is_name(token_at(compiler, 0), "or")) {
        const struct token *token = token_at(compiler, 0);
        compiler->position++;
        left = binary(compiler, NODE_OR, 0, token, left, parse_and(compiler));
    }
    return left;
}

/* The operation at the current token among `operators`, 0 for none; moves behind it. */
struct operator {
    const char *text;
    uint8_t operation;
};

static int take_operator(struct compiler *compiler, const struct operator *operators, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (skip_operator(compiler, operators[i].text))
            return operators[i].operation;
    return 0;
}

static struct node *parse_pow(struct compiler *compiler)
{
    struct node *left = parse_unary(compiler, true);
    while (left && token_is(token_at(compiler, 0), "**")) {
        const struct token *token = token_at(compiler, 0);
        compiler->position++;
        left = binary(compiler, NODE_BINARY, OP_POW, token, left, parse_unary(compiler, true));
    }
    return left;
}

static struct node *parse_product(struct compiler *compiler)
{
    static const struct operator operators[] = {
        {"*", OP_MUL}, {"/", OP_DIV}, {"//", OP_FLOORDIV}, {"%", OP_MOD}};
    struct node *left = parse_pow(compiler);
    while (left) {
        const struct token *token = token_at(compiler, 0);
        int operation = take_operator(compiler, operators, 4);
        if (!operation)
            break;
        left = binary(compiler, NODE_BINARY, operation, token, left, parse_pow(compiler));
    }
    return left;
}

static struct node *parse_concat(struct compiler *compiler)
{
    const struct token *token = token_at(compiler, 0);
    struct node *first = parse_product(compiler);
    if (!first || !token_is(token_at(compiler, 0), "~"))
        return first;
    struct node *node = syntax_new(compiler, NODE_CONCAT, token, 0);
    syntax_add(compiler, node, first);
    while (skip_operator(compiler, "~")) {
        struct node *next = parse_product(compiler);
        if (!next)
            return NULL;
        syntax_add(compiler, node, next);
    }
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_sum(struct compiler *compiler)
{
    static const struct operator operators[] = {{"+", OP_ADD}, {"-", OP_SUB}};
    struct node *left = parse_concat(compiler);
    while (left) {
        const struct token *token = token_at(compiler, 0);
        int operation = take_operator(compiler, operators, 2);
        if (!operation)
            break;
        left = binary(compiler, NODE_BINARY, operation, token, left, parse_concat(compiler));
    }
    return left;
}

static struct node *parse_compare(struct compiler *compiler)
{
    static const struct operator operators[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<", OP_LT},
                                                {"<=", OP_LE}, {">", OP_GT},  {">=", OP_GE}};
    const struct token *token = token_at(compiler, 0);
    struct node *first = parse_sum(compiler), *node = NULL;
    uint8_t operations[TEMPLATE_CHAIN];
    size_t count = 0;
    while (first) {
        int operation = take_operator(compiler, operators, 6);
        if (!operation && skip_name(compiler, "in"))
            operation = OP_IN;
        else if (!operation && token_is_name(token_at(compiler, 0), "not") &&
                 token_is_name(token_at(compiler, 1), "in")) {
            compiler->position += 2;
            operation = OP_NOT_IN;
        }
        if (!operation)
            break;
        if (!node) {
            node = syntax_new(compiler, NODE_COMPARE, token, 0);
            syntax_add(compiler, node, first);
        }
        struct node *right = parse_sum(compiler);
        if (!right)
            return NULL;
        if (count == TEMPLATE_CHAIN)
            return compile_fail(compiler, token,
                                "found a chain of more than %d comparisons, "
                                "expected fewer",
                                TEMPLATE_CHAIN);
        operations[count++] = (uint8_t)operation;
        syntax_add(compiler, node, right);
    }
    if (!first || !node)
        return first;
    node->operations = (const uint8_t *)arena_copy(compiler->arena, operations, count);
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_not(struct compiler *compiler)
{
    const struct token *token = token_at(compiler, 0);
    if (!skip_name(compiler, "not"))
        return parse_compare(compiler);
    if (!compile_enter(compiler))
        return NULL;
    struct node *value = parse_not(compiler);
    compiler->depth--;
    if (!value)
        return NULL;
    struct node *node = syntax_new(compiler, NODE_NOT, token, 1);
    node->children[0] = value;
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_list(struct compiler *compiler)
{
    struct node *node = syntax_new(compiler, NODE_LIST, token_at(compiler, 0), 0);
    compiler->position++;
    while (!skip_operator(compiler, "]")) {
        if (node->count && !expect_operator(compiler, ",", "or `]` in a list"))
            return NULL;
        if (skip_operator(compiler, "]"))
            break;
        struct node *item = parse_expression(compiler);
        if (!item)
            return NULL;
        syntax_add(compiler, node, item);
    }
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_dict(struct compiler *compiler)
{
    struct node *node = syntax_new(compiler, NODE_DICT, token_at(compiler, 0), 0);
    compiler->position++;
    while (!skip_operator(compiler, "}")) {
        if (node->count && !expect_operator(compiler, ",", "or `}` in a dict"))
            return NULL;
        if (skip_operator(compiler, "}"))
            break;
        struct node *key = parse_expression(compiler);
        if (!key || !expect_operator(compiler, ":", "behind a dict's key"))
            return NULL;
        struct node *value = parse_expression(compiler);
        if (!value)
            return NULL;
        syntax_add(compiler, node, key);
        syntax_add(compiler, node, value);
    }
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_name(struct compiler *compiler, const struct token *token)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {{"true", 1},  {"True", 1},  {"false", 0},
                     {"False", 0}, {"none", -1}, {"None", -1}};
    for (size_t i = 0; i < 6; i++)
        if (token_is_name(token, constants[i].name))
            return constant(compiler, token,
                            constants[i].value < 0 ? item_none() : item_bool(constants[i].value));
    if (str_is(token->text, "lipsum"))
        return compile_fail(compiler, token,
                            "found `lipsum`, which is random and not part of this "
                            "subset; expected a variable");
    struct node *node = syntax_new(compiler, NODE_NAME, token, 0);
    node->text = token->text;
    return node;
}

static struct node *parse_string(struct compiler *compiler, const struct token *token)
{
    xy_str text = token->text;
    while (token_at(compiler, 0)->type == TOKEN_STRING) {
        xy_str more = token_at(compiler, 0)->text;
        char *joined = arena_alloc(compiler->arena, text.len + more.len + 1);
        memcpy(joined, text.ptr, text.len);
        memcpy(joined + text.len, more.ptr, more.len);
        text = (xy_str){joined, text.len + more.len};
        compiler->position++;
    }
    return constant(compiler, token, item_text(text));
}

struct node *parse_primary(struct compiler *compiler)
{
    const struct token *token = token_at(compiler, 0);
    char text[80];
    bool bracket = token_is(token, "(") || token_is(token, "[") || token_is(token, "{");
    if (bracket) {
        struct node *node;
        if (!compile_enter(compiler))
            return NULL;
        if (token->operator[0] == '[')
            node = parse_list(compiler);
        else if (token->operator[0] == '{')
            node = parse_dict(compiler);
        else {
            compiler->position++;
            node = parse_tuple(compiler, true, true, NULL);
            if (node && !expect_operator(compiler, ")", "to close the parenthesis"))
                node = NULL;
        }
        compiler->depth--;
        return node;
    }
    compiler->position++;
    switch (token->type) {
    case TOKEN_NAME: return parse_name(compiler, token);
    case TOKEN_STRING: return parse_string(compiler, token);
    case TOKEN_INTEGER: return constant(compiler, token, item_int(token->integer));
    case TOKEN_FLOAT: return constant(compiler, token, item_float(token->number));
    default: break;
    }
    compiler->position--;
    return compile_fail(compiler, token, "found %s, expected an expression",
                        token_describe(token, text, sizeof(text)));
}

static struct node *parse_sign(struct compiler *compiler)
{
    const struct token *token = token_at(compiler, 0);
    compiler->position++;
    if (!compile_enter(compiler))
        return NULL;
    struct node *value = parse_unary(compiler, false);
    compiler->depth--;
    if (!value)
        return NULL;
    struct node *node = syntax_new(compiler, NODE_UNARY, token, 1);
    node->operation = token->operator[0] == '-' ? OP_NEG : OP_POS;
    node->children[0] = value;
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_unary(struct compiler *compiler, bool with_filter)
{
    const struct token *token = token_at(compiler, 0);
    struct node *node = token_is(token, "-") || token_is(token, "+") ? parse_sign(compiler)
                                                                     : parse_primary(compiler);
    node = node ? parse_postfix(compiler, node) : NULL;
    while (node && with_filter) {
        token = token_at(compiler, 0);
        if (token_is(token, "|"))
            node = parse_filter(compiler, node);
        else if (token_is_name(token, "is"))
            node = parse_test(compiler, node);
        else if (token_is(token, "("))
            node = parse_call(compiler, node);
        else
            break;
    }
    return node;
}
