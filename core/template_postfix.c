/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a value: members, subscripts, calls, filters and tests. Names of filters,
 * tests and methods and their arguments are checked here, so that a wrong one is found before
 * anything is paid for. */
#include "template_internal.h"

#include <string.h>

enum { KEYWORD_LIMIT = 32 };

/* "key=" in front of an argument. */
static bool parse_keyword(struct compiler *compiler, struct node *node, xy_str *names)
{
    const struct token *token = token_at(compiler, 0);
    if (node->keyword_count == KEYWORD_LIMIT)
        return compile_fail(compiler, token,
                            "found more than %d arguments by keyword, expected fewer",
                            KEYWORD_LIMIT);
    for (size_t i = 0; i < node->keyword_count; i++)
        /* As many names were set as are counted.
         * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
        if (str_equal(names[i], token->text))
            return compile_fail(compiler, token,
                                "found the argument `%.*s` twice, expected it once",
                                (int)token->text.len, token->text.ptr);
    names[node->keyword_count++] = token->text;
    compiler->position += 2;
    return true;
}

/* Refuses what Python would take apart (`*list`), and an argument by position behind one
 * by name. */
static bool check_argument(struct compiler *compiler, const struct node *node, bool keyword)
{
    const struct token *token = token_at(compiler, 0);
    if (token_is(token, "*") || token_is(token, "**"))
        return compile_fail(compiler, token,
                            "found `%s` before an argument, which is not part "
                            "of this subset; expected the arguments themselves",
                            token->operator);
    if (!keyword && node->keyword_count)
        return compile_fail(compiler, token,
                            "found an argument by position behind one by "
                            "keyword, expected NAME=VALUE");
    return true;
}

/* "(a, b, key=c)" as children of `node`; with no parenthesis, nothing. */
static bool parse_arguments(struct compiler *compiler, struct node *node)
{
    xy_str names[KEYWORD_LIMIT];
    bool first = true;
    if (!skip_operator(compiler, "("))
        return true;
    if (!compile_enter(compiler))
        return false;
    while (!skip_operator(compiler, ")")) {
        if (!first && !expect_operator(compiler, ",", "or `)` after an argument"))
            return false;
        if (!first && skip_operator(compiler, ")"))
            break;
        first = false;
        const struct token *token = token_at(compiler, 0);
        bool keyword = token->type == TOKEN_NAME && token_is(token_at(compiler, 1), "=");
        if (!check_argument(compiler, node, keyword))
            return false;
        if (keyword && !parse_keyword(compiler, node, names))
            return false;
        struct node *value = parse_expression(compiler);
        if (!value)
            return false;
        syntax_add(compiler, node, value);
    }
    compiler->depth--;
    if (node->keyword_count)
        node->names = (const xy_str *)arena_copy(compiler->arena, names,
                                                 node->keyword_count * sizeof(names[0]));
    return syntax_check_depth(compiler, node);
}

/* Refuses a name nobody knows and arguments that do not fit. `first`: children before them. */
static bool check_function(struct compiler *compiler, struct node *node, const struct token *token,
                           const char *what, size_t first)
{
    char why[200], known[700];
    if (!node->function) {
        const struct function *const *tables = template_filter_tables();
        static const struct function *const tests[] = {template_tests, NULL};
        template_list_names(*what == 't' ? tests : tables, known, sizeof(known));
        compile_fail(compiler, token,
                     "found the %s `%.*s`, which is not part of this subset; "
                     "expected %s",
                     what, token->text.len > 60 ? 60 : (int)token->text.len, token->text.ptr,
                     known);
        return false;
    }
    size_t positional = node->count - first - node->keyword_count;
    if (template_fits(node->function, positional, node->names, node->keyword_count, why,
                      sizeof(why)))
        return true;
    compile_fail(compiler, token, "%s `%s`: %s", what, node->function->name, why);
    return false;
}

/* A constant filter name within map('name') and a test's within select('name'). */
static bool check_inner_name(struct compiler *compiler, const struct node *node,
                             const struct token *token)
{
    const char *name = node->function->name;
    bool map = strcmp(name, "map") == 0, attribute = strstr(name, "attr") != NULL;
    if (!map && strncmp(name, "select", 6) != 0 && strncmp(name, "reject", 6) != 0)
        return true;
    size_t at = attribute ? 2 : 1;
    if (node->count - node->keyword_count <= at || node->children[at]->type != NODE_CONSTANT ||
        node->children[at]->constant.kind != KIND_TEXT)
        return true;
    xy_str inner = node->children[at]->constant.text;
    if (map ? template_filter(inner) : template_test(inner))
        return true;
    compile_fail(compiler, token, "%s: found the %s `%.*s`, expected one of this subset", name,
                 map ? "filter" : "test", inner.len > 60 ? 60 : (int)inner.len, inner.ptr);
    return false;
}

/* Behind a value or, with `value` NULL, behind {% set x %} and {% filter %}: all filters up to the
 * next thing. */
struct node *parse_filter(struct compiler *compiler, struct node *value)
{
    bool inline_start = !value && !token_is(token_at(compiler, 0), "|");
    while (inline_start || skip_operator(compiler, "|")) {
        inline_start = false;
        const struct token *token = token_at(compiler, 0);
        char text[80];
        if (token->type != TOKEN_NAME)
            return compile_fail(compiler, token, "found %s, expected a filter's name",
                                token_describe(token, text, sizeof(text)));
        compiler->position++;
        struct node *node = syntax_new(compiler, NODE_FILTER, token, 0);
        syntax_add(compiler, node, value);
        node->text = token->text;
        node->function = template_filter(token->text);
        if (!parse_arguments(compiler, node) ||
            !check_function(compiler, node, token, "filter", 1) ||
            !check_inner_name(compiler, node, token) || !syntax_check_depth(compiler, node))
            return NULL;
        value = node;
    }
    return value;
}

static bool starts_test_argument(const struct token *token)
{
    if (token->type == TOKEN_NAME)
        return !token_is_name(token, "else") && !token_is_name(token, "or") &&
               !token_is_name(token, "and");
    return token->type == TOKEN_STRING || token->type == TOKEN_INTEGER ||
           token->type == TOKEN_FLOAT || token_is(token, "[") || token_is(token, "{");
}

struct node *parse_test(struct compiler *compiler, struct node *value)
{
    char text[80];
    compiler->position++;
    bool negated = skip_name(compiler, "not");
    const struct token *token = token_at(compiler, 0);
    if (token->type != TOKEN_NAME)
        return compile_fail(compiler, token, "found %s, expected a test's name",
                            token_describe(token, text, sizeof(text)));
    compiler->position++;
    struct node *node = syntax_new(compiler, NODE_TEST, token, 0);
    syntax_add(compiler, node, value);
    node->negated = negated;
    node->text = token->text;
    node->function = template_test(token->text);
    const struct token *next = token_at(compiler, 0);
    if (token_is_name(next, "is"))
        return compile_fail(compiler, next, "found a second `is`, expected `and` between tests");
    if (token_is(next, "(")) {
        if (!parse_arguments(compiler, node))
            return NULL;
    } else if (starts_test_argument(next)) {
        struct node *argument = parse_primary(compiler);
        argument = argument ? parse_postfix(compiler, argument) : NULL;
        if (!argument)
            return NULL;
        syntax_add(compiler, node, argument);
    }
    return check_function(compiler, node, token, "test", 1) && syntax_check_depth(compiler, node)
               ? node
               : NULL;
}

/* One slice part, or NULL with *bad unset when there is none. */
static struct node *parse_slice_part(struct compiler *compiler, bool *bad)
{
    const struct token *token = token_at(compiler, 0);
    if (token_is(token, ":") || token_is(token, "]") || token_is(token, ","))
        return NULL;
    struct node *part = parse_expression(compiler);
    *bad = *bad || !part;
    return part;
}

static struct node *parse_subscript(struct compiler *compiler, struct node *value)
{
    const struct token *token = token_at(compiler, 0);
    bool bad = false;
    if (!compile_enter(compiler))
        return NULL;
    compiler->position++;
    struct node *node = syntax_new(compiler, NODE_SUBSCRIPT, token, 2);
    node->children[0] = value;
    struct node *parts[3] = {parse_slice_part(compiler, &bad), NULL, NULL};
    bool slice = skip_operator(compiler, ":");
    if (slice && !bad) {
        parts[1] = parse_slice_part(compiler, &bad);
        if (!bad && skip_operator(compiler, ":"))
            parts[2] = parse_slice_part(compiler, &bad);
    }
    compiler->depth--;
    if (bad)
        return NULL;
    if (!slice && !parts[0])
        return compile_fail(compiler, token, "found `[` without an index, expected one");
    if (token_is(token_at(compiler, 0), ","))
        return compile_fail(compiler, token_at(compiler, 0),
                            "found a second index, which is not "
                            "part of this subset; expected `]`");
    if (!expect_operator(compiler, "]", "behind an index"))
        return NULL;
    node->children[1] = parts[0];
    if (slice) {
        node->children[1] = syntax_new(compiler, NODE_SLICE, token, 3);
        memcpy(node->children[1]->children, parts, sizeof(parts));
        if (!syntax_check_depth(compiler, node->children[1]))
            return NULL;
    }
    return syntax_check_depth(compiler, node) ? node : NULL;
}

static struct node *parse_attribute(struct compiler *compiler, struct node *value)
{
    char text[80];
    compiler->position++;
    const struct token *token = token_at(compiler, 0);
    if (token->type != TOKEN_NAME && token->type != TOKEN_INTEGER)
        return compile_fail(compiler, token, "found %s, expected a member's name or a number",
                            token_describe(token, text, sizeof(text)));
    compiler->position++;
    bool by_name = token->type == TOKEN_NAME;
    struct node *node =
        syntax_new(compiler, by_name ? NODE_ATTRIBUTE : NODE_SUBSCRIPT, token, by_name ? 1 : 2);
    node->children[0] = value;
    node->text = token->text;
    if (!by_name)
        node->children[1] = syntax_new(compiler, NODE_CONSTANT, token, 0);
    if (!by_name)
        node->children[1]->constant = item_int(token->integer);
    return syntax_check_depth(compiler, node) ? node : NULL;
}

struct node *parse_call(struct compiler *compiler, struct node *callee)
{
    const struct token *token = token_at(compiler, 0);
    struct node *node = syntax_new(compiler, NODE_CALL, token, 0);
    if (callee->type == NODE_ATTRIBUTE) {
        struct token place = {.type = TOKEN_NAME,
                              .line = callee->line,
                              .column = callee->column,
                              .text = callee->text};
        node->type = NODE_METHOD;
        node->text = callee->text;
        node->function = template_method(callee->text);
        if (!node->function)
            return compile_fail(compiler, &place,
                                "found the method `%.*s`, which is not part of "
                                "this subset (nothing here changes a value in place); expected a "
                                "method that reads, such as items, get, upper, split or join",
                                (int)callee->text.len, callee->text.ptr);
        callee = callee->children[0];
    }
    syntax_add(compiler, node, callee);
    return parse_arguments(compiler, node) && syntax_check_depth(compiler, node) ? node : NULL;
}

struct node *parse_postfix(struct compiler *compiler, struct node *node)
{
    while (node) {
        const struct token *token = token_at(compiler, 0);
        if (token_is(token, "."))
            node = parse_attribute(compiler, node);
        else if (token_is(token, "["))
            node = parse_subscript(compiler, node);
        else if (token_is(token, "("))
            node = parse_call(compiler, node);
        else
            break;
    }
    return node;
}
