/* SPDX-License-Identifier: Apache-2.0 */
/* Second pass: what the steps name, now that every step is known. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline_internal.h"

/* The stream that a step without `from:` reads, as the walk goes down the file. */
struct stream {
    struct entry *current; /* NULL: nothing has made records yet */
};

/* ---- references in options ------------------------------------------------------------------- */

struct asking {
    struct pipeline_reader *reader;
    struct entry *entry; /* NULL: of no step */
    const char *where;
};

static const xy_model *resolve_model(void *data, const struct node *node, struct error *error)
{
    const struct asking *asking = data;
    char found[NODE_SHOWN];
    const struct model_spec *model = pipeline_find_model(asking->reader, node->text);
    if (model)
        return NULL; /* no instance exists while a file is checked */
    node_error(node, error, XY_EINVAL, "%s: unknown model %s", asking->where,
               node_shown(node, found));
    error_hint(error, "%s", pipeline_nearest_model(asking->reader, node->text.ptr));
    return NULL;
}

static const xy_student *resolve_learner(void *data, const struct node *node,
                                         struct error *error)
{
    static const char *const ignore[] = {"use", NULL};
    const struct asking *asking = data;
    const struct registry *registry = asking->reader->pipeline->registry;
    char found[NODE_SHOWN];
    const struct node *use = node->kind == NODE_MAP ? pipeline_member(node, "use") : node;
    if (!use || use->kind != NODE_SCALAR) {
        node_error(node, error, XY_EINVAL, "%s: a learner needs `use:`", asking->where);
        return NULL;
    }
    const struct stage_type *type = registry_find(registry, XY_LEARNER, use->text.ptr);
    if (!type) {
        const char *nearest = registry_nearest(registry, XY_LEARNER, use->text.ptr);
        node_error(use, error, XY_EINVAL, "%s: unknown learner %s", asking->where,
                   node_shown(use, found));
        error_hint(error, nearest ? "did you mean `%s`?" : "`xylem plugins` lists what there is",
                   nearest);
        return NULL;
    }
    pipeline_check_options(asking->reader, asking->entry, type,
                           node->kind == NODE_MAP ? node : NULL,
                           arena_printf(asking->reader->arena, "learner `%s`", use->text.ptr),
                           node, ignore);
    return NULL;
}

static void add_use(struct pipeline_reader *reader, struct step *step, const char *id)
{
    size_t count = 0;
    while (step->uses && step->uses[count])
        count++;
    const char **uses = arena_alloc(reader->arena, (count + 2) * sizeof(*uses));
    if (count)
        memcpy(uses, step->uses, count * sizeof(*uses));
    uses[count] = id;
    step->uses = uses;
}

/* A step's id first; else a path, which must be there before anything is paid. */
static xy_dataset *resolve_dataset(void *data, const struct node *node, struct error *error)
{
    const struct asking *asking = data;
    struct pipeline_reader *reader = asking->reader;
    char found[NODE_SHOWN];
    const char *name = node->text.ptr;
    const char *prefix = asking->entry ? asking->entry->prefix : "";
    bool path = strpbrk(name, "./") != NULL;
    if (pipeline_find_entry(reader, prefix, name) || !path) {
        struct entry *target = pipeline_reference(reader, asking->entry, prefix, node, name);
        if (target && asking->entry)
            add_use(reader, asking->entry->step, target->step->id);
        return NULL;
    }
    if (access(pipeline_absolute(reader, name), R_OK) != 0)
        node_error(node, error, XY_EINVAL, "%s: no step %s, and the file cannot be read: %s",
                   asking->where, node_shown(node, found), strerror(errno));
    return NULL;
}

void pipeline_check_options(struct pipeline_reader *reader, struct entry *entry,
                            const struct stage_type *type, const struct node *with,
                            const char *where, const struct node *place, const char *const *ignore)
{
    struct asking asking = {reader, entry, where};
    struct option_resolver resolver = {resolve_model, resolve_learner, resolve_dataset, &asking};
    options_apply(type->options, with, where, place, reader->pipeline->folder, ignore, &resolver,
                  reader->arena, NULL, reader->errors);
}

/* ---- streams --------------------------------------------------------------------------------- */

bool step_is_source(const struct step *step)
{
    return step->from_nothing;
}

bool step_is_evaluator(const struct step *step)
{
    return step->kind == STEP_STAGE && step->type && step->type->stage.kind == XY_EVALUATOR;
}

bool step_is_dataset(const struct step *step)
{
    return step->kind == STEP_STAGE && step->type && (step->type->stage.flags & XY_STAGE_DATASET);
}

static bool has_flag(const struct step *step, uint32_t flag)
{
    return step->kind == STEP_STAGE && step->type && (step->type->stage.flags & flag);
}

/* A step whose own mistake was told already may read nothing without a second message. */
static bool can_make_records(const struct step *step)
{
    bool unknown = step->kind == STEP_STAGE && !step->type;
    return unknown || has_flag(step, XY_STAGE_SOURCE);
}

static void set_from(struct pipeline_reader *reader, struct entry *entry, struct entry *source)
{
    struct step *step = entry->step;
    step->from = arena_alloc(reader->arena, sizeof(*step->from));
    step->from[0] = source->step->id;
    step->from_count = 1;
    pipeline_add_edge(reader, entry, source);
}

static void add_source(struct pipeline_reader *reader, struct entry *entry,
                       const struct node *node)
{
    struct step *step = entry->step;
    char found[NODE_SHOWN];
    const char *name = pipeline_scalar(reader, node, "`from`");
    struct entry *target =
        name ? pipeline_reference(reader, entry, entry->from_prefix, node, name) : NULL;
    if (!target)
        return;
    for (size_t i = 0; i < step->from_count; i++) {
        if (step->from[i] == target->step->id) {
            pipeline_fail(reader, node, NULL, "`from`: %s twice", node_shown(node, found));
            return;
        }
    }
    step->from[step->from_count++] = target->step->id;
}

static void read_from(struct pipeline_reader *reader, struct entry *entry)
{
    struct step *step = entry->step;
    const struct node *node = entry->from_node;
    char found[NODE_SHOWN];
    if (node->kind == NODE_MAP) {
        pipeline_fail(reader, node, NULL,
                      "`from`: expected a step's id or a list of them, found %s",
                      node_shown(node, found));
        return;
    }
    if (node->kind == NODE_LIST && node->count == 0) {
        step->from_nothing = true;
        if (step->kind != STEP_REPEAT && !can_make_records(step))
            pipeline_fail(reader, node, "only a condition source such as `grid` makes records",
                          "step `%s` needs records to read", step->id);
        return;
    }
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    step->from = arena_alloc(reader->arena, count * sizeof(*step->from));
    for (size_t i = 0; i < count; i++)
        add_source(reader, entry, node->kind == NODE_LIST ? node->items[i] : node);
    if (has_flag(step, XY_STAGE_NO_INPUT))
        pipeline_fail(reader, node, "remove `from:`", "step `%s` makes records and reads none",
                      step->id);
}

static void default_from(struct pipeline_reader *reader, struct entry *entry,
                         const struct stream *stream)
{
    struct step *step = entry->step;
    if (has_flag(step, XY_STAGE_NO_INPUT)) {
        step->from_nothing = true;
    } else if (stream->current) {
        set_from(reader, entry, stream->current);
    } else if (step->kind == STEP_REPEAT || can_make_records(step)) {
        step->from_nothing = true;
    } else {
        pipeline_fail(reader, step->node, "begin with a condition source such as `grid` or `read`",
                      "step `%s` needs records, and no step before it makes any", step->id);
    }
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* `until:` sees the scores of the stages in its repeat, by their steps' ids, and `round`: those of
 * evaluators, but a filter, too, may say how many it dropped. */
static void check_until(struct pipeline_reader *reader, const struct entry *entry,
                        const struct node *node)
{
    const char *known[66];
    size_t count = 0;
    known[count++] = "round";
    size_t prefix = strlen(entry->prefix);
    for (size_t i = entry->order + 1; i < reader->entry_count && count < 65; i++) {
        const struct entry *inner = reader->entries[i];
        const struct entry *outer = inner->container;
        while (outer && outer != entry)
            outer = outer->container;
        if (outer && inner->step->kind == STEP_STAGE)
            known[count++] = inner->step->id + prefix;
    }
    const char *const *names = expression_names(entry->step->until);
    for (; names && *names; names++) {
        size_t i = 0, length = strlen(*names);
        while (i < count && (strncmp(known[i], *names, length) != 0 ||
                             !strchr("./", known[i][length])))
            i++; /* strchr() also finds the terminating NUL: the whole id */
        if (i == count)
            pipeline_fail(reader, node, pipeline_nearest(reader, *names, known, count),
                          "`until`: `%s` is no stage in this repeat, nor `round`", *names);
    }
}

static void read_expectations(struct pipeline_reader *reader, struct step *step)
{
    step->expect = step->expect_calls = -1;
    pipeline_number(reader, step->node, "expect", 0, INFINITY, &step->expect);
    pipeline_number(reader, step->node, "expect_calls", 0, INFINITY, &step->expect_calls);
}

static void read_conditions(struct pipeline_reader *reader, struct entry *entry)
{
    struct step *step = entry->step;
    const struct node *when = pipeline_member(step->node, "when");
    if (when && step->kind != STEP_REPEAT) {
        step->when = pipeline_expression(reader, when, "`when`");
        if (step->from_nothing)
            pipeline_fail(reader, when, NULL, "`when` looks at records: step `%s` reads none",
                          step->id);
    }
    const struct node *repeat = pipeline_member(step->node, "repeat");
    const struct node *until = repeat ? pipeline_member(repeat, "until") : NULL;
    if (until && step->kind == STEP_REPEAT)
        step->until = pipeline_expression(reader, until, "`until`");
    if (step->until)
        check_until(reader, entry, until);
}

static void resolve_steps(struct pipeline_reader *reader, struct step **steps, size_t count,
                          size_t *order, struct entry *input)
{
    struct stream stream = {input};
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = reader->entries[(*order)++];
        struct step *step = steps[i];
        if (entry->from_node)
            read_from(reader, entry);
        else
            default_from(reader, entry, &stream);
        read_conditions(reader, entry);
        read_expectations(reader, step);
        if (step->kind == STEP_REPEAT)
            resolve_steps(reader, step->steps, step->step_count, order,
                          step->from_nothing ? NULL : entry);
        else if (step->kind != STEP_STAGE)
            pipeline_read_call(reader, step);
        else if (step->type)
            pipeline_check_options(reader, entry, step->type, step->with,
                                   arena_printf(reader->arena, "step `%s`", step->id), step->node,
                                   NULL);
        if (!step_is_evaluator(step))
            stream.current = entry;
    }
}

/* ---- ids ------------------------------------------------------------------------------------- */

struct named {
    const char *id;
    const struct node *node;
    size_t order;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static void check_ids(struct pipeline_reader *reader)
{
    size_t count = 0;
    struct named *names = memory_resize(NULL, reader->entry_count + reader->block_count + 1,
                                        sizeof(*names));
    for (size_t i = 0; i < reader->entry_count; i++)
        names[count++] = (struct named){reader->entries[i]->step->id,
                                        reader->entries[i]->step->node, i};
    for (size_t i = 0; i < reader->block_count; i++)
        names[count++] = (struct named){reader->blocks[i]->id, reader->blocks[i]->node,
                                        reader->blocks[i]->end};
    qsort(names, count, sizeof(*names), compare_named);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1].id, names[i].id) != 0)
            continue;
        const struct node *id = pipeline_member(names[i].node, "id");
        pipeline_fail(reader, id ? id : names[i].node, "give it an `id:` of its own",
                      "a second step `%s`; the first is on line %d", names[i].id,
                      names[i - 1].node->line);
    }
    free(names);
}

void pipeline_resolve(struct pipeline_reader *reader)
{
    size_t order = 0;
    check_ids(reader);
    resolve_steps(reader, reader->pipeline->steps, reader->pipeline->step_count, &order, NULL);
    pipeline_check_late(reader);
}
