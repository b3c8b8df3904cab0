/* SPDX-License-Identifier: Apache-2.0 */
/* What may change in a tree after reading: ${} substitution and --set. */
#include "node.h"

#include <stdlib.h>
#include <string.h>

enum { SUBSTITUTED_BYTES = NODE_BYTES, PATH_BYTES = 1024 };

struct substitution {
    struct arena *arena;
    const struct node *params;
    struct error_list *errors;
    struct buffer out;      /* of the scalar at hand */
    bool secret;
    bool text;              /* something was put in that was text where it came from */
    const struct node *whole; /* the parameter that takes the scalar's place, or NULL */
    size_t nodes;           /* put in so far: the same bound as for aliases */
};

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t name_length(xy_str text)
{
    size_t length = 0;
    while (length < text.len &&
           (is_name_start(text.ptr[length]) ||
            (length > 0 && text.ptr[length] >= '0' && text.ptr[length] <= '9')))
        length++;
    return length;
}

static void report(struct substitution *sub, const struct node *node, struct error *error)
{
    error_at(error, node->file, node->line, node->column);
    error_list_add(sub->errors, error);
}

static void put_environment(struct substitution *sub, const struct node *node, xy_str inside)
{
    struct error error;
    size_t length = name_length(inside);
    xy_str rest = {inside.ptr + length, inside.len - length};
    bool has_default = rest.len >= 2 && rest.ptr[0] == ':' && rest.ptr[1] == '-';
    if (length == 0 || (rest.len > 0 && !has_default)) {
        error_set(&error, XY_EINVAL, "`${%.*s}`: expected ${NAME}, ${NAME:-default} or "
                  "${params.NAME}", (int)(inside.len < 80 ? inside.len : 80), inside.ptr);
        error_hint(&error, "write $${ for a literal ${");
        report(sub, node, &error);
        return;
    }
    char *name = memory_copy_text(inside.ptr, length);
    const char *value = getenv(name);
    if (value && (value[0] || !has_default)) {
        buffer_append_text(&sub->out, value);
        sub->secret = true;
    } else if (has_default) {
        buffer_append(&sub->out, rest.ptr + 2, rest.len - 2);
    } else {
        error_set(&error, XY_EINVAL, "the environment variable %.80s is not set", name);
        error_hint(&error, "export it, or write ${%.80s:-default}", name);
        report(sub, node, &error);
    }
    free(name);
}

/* Reports a name that the file does not declare, with the nearest one that it does. */
static void unknown_parameter(struct substitution *sub, const struct node *node, xy_str name)
{
    struct error error;
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; sub->params && i < sub->params->count; i++)
        if (count < sizeof(names) / sizeof(names[0]))
            names[count++] = sub->params->keys[i]->text.ptr;
    int shown = (int)(name.len < 80 ? name.len : 80);
    error_set(&error, XY_EINVAL, "unknown parameter `%.*s`%s", shown, name.ptr,
              count ? "" : "; this file declares no `params:`");
    char word[81];
    snprintf(word, sizeof(word), "%.*s", shown, name.ptr);
    const char *nearest = nearest_name(word, names, count);
    if (nearest)
        error_hint(&error, "did you mean `%s`?", nearest);
    report(sub, node, &error);
}

static void put_parameter(struct substitution *sub, const struct node *node, xy_str name,
                          bool alone)
{
    struct error error;
    const struct node *value = NULL;
    for (size_t i = 0; sub->params && i < sub->params->count; i++)
        if (str_equal(sub->params->keys[i]->text, name))
            value = sub->params->items[i];
    int shown = (int)(name.len < 80 ? name.len : 80);
    if (!value) {
        unknown_parameter(sub, node, name);
        return;
    }
    /* In quotes a scalar is text, but a list or a map can only be meant whole. */
    if (alone && (node->plain || value->kind != NODE_SCALAR)) {
        sub->whole = value;
        return;
    }
    if (value->kind != NODE_SCALAR) {
        error_set(&error, XY_EINVAL, "the parameter `%.*s` is a %s and cannot stand within a text",
                  shown, name.ptr, value->kind == NODE_MAP ? "map" : "list");
        error_hint(&error, "let ${params.%.*s} be the whole value", shown, name.ptr);
        report(sub, node, &error);
        return;
    }
    if (!node_is_null(value))
        buffer_append_str(&sub->out, value->text);
    sub->secret = sub->secret || value->secret;
    sub->text = sub->text || !value->plain;
}

/* One ${...} whose text starts at `at`; returns the offset after it. */
static size_t put_reference(struct substitution *sub, const struct node *node, size_t at)
{
    xy_str text = node->text;
    const char *close = memchr(text.ptr + at, '}', text.len - at);
    if (!close) {
        struct error error;
        error_set(&error, XY_EINVAL, "`${` without its `}`");
        error_hint(&error, "write $${ for a literal ${");
        report(sub, node, &error);
        return text.len;
    }
    size_t end = (size_t)(close - text.ptr) + 1;
    xy_str inside = {text.ptr + at + 2, end - at - 3};
    if (inside.len >= 7 && memcmp(inside.ptr, "params.", 7) == 0) {
        xy_str name = {inside.ptr + 7, inside.len - 7};
        put_parameter(sub, node, name, at == 0 && end == text.len);
    } else {
        put_environment(sub, node, inside);
    }
    return end;
}

/* A parameter that is the whole value keeps its type and its place, be it a list or a map. */
static void replace_whole(struct substitution *sub, struct node *node)
{
    const struct node *value = sub->whole;
    int depth;
    sub->nodes += node_size(value, &depth);
    if (sub->nodes > NODE_LIMIT) {
        struct error error;
        error_set(&error, XY_EINVAL, "more than 100000 values after parameters are put in");
        report(sub, node, &error);
        return;
    }
    *node = *node_copy(sub->arena, value);
}

static void substitute_scalar(struct substitution *sub, struct node *node)
{
    if (node->text.len < 2 || !memchr(node->text.ptr, '$', node->text.len))
        return;
    buffer_clear(&sub->out);
    sub->secret = node->secret;
    sub->text = false;
    sub->whole = NULL;
    bool changed = false;
    for (size_t at = 0; at < node->text.len;) {
        xy_str rest = {node->text.ptr + at, node->text.len - at};
        if (rest.len >= 3 && memcmp(rest.ptr, "$${", 3) == 0) {
            buffer_append_text(&sub->out, "${");
            at += 3;
            changed = true;
        } else if (rest.len >= 2 && memcmp(rest.ptr, "${", 2) == 0) {
            at = put_reference(sub, node, at);
            changed = true;
        } else {
            buffer_append_char(&sub->out, rest.ptr[0]);
            at++;
        }
    }
    if (sub->whole) {
        replace_whole(sub, node);
        return;
    }
    if (!changed)
        return;
    if (sub->out.overflowed) {
        struct error error;
        error_set(&error, XY_EINVAL, "more than 16 MiB of text after substitution");
        report(sub, node, &error);
        return;
    }
    node->text = arena_str(sub->arena, buffer_str(&sub->out));
    node->secret = sub->secret;
    node->plain = node->plain && !sub->text;
}

static void substitute_tree(struct substitution *sub, struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        substitute_scalar(sub, node);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        substitute_tree(sub, node->items[i]);
}

int node_substitute(struct arena *arena, struct node *node, const struct node *params,
                    struct error_list *errors)
{
    struct substitution sub = {.arena = arena, .params = params, .errors = errors};
    size_t before = errors->total;
    buffer_init(&sub.out, SUBSTITUTED_BYTES);
    substitute_tree(&sub, node);
    buffer_free(&sub.out);
    return errors->total == before ? 0 : XY_EINVAL;
}

/* ---- --set ----------------------------------------------------------------------------------- */

/* The item that `name` stands for: by its `id:`, by its index, or by a `use:` that only one has. */
static struct node *list_item(const struct node *list, const char *name, size_t *index)
{
    struct node *found = NULL;
    size_t uses = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct node *id = node_member(list->items[i], "id");
        if (id && str_is(id->text, name)) {
            *index = i;
            return list->items[i];
        }
    }
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    if (name[0] >= '0' && name[0] <= '9' && *end == '\0') {
        *index = number;
        return number < list->count ? list->items[number] : NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct node *use = node_member(list->items[i], "use");
        if (!node_member(list->items[i], "id") && use && str_is(use->text, name)) {
            uses++;
            *index = i;
            found = list->items[i];
        }
    }
    return uses == 1 ? found : NULL;
}

static struct node *new_map(struct arena *arena, const char *file)
{
    struct node *map = arena_alloc(arena, sizeof(*map));
    map->kind = NODE_MAP;
    map->file = file;
    map->line = map->column = 1;
    return map;
}

static void map_put(struct arena *arena, struct node *map, const char *file, const char *name,
                    struct node *item)
{
    for (size_t i = 0; i < map->count; i++) {
        if (str_is(map->keys[i]->text, name)) {
            map->items[i] = item;
            return;
        }
    }
    struct node **items = arena_alloc(arena, (map->count + 1) * sizeof(*items));
    struct node **keys = arena_alloc(arena, (map->count + 1) * sizeof(*keys));
    if (map->count) {
        memcpy(items, map->items, map->count * sizeof(*items));
        memcpy(keys, map->keys, map->count * sizeof(*keys));
    }
    struct node *key = new_map(arena, file);
    key->kind = NODE_SCALAR;
    key->text = (xy_str){arena_copy(arena, name, strlen(name)), strlen(name)};
    keys[map->count] = key;
    items[map->count] = item;
    map->items = items;
    map->keys = keys;
    map->count++;
}

/* One step of the path: where `name` leads within `node`; puts `item` there when that is not NULL.
 * NULL with the error. */
static struct node *path_step(struct arena *arena, struct node *node, const char *file,
                              const char *name, struct node *item, struct error *error)
{
    if (node_is_null(node))
        *node = *new_map(arena, file);
    if (node->kind == NODE_SCALAR) {
        error_set(error, XY_EINVAL, "`%s` cannot be set: what is above it is no map and no list",
                  name);
        error_at(error, file, 0, 0);
        return NULL;
    }
    if (node->kind == NODE_MAP) {
        struct node *member = node_member(node, name);
        if (item || !member) {
            member = item ? item : new_map(arena, file);
            map_put(arena, node, file, name, member);
        }
        return member;
    }
    size_t index = 0;
    struct node *found = list_item(node, name, &index);
    if (!found) {
        error_set(error, XY_EINVAL, "no item `%s` in the list: expected an `id:` or an index "
                  "below %zu", name, node->count);
        error_at(error, file, 0, 0);
        return NULL;
    }
    if (item)
        node->items[index] = item;
    return item ? item : found;
}

int node_set(struct arena *arena, struct node *root, const char *path, xy_str text,
             struct error *error)
{
    const char *file = arena_printf(arena, "--set %.200s", path);
    if (strlen(path) >= PATH_BYTES || path[0] == '\0') {
        error_set(error, XY_EINVAL, "expected a path such as models.teacher.use before `=`");
        return error_at(error, "--set", 0, 0);
    }
    struct node *value = node_read_text(arena, file, text, error);
    if (!value)
        return error->code;
    char *parts = arena_copy(arena, path, strlen(path));
    int depth = 0, below;
    node_size(value, &below);
    struct node *node = root;
    for (char *part = parts, *next; part; part = next) {
        next = strchr(part, '.');
        if (next)
            *next++ = '\0';
        if (part[0] == '\0' || ++depth + below > NODE_DEPTH) {
            error_set(error, XY_EINVAL, part[0] ? "nested more than 64 levels deep"
                                                : "an empty name in the path");
            return error_at(error, file, 0, 0);
        }
        node = path_step(arena, node, file, part, next ? NULL : value, error);
        if (!node)
            return error->code;
    }
    return 0;
}
