/* SPDX-License-Identifier: Apache-2.0 */
/* What a run would cost, from the file alone: how many records each step is expected to see. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "instance.h"

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

/* What the stage itself says it makes of one input, or of nothing; -1 when it cannot tell. */
static double stage_factor(const struct pipeline *pipeline, const struct step *step)
{
    if (!step->type->stage.estimate)
        return step->type->stage.kind == XY_CONDITION && step->from_nothing ? -1 : 1;
    struct services services = {.registry = pipeline->registry};
    struct error error = {0};
    struct instance *instance = instance_create(&services, step->type, step->id, step->with,
                                                step->node, pipeline->folder, NULL, NULL, &error);
    if (!instance)
        return -1;
    int64_t factor = step->type->stage.estimate(instance_state(instance));
    instance_close(instance);
    return (double)factor;
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

/* All text below a node: a prompt is a text, a map of roles, or a list of messages. */
static double text_bytes(const struct node *node)
{
    double bytes = node && node->kind == NODE_SCALAR ? (double)node->text.len : 0;
    for (size_t i = 0; node && node->kind != NODE_SCALAR && i < node->count; i++)
        bytes += text_bytes(node->items[i]);
    return bytes;
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
    double calls = place->in * samples;
    double prompt = text_bytes(node_member(step->node, "prompt")) / BYTES_PER_TOKEN;
    double output = step->kind == STEP_GENERATE
                        ? parameter(step, "max_tokens", DEFAULT_OUTPUT_TOKENS) : 0;
    if (step->kind == STEP_SCORE && step->call.calibrate) {
        /* A content-free prompt that names no field is the same for all records: asked for once. */
        const char *const *names = template_names(step->call.content_free);
        calls += names[0] ? calls : 1;
    }
    const struct model_spec *model = step->call.model;
    place->calls += calls;
    place->out = place->in * samples;
    estimate->calls += calls;
    estimate->prompt_tokens += calls * prompt;
    estimate->output_tokens += calls * output;
    estimate->cost += calls * (prompt * model->price_input + output * model->price_output) / 1e6;
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
        if (step->kind == STEP_REPEAT) {
            place->out = in;
            for (uint32_t round = 0; round < step->times; round++) {
                visit(pipeline, estimate, step->steps, step->step_count);
                place = step_of(estimate, step->id);
                if (step->step_count)
                    place->out = step_of(estimate, step->steps[step->step_count - 1]->id)->out;
            }
        } else if (step->kind == STEP_STAGE) {
            double factor = stage_factor(pipeline, step);
            place->out = (step->from_nothing ? 1 : in) * (factor < 0 ? NAN : factor);
            if (step_is_evaluator(step))
                place->out = 0;
            if (step->from_nothing && !isnan(place->out))
                estimate->records += place->out;
        } else {
            add_calls(estimate, step, place);
        }
    }
}

void engine_estimate(const struct pipeline *pipeline, struct estimate *estimate)
{
    *estimate = (struct estimate){.exact = true};
    visit(pipeline, estimate, pipeline->steps, pipeline->step_count);
}

void estimate_free(struct estimate *estimate)
{
    free(estimate->steps);
    *estimate = (struct estimate){0};
}
