/* SPDX-License-Identifier: Apache-2.0 */
/* `accept:` and `write:`: how many records are wanted, and where they go. */
#include <string.h>

#include "pipeline_internal.h"

enum { CANDIDATES_PER_RECORD = 20, GROUPS = 10000 };

#define MOST_RECORDS INT64_C(1000000000000) /* times the groups and the candidates: fits 64 bits */

/* ---- accept ---------------------------------------------------------------------------------- */

/* The names of a map, or the texts of a list; NULL when it is neither. */
static const char **names_of(struct pipeline_reader *reader, const struct node *node)
{
    if (!node || node->kind == NODE_SCALAR || node->count == 0 || node->count > GROUPS)
        return NULL;
    const char **names = arena_alloc(reader->arena, (node->count + 1) * sizeof(*names));
    for (size_t i = 0; i < node->count; i++) {
        const struct node *name = node->kind == NODE_MAP ? node->keys[i] : node->items[i];
        if (name->kind != NODE_SCALAR)
            return NULL;
        names[i] = name->text.ptr;
    }
    return names;
}

/* The values that `per` can have, as far as the file tells: in the codebook under the field's name
 * or its plural, else in the options of the condition source that makes the field. */
static const char **find_groups(struct pipeline_reader *reader, const struct node *root,
                                const char *per)
{
    const struct node *codebook = pipeline_member(root, "codebook");
    const char *plural = arena_printf(reader->arena, "%ss", per);
    const char **names = names_of(reader, node_member(codebook, plural));
    if (!names)
        names = names_of(reader, node_member(codebook, per));
    for (size_t i = 0; !names && i < reader->entry_count; i++) {
        const struct step *step = reader->entries[i]->step;
        bool condition = step->type && step->type->stage.kind == XY_CONDITION;
        if (condition)
            names = names_of(reader, node_member(step->with, per));
    }
    return names;
}

static void read_accept(struct pipeline_reader *reader, const struct node *root)
{
    static const char *const keys[] = {"count", "per", "candidates", NULL};
    struct accept_spec *accept = &reader->pipeline->accept;
    const struct node *node = pipeline_member(root, "accept");
    int64_t count = 0;
    if (!node)
        return;
    if (!pipeline_member(root, "write"))
        pipeline_fail(reader, node, NULL, "`accept` needs `write:`, where the records go");
    if (node->kind == NODE_SCALAR) {
        pipeline_count(reader, root, "accept", 1, MOST_RECORDS, &count);
    } else if (pipeline_check_keys(reader, node, keys, "`accept`", NULL)) {
        if (!pipeline_member(node, "count"))
            pipeline_fail(reader, node, NULL, "`accept` needs `count:`");
        pipeline_count(reader, node, "count", 1, MOST_RECORDS, &count);
        pipeline_text(reader, node, "per", &accept->per);
    }
    accept->count = (uint64_t)count;
    uint64_t groups = 0;
    if (accept->per) {
        accept->groups = find_groups(reader, root, accept->per);
        while (accept->groups && accept->groups[groups])
            groups++;
    }
    uint64_t wanted = accept->count * (groups ? groups : 1);
    int64_t candidates = 0;
    accept->candidates = CANDIDATES_PER_RECORD * wanted;
    if (node->kind == NODE_MAP &&
        pipeline_count(reader, node, "candidates", 1, INT64_MAX, &candidates)) {
        accept->candidates = (uint64_t)candidates;
        if (accept->candidates < wanted)
            pipeline_fail(reader, node_member(node, "candidates"), NULL,
                          "`candidates`: %lld cannot give the %llu records that `accept` asks for",
                          (long long)candidates, (unsigned long long)wanted);
    }
}

/* ---- write ----------------------------------------------------------------------------------- */

/* Does `path` end in one of the space-separated `endings`? Gives the length of the match. */
static size_t match_ending(const char *path, const char *endings)
{
    size_t best = 0, path_length = strlen(path);
    while (endings && *endings) {
        size_t length = strcspn(endings, " ");
        bool fits = length > 0 && length <= path_length &&
                    memcmp(path + path_length - length, endings, length) == 0;
        if (fits && length > best)
            best = length;
        endings += length;
        endings += strspn(endings, " ");
    }
    return best;
}

/* The longest ending wins: ".chat.jsonl" before ".jsonl". */
static const struct stage_type *format_of_path(const struct registry *registry, const char *path)
{
    const struct stage_type *found = NULL;
    size_t best = 0;
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
        for (size_t i = 0; i < plugin->stage_count; i++) {
            const struct stage_type *type = &plugin->stages[i];
            if (type->stage.kind != XY_FORMAT)
                continue;
            size_t length = match_ending(path, type->format.endings);
            if (length > best) {
                best = length;
                found = type;
            }
        }
    }
    return found;
}

static const struct stage_type *find_format(struct pipeline_reader *reader,
                                            const struct node *map, const struct node *path_node,
                                            const char *path)
{
    const struct registry *registry = reader->pipeline->registry;
    const char *name = NULL;
    char found[NODE_SHOWN];
    const struct node *node = pipeline_member(map, "format");
    if (node && !pipeline_text(reader, map, "format", &name))
        return NULL;
    const struct stage_type *type =
        name ? registry_find(registry, XY_FORMAT, name) : format_of_path(registry, path);
    if (!type && name) {
        const char *nearest = registry_nearest(registry, XY_FORMAT, name);
        pipeline_fail(reader, node,
                      nearest ? arena_printf(reader->arena, "did you mean `%s`?", nearest)
                              : "`xylem plugins` lists what there is",
                      "unknown format %s", node_shown(node, found));
    } else if (!type) {
        pipeline_fail(reader, path_node, "name one with `format:`",
                      "no format goes by the ending of %s", node_shown(path_node, found));
    } else if (!type->format.write_open) {
        pipeline_fail(reader, node ? node : path_node, NULL, "the format `%s` reads only",
                      type->stage.id);
        type = NULL;
    }
    return type;
}

/* Without `from:`, the last step that changes the stream. */
static const char *last_stream(const struct pipeline *pipeline)
{
    for (size_t i = pipeline->step_count; i > 0; i--) {
        if (!step_is_evaluator(pipeline->steps[i - 1]))
            return pipeline->steps[i - 1]->id;
    }
    return NULL;
}

static void read_target(struct pipeline_reader *reader, const struct node *map,
                        struct write_spec *write)
{
    const char *path, *from;
    const struct node *path_node = pipeline_member(map, "path");
    if (!path_node)
        pipeline_fail(reader, map, NULL, "`write` needs `path:`");
    if (pipeline_text(reader, map, "path", &path)) {
        write->path = pipeline_absolute(reader, path);
        write->format = find_format(reader, map, path_node, path);
    }
    write->format_node = pipeline_member(map, "with");
    write->from = last_stream(reader->pipeline);
    if (pipeline_text(reader, map, "from", &from)) {
        struct entry *entry =
            pipeline_reference(reader, NULL, "", node_member(map, "from"), from);
        write->from = entry ? entry->step->id : NULL;
    }
    const char **fields;
    if (pipeline_texts(reader, map, "fields", &fields))
        write->fields = fields;
    pipeline_path(reader, map, "rejects", &write->rejects);
    if (write->format)
        pipeline_check_options(reader, NULL, write->format, write->format_node,
                               arena_printf(reader->arena, "format `%s`", write->format->stage.id),
                               path_node, NULL);
}

static void check_same_path(struct pipeline_reader *reader, const struct node *map,
                            const char *key, const char *path, const char *other)
{
    char found[NODE_SHOWN];
    const struct node *node = node_member(map, key);
    if (node && path && other && strcmp(path, other) == 0)
        pipeline_fail(reader, node, NULL, "`%s`: another output writes %s too", key,
                      node_shown(node, found));
}

static void read_write(struct pipeline_reader *reader, const struct node *root)
{
    static const char *const keys[] = {"path", "format", "from", "fields", "rejects", "with", NULL};
    struct pipeline *pipeline = reader->pipeline;
    struct node *node = node_member(root, "write");
    if (!node || node_is_null(node))
        return;
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    pipeline->writes = arena_alloc(reader->arena, (count + 1) * sizeof(*pipeline->writes));
    pipeline->write_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct node *map = node->kind == NODE_LIST ? node->items[i] : node;
        struct write_spec *write = &pipeline->writes[i];
        if (!pipeline_check_keys(reader, map, keys, "`write`", NULL))
            continue;
        read_target(reader, map, write);
        check_same_path(reader, map, "rejects", write->rejects, write->path);
        for (size_t j = 0; j < i; j++) {
            if (write->rejects && pipeline->writes[j].rejects)
                pipeline_fail(reader, pipeline_member(map, "rejects"), NULL,
                              "a second `rejects:`: one file has the rejects of all steps");
            check_same_path(reader, map, "path", write->path, pipeline->writes[j].path);
            check_same_path(reader, map, "path", write->path, pipeline->writes[j].rejects);
            check_same_path(reader, map, "rejects", write->rejects, pipeline->writes[j].path);
        }
    }
}

void pipeline_read_output(struct pipeline_reader *reader, const struct node *root)
{
    read_accept(reader, root);
    read_write(reader, root);
}
