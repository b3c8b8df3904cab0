/* SPDX-License-Identifier: Apache-2.0 */
/* First pass: a struct step for each step of the file, so that every id is known. */
#include <stdlib.h>
#include <string.h>

#include "pipeline_internal.h"

/* ---- what a step may say --------------------------------------------------------------------- */

static const char *const stage_keys[] = {"id",     "use",          "with", "from", "when",
                                         "expect", "expect_calls", NULL};
static const char *const repeat_keys[] = {"id", "repeat", "steps", "from", "expect", NULL};

static const struct {
    const char *use;
    enum step_kind kind;
    const char *where;
    const char *const *keys;
} calls[] = {
    {"generate", STEP_GENERATE, "a generate step",
     (const char *const[]){"id", "use", "from", "when", "model", "prompt", "output", "samples",
                           "params", "tools", "tool_rounds", "conversation", "expect",
                           "expect_calls", NULL}},
    {"score", STEP_SCORE, "a score step",
     (const char *const[]){"id", "use", "from", "when", "model", "prompt", "candidates", "into",
                           "normalize_length", "calibrate", "content_free", "params", "expect",
                           "expect_calls", NULL}},
    {"embed", STEP_EMBED, "an embed step",
     (const char *const[]){"id", "use", "from", "when", "model", "text", "into", "expect",
                           "expect_calls", NULL}},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

/* ---- which stage a name means ---------------------------------------------------------------- */

static const uint32_t step_kinds[] = {XY_CONDITION, XY_FILTER, XY_ENHANCER, XY_EVALUATOR};

enum { STEP_KINDS = sizeof(step_kinds) / sizeof(step_kinds[0]) };

static const char *with_article(struct pipeline_reader *reader, uint32_t kind)
{
    const char *name = kind_name(kind);
    return arena_printf(reader->arena, "%s %s", strchr("aeiou", name[0]) ? "an" : "a", name);
}

static void report_unknown(struct pipeline_reader *reader, const struct node *node,
                           const char *name)
{
    const struct registry *registry = reader->pipeline->registry;
    char found[NODE_SHOWN];
    node_shown(node, found);
    const struct stage_type *other = registry_find(registry, 0, name);
    if (other) {
        const char *hint = other->stage.kind == XY_GENERATOR ? "describe it under `models:`" : NULL;
        pipeline_fail(reader, node, hint,
                      "%s is %s, expected a condition, filter, enhancer or evaluator", found,
                      with_article(reader, other->stage.kind));
        return;
    }
    const char *names[CALLS + STEP_KINDS];
    size_t count = 0;
    for (size_t i = 0; i < CALLS; i++)
        names[count++] = calls[i].use;
    for (size_t i = 0; i < STEP_KINDS; i++) {
        const char *nearest = registry_nearest(registry, step_kinds[i], name);
        if (nearest)
            names[count++] = nearest;
    }
    const char *hint = pipeline_nearest(reader, name, names, count);
    pipeline_fail(reader, node, hint ? hint : "`xylem plugins` lists what there is",
                  "unknown stage %s", found);
}

static const struct stage_type *find_of_kind(struct pipeline_reader *reader,
                                             const struct node *node, uint32_t kind,
                                             const char *name)
{
    const struct registry *registry = reader->pipeline->registry;
    char found[NODE_SHOWN];
    bool allowed = kind == XY_CONDITION || kind == XY_FILTER || kind == XY_ENHANCER ||
                   kind == XY_EVALUATOR;
    if (!allowed) {
        pipeline_fail(reader, node, NULL,
                      "%s: expected condition/, filter/, enhancer/ or evaluator/ before the name",
                      node_shown(node, found));
        return NULL;
    }
    const struct stage_type *type = registry_find(registry, kind, name);
    if (!type) {
        const char *nearest = registry_nearest(registry, kind, name);
        pipeline_fail(reader, node,
                      nearest ? arena_printf(reader->arena, "did you mean `%s/%s`?",
                                             kind_name(kind), nearest)
                              : "`xylem plugins` lists what there is",
                      "unknown %s %s", kind_name(kind), node_shown(node, found));
    }
    return type;
}

/* `use: NAME`, or `use: KIND/NAME` where two kinds have a stage of that name. */
const struct stage_type *pipeline_find_stage(struct pipeline_reader *reader,
                                             const struct node *node, const char *use)
{
    const struct registry *registry = reader->pipeline->registry;
    const char *slash = strchr(use, '/');
    if (slash) {
        const char *word = arena_copy(reader->arena, use, (size_t)(slash - use));
        return find_of_kind(reader, node, kind_of(word), slash + 1);
    }
    const struct stage_type *first = NULL;
    for (size_t i = 0; i < STEP_KINDS; i++) {
        const struct stage_type *type = registry_find(registry, step_kinds[i], use);
        if (type && first) {
            const char *one = kind_name(first->stage.kind), *two = kind_name(type->stage.kind);
            pipeline_fail(reader, node,
                          arena_printf(reader->arena, "write %s/%s or %s/%s", one, use, two, use),
                          "`%s` is %s and %s", use, with_article(reader, first->stage.kind),
                          with_article(reader, type->stage.kind));
            return NULL;
        }
        first = type ? type : first;
    }
    if (!first)
        report_unknown(reader, node, use);
    return first;
}

/* ---- one step -------------------------------------------------------------------------------- */

static struct entry *add_entry(struct pipeline_reader *reader, struct step *step,
                               const char *prefix, struct entry *container)
{
    struct entry *entry = arena_alloc(reader->arena, sizeof(*entry));
    *entry = (struct entry){
        .step = step,
        .prefix = prefix,
        .container = container,
        .order = reader->entry_count,
        .from_node = pipeline_member(step->node, "from"),
        .from_prefix = prefix,
    };
    reader->entries = memory_resize(reader->entries, reader->entry_count + 1,
                                    sizeof(struct entry *));
    reader->entries[reader->entry_count++] = entry;
    return entry;
}

void pipeline_append_step(struct pipeline_reader *reader, struct step ***steps, size_t *count,
                          struct step *step)
{
    if ((*count & (*count - 1)) == 0) {
        struct step **grown = arena_alloc(reader->arena, (*count ? *count * 2 : 1) * sizeof(step));
        if (*count)
            memcpy(grown, *steps, *count * sizeof(step));
        *steps = grown;
    }
    (*steps)[(*count)++] = step;
}

/* The id that the file gives, or the last part of what it uses. */
static const char *step_id(struct pipeline_reader *reader, const struct node *item,
                           const char *prefix, const char *use)
{
    const char *id;
    if (pipeline_text(reader, item, "id", &id)) {
        pipeline_check_name(reader, pipeline_member(item, "id"), id, "`id`");
    } else {
        const char *slash = strrchr(use, '/');
        id = slash ? slash + 1 : use;
    }
    return arena_printf(reader->arena, "%s%s", prefix, id);
}

static struct step *make_step(struct pipeline_reader *reader, const struct node *item,
                              const char *prefix, enum step_kind kind, const char *use)
{
    struct step *step = arena_alloc(reader->arena, sizeof(*step));
    step->kind = kind;
    step->node = item;
    step->id = step_id(reader, item, prefix, use);
    return step;
}

static struct step *read_used(struct pipeline_reader *reader, const struct node *item,
                              const char *prefix)
{
    const char *use;
    if (!pipeline_text(reader, item, "use", &use)) {
        if (!pipeline_member(item, "use"))
            pipeline_fail(reader, item, NULL, "a step needs `use:`, `repeat:` or `include:`");
        return NULL;
    }
    for (size_t i = 0; i < CALLS; i++) {
        if (strcmp(use, calls[i].use) == 0) {
            pipeline_check_keys(reader, item, calls[i].keys, calls[i].where, NULL);
            return make_step(reader, item, prefix, calls[i].kind, use);
        }
    }
    struct step *step = make_step(reader, item, prefix, STEP_STAGE, use);
    step->type = pipeline_find_stage(reader, pipeline_member(item, "use"), use);
    if (step->type)
        pipeline_check_keys(reader, item, stage_keys,
                            arena_printf(reader->arena, "step `%s`", step->id),
                            step->type->options);
    step->with = pipeline_member(item, "with");
    return step;
}

static void read_repeat(struct pipeline_reader *reader, const struct node *item,
                        const char *prefix, struct entry *container, struct step ***steps,
                        size_t *count)
{
    static const char *const known[] = {"times", "until", NULL};
    const struct node *repeat = pipeline_member(item, "repeat");
    pipeline_check_keys(reader, item, repeat_keys, "a repeat", NULL);
    struct step *step = make_step(reader, item, prefix, STEP_REPEAT, "repeat");
    struct entry *entry = add_entry(reader, step, prefix, container);
    pipeline_append_step(reader, steps, count, step);
    int64_t times = 0;
    bool numbered = repeat->kind == NODE_SCALAR
                        ? pipeline_count(reader, item, "repeat", 1, 1000000, &times)
                        : pipeline_check_keys(reader, repeat, known, "`repeat`", NULL) &&
                              pipeline_count(reader, repeat, "times", 1, 1000000, &times);
    step->times = (uint32_t)times;
    if (!numbered && repeat->kind == NODE_MAP && !pipeline_member(repeat, "times"))
        pipeline_fail(reader, repeat, NULL,
                      "`repeat` needs `times:`, the most rounds that may be paid for");
    const struct node *list = pipeline_member(item, "steps");
    if (list)
        pipeline_collect(reader, list, prefix, entry, &step->steps, &step->step_count);
    else
        pipeline_fail(reader, item, NULL, "a repeat needs `steps:`");
}

static void read_item(struct pipeline_reader *reader, const struct node *item, const char *prefix,
                      struct entry *container, struct step ***steps, size_t *count)
{
    char found[NODE_SHOWN];
    if (item->kind != NODE_MAP) {
        pipeline_fail(reader, item, "write `- use: NAME`", "a step: expected a map, found %s",
                      node_shown(item, found));
        return;
    }
    bool use = node_member(item, "use"), repeat = pipeline_member(item, "repeat"),
         include = pipeline_member(item, "include");
    if (use + repeat + include > 1) {
        pipeline_fail(reader, item, NULL, "a step has one of `use:`, `repeat:` and `include:`");
        return;
    }
    if (include) {
        pipeline_include(reader, item, prefix, container, steps, count);
    } else if (repeat) {
        read_repeat(reader, item, prefix, container, steps, count);
    } else {
        struct step *step = read_used(reader, item, prefix);
        if (!step)
            return;
        add_entry(reader, step, prefix, container);
        pipeline_append_step(reader, steps, count, step);
    }
}

void pipeline_collect(struct pipeline_reader *reader, const struct node *list, const char *prefix,
                      struct entry *container, struct step ***steps, size_t *count)
{
    char found[NODE_SHOWN];
    if (list->kind != NODE_LIST) {
        pipeline_fail(reader, list, NULL, "`steps`: expected a list, found %s",
                      node_shown(list, found));
        return;
    }
    if (list->count == 0)
        pipeline_fail(reader, list, NULL, "`steps`: an empty list");
    for (size_t i = 0; i < list->count; i++) {
        if (reader->entry_count >= STEP_LIMIT) {
            pipeline_fail(reader, list->items[i], NULL, "more than %d steps", STEP_LIMIT);
            return;
        }
        read_item(reader, list->items[i], prefix, container, steps, count);
    }
}
