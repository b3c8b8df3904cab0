/* SPDX-License-Identifier: Apache-2.0 */
/* `include:` puts the steps of another file in the place of one step. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_internal.h"

/* The path as the includer names it, so that messages show what the user can open. */
static const char *included_path(struct pipeline_reader *reader, const struct node *item,
                                 const char *path)
{
    const char *slash = strrchr(item->file, '/');
    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(reader->arena, "%.*s/%s", (int)(slash - item->file), item->file, path);
}

/* Opens the ring's next link; false, with a report, when the file is open already. */
static bool enter_file(struct pipeline_reader *reader, const struct node *node, const char *path)
{
    char real[PATH_MAX], found[NODE_SHOWN];
    if (!realpath(path, real)) {
        pipeline_fail(reader, node, NULL, "`include`: %s cannot be opened: %s",
                      node_shown(node, found), strerror(errno));
        return false;
    }
    for (int i = 0; i < reader->open_count; i++) {
        if (strcmp(reader->open_files[i], real) == 0) {
            pipeline_fail(reader, node, NULL, "`include`: %s includes itself",
                          node_shown(node, found));
            return false;
        }
    }
    if (reader->open_count == INCLUDE_DEPTH || reader->includes == INCLUDE_LIMIT) {
        pipeline_fail(reader, node, NULL, "`include`: more than %d files within each other, or "
                      "%d in all", INCLUDE_DEPTH, INCLUDE_LIMIT);
        return false;
    }
    reader->includes++;
    reader->open_files[reader->open_count++] = arena_copy(reader->arena, real, strlen(real));
    return true;
}

/* The name of the block: its `id:`, or the file's name without folder and ending. */
static const char *block_name(struct pipeline_reader *reader, const struct node *item,
                              const char *path)
{
    const char *id;
    if (pipeline_text(reader, item, "id", &id)) {
        pipeline_check_name(reader, pipeline_member(item, "id"), id, "`id`");
        return id;
    }
    const char *slash = strrchr(path, '/');
    const char *start = slash ? slash + 1 : path;
    size_t length = strcspn(start, ".");
    const char *name = arena_copy(reader->arena, start, length);
    pipeline_check_name(reader, pipeline_member(item, "include"), name,
                        "the file's name as an id (give one with `id:`)");
    return name;
}

static struct block *add_block(struct pipeline_reader *reader, const struct node *item,
                               const char *id, struct entry *container)
{
    struct block *block = arena_alloc(reader->arena, sizeof(*block));
    *block = (struct block){.id = id, .container = container, .node = item,
                            .first = reader->entry_count};
    reader->blocks = memory_resize(reader->blocks, reader->block_count + 1,
                                   sizeof(struct block *));
    reader->blocks[reader->block_count++] = block;
    return block;
}

/* The block's `from:` is that of its first step. */
static void pass_from(struct pipeline_reader *reader, const struct node *item, const char *prefix,
                      const struct block *block)
{
    const struct node *from = pipeline_member(item, "from");
    if (!from || block->first == block->end)
        return;
    struct entry *entry = reader->entries[block->first];
    if (entry->from_node) {
        pipeline_fail(reader, from, NULL, "`from`: the first included step has its own");
        return;
    }
    entry->from_node = from;
    entry->from_prefix = prefix;
}

void pipeline_include(struct pipeline_reader *reader, const struct node *item, const char *prefix,
                      struct entry *container, struct step ***steps, size_t *count)
{
    static const char *const keys[] = {"id", "include", "params", "from", NULL};
    static const char *const file_keys[] = {"xylem", "name", "params", "steps", NULL};
    const char *given_path;
    char found[NODE_SHOWN];
    pipeline_check_keys(reader, item, keys, "an include", NULL);
    if (!pipeline_text(reader, item, "include", &given_path))
        return;
    const struct node *node = pipeline_member(item, "include");
    const char *path = included_path(reader, item, given_path);
    const char *name = block_name(reader, item, given_path);
    const struct node *params = pipeline_member(item, "params");
    if (params && params->kind != NODE_MAP) {
        pipeline_fail(reader, params, NULL, "`params`: expected a map, found %s",
                      node_shown(params, found));
        return;
    }
    if (!enter_file(reader, node, path))
        return;
    struct node *root = pipeline_open_file(reader, path, node, file_keys, NULL, params);
    if (root) {
        const char *id = arena_printf(reader->arena, "%s%s", prefix, name);
        struct block *block = add_block(reader, item, id, container);
        const struct node *list = pipeline_member(root, "steps");
        if (list)
            pipeline_collect(reader, list, arena_printf(reader->arena, "%s/", id), container,
                             steps, count);
        else
            pipeline_fail(reader, root, NULL, "an included file needs `steps:`");
        block->end = reader->entry_count;
        pass_from(reader, item, prefix, block);
    }
    reader->open_count--;
}
