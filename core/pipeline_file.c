/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a pipeline, its own or an included one: read, --set, head, parameters, hash. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "pipeline_internal.h"

static bool apply_sets(struct pipeline_reader *reader, struct node *root, const char *const *sets)
{
    size_t before = reader->errors->total;
    for (; sets && *sets; sets++) {
        struct error error;
        const char *equals = strchr(*sets, '=');
        if (!equals) {
            error_set(&error, XY_EINVAL, "`%.200s`: expected path=value", *sets);
            error_at(&error, "--set", 0, 0);
            error_list_add(reader->errors, &error);
            continue;
        }
        char *path = memory_copy_text(*sets, (size_t)(equals - *sets));
        if (node_set(reader->arena, root, path, str_of(equals + 1), &error) < 0)
            error_list_add(reader->errors, &error);
        free(path);
    }
    return reader->errors->total == before;
}

/* Puts the models of the user's file in the place of those of the same name, so that one file with
 * a teacher and an embedder serves every pipeline that has such roles. */
static bool apply_models(struct pipeline_reader *reader, struct node *root)
{
    static const char *const known[] = {"models", NULL};
    struct error error = {0};
    char found[NODE_SHOWN];
    size_t before = reader->errors->total;
    struct node *given = node_read_file(reader->arena, reader->models_file, &error);
    if (!given) {
        error_list_add(reader->errors, &error);
        return false;
    }
    if (!pipeline_check_keys(reader, given, known, "a file of models", NULL))
        return false;
    struct node *models = node_member(given, "models");
    struct node *own = node_member(root, "models");
    if (!models || models->kind != NODE_MAP)
        pipeline_fail(reader, models ? models : given, NULL,
                      "expected `models:` with a map of models, found %s",
                      models ? node_shown(models, found) : "none");
    for (size_t i = 0; models && own && own->kind == NODE_MAP && i < own->count; i++) {
        struct node *model = node_member(models, own->keys[i]->text.ptr);
        if (model)
            own->items[i] = model;
    }
    return reader->errors->total == before;
}

static void check_version(struct pipeline_reader *reader, const struct node *root)
{
    char found[NODE_SHOWN];
    const struct node *version = pipeline_member(root, "xylem");
    if (!version)
        pipeline_fail(reader, root, "write `xylem: 1` at the top",
                      "no `xylem:`, the version of the file format");
    else if (version->kind != NODE_SCALAR || !str_is(version->text, "1"))
        pipeline_fail(reader, version, NULL,
                      "`xylem`: expected 1, the version that this program reads, found %s",
                      node_shown(version, found));
}

static bool came_by_set(const struct node *key)
{
    return strncmp(key->file, "--set", 5) == 0;
}

/* Parameters that the file does not declare. */
static void check_given(struct pipeline_reader *reader, const struct node *declared,
                        const struct node *given, const char *path)
{
    enum { MOST = 64 };
    const char *names[MOST];
    char found[NODE_SHOWN];
    size_t count = 0;
    for (size_t i = 0; declared && i < declared->count && count < MOST; i++) {
        if (!came_by_set(declared->keys[i]))
            names[count++] = declared->keys[i]->text.ptr;
    }
    for (size_t i = 0; given && i < given->count; i++) {
        const struct node *key = given->keys[i];
        bool added = given == declared && came_by_set(key);
        bool known = node_member(declared, key->text.ptr) && !added;
        if (!known)
            pipeline_fail(reader, key, pipeline_nearest(reader, key->text.ptr, names, count),
                          "%s declares no parameter %s", path, node_shown(key, found));
    }
}

/* The file's parameters with what was given in place of their defaults; NULL when it has none. */
static struct node *merge_params(struct pipeline_reader *reader, const struct node *root,
                                 const struct node *place, const char *path,
                                 const struct node *given)
{
    char found[NODE_SHOWN];
    const struct node *declared = pipeline_member(root, "params");
    if (declared && declared->kind != NODE_MAP) {
        pipeline_fail(reader, declared, NULL, "`params`: expected a map of defaults, found %s",
                      node_shown(declared, found));
        declared = NULL;
    }
    check_given(reader, declared, place ? given : declared, path);
    if (!declared)
        return NULL;
    struct node *merged = node_copy(reader->arena, declared);
    node_substitute(reader->arena, merged, NULL, reader->errors);
    for (size_t i = 0; i < merged->count; i++) {
        struct node *value = node_member(given, merged->keys[i]->text.ptr);
        if (value)
            merged->items[i] = value;
        if (!node_is_null(merged->items[i]))
            continue;
        const char *name = merged->keys[i]->text.ptr;
        if (place)
            pipeline_fail(reader, place, NULL, "%s needs the parameter `%s`", path, name);
        else
            pipeline_fail(reader, merged->keys[i],
                          arena_printf(reader->arena, "give it with --set params.%s=...", name),
                          "the parameter `%s` has no default", name);
    }
    return merged;
}

static void hash_node(XXH3_state_t *hash, const struct node *node)
{
    char head[32];
    bool hidden = node->kind == NODE_SCALAR && node->secret;
    int length = snprintf(head, sizeof(head), "%d%d%d:%zu:", (int)node->kind, node->plain, hidden,
                          node->kind == NODE_SCALAR && !hidden ? node->text.len : node->count);
    XXH3_64bits_update(hash, head, (size_t)length);
    if (node->kind == NODE_SCALAR && !hidden)
        XXH3_64bits_update(hash, node->text.ptr, node->text.len);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP)
            hash_node(hash, node->keys[i]);
        hash_node(hash, node->items[i]);
    }
}

struct node *pipeline_open_file(struct pipeline_reader *reader, const char *path,
                                const struct node *place, const char *const *known,
                                const char *const *sets, const struct node *given)
{
    struct error error = {0};
    struct node *root = node_read_file(reader->arena, path, &error);
    if (!root) {
        if (place && error.code == XY_EIO)
            error_at(&error, place->file, place->line, place->column);
        error_list_add(reader->errors, &error);
        return NULL;
    }
    if (node_is_null(root)) {
        pipeline_fail(reader, root, NULL, "the file is empty, expected a pipeline");
        return NULL;
    }
    if (root->kind != NODE_MAP) {
        char found[NODE_SHOWN];
        pipeline_fail(reader, root, NULL, "expected a pipeline's map of keys, found %s",
                      node_shown(root, found));
        return NULL;
    }
    if (!place && reader->models_file && !apply_models(reader, root))
        return NULL;
    if (!apply_sets(reader, root, sets))
        return NULL;
    pipeline_check_keys(reader, root, known, place ? "an included file" : "the pipeline", NULL);
    check_version(reader, root);
    size_t before = reader->errors->total;
    struct node *params = merge_params(reader, root, place, path, given);
    if (reader->errors->total > before)
        return NULL; /* what a missing parameter would make wrong is no news */
    for (size_t i = 0; i < root->count; i++) {
        if (!str_is(root->keys[i]->text, "params"))
            node_substitute(reader->arena, root->items[i], params, reader->errors);
    }
    hash_node(reader->hash, root);
    return root;
}
