/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens to statements, as jinja2/parser.py. Macros, inheritance and includes are refused by name:
 * a prompt is one text. */
#include "template_internal.h"

#include <string.h>

void *compile_fail(struct compiler *compiler, const struct token *token, const char *format, ...)
{
    if (compiler->failed)
        return NULL;
    compiler->failed = true;
    char text[900];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(compiler->error, XY_EINVAL, "%s", text);
    error_at(compiler->error, NULL, (int)token->line, (int)token->column);
    return NULL;
}

const struct token *token_at(const struct compiler *compiler, size_t ahead)
{
    size_t at = compiler->position + ahead;
    return &compiler->tokens[at < compiler->count ? at : compiler->count - 1];
}

bool token_is_name(const struct token *token, const char *name)
{
    return token->type == TOKEN_NAME && str_is(token->text, name);
}

bool token_is(const struct token *token, const char *operator)
{
    return token->type == TOKEN_OPERATOR && strcmp(token->operator, operator) == 0;
}

const char *token_describe(const struct token *token, char *text, size_t size)
{
    switch (token->type) {
    case TOKEN_END: return "the end of the template";
    case TOKEN_DATA: return "text";
    case TOKEN_OUTPUT_END: return "}}";
    case TOKEN_BLOCK_END: return "%}";
    default:
        snprintf(text, size, "`%.*s`", token->text.len > 60 ? 60 : (int)token->text.len,
                 token->text.ptr);
        return text;
    }
}

bool skip_name(struct compiler *compiler, const char *name)
{
    bool found = token_is_name(token_at(compiler, 0), name);
    compiler->position += found;
    return found;
}

bool skip_operator(struct compiler *compiler, const char *operator)
{
    bool found = token_is(token_at(compiler, 0), operator);
    compiler->position += found;
    return found;
}

bool expect_operator(struct compiler *compiler, const char *operator, const char *what)
{
    char text[80];
    if (skip_operator(compiler, operator))
        return true;
    compile_fail(compiler, token_at(compiler, 0), "found %s, expected `%s` %s",
                 token_describe(token_at(compiler, 0), text, sizeof(text)), operator, what);
    return false;
}

struct node *syntax_new(struct compiler *compiler, enum node_type type, const struct token *token,
                      size_t count)
{
    struct node *node = arena_alloc(compiler->arena, sizeof(*node));
    node->type = (uint8_t)type;
    node->line = token->line;
    node->column = token->column;
    node->depth = 1;
    node->count = count;
    if (count)
        node->children = arena_alloc(compiler->arena, count * sizeof(*node->children));
    return node;
}

void syntax_add(struct compiler *compiler, struct node *node, struct node *child)
{
    /* Full at every power of two: the count alone tells the capacity. */
    if ((node->count & (node->count - 1)) == 0) {
        size_t capacity = node->count ? node->count * 2 : 1;
        struct node **grown = arena_alloc(compiler->arena, capacity * sizeof(struct node *));
        if (node->count)
            memcpy(grown, node->children, node->count * sizeof(struct node *));
        node->children = grown;
    }
    node->children[node->count++] = child;
}

bool syntax_check_depth(struct compiler *compiler, struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i] && node->children[i]->depth >= node->depth)
            node->depth = (uint16_t)(node->children[i]->depth + 1);
    if (node->depth <= TEMPLATE_CHAIN)
        return true;
    struct token token = {.line = node->line, .column = node->column};
    compile_fail(compiler, &token,
                 "found an expression of more than %d chained operators, "
                 "expected a shorter one: split it with {%% set %%}",
                 TEMPLATE_CHAIN);
    return false;
}

/* The caller counts down again: compiler->depth--. */
bool compile_enter(struct compiler *compiler)
{
    if (++compiler->depth <= TEMPLATE_DEPTH)
        return true;
    compile_fail(compiler, token_at(compiler, 0), "found nesting deeper than %d, expected less",
                 TEMPLATE_DEPTH);
    return false;
}

static bool expect_name(struct compiler *compiler, const char *name)
{
    char text[80];
    if (skip_name(compiler, name))
        return true;
    compile_fail(compiler, token_at(compiler, 0), "found %s, expected `%s`",
                 token_describe(token_at(compiler, 0), text, sizeof(text)), name);
    return false;
}

static bool expect_block_end(struct compiler *compiler)
{
    char text[80];
    const struct token *token = token_at(compiler, 0);
    compiler->position += token->type == TOKEN_BLOCK_END;
    if (token->type != TOKEN_BLOCK_END)
        compile_fail(compiler, token, "found %s, expected %%}",
                     token_describe(token, text, sizeof(text)));
    return token->type == TOKEN_BLOCK_END;
}

/* A block's inside: an optional colon, %}, statements up to one of `ends`, which stays current. */
static struct node *parse_block(struct compiler *compiler, const char *const *ends)
{
    skip_operator(compiler, ":");
    return expect_block_end(compiler) ? parse_body(compiler, ends) : NULL;
}

/* One name, a namespace's attribute, or a tuple of such. */
static struct node *parse_target(struct compiler *compiler, bool with_namespace, const char *end);

static struct node *parse_one_target(struct compiler *compiler, bool with_namespace)
{
    const struct token *token = token_at(compiler, 0);
    char text[80];
    if (token_is(token, "(")) {
        if (!compile_enter(compiler))
            return NULL;
        compiler->position++;
        struct node *inner = parse_target(compiler, with_namespace, NULL);
        compiler->depth--;
        return inner && expect_operator(compiler, ")", "after the names to assign to") ? inner
                                                                                       : NULL;
    }
    static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
    for (size_t i = 0; i < 6; i++)
        if (token_is_name(token, constants[i]))
            return compile_fail(compiler, token,
                                "found the constant `%s`, expected a name to "
                                "assign to",
                                constants[i]);
    if (token->type != TOKEN_NAME)
        return compile_fail(compiler, token, "found %s, expected a name to assign to",
                            token_describe(token, text, sizeof(text)));
    compiler->position++;
    struct node *node = syntax_new(compiler, NODE_NAME, token, 0);
    node->text = token->text;
    const struct token *attribute = token_at(compiler, 1);
    if (with_namespace && token_is(token_at(compiler, 0), ".") && attribute->type == TOKEN_NAME) {
        compiler->position += 2;
        struct node *member = syntax_new(compiler, NODE_NAMESPACE, token, 1);
        member->text = attribute->text;
        member->children[0] = node;
        return member;
    }
    if (compiler->in_loop && str_is(token->text, "loop"))
        return compile_fail(compiler, token,
                            "found an assignment to `loop`, expected another "
                            "name: inside a for it is the loop itself");
    return node;
}

static struct node *parse_target(struct compiler *compiler, bool with_namespace, const char *end)
{
    const struct token *begin = token_at(compiler, 0);
    struct node *tuple = syntax_new(compiler, NODE_TUPLE, begin, 0);
    bool comma = false;
    for (;;) {
        const struct token *token = token_at(compiler, 0);
        bool ended = token->type == TOKEN_BLOCK_END || token_is(token, ")") ||
                     (end && token_is_name(token, end));
        if (ended && comma)
            break;
        struct node *target = parse_one_target(compiler, with_namespace);
        if (!target)
            return NULL;
        syntax_add(compiler, tuple, target);
        if (!skip_operator(compiler, ","))
            break;
        comma = true;
    }
    return comma ? tuple : tuple->children[0];
}

static struct node *parse_set(struct compiler *compiler)
{
    static const char *const ends[] = {"endset", NULL};
    const struct token *begin = token_at(compiler, 0);
    struct node *target = parse_target(compiler, true, NULL);
    if (!target)
        return NULL;
    if (skip_operator(compiler, "=")) {
        struct node *node = syntax_new(compiler, NODE_SET, begin, 2);
        node->children[0] = target;
        node->children[1] = parse_tuple(compiler, true, false, NULL);
        return node->children[1] ? node : NULL;
    }
    struct node *node = syntax_new(compiler, NODE_SET_BLOCK, begin, 3);
    node->children[0] = target;
    if (token_is(token_at(compiler, 0), "|")) {
        node->children[2] = parse_filter(compiler, NULL);
        if (!node->children[2])
            return NULL;
    }
    node->children[1] = parse_block(compiler, ends);
    compiler->position++;
    return node->children[1] ? node : NULL;
}

static struct node *parse_for(struct compiler *compiler)
{
    static const char *const ends[] = {"endfor", "else", NULL}, *const last[] = {"endfor", NULL};
    bool outer = compiler->in_loop;
    struct node *node = syntax_new(compiler, NODE_FOR, token_at(compiler, 0), 6);
    size_t target = compiler->position;
    compiler->in_loop = true;
    node->children[0] = parse_target(compiler, false, "in");
    if (!node->children[0] || !expect_name(compiler, "in"))
        return NULL;
    compiler->in_loop = outer;
    node->children[1] = parse_tuple(compiler, false, false, "recursive");
    if (!node->children[1])
        return NULL;
    if (skip_name(compiler, "if")) {
        node->children[2] = parse_expression(compiler);
        /* The test has variables of its own: the target is read once more for them. */
        size_t behind = compiler->position;
        compiler->position = target;
        node->children[5] = parse_target(compiler, false, "in");
        compiler->position = behind;
        if (!node->children[2])
            return NULL;
    }
    if (token_is_name(token_at(compiler, 0), "recursive"))
        return compile_fail(compiler, token_at(compiler, 0),
                            "found `recursive`, which is not "
                            "part of this subset; expected %%}: write one for inside another");
    compiler->in_loop = true;
    node->children[3] = parse_block(compiler, ends);
    if (!node->children[3])
        return NULL;
    if (token_is_name(token_at(compiler, 0), "else")) {
        compiler->position++;
        node->children[4] = parse_block(compiler, last);
        if (!node->children[4])
            return NULL;
    }
    compiler->in_loop = outer;
    compiler->position++;
    return node;
}

static struct node *parse_if(struct compiler *compiler)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL}, *const last[] = {"endif",
                                                                                        NULL};
    struct node *node = syntax_new(compiler, NODE_IF, token_at(compiler, 0), 0);
    for (;;) {
        struct node *test = parse_tuple(compiler, false, false, NULL);
        struct node *body = test ? parse_block(compiler, ends) : NULL;
        if (!body)
            return NULL;
        syntax_add(compiler, node, test);
        syntax_add(compiler, node, body);
        if (skip_name(compiler, "elif"))
            continue;
        struct node *otherwise = NULL;
        if (skip_name(compiler, "else")) {
            otherwise = parse_block(compiler, last);
            if (!otherwise)
                return NULL;
        }
        compiler->position++;
        syntax_add(compiler, node, otherwise);
        return node;
    }
}

static struct node *parse_with(struct compiler *compiler)
{
    static const char *const ends[] = {"endwith", NULL};
    struct node *node = syntax_new(compiler, NODE_WITH, token_at(compiler, 0), 0);
    syntax_add(compiler, node, NULL);
    while (token_at(compiler, 0)->type != TOKEN_BLOCK_END) {
        if (node->count > 1 && !expect_operator(compiler, ",", "between assignments"))
            return NULL;
        struct node *target = parse_one_target(compiler, false);
        if (!target || !expect_operator(compiler, "=", "after the name"))
            return NULL;
        struct node *value = parse_expression(compiler);
        if (!value)
            return NULL;
        syntax_add(compiler, node, target);
        syntax_add(compiler, node, value);
    }
    node->children[0] = parse_block(compiler, ends);
    compiler->position++;
    return node->children[0] ? node : NULL;
}

static struct node *parse_filter_block(struct compiler *compiler)
{
    static const char *const ends[] = {"endfilter", NULL};
    struct node *node = syntax_new(compiler, NODE_FILTER_BLOCK, token_at(compiler, 0), 2);
    node->children[0] = parse_filter(compiler, NULL);
    if (!node->children[0])
        return NULL;
    node->children[1] = parse_block(compiler, ends);
    compiler->position++;
    return node->children[1] ? node : NULL;
}

static const struct statement {
    const char *name;
    struct node *(*parse)(struct compiler *compiler);
} statements[] = {
    {"set", parse_set},
    {"for", parse_for},
    {"if", parse_if},
    {"with", parse_with},
    {"filter", parse_filter_block},
};

static struct node *parse_statement(struct compiler *compiler, const char *const *ends)
{
    static const char *const left_out[] = {"macro",  "call",     "block",      "extends", "include",
                                           "import", "from",     "autoescape", "print",   "do",
                                           "break",  "continue", "trans",      "debug"};
    const struct token *token = token_at(compiler, 0);
    char text[80];
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        if (token_is_name(token, statements[i].name)) {
            compiler->position++;
            return statements[i].parse(compiler);
        }
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
        if (token_is_name(token, left_out[i]))
            return compile_fail(compiler, token,
                                "found the tag `%s`, which is not part of this "
                                "subset; expected if, for, set, with, filter or raw",
                                left_out[i]);
    if (ends)
        return compile_fail(compiler, token,
                            "found the tag %s, expected %s, or if, for, set, "
                            "with, filter or raw",
                            token_describe(token, text, sizeof(text)), ends[0]);
    return compile_fail(compiler, token,
                        "found the tag %s, expected if, for, set, with, filter "
                        "or raw",
                        token_describe(token, text, sizeof(text)));
}

/* 1 parsed, 0 an end of the body, -1 failed. */
static int parse_one(struct compiler *compiler, const char *const *ends, struct node *body)
{
    char text[80];
    const struct token *token = token_at(compiler, 0);
    struct node *node = NULL;
    compiler->position++;
    if (token->type == TOKEN_DATA) {
        node = syntax_new(compiler, NODE_TEXT, token, 0);
        node->text = token->text;
    } else if (token->type == TOKEN_OUTPUT_BEGIN) {
        struct node *value = parse_tuple(compiler, true, false, NULL);
        if (!value)
            return -1;
        const struct token *end = token_at(compiler, 0);
        if (end->type != TOKEN_OUTPUT_END) {
            compile_fail(compiler, end, "found %s, expected an operator, a filter or }}",
                         token_describe(end, text, sizeof(text)));
            return -1;
        }
        compiler->position++;
        node = syntax_new(compiler, NODE_OUTPUT, token, 1);
        node->children[0] = value;
    } else {
        for (size_t i = 0; ends && ends[i]; i++)
            if (token_is_name(token_at(compiler, 0), ends[i]))
                return 0;
        node = parse_statement(compiler, ends);
        if (!node || !expect_block_end(compiler))
            return -1;
    }
    syntax_add(compiler, body, node);
    return 1;
}

struct node *parse_body(struct compiler *compiler, const char *const *ends)
{
    const struct token *begin = token_at(compiler, 0);
    struct node *body = syntax_new(compiler, NODE_BODY, begin, 0);
    if (!compile_enter(compiler))
        return NULL;
    int state = 1;
    while (state > 0 && token_at(compiler, 0)->type != TOKEN_END)
        state = parse_one(compiler, ends, body);
    compiler->depth--;
    if (state < 0)
        return NULL;
    if (state > 0 && ends)
        return compile_fail(compiler, token_at(compiler, 0),
                            "found the end of the template, expected {%% %s %%} for the tag of "
                            "line %u",
                            ends[1] && ends[2] ? ends[2] : ends[0], begin->line);
    return body;
}
