/* SPDX-License-Identifier: Apache-2.0 */
/* What a name means where it stands, and in which order datasets may be read. */
#include <stdlib.h>
#include <string.h>

#include "pipeline_internal.h"

/* A step that was named before its turn. */
struct late {
    struct entry *entry, *target;
    const struct node *node;
    struct late *next;
};

static bool is_evaluator(const struct step *step)
{
    return step->kind == STEP_STAGE && step->type && step->type->stage.kind == XY_EVALUATOR;
}

static struct entry *last_of_block(const struct pipeline_reader *reader,
                                   const struct block *block)
{
    for (size_t i = block->end; i > block->first; i--) {
        struct entry *entry = reader->entries[i - 1];
        if (entry->container == block->container && !is_evaluator(entry->step))
            return entry;
    }
    return NULL;
}

static struct entry *find_exact(const struct pipeline_reader *reader, const char *id)
{
    for (size_t i = 0; i < reader->entry_count; i++) {
        if (strcmp(reader->entries[i]->step->id, id) == 0)
            return reader->entries[i];
    }
    for (size_t i = 0; i < reader->block_count; i++) {
        if (strcmp(reader->blocks[i]->id, id) == 0)
            return last_of_block(reader, reader->blocks[i]);
    }
    return NULL;
}

struct entry *pipeline_find_entry(struct pipeline_reader *reader, const char *prefix,
                                  const char *name)
{
    size_t length = strlen(prefix);
    struct buffer id;
    buffer_init(&id, 1 << 16);
    struct entry *found = NULL;
    for (;;) {
        buffer_clear(&id);
        buffer_append(&id, prefix, length);
        buffer_append_text(&id, name);
        found = id.bytes ? find_exact(reader, id.bytes) : NULL;
        if (found || length == 0)
            break;
        /* "a/b/" without its last name is "a/". */
        length--;
        while (length > 0 && prefix[length - 1] != '/')
            length--;
    }
    buffer_free(&id);
    return found;
}

void pipeline_add_edge(struct pipeline_reader *reader, struct entry *entry, struct entry *to)
{
    struct entry **edges = arena_alloc(reader->arena, (entry->edge_count + 1) * sizeof(*edges));
    if (entry->edge_count)
        memcpy(edges, entry->edges, entry->edge_count * sizeof(*edges));
    edges[entry->edge_count++] = to;
    entry->edges = edges;
}

static const char *nearest_step(struct pipeline_reader *reader, const char *name)
{
    size_t count = 0;
    const char **names = memory_resize(NULL, reader->entry_count + reader->block_count + 1,
                                       sizeof(*names));
    for (size_t i = 0; i < reader->entry_count; i++)
        names[count++] = reader->entries[i]->step->id;
    for (size_t i = 0; i < reader->block_count; i++)
        names[count++] = reader->blocks[i]->id;
    const char *hint = pipeline_nearest(reader, name, names, count);
    free(names);
    return hint;
}

/* May somebody in `container` see the insides of `target`'s container? */
static bool is_visible(const struct entry *container, const struct entry *target)
{
    if (!target->container)
        return true;
    for (; container; container = container->container) {
        if (container == target->container)
            return true;
    }
    return false;
}

struct entry *pipeline_reference(struct pipeline_reader *reader, struct entry *entry,
                                 const char *prefix, const struct node *node, const char *name)
{
    struct entry *target = pipeline_find_entry(reader, prefix, name);
    char found[NODE_SHOWN];
    node_shown(node, found);
    if (!target) {
        pipeline_fail(reader, node, nearest_step(reader, name), "unknown step %s", found);
        return NULL;
    }
    if (entry)
        pipeline_add_edge(reader, entry, target);
    if (target == entry) {
        pipeline_fail(reader, node, NULL, "`%s` reads itself", name);
        return NULL;
    }
    if (is_evaluator(target->step)) {
        pipeline_fail(reader, node, NULL, "%s is an evaluator: it makes no records to read", found);
        return NULL;
    }
    if (!is_visible(entry ? entry->container : NULL, target)) {
        const char *outer = target->container->step->id;
        pipeline_fail(reader, node, arena_printf(reader->arena, "read `%s`", outer),
                      "%s is inside the repeat `%s`", found, outer);
        return NULL;
    }
    if (entry && target->order > entry->order) {
        struct late *late = arena_alloc(reader->arena, sizeof(*late));
        *late = (struct late){entry, target, node, reader->late};
        reader->late = late;
        return NULL;
    }
    return target;
}

/* Does `from` read `to`, over any number of steps? `seen` is by order. */
static bool reaches(const struct entry *from, const struct entry *to, bool *seen)
{
    if (from == to)
        return true;
    if (seen[from->order])
        return false;
    seen[from->order] = true;
    for (size_t i = 0; i < from->edge_count; i++) {
        if (reaches(from->edges[i], to, seen))
            return true;
    }
    return false;
}

void pipeline_check_late(struct pipeline_reader *reader)
{
    bool *seen = memory_zeroed(reader->entry_count + 1, sizeof(*seen));
    struct late *forward = NULL;
    while (reader->late) { /* they were put in front: turn them round */
        struct late *next = reader->late->next;
        reader->late->next = forward;
        forward = reader->late;
        reader->late = next;
    }
    for (; forward; forward = forward->next) {
        const char *name = forward->entry->step->id, *target = forward->target->step->id;
        memset(seen, 0, reader->entry_count);
        if (reaches(forward->target, forward->entry, seen))
            pipeline_fail(reader, forward->node, NULL,
                          "a cycle: `%s` reads `%s`, which in the end reads `%s`", name, target,
                          name);
        else
            pipeline_fail(reader, forward->node,
                          arena_printf(reader->arena, "move `%s` before `%s`", target, name),
                          "`%s` comes later: a step reads from steps before it", target);
    }
    free(seen);
}
