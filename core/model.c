/* SPDX-License-Identifier: Apache-2.0 */
#include "model_internal.h"

#include "options.h"

#include <stdlib.h>

enum { HOPELESS_REFUSALS = 20 };

/* ---- which models a pipeline uses ------------------------------------------------------------ */

/* Does any scalar below `node` read `alias`? An option of type model may hide in a learner's map,
 * so that the text alone is asked; a model opened for nothing costs less than one that is
 * missing. */
static bool names_alias(const struct node *node, const char *alias)
{
    if (!node)
        return false;
    if (node->kind == NODE_SCALAR)
        return str_is(node->text, alias);
    for (size_t i = 0; i < node->count; i++)
        if (names_alias(node->items[i], alias))
            return true;
    return false;
}

static bool step_uses(const struct step *step, const struct model_spec *spec)
{
    if (step->call.model == spec || names_alias(step->node, spec->alias) ||
        names_alias(step->with, spec->alias))
        return true;
    for (size_t i = 0; i < step->step_count; i++)
        if (step_uses(step->steps[i], spec))
            return true;
    return false;
}

static bool pipeline_uses(const struct pipeline *pipeline, const struct model_spec *spec)
{
    bool used = pipeline->step_count == 0; /* no steps at all: whoever opens it wants the models */
    for (size_t i = 0; i < pipeline->step_count && !used; i++)
        used = step_uses(pipeline->steps[i], spec);
    for (size_t i = 0; i < pipeline->write_count && !used; i++)
        used = names_alias(pipeline->writes[i].format_node, spec->alias);
    return used;
}

/* ---- open and close -------------------------------------------------------------------------- */

static int start_generator(struct model *model, const struct pipeline *pipeline,
                           const xy_host *host, struct error *error)
{
    const struct model_spec *spec = model->spec;
    const xy_stage *stage = &spec->type->stage;
    const char *where = arena_printf(&model->arena, "model `%s`", spec->alias);
    struct error_list errors = {0};
    model->state = memory_zeroed(1, stage->state_size);
    options_apply(spec->type->options, spec->node, where, spec->node, pipeline->folder,
                  model_host_keys,
                  &(struct option_resolver){0}, &model->arena, model->state, &errors);
    if (errors.count) {
        *error = errors.errors[0];
        error_list_free(&errors);
        return error->code;
    }
    error_list_free(&errors);
    for (const char *const *need = stage->needs; need && *need; need++)
        if (!host->service(host, *need))
            return error_set(error, XY_EUNSUPPORTED,
                             "%s: %s needs the service %s, which this host does not have", where,
                             stage->id, *need);
    int code = stage->open ? stage->open(model->state, host) : XY_OK;
    if (code < 0)
        return error_set(error, code, "%s: %s could not be opened: %s (its own message stands in "
                         "the log)", where, stage->id, error_name(code));
    model->opened = true;
    return XY_OK;
}

static int model_open(struct models *models, const struct pipeline *pipeline,
                      const struct model_spec *spec, const xy_host *host, struct error *error)
{
    struct model *model = &models->items[models->count++];
    model->models = models;
    model->spec = spec;
    model->type = spec->type;
    model->stats.alias = spec->alias;
    model->prices = (struct prices){
        .input = spec->price_input, .cached = spec->price_cached, .output = spec->price_output};
    int code = start_generator(model, pipeline, host, error);
    if (code != XY_OK)
        return code;
    model_key_prefix(model);
    model->defaults = (xy_request){.size = sizeof(xy_request), .temperature = -1, .top_p = -1};
    model_read_params(&model->arena, &spec->params, &model->defaults, &model->default_seed);
    struct limiter_options limits = {
        .most = spec->concurrency ? spec->concurrency : spec->type->stage.max_inflight,
        .requests_per_minute = spec->requests_per_minute,
        .tokens_per_minute = spec->tokens_per_minute,
    };
    limiter_init(&model->limiter, limits, loop_now_us(models->loop));
    return XY_OK;
}

struct models *models_open(struct loop *loop, struct journal *journal,
                           const struct pipeline *pipeline, uint64_t run_id,
                           const xy_host *(*host_for)(void *data, const char *name), void *data,
                           struct error *error)
{
    struct models *models = memory_zeroed(1, sizeof(*models));
    models->loop = loop;
    models->journal = journal;
    models->run_id = run_id;
    models->orders_end = &models->orders;
    models->budget.money_limit = pipeline->budget_money;
    models->budget.token_limit = pipeline->budget_tokens;
    models->items = memory_zeroed(pipeline->model_count, sizeof(*models->items));
    buffer_init(&models->scratch, REPLY_CEILING);
    budget_load(&models->budget, journal, run_id);
    for (size_t i = 0; i < pipeline->model_count; i++) {
        const struct model_spec *spec = &pipeline->models[i];
        if (!pipeline_uses(pipeline, spec))
            continue;
        if (model_open(models, pipeline, spec, host_for(data, spec->alias), error) != XY_OK) {
            models_close(models);
            return NULL;
        }
    }
    return models;
}

static void model_close(struct model *model)
{
    timer_stop(model->timer);
    if (model->opened && model->type->stage.close)
        model->type->stage.close(model->state);
    while (model->free_attempts) {
        struct attempt *attempt = model->free_attempts;
        model->free_attempts = attempt->next;
        arena_free(&attempt->arena);
        free(attempt);
    }
    free((void *)model->table);
    free(model->state);
    arena_free(&model->arena);
}

void models_close(struct models *models)
{
    if (!models)
        return;
    for (size_t i = 0; i < models->count; i++)
        model_close(&models->items[i]);
    buffer_free(&models->scratch);
    free(models->slots);
    free(models->items);
    free(models);
}

void models_record(struct models *models, struct recorder *recorder)
{
    models->recorder = recorder;
}

struct model *models_find(struct models *models, const char *alias)
{
    for (size_t i = 0; i < models->count; i++)
        if (strcmp(models->items[i].spec->alias, alias) == 0)
            return &models->items[i];
    return NULL;
}

/* ---- submit ---------------------------------------------------------------------------------- */

static void slot_take(struct models *models, struct order *order)
{
    if (models->free_slot == 0) {
        uint32_t count = models->slot_count ? models->slot_count * 2 : 64;
        models->slots = memory_resize(models->slots, count, sizeof(*models->slots));
        for (uint32_t i = count; i-- > models->slot_count;) {
            models->slots[i] = (struct slot){.generation = 1, .next_free = models->free_slot};
            models->free_slot = i + 1;
        }
        models->slot_count = count;
    }
    order->slot = models->free_slot - 1;
    models->free_slot = models->slots[order->slot].next_free;
    models->slots[order->slot].order = order;
}

/* An answer from an earlier call, this run's or another's; it was paid for and is on disk. */
static bool answer_from_journal(struct model *model, struct flight *flight)
{
    struct models *models = model->models;
    xy_reply reply;
    buffer_clear(&models->scratch);
    if (!journal_find(models->journal, flight->key, &models->scratch))
        return false;
    xy_str found = buffer_str(&models->scratch);
    if (!reply_decode(found, flight->request.operation, &reply))
        return false; /* another version's form: ask again, the newer entry wins */
    flight->payload = (xy_str){memory_copy_text(found.ptr, found.len), found.len};
    flight->state = FLIGHT_DONE;
    flight_append(&models->settled, flight);
    model->stats.cached++;
    return true;
}

/* Hangs the part on the flight that answers its request: one on its way, or a new one. */
static void part_submit(struct order *order, size_t index, const xy_request *request,
                        const xy_str *text)
{
    struct model *model = order->model;
    struct part *part = &order->parts[index];
    xy_request single = *request;
    if (text) {
        single.texts = text;
        single.text_count = 1;
    }
    struct journal_key key = model_key(model, &single);
    struct flight *flight = flight_find(model, key);
    bool fresh = flight == NULL;
    if (fresh) {
        flight = flight_new(model, request, text, key);
        flight_enter(model, flight);
    }
    part->order = order;
    part->flight = flight;
    part->index = index;
    struct part **end = &flight->parts;
    while (*end)
        end = &(*end)->next;
    *end = part;
    if (fresh && !answer_from_journal(model, flight)) {
        flight->state = FLIGHT_QUEUED;
        flight_append(&model->queue, flight);
    }
}

static int check_request(const struct model *model, const xy_request *request)
{
    uint32_t operation = request->operation;
    if (operation != XY_COMPLETE && operation != XY_SCORE && operation != XY_EMBED)
        return XY_EINVAL;
    if (!(model_can(model) & operation))
        return XY_EUNSUPPORTED;
    if (operation != XY_EMBED && request->message_count == 0)
        return XY_EINVAL;
    return operation == XY_SCORE && request->text_count == 0 ? XY_EINVAL : XY_OK;
}

int model_submit(struct model *model, const xy_request *request, model_done done, void *user,
                 uint64_t *ticket)
{
    struct models *models = model->models;
    xy_request own = {.temperature = -1, .top_p = -1};
    memcpy(&own, request, request->size < sizeof(own) ? request->size : sizeof(own));
    own.size = sizeof(own);
    int code = check_request(model, &own);
    if (code != XY_OK)
        return code;
    bool embed = own.operation == XY_EMBED;
    size_t count = embed ? own.text_count : 1;
    struct order *order = memory_zeroed(1, sizeof(*order) + count * sizeof(struct part));
    order->model = model;
    order->done = done;
    order->user = user;
    order->embed = embed;
    order->count = order->remaining = count;
    slot_take(models, order);
    if (ticket)
        *ticket = (uint64_t)models->slots[order->slot].generation << 32 | (order->slot + 1);
    if (models->broken)
        order_close(order, XY_EIO, models->broken_error.text);
    else if (models->stopping)
        order_close(order, XY_ECANCELED, "the run is being stopped");
    else if (count == 0)
        order_close(order, XY_OK, NULL);
    else
        for (size_t i = 0; i < count; i++)
            part_submit(order, i, &own, embed ? &own.texts[i] : NULL);
    models_wake(models);
    return XY_OK;
}

/* ---- cancel and stop ------------------------------------------------------------------------- */

static void part_detach(struct part *part)
{
    struct flight *flight = part->flight;
    if (!flight)
        return;
    struct part **link = &flight->parts;
    while (*link != part)
        link = &(*link)->next;
    *link = part->next;
    part->flight = NULL;
    if (flight->parts || flight->state == FLIGHT_DONE)
        return;
    /* Nobody waits for it any more. A later request for the same must not join it. */
    flight_leave(flight->model, flight);
    if (flight->state == FLIGHT_SENT) {
        model_cancel_attempt(flight->model, flight);
        return;
    }
    flight_unqueue(flight);
    flight_free(flight);
}

void model_cancel(struct model *model, uint64_t ticket)
{
    struct models *models = model->models;
    uint32_t index = (uint32_t)ticket - 1, generation = (uint32_t)(ticket >> 32);
    if ((uint32_t)ticket == 0 || index >= models->slot_count ||
        models->slots[index].generation != generation)
        return; /* answered already */
    struct order *order = models->slots[index].order;
    if (!order || order->closed)
        return;
    if (!order->embed && order->parts[0].flight->state == FLIGHT_DONE)
        return; /* the answer won the race: its callback comes with this turn's end */
    for (size_t i = 0; i < order->count; i++)
        part_detach(&order->parts[i]);
    order_close(order, XY_ECANCELED, "cancelled");
}

void models_stop(struct models *models, bool now)
{
    models->stopping = true;
    for (size_t i = 0; i < models->count; i++) {
        struct model *model = &models->items[i];
        while (model->queue.first || model->backoff.first) {
            struct flight *flight = model->queue.first ? model->queue.first : model->backoff.first;
            flight_unqueue(flight);
            flight_fail(flight, XY_ECANCELED, "the run is being stopped");
        }
        for (struct attempt *attempt = model->sent, *next; now && attempt; attempt = next) {
            next = attempt->next; /* the generator may complete the call at once */
            if (model->type->generator.cancel)
                model->type->generator.cancel(model->state, &attempt->call);
        }
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

uint32_t model_can(const struct model *model)
{
    return model->type->generator.can(model->state);
}

const char *model_alias(const struct model *model)
{
    return model->spec->alias;
}

const char *model_hopeless(const struct model *model, bool over)
{
    bool hopeless = !model->answered && (over ? model->given_up > 0
                                              : model->refused >= HOPELESS_REFUSALS);
    return hopeless ? model->last_failure : NULL;
}

size_t models_count(const struct models *models)
{
    return models->count;
}

struct model_stats models_stats(const struct models *models, size_t index)
{
    const struct model *model = &models->items[index];
    struct model_stats stats = model->stats;
    stats.in_flight = model->limiter.in_flight;
    stats.window = (uint32_t)model->limiter.window;
    stats.queued = model->queue.count + model->backoff.count;
    return stats;
}

struct model_totals models_totals(const struct models *models)
{
    struct model_totals totals = {.cost = models->budget.spent.money};
    for (size_t i = 0; i < models->count; i++) {
        struct model_stats stats = models_stats(models, i);
        totals.calls += stats.calls;
        totals.answers += stats.answers;
        totals.cached += stats.cached;
        totals.failed += stats.failed;
        totals.retries += stats.retries;
        totals.limited += stats.limited;
        totals.prompt_tokens += stats.prompt_tokens;
        totals.output_tokens += stats.output_tokens;
        totals.in_flight += stats.in_flight;
        totals.queued += stats.queued;
    }
    return totals;
}
