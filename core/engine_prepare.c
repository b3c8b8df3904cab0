/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's instance with all that its options name: models, datasets, learners. */
#include <stdlib.h>

#include "engine_internal.h"
#include "tools.h"

/* What one instance's options need; its views and students live as long as the instance. */
struct prepared {
    struct engine *engine;
    const struct step *step;
    struct instance *instance;
    struct arena arena;
    struct opened_view {
        const struct node *node;
        struct dataset *joined;
        struct dataset_view view;
    } *views[16];
    size_t view_count;
    xy_student *students[8];
    size_t student_count;
    struct error error;
};

static const xy_model *resolve_model(void *data, const struct node *node, struct error *error)
{
    struct prepared *prepared = data;
    struct model *model = models_find(prepared->engine->services.models, node->text.ptr);
    if (!model)
        node_error(node, error, XY_EINVAL, "there is no model `%s`", node->text.ptr);
    return (const xy_model *)model;
}

static xy_dataset *resolve_dataset(void *data, const struct node *node, struct error *error)
{
    struct prepared *prepared = data;
    for (size_t i = 0; i < prepared->view_count; i++) {
        if (prepared->views[i]->node == node)
            return &prepared->views[i]->view.base;
    }
    if (prepared->view_count == sizeof(prepared->views) / sizeof(prepared->views[0])) {
        node_error(node, error, XY_EUNSUPPORTED, "a step may name at most 16 datasets");
        return NULL;
    }
    struct dataset *joined = option_dataset(prepared->engine, prepared->step, node, error);
    if (!joined)
        return NULL;
    struct opened_view *opened = arena_alloc(&prepared->arena, sizeof(*opened));
    opened->node = node;
    opened->joined = joined;
    dataset_view_init(&opened->view, joined, &prepared->arena, false);
    prepared->views[prepared->view_count++] = opened;
    return &opened->view.base;
}

static const xy_student *resolve_learner(void *data, const struct node *node,
                                         struct error *error)
{
    struct prepared *prepared = data;
    const struct option_resolver resolver = {.model = resolve_model, .data = prepared};
    if (prepared->student_count == sizeof(prepared->students) / sizeof(prepared->students[0])) {
        node_error(node, error, XY_EUNSUPPORTED, "a step may name at most 8 learners");
        return NULL;
    }
    xy_student *student = student_create(&prepared->engine->services, node,
                                         prepared->engine->pipeline->folder, &resolver, error);
    if (student)
        prepared->students[prepared->student_count++] = student;
    return student;
}

static struct option_resolver resolver_of(struct prepared *prepared, bool learners)
{
    return (struct option_resolver){
        .model = resolve_model,
        .learner = learners ? resolve_learner : NULL,
        .dataset = resolve_dataset,
        .data = prepared,
    };
}

static void open_on_loop(void *data)
{
    struct prepared *prepared = data;
    struct option_resolver resolver = resolver_of(prepared, true);
    prepared->instance =
        instance_create(&prepared->engine->services, prepared->step->type, prepared->step->id,
                        prepared->step->with, prepared->step->node,
                        prepared->engine->pipeline->folder, NULL, &resolver, &prepared->error);
    if (prepared->instance)
        instance_open(prepared->instance, &prepared->error);
}

static void close_on_loop(void *data)
{
    struct prepared *prepared = data;
    instance_close(prepared->instance);
}

static void close_students_on_loop(void *data)
{
    const struct prepared *prepared = data;
    for (size_t i = 0; i < prepared->student_count; i++)
        student_destroy(prepared->students[i]);
}

void prepared_close(struct prepared *prepared)
{
    if (!prepared)
        return;
    engine_on_loop(prepared->engine, close_on_loop, prepared);
    for (size_t i = 0; i < prepared->student_count; i++)
        student_release_left(prepared->students[i]);
    if (prepared->student_count)
        engine_on_loop(prepared->engine, close_students_on_loop, prepared);
    for (size_t i = 0; i < prepared->view_count; i++) {
        dataset_view_finish(&prepared->views[i]->view);
        dataset_destroy(prepared->views[i]->joined);
    }
    arena_free(&prepared->arena);
    free(prepared);
}

/* An opened and prepared instance of a step's stage. Files are read here, on the worker, by a first
 * look over the options that writes nothing; the loop then finds every dataset ready. */
struct prepared *prepared_open(struct engine *engine, const struct step *step, uint32_t round)
{
    struct prepared *prepared = memory_zeroed(1, sizeof(*prepared));
    prepared->engine = engine;
    prepared->step = step;
    struct option_resolver resolver = resolver_of(prepared, false);
    struct error_list errors = {0};
    options_apply(step->type->options, step->with, step->id, step->node, engine->pipeline->folder,
                  NULL, &resolver, &prepared->arena, NULL, &errors);
    if (errors.count)
        prepared->error = errors.errors[0];
    error_list_free(&errors);
    if (!prepared->error.code)
        engine_on_loop(engine, open_on_loop, prepared);
    if (!prepared->error.code)
        instance_prepare(prepared->instance, round, &prepared->error);
    if (prepared->error.code) {
        if (prepared->error.line == 0) /* a stage knows not where in the file it stands */
            error_at(&prepared->error, step->node->file, step->node->line, step->node->column);
        if (!engine->error.code)
            engine->error = prepared->error;
        prepared_close(prepared);
        return NULL;
    }
    return prepared;
}

struct instance *prepared_instance(const struct prepared *prepared)
{
    return prepared->instance;
}

/* ---- tools ----------------------------------------------------------------------------------- */

struct handover {
    struct services *services;
    struct tools *tools;
};

/* On the loop, where an interrupt looks for them. */
static void set_tools(void *data)
{
    const struct handover *handover = data;
    handover->services->tools = handover->tools;
}

int engine_open_tools(struct engine *engine)
{
    const struct pipeline *pipeline = engine->pipeline;
    size_t count = pipeline->tool_count;
    if (count == 0)
        return XY_OK;
    struct instance **instances = memory_zeroed(count, sizeof(struct instance *));
    engine->tools = memory_zeroed(count, sizeof(struct prepared *));
    for (size_t i = 0; i < count && !engine->error.code; i++) {
        engine->tools[i] = prepared_open(engine, &pipeline->tools[i].step, 0);
        instances[i] = engine->tools[i] ? engine->tools[i]->instance : NULL;
    }
    if (!engine->error.code) {
        struct handover handover = {&engine->services, tools_create(&engine->services,
                                                                    pipeline->tools, instances,
                                                                    count)};
        engine_on_loop(engine, set_tools, &handover);
    }
    free(instances);
    return engine->error.code;
}

void engine_close_tools(struct engine *engine)
{
    struct tools *tools = engine->services.tools;
    struct handover handover = {&engine->services, NULL};
    if (tools)
        engine_on_loop(engine, set_tools, &handover);
    tools_close(tools);
    for (size_t i = 0; engine->tools && i < engine->pipeline->tool_count; i++)
        prepared_close(engine->tools[i]);
    free(engine->tools);
    engine->tools = NULL;
}
