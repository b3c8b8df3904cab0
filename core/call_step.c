/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "call_internal.h"
#include "json.h"
#include "schema.h"

/* ---- the plan -------------------------------------------------------------------------------- */

struct call_plan *call_plan_create(struct services *services, const struct step *step,
                                   struct error *error)
{
    static const uint32_t operations[] = {
        [STEP_GENERATE] = XY_COMPLETE, [STEP_SCORE] = XY_SCORE, [STEP_EMBED] = XY_EMBED};
    static const char *const defaults[] = {
        [STEP_GENERATE] = "text", [STEP_SCORE] = "predicted", [STEP_EMBED] = "embedding"};
    const struct call_spec *spec = &step->call;
    struct model *model = models_find(services->models, spec->model->alias);
    uint32_t operation = operations[step->kind];
    if (!(model_can(model) & operation)) {
        error_set(error, XY_EUNSUPPORTED, "step `%s`: the model `%s` (%s) cannot %s", step->id,
                  spec->model->alias, spec->model->type->stage.id,
                  operation == XY_COMPLETE ? "complete prompts"
                  : operation == XY_SCORE  ? "score given texts"
                                           : "embed texts");
        return NULL;
    }
    struct call_plan *plan = memory_zeroed(1, sizeof(*plan));
    plan->services = services;
    plan->step = step;
    plan->model = model;
    plan->base = (xy_request){.size = sizeof(xy_request), .operation = operation,
                              .temperature = -1, .top_p = -1, .json_schema = spec->schema_text};
    if (spec->tool_count)
        plan->base.json_schema = spec->turn_schema;
    /* pipeline.c has checked the names and types, and laid the step's params over the model's. */
    model_read_params(&plan->arena, &spec->params, &plan->base, &plan->seed);
    plan->into = spec->into ? spec->into : spec->spread ? NULL : defaults[step->kind];
    const char *stem = plan->into ? plan->into : step->id;
    plan->into_logprob = arena_printf(&plan->arena, "%s_logprob", stem);
    plan->into_confidence = arena_printf(&plan->arena, "%s_confidence", stem);
    plan->into_probabilities = arena_printf(&plan->arena, "%s_probabilities", stem);
    return plan;
}

void call_plan_destroy(struct call_plan *plan)
{
    if (!plan)
        return;
    arena_free(&plan->arena);
    free(plan);
}

struct model *call_plan_model(const struct call_plan *plan)
{
    return plan->model;
}

/* ---- one call -------------------------------------------------------------------------------- */

void call_end(struct call *call, int verdict)
{
    if (call->turns)
        call_tools_end(call, verdict);
    call->outcome.verdict = verdict;
    call->done(call->data, &call->outcome);
    arena_free(&call->arena);
    free(call);
}

static void finish_later(void *data)
{
    struct call *call = data;
    call_end(call, call->outcome.verdict);
}

static void fail_soon(struct call *call, int verdict, const char *why)
{
    call->outcome.verdict = verdict;
    call->outcome.why = why;
    loop_post(call->plan->services->loop, finish_later, call);
}

/* The record's field that is nearest to a name that it has not: "`tilte` is undefined, ...". */
static const char *nearest_field(const struct call *call, const char *text)
{
    const struct record *record = call->record;
    const char *open = strchr(text, '`'), *close = open ? strchr(open + 1, '`') : NULL;
    if (!close || !strstr(close, "is undefined"))
        return NULL;
    struct arena arena = {0};
    const char **names = arena_alloc(&arena, (record->field_count + 1) * sizeof(*names));
    for (size_t i = 0; i < record->field_count; i++)
        names[i] = record->fields[i].name;
    const char *near = nearest_name(arena_copy(&arena, open + 1, (size_t)(close - open - 1)), names,
                                    record->field_count);
    arena_free(&arena); /* the name itself is interned */
    return near;
}

/* The first record of a step whose prompt cannot be rendered is told of at once: it may be all. */
static void tell_unrendered(struct call *call, const struct error *error)
{
    struct call_plan *plan = call->plan;
    const char *near = nearest_field(call, error->text);
    char id[17];
    call->outcome.why = arena_printf(&call->arena, near ? "prompt: %s; did you mean `%s`?"
                                                        : "prompt: %s", error->text, near);
    if (plan->told)
        return;
    plan->told = true;
    record_id_text(call->record->id, id);
    services_log(plan->services, XY_LOG_WARNING, plan->step->id,
                 "record %s: %s; it is rejected, as are others of that kind", id,
                 call->outcome.why);
}

static int render(struct call *call, const struct template *template, xy_str *out)
{
    struct record_scope data = {.record = call->record, .round = call->round,
                                .services = call->plan->services};
    struct scope scope = record_scope(&data);
    struct buffer buffer;
    struct error error = {0};
    buffer_init(&buffer, TEMPLATE_OUTPUT);
    int code = template_render(template, &scope, &call->arena, &buffer, &error);
    if (code < 0)
        tell_unrendered(call, &error);
    else
        *out = arena_str(&call->arena, buffer_str(&buffer));
    buffer_free(&buffer);
    return code;
}

void call_add_message(struct call *call, xy_str role, xy_str content)
{
    if (call->message_count == call->message_capacity) {
        size_t capacity = 2 * call->message_capacity + 4;
        xy_message *messages = arena_alloc(&call->arena, capacity * sizeof(*messages));
        if (call->message_count)
            memcpy(messages, call->messages, call->message_count * sizeof(*messages));
        call->messages = messages;
        call->message_capacity = capacity;
    }
    call->messages[call->message_count++] = (xy_message){.role = role, .content = content};
}

/* A prefill is written on purpose: a conversation that happens to end with the model's own turn
 * would have it go on with that turn, which nobody asked for. */
static int check_end(struct call *call)
{
    const struct call_spec *spec = &call->plan->step->call;
    const struct prompt_message *last = &spec->messages[spec->message_count - 1];
    if (call->message_count == 0) {
        call->outcome.why = "prompt: it has no message, for its conversation is empty";
        return XY_DROP;
    }
    bool own = last->history && str_is(call->messages[call->message_count - 1].role, "assistant");
    if (own)
        call->outcome.why = arena_printf(&call->arena,
                                         "prompt: `%s`%s ends with a turn of the model that is "
                                         "asked: there is nothing to answer", last->history,
                                         last->swap ? ", swapped," : "");
    return own ? XY_DROP : XY_OK;
}

/* All messages; with `neutral` the last user message is the content-free one. */
static int render_messages(struct call *call, bool neutral)
{
    const struct call_spec *spec = &call->plan->step->call;
    size_t last_user = spec->message_count;
    for (size_t i = 0; i < spec->message_count; i++) {
        const char *role = spec->messages[i].role;
        if (role && strcmp(role, "user") == 0)
            last_user = i;
    }
    call->message_count = 0;
    for (size_t i = 0; i < spec->message_count; i++) {
        const struct prompt_message *message = &spec->messages[i];
        xy_str content = {NULL, 0};
        int code = message->history ? call_add_history(call, message)
                                    : render(call, neutral && i == last_user ? spec->content_free
                                                                             : message->content,
                                             &content);
        if (code != XY_OK)
            return code;
        if (!message->history)
            call_add_message(call, str_of(message->role), content);
    }
    return spec->message_count ? check_end(call) : XY_OK;
}

static void answered(void *data, const xy_reply *reply);

static void add_key(const struct call *call, const xy_request *request, struct buffer *members)
{
    struct journal_key key = model_key(call->plan->model, request);
    buffer_printf(members, "\"model\":");
    json_write_text(members, str_of(model_alias(call->plan->model)));
    buffer_printf(members, ",\"request\":\"%016llx%016llx\"", (unsigned long long)key.high,
                  (unsigned long long)key.low);
}

static void trail(struct call *call, const xy_request *request, const xy_reply *reply)
{
    struct buffer members;
    buffer_init(&members, 4096);
    add_key(call, request, &members);
    buffer_printf(&members, ",\"prompt_tokens\":%u,\"output_tokens\":%u", reply->prompt_tokens,
                  reply->output_tokens);
    if (reply->cost > 0) {
        buffer_append_text(&members, ",\"cost\":");
        json_write_number(&members, reply->cost);
    }
    record_event(call->record, call->plan->step->id, "answered", buffer_str(&members));
    buffer_free(&members);
}

static xy_request make_request(struct call *call)
{
    struct call_plan *plan = call->plan;
    xy_request request = plan->base;
    request.messages = call->messages;
    request.message_count = call->message_count;
    /* A sampled answer belongs to its record: two records with the same prompt get two answers. At
     * temperature 0 there is one answer to a prompt, and it is asked for once. */
    if (request.operation == XY_COMPLETE && request.temperature != 0) {
        request.sample = call->record->sample;
        request.seed = record_hash(plan->services->seed + plan->seed, plan->step->id,
                                   call->record->id, call->round, call->attempt);
    }
    return request;
}

void call_submit(struct call *call)
{
    struct call_plan *plan = call->plan;
    const struct call_spec *spec = &plan->step->call;
    xy_request request = make_request(call);
    xy_str *texts = NULL;
    size_t count = plan->step->kind == STEP_EMBED ? 1 : spec->candidate_count;
    if (plan->step->kind != STEP_GENERATE) {
        texts = arena_alloc(&call->arena, count * sizeof(*texts));
        for (size_t i = 0; i < count; i++) {
            const struct template *source =
                plan->step->kind == STEP_EMBED ? spec->text : spec->candidates[i];
            if (render(call, source, &texts[i]) < 0) {
                fail_soon(call, XY_EINVAL, call->outcome.why);
                return;
            }
        }
    }
    request.texts = texts;
    request.text_count = texts ? count : 0;
    call->outcome.calls++;
    int code = model_submit(plan->model, &request, answered, call, NULL);
    if (code < 0)
        fail_soon(call, code, "the model would not take the request");
}

void call_ask_again(struct call *call, const xy_reply *reply)
{
    xy_message *last = &call->messages[call->message_count - 1];
    if (str_is(last->role, "assistant")) {
        /* The prefill and what followed it are one turn of the model's. */
        last->content = str_of(arena_printf(&call->arena, "%.*s%.*s", (int)last->content.len,
                                            last->content.ptr, (int)reply->text.len,
                                            reply->text.ptr));
    } else {
        call_add_message(call, STR("assistant"), arena_str(&call->arena, reply->text));
    }
    const char *why = call->outcome.why ? call->outcome.why : "it does not fit the schema";
    call_add_message(call, STR("user"),
                     str_of(arena_printf(&call->arena,
                                         "That answer cannot be used: %s. Answer again, with the "
                                         "JSON alone.", why)));
    call->attempt++;
    call_submit(call);
}

static void take(struct call *call, const xy_reply *reply)
{
    const struct step *step = call->plan->step;
    int code;
    if (step->kind == STEP_SCORE && step->call.calibrate && !call->neutral) {
        call->neutral = arena_alloc(&call->arena, step->call.candidate_count * sizeof(double));
        if (reply->score_count == step->call.candidate_count)
            memcpy(call->neutral, reply->scores, reply->score_count * sizeof(double));
        code = render_messages(call, false);
        if (code == XY_OK) {
            call_submit(call);
            return;
        }
    } else if (step->kind == STEP_SCORE) {
        code = call_take_scores(call, reply);
    } else if (step->kind == STEP_EMBED) {
        code = call_take_vector(call, reply);
    } else if (step->call.tool_count) {
        call_tools_take(call, reply);
        return;
    } else {
        code = call_take_text(call, reply);
        if (code == XY_EINVAL && call->attempt < step->call.retry) {
            call_ask_again(call, reply);
            return;
        }
    }
    /* An answer that does not fit is the record's end, not the run's. */
    call_end(call, code == XY_EINVAL ? XY_DROP : code);
}

static void answered(void *data, const xy_reply *reply)
{
    struct call *call = data;
    call->outcome.prompt_tokens += reply->prompt_tokens;
    call->outcome.output_tokens += reply->output_tokens;
    call->outcome.cost += reply->cost;
    if (reply->status == XY_EUNSUPPORTED && call->plan->base.json_schema.len) {
        /* The generator cannot enforce this schema: from now on its answers are parsed and
         * checked. */
        services_log(call->plan->services, XY_LOG_WARNING, call->plan->step->id,
                     "%s; answers will be checked and asked for again instead",
                     reply->error ? reply->error : "the model cannot enforce the schema");
        call->plan->base.json_schema = (xy_str){NULL, 0};
        call->plan->unconstrained = true;
    }
    if (reply->status == XY_EUNSUPPORTED && call->plan->unconstrained && !call->unconstrained) {
        call->unconstrained = true;
        call_submit(call);
        return;
    }
    if (reply->status < 0) {
        call->outcome.why = reply->error ? reply->error : error_name(reply->status);
        call_end(call, reply->status);
        return;
    }
    xy_request request = make_request(call);
    trail(call, &request, reply);
    take(call, reply);
}

void call_step_start(struct call_plan *plan, struct record *record, uint32_t round,
                     void (*done)(void *data, const struct call_outcome *outcome), void *data)
{
    struct call *call = memory_zeroed(1, sizeof(*call));
    *call = (struct call){.plan = plan, .record = record, .round = round, .done = done,
                          .data = data};
    const struct call_spec *spec = &plan->step->call;
    bool neutral = plan->step->kind == STEP_SCORE && spec->calibrate;
    int code = call_check_append(call);
    if (code == XY_OK)
        code = render_messages(call, neutral);
    if (code != XY_OK) {
        fail_soon(call, code, call->outcome.why);
        return;
    }
    if (spec->tool_count)
        call_tools_begin(call);
    call_submit(call);
}
