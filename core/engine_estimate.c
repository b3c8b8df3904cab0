/* SPDX-License-Identifier: Apache-2.0 */
/* What a run would cost, from the file alone: how many records each step is expected to see. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "fields.h"

enum { BYTES_PER_TOKEN = 4, DEFAULT_OUTPUT_TOKENS = 256 };

static struct estimate_step *step_of(struct estimate *estimate, const char *id)
{
    for (size_t i = 0; i < estimate->step_count; i++) {
        if (strcmp(estimate->steps[i].id, id) == 0)
            return &estimate->steps[i];
    }
    estimate->steps = memory_resize(estimate->steps, estimate->step_count + 1,
                                    sizeof(*estimate->steps));
    struct estimate_step *step = &estimate->steps[estimate->step_count++];
    *step = (struct estimate_step){.id = id};
    return step;
}

/* What the stage itself says it makes of one input, or of nothing, and the calls that it makes for
 * it; -1 when it cannot tell. */
static void ask_stage(const struct pipeline *pipeline, struct estimate *estimate,
                      const struct step *step, double *factor, double *calls)
{
    const xy_stage *stage = &step->type->stage;
    struct error error = {0};
    *factor = stage->kind == XY_CONDITION && step->from_nothing ? -1 : 1;
    *calls = 0;
    if (stage->estimate_files && estimate->fields && step->expect < 0)
        *factor = engine_ask_files(pipeline, step, &error);
    if (!estimate->error.code)
        estimate->error = error;
    if (!stage->estimate && !stage->estimate_calls)
        return;
    struct services services = {.registry = pipeline->registry};
    struct instance *instance = instance_create(&services, step->type, step->id, step->with,
                                                step->node, pipeline->folder, NULL, NULL, &error);
    if (!instance) {
        *factor = -1;
        return;
    }
    if (stage->estimate)
        *factor = (double)stage->estimate(instance_state(instance));
    if (stage->estimate_calls)
        *calls = stage->estimate_calls(instance_state(instance));
    instance_close(instance);
}

static double parameter(const struct step *step, const char *name, double otherwise)
{
    const struct value *layers[] = {&step->call.params, &step->call.model->params};
    for (size_t i = 0; i < 2; i++) {
        const struct value *value = value_member(layers[i], str_of(name));
        if (value && value->type == VALUE_INT)
            return (double)value->integer;
        if (value && value->type == VALUE_NUMBER)
            return value->number;
    }
    return otherwise;
}

static double prompt_tokens(const struct estimate *estimate, const struct step *step)
{
    return estimate->fields ? fields_prompt_bytes(estimate->fields, step) / BYTES_PER_TOKEN : 0;
}

static void add_calls(struct estimate *estimate, const struct step *step,
                      struct estimate_step *place)
{
    uint32_t samples = step->call.samples ? step->call.samples : 1;
    if (isnan(place->in)) {
        estimate->exact = false;
        place->out = place->in;
        return;
    }
    double calls = place->in * samples * (step->call.tool_count ? 2 : 1);
    if (step->expect_calls >= 0)
        calls = place->in * step->expect_calls;
    double prompt = prompt_tokens(estimate, step);
    double output = step->kind == STEP_GENERATE
                        ? parameter(step, "max_tokens", DEFAULT_OUTPUT_TOKENS) : 0;
    if (step->kind == STEP_SCORE && step->call.calibrate) {
        /* A content-free prompt that names no field is the same for all records: asked for once. */
        const char *const *names = template_names(step->call.content_free);
        calls += names[0] ? calls : 1;
    }
    const struct model_spec *model = step->call.model;
    place->calls += calls;
    place->out = place->in * (step->expect >= 0 ? step->expect : samples);
    estimate->calls += calls;
    estimate->prompt_tokens += calls * prompt;
    estimate->output_tokens += calls * output;
    estimate->cost += calls * (prompt * model->price_input + output * model->price_output) / 1e6;
}

static double whole_number(const struct node *node)
{
    double number = 0;
    if (node && node->kind == NODE_SCALAR)
        number = strtod(node->text.ptr, NULL);
    return number >= 1 ? number : 0;
}

static const struct model_spec *model_of(const struct pipeline *pipeline, const struct node *alias)
{
    for (size_t i = 0; alias && alias->kind == NODE_SCALAR && i < pipeline->model_count; i++) {
        if (str_is(alias->text, pipeline->models[i].alias))
            return &pipeline->models[i];
    }
    return NULL;
}

/* A stage that asks a model names it in an option, and its prompts in templates beside it. */
static void add_stage_cost(const struct pipeline *pipeline, struct estimate *estimate,
                           const struct step *step, double calls)
{
    const struct model_spec *model = NULL;
    double prompt = prompt_tokens(estimate, step);
    for (const xy_option *option = step->type->options; option && option->name; option++) {
        const struct node *node = step->with ? node_member(step->with, option->name) : NULL;
        if (option->type == XY_OPT_MODEL && !model)
            model = model_of(pipeline, node);
    }
    if (!model || prompt <= 0)
        return;
    const struct value *own = value_member(&model->params, STR("max_tokens"));
    double output = whole_number(step->with ? node_member(step->with, "max_tokens") : NULL);
    if (output <= 0 && own && own->type == VALUE_INT)
        output = (double)own->integer;
    if (output <= 0)
        output = DEFAULT_OUTPUT_TOKENS;
    estimate->prompt_tokens += calls * prompt;
    estimate->output_tokens += calls * output;
    estimate->cost += calls * (prompt * model->price_input + output * model->price_output) / 1e6;
}

static void visit_stage(const struct pipeline *pipeline, struct estimate *estimate,
                        const struct step *step, struct estimate_step *place)
{
    double factor, calls, in = step->from_nothing ? 1 : place->in;
    ask_stage(pipeline, estimate, step, &factor, &calls);
    if (step->expect >= 0)
        factor = step->expect;
    if (step->expect_calls >= 0)
        calls = step->expect_calls;
    place->out = factor < 0 ? NAN : in * factor;
    if (calls < 0 || (calls > 0 && isnan(in))) {
        estimate->exact = false;
    } else if (calls > 0) {
        place->calls += in * calls;
        estimate->calls += in * calls;
        add_stage_cost(pipeline, estimate, step, in * calls);
    }
    if (step_is_evaluator(step))
        place->out = 0;
    if (step->from_nothing && !isnan(place->out))
        estimate->records += place->out;
    if (step->from_nothing && !step->type->stage.estimate_files)
        estimate->refills = true;
}

static void visit(const struct pipeline *pipeline, struct estimate *estimate,
                  struct step *const *steps, size_t count);

static void visit_repeat(const struct pipeline *pipeline, struct estimate *estimate,
                         const struct step *step, struct estimate_step *place)
{
    double rounds = step->expect >= 0 ? ceil(step->expect) : step->times;
    place->out = place->in;
    for (uint32_t round = 0; round < step->times && round < rounds; round++) {
        visit(pipeline, estimate, step->steps, step->step_count);
        place = step_of(estimate, step->id); /* the list may have moved */
        for (size_t i = 0; i < step->step_count; i++) {
            if (!step_is_evaluator(step->steps[i]))
                place->out = step_of(estimate, step->steps[i]->id)->out;
        }
    }
}

static void visit(const struct pipeline *pipeline, struct estimate *estimate,
                  struct step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = steps[i];
        double in = 0;
        for (size_t k = 0; k < step->from_count; k++)
            in += step_of(estimate, step->from[k])->out;
        struct estimate_step *place = step_of(estimate, step->id);
        place->in = step->from_nothing ? 0 : in;
        if (step->kind == STEP_REPEAT)
            visit_repeat(pipeline, estimate, step, place);
        else if (step->kind == STEP_STAGE)
            visit_stage(pipeline, estimate, step, place);
        else
            add_calls(estimate, step, place);
    }
}

/* `accept` asks the sources again until it has its count: by the yield that the file tells, so many
 * times as much of everything. Without `expect:` no filter has a yield, and nothing changes; files
 * have their records once. */
static void scale_to_accept(const struct pipeline *pipeline, struct estimate *estimate)
{
    const struct accept_spec *accept = &pipeline->accept;
    if (!accept->count || !pipeline->write_count || !estimate->refills)
        return;
    double out = step_of(estimate, pipeline->writes[0].from)->out, groups = 1;
    for (const char **group = accept->groups; group && *group; group++)
        groups = (double)(group - accept->groups) + 1;
    double wanted = (double)accept->count * groups;
    if (isnan(out) || out <= 0 || out >= wanted)
        return;
    double most = estimate->records > 0 ? (double)accept->candidates / estimate->records : 1;
    double factor = estimate->passes = fmin(wanted / out, fmax(most, 1));
    for (size_t i = 0; i < estimate->step_count; i++) {
        estimate->steps[i].in *= factor;
        estimate->steps[i].out *= factor;
        estimate->steps[i].calls *= factor;
    }
    estimate->records *= factor;
    estimate->calls *= factor;
    estimate->prompt_tokens *= factor;
    estimate->output_tokens *= factor;
    estimate->cost *= factor;
}

static void make_estimate(const struct pipeline *pipeline, struct fields *fields,
                          struct estimate *estimate)
{
    *estimate = (struct estimate){.exact = true, .passes = 1, .fields = fields};
    visit(pipeline, estimate, pipeline->steps, pipeline->step_count);
    estimate->fields = NULL;
    scale_to_accept(pipeline, estimate);
}

void engine_estimate(const struct pipeline *pipeline, struct estimate *estimate)
{
    struct fields fields;
    fields_collect(&fields, pipeline);
    make_estimate(pipeline, &fields, estimate);
    fields_free(&fields);
}

void engine_estimate_calls(const struct pipeline *pipeline, struct estimate *estimate)
{
    make_estimate(pipeline, NULL, estimate);
}

void estimate_free(struct estimate *estimate)
{
    free(estimate->steps);
    *estimate = (struct estimate){0};
}
