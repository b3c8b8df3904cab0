/* SPDX-License-Identifier: Apache-2.0 */
/* options_value.c - one value of the file, checked by its option and written into the state. */
#include <string.h>

#include "file.h"
#include "json.h"
#include "options_internal.h"
#include "options_parse.h"
#include "template.h"

enum { SHOWN = 80, FIELD_NAME = 127, JSON_TEXT = 64 << 20 };

static const struct {
    const char *name;     /* in reference pages */
    const char *expected; /* in messages */
} types[] = {
    [XY_OPT_TEXT] = {"text", "a text"},
    [XY_OPT_INT] = {"integer", "a whole number, as 12, 10k or 2M"},
    [XY_OPT_NUMBER] = {"number", "a number"},
    [XY_OPT_BOOL] = {"boolean", "true or false"},
    [XY_OPT_SECONDS] = {"seconds", "a duration, as 30, 500ms, 5m or 1h"},
    [XY_OPT_LIST] = {"list", "a list of texts"},
    [XY_OPT_JSON] = {"any", "any value"},
    [XY_OPT_PATH] = {"path", "a path"},
    [XY_OPT_EXPRESSION] = {"expression", "an expression"},
    [XY_OPT_MODEL] = {"model", "the name of a model"},
    [XY_OPT_LEARNER] = {"learner", "a learner's name, or a map with `use:`"},
    [XY_OPT_DATASET] = {"dataset", "a step's id, or the path of a file of records"},
    [XY_OPT_FIELD] = {"field", "the name of a field"},
    [XY_OPT_TEMPLATE] = {"template", "a template"},
};

enum { TYPE_END = sizeof(types) / sizeof(types[0]) };

const char *option_type_name(uint32_t type)
{
    return type > 0 && type < TYPE_END ? types[type].name : "unknown";
}

bool option_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->plain &&
           (node->text.len == 0 || str_is(node->text, "null") || str_is(node->text, "~"));
}

/* The value as a message may show it: never a secret, never a page of text. */
static const char *shown(const struct option_target *target, const struct node *node, char *buffer,
                         size_t size)
{
    if (node->kind != NODE_SCALAR)
        return node->kind == NODE_LIST ? "a list" : "a map";
    if (node->secret || (target->option->flags & XY_OPT_SECRET))
        return "a value that is kept secret";
    size_t length = node->text.len < SHOWN ? node->text.len : SHOWN;
    while (length < node->text.len && length > 0 &&
           ((unsigned char)node->text.ptr[length] >> 6) == 2)
        length--; /* not within a character */
    snprintf(buffer, size, "`%.*s%s`", (int)length, node->text.len ? node->text.ptr : "",
             length < node->text.len ? "..." : "");
    return buffer;
}

static int refuse(const struct option_target *target, const struct node *node,
                  struct error *error, const char *expected)
{
    char found[SHOWN + 16];
    return node_error(node, error, XY_EINVAL, "%s: option `%s` expects %s, found %s",
                      target->where, target->option->name, expected,
                      shown(target, node, found, sizeof(found)));
}

static int refuse_type(const struct option_target *target, const struct node *node,
                       struct error *error)
{
    return refuse(target, node, error, types[target->option->type].expected);
}

static void put(const struct option_target *target, const void *value, size_t size)
{
    if (target->state)
        memcpy((char *)target->state + target->option->offset, value, size);
}

static int put_text(const struct option_target *target, const char *text)
{
    put(target, &text, sizeof(text));
    return 0;
}

static int check_range(const struct option_target *target, const struct node *node, double value,
                       struct error *error)
{
    const xy_option *option = target->option;
    bool any = option->low == 0 && option->high == 0;
    if (any || (value >= option->low && value <= option->high))
        return 0;
    char expected[128];
    snprintf(expected, sizeof(expected), "%s between %.15g and %.15g",
             option->type == XY_OPT_SECONDS ? "seconds" : "a number", option->low, option->high);
    return refuse(target, node, error, expected);
}

/* Is `text` one of "one|two|three"? Otherwise the hint names the nearest, or all of them. */
static int check_choice(const struct option_target *target, const struct node *node,
                        struct error *error)
{
    const char *choices = target->option->choices;
    if (!choices)
        return 0;
    enum { MOST = 64 };
    const char *names[MOST];
    size_t count = 0;
    for (const char *at = choices; *at && count < MOST; at += strcspn(at, "|"), at += *at == '|') {
        size_t length = strcspn(at, "|");
        if (str_equal(node->text, (xy_str){at, length}))
            return 0;
        names[count++] = arena_copy(target->arena, at, length);
    }
    refuse(target, node, error, "one of its choices");
    bool secret = node->secret || (target->option->flags & XY_OPT_SECRET);
    const char *nearest = secret ? NULL : nearest_name(node->text.ptr, names, count);
    if (nearest)
        error_hint(error, "did you mean `%s`? choices: %.200s", nearest, choices);
    else
        error_hint(error, "choices: %.240s", choices);
    return XY_EINVAL;
}

/* A scalar without a NUL byte, since the state holds NUL-terminated text; NULL with the error. */
static const char *scalar_text(const struct option_target *target, const struct node *node,
                               struct error *error)
{
    if (node->kind != NODE_SCALAR) {
        refuse_type(target, node, error);
        return NULL;
    }
    if (node->text.len && memchr(node->text.ptr, '\0', node->text.len)) {
        node_error(node, error, XY_EINVAL, "%s: option `%s` holds a NUL byte", target->where,
                   target->option->name);
        return NULL;
    }
    return arena_copy(target->arena, node->text.ptr, node->text.len);
}

static int write_number(const struct option_target *target, const struct node *node,
                        struct error *error)
{
    const xy_option *option = target->option;
    if (node->kind != NODE_SCALAR)
        return refuse_type(target, node, error);
    if (option->type == XY_OPT_INT) {
        int64_t integer;
        if (parse_count(node->text, &integer) < 0)
            return refuse_type(target, node, error);
        put(target, &integer, sizeof(integer));
        return check_range(target, node, (double)integer, error);
    }
    double number;
    int code = option->type == XY_OPT_SECONDS ? parse_seconds(node->text, &number)
                                              : parse_number(node->text, &number);
    if (code < 0)
        return refuse_type(target, node, error);
    put(target, &number, sizeof(number));
    return check_range(target, node, number, error);
}

static int write_bool(const struct option_target *target, const struct node *node,
                      struct error *error)
{
    static const struct {
        const char *word;
        int32_t value;
    } words[] = {{"true", 1}, {"True", 1}, {"TRUE", 1}, {"false", 0}, {"False", 0}, {"FALSE", 0}};
    for (size_t i = 0; node->kind == NODE_SCALAR && i < sizeof(words) / sizeof(words[0]); i++)
        if (str_is(node->text, words[i].word)) {
            put(target, &words[i].value, sizeof(int32_t));
            return 0;
        }
    return refuse_type(target, node, error);
}

static int write_text(const struct option_target *target, const struct node *node,
                      struct error *error)
{
    const char *text = scalar_text(target, node, error);
    if (!text)
        return XY_EINVAL;
    bool is_field = target->option->type == XY_OPT_FIELD;
    if (is_field && (node->text.len == 0 || node->text.len > FIELD_NAME))
        return refuse(target, node, error, "a field's name of 1 to 127 bytes");
    int code = check_choice(target, node, error);
    return code < 0 ? code : put_text(target, text);
}

static int write_list(const struct option_target *target, const struct node *node,
                      struct error *error)
{
    const struct node *single[] = {node};
    const struct node *const *items = node->kind == NODE_LIST
                                          ? (const struct node *const *)node->items
                                          : single;
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    if (count == 0 && (target->option->flags & XY_OPT_REQUIRED))
        return refuse(target, node, error, "at least one text");
    const char **list = arena_alloc(target->arena, (count + 1) * sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind != NODE_SCALAR)
            return refuse_type(target, items[i], error);
        list[i] = scalar_text(target, items[i], error);
        if (!list[i] || check_choice(target, items[i], error) < 0)
            return XY_EINVAL;
    }
    put(target, &list, sizeof(list));
    return 0;
}

const char *option_json(struct arena *arena, const struct node *node, struct error *error)
{
    struct value value;
    if (node_value(arena, node, &value) < 0) {
        node_error(node, error, XY_EINVAL, "this value has no JSON form");
        return NULL;
    }
    struct buffer buffer;
    buffer_init(&buffer, JSON_TEXT);
    const char *text = NULL;
    if (json_write(&buffer, &value))
        text = arena_copy(arena, buffer.bytes, buffer.length);
    else
        node_error(node, error, XY_EINVAL, "this value is longer than 64 MiB as JSON");
    buffer_free(&buffer);
    return text;
}

static int write_json(const struct option_target *target, const struct node *node,
                      struct error *error)
{
    const char *text = option_json(target->arena, node, error);
    return text ? put_text(target, text) : error->code;
}

static int write_path(const struct option_target *target, const struct node *node,
                      struct error *error)
{
    const char *path = scalar_text(target, node, error);
    if (!path)
        return XY_EINVAL;
    if (!*path)
        return refuse_type(target, node, error);
    return put_text(target, file_path(target->arena, target->folder, path));
}

/* `cause` is why the value's text does not compile; its place is within the text. */
static int refuse_source(const struct option_target *target, const struct node *node,
                         const char *secret, const struct error *cause, struct error *error)
{
    error_set(error, XY_EINVAL, "%s: option `%s`: %.700s", target->where, target->option->name,
              node->secret ? secret : cause->text);
    error_at(error, "", cause->line, cause->column);
    node_place_within(node, error);
    return error_hint(error, "%s", node->secret ? "" : cause->hint);
}

static int write_expression(const struct option_target *target, const struct node *node,
                            struct error *error)
{
    const char *text = scalar_text(target, node, error);
    if (!text)
        return XY_EINVAL;
    struct error cause;
    struct expression *expression = expression_compile(node->text, &cause);
    if (!expression)
        return refuse_source(target, node, "an expression that does not compile", &cause, error);
    expression_free(expression);
    return put_text(target, text);
}

static int write_template(const struct option_target *target, const struct node *node,
                          struct error *error)
{
    const char *text = scalar_text(target, node, error);
    if (!text)
        return XY_EINVAL;
    struct error cause;
    struct template *template = template_compile(node->text, &cause);
    if (!template)
        return refuse_source(target, node, "a template that does not compile", &cause, error);
    template_free(template);
    return put_text(target, text);
}

/* A model, a learner or a dataset: what it is, the resolver knows. */
static int write_reference(const struct option_target *target, const struct node *node,
                           struct error *error)
{
    uint32_t type = target->option->type;
    bool may_be_map = type == XY_OPT_LEARNER && node->kind == NODE_MAP;
    if (!may_be_map) {
        const char *name = scalar_text(target, node, error);
        if (!name)
            return XY_EINVAL;
        if (!*name)
            return refuse_type(target, node, error);
    }
    const struct option_resolver *resolver = target->resolver;
    const void *found = NULL;
    *error = (struct error){0};
    if (type == XY_OPT_MODEL && resolver && resolver->model)
        found = resolver->model(resolver->data, node, error);
    else if (type == XY_OPT_LEARNER && resolver && resolver->learner)
        found = resolver->learner(resolver->data, node, error);
    else if (type == XY_OPT_DATASET && resolver && resolver->dataset)
        found = resolver->dataset(resolver->data, node, error);
    else
        return 0;
    put(target, &found, sizeof(found));
    return error->code;
}

int option_write(const struct option_target *target, const struct node *node, struct error *error)
{
    switch (target->option->type) {
    case XY_OPT_INT: case XY_OPT_NUMBER: case XY_OPT_SECONDS:
        return write_number(target, node, error);
    case XY_OPT_BOOL: return write_bool(target, node, error);
    case XY_OPT_TEXT: case XY_OPT_FIELD: return write_text(target, node, error);
    case XY_OPT_LIST: return write_list(target, node, error);
    case XY_OPT_JSON: return write_json(target, node, error);
    case XY_OPT_PATH: return write_path(target, node, error);
    case XY_OPT_EXPRESSION: return write_expression(target, node, error);
    case XY_OPT_TEMPLATE: return write_template(target, node, error);
    default: return write_reference(target, node, error);
    }
}

struct node *option_default_node(struct arena *arena, const xy_option *option,
                                 struct error *error)
{
    if (option->type == XY_OPT_LIST || option->type == XY_OPT_JSON)
        return node_read_text(arena, option->name, str_of(option->def), error);
    struct node *node = arena_alloc(arena, sizeof(*node));
    *node = (struct node){.kind = NODE_SCALAR, .file = "", .text = str_of(option->def)};
    return node;
}

int option_check_default(const xy_option *option, struct error *error)
{
    if (!option->def)
        return 0;
    struct arena arena = {0};
    struct option_target target = {.option = option, .where = "default", .arena = &arena};
    *error = (struct error){0};
    const struct node *node = option_default_node(&arena, option, error);
    int code = node ? option_write(&target, node, error) : XY_EINVAL;
    arena_free(&arena);
    return code < 0 ? code : 0;
}
