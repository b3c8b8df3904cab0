/* SPDX-License-Identifier: Apache-2.0 */
#include "model_internal.h"

#include <math.h>
#include <stdlib.h>

#define SECOND 1e6
#define BACKOFF_BASE (0.5 * SECOND)
#define BACKOFF_CAP (30 * SECOND)
#define LONGEST_RETRY_AFTER (3600 * SECOND) /* without a deadline: nobody waits longer unasked */
#define SMOOTHING 0.05

enum {
    DEFAULT_ATTEMPTS = 6,
    DEFAULT_TIMEOUT_MS = 600000,
    ARENA_KEPT = 64 << 10 /* bytes a free attempt may hold on to */
};

static uint64_t now_us(const struct model *model)
{
    return loop_now_us(model->models->loop);
}

/* ---- the end of a flight --------------------------------------------------------------------- */

void flight_fail(struct flight *flight, int32_t status, const char *error)
{
    flight->state = FLIGHT_DONE;
    flight->status = status;
    flight->error = memory_copy_text(error, strlen(error));
    flight_append(&flight->model->models->settled, flight);
    models_wake(flight->model->models);
}

void flight_unqueue(struct flight *flight)
{
    bool queued = flight->state == FLIGHT_QUEUED;
    flight_remove(queued ? &flight->model->queue : &flight->model->backoff, flight);
    timer_stop(flight->timer);
    flight->timer = NULL;
}

static void flight_answer(struct flight *flight, const xy_reply *reply, size_t index, size_t share,
                          double cost)
{
    struct models *models = flight->model->models;
    xy_reply own = *reply;
    /* A batch reports one sum: each of its texts carries an equal share of it. */
    own.prompt_tokens = (uint32_t)(reply->prompt_tokens / share);
    own.cached_tokens = (uint32_t)(reply->cached_tokens / share);
    buffer_clear(&models->scratch);
    if (!reply_encode(&models->scratch, &own, flight->request.operation, index,
                      cost / (double)share, models->run_id)) {
        flight_fail(flight, XY_EUPSTREAM, "the answer is larger than 256 MiB");
        return;
    }
    char *payload = memory_copy_text(models->scratch.bytes, models->scratch.length);
    flight->payload = (xy_str){payload, models->scratch.length};
    flight->state = FLIGHT_DONE;
    flight_append(&models->fresh, flight);
    models_wake(models);
}

/* ---- retries --------------------------------------------------------------------------------- */

static void retry_due(void *data)
{
    struct flight *flight = data;
    struct model *model = flight->model;
    flight->timer = NULL; /* freed by the loop */
    flight_remove(&model->backoff, flight);
    flight->state = FLIGHT_QUEUED;
    flight_prepend(&model->queue, flight); /* the oldest first: others wait behind it */
    models_wake(model->models);
}

/* Full jitter (Brooker 2015, "Exponential backoff and jitter"), and never before the server's own
 * wish: the jitter is added to that, so that callers told the same do not come back together. */
static double retry_delay(struct flight *flight, const xy_reply *reply)
{
    double ceiling = fmin(BACKOFF_CAP, ldexp(BACKOFF_BASE, (int)flight->tries - 1));
    double jitter = xy_random_unit(&flight->random) * ceiling;
    if (reply->retry_after_ms < 0)
        return jitter;
    return reply->retry_after_ms * 1e3 + fmin(jitter, BACKOFF_BASE) + 1e3;
}

/* Why there will be no further attempt, or NULL when there will. */
static const char *last_word(const struct flight *flight, const xy_reply *reply, double delay,
                             uint64_t now, bool *deadline)
{
    const struct model_spec *spec = flight->model->spec;
    const struct models *models = flight->model->models;
    uint32_t attempts = spec->attempts ? spec->attempts : DEFAULT_ATTEMPTS;
    *deadline = false;
    if (!reply->retryable || !flight->parts || models->broken)
        return "";
    if (models->stopping)
        return " (not tried again: the run is being stopped)";
    if (flight->tries >= attempts)
        return " (the last of the attempts allowed)";
    if (spec->deadline > 0 &&
        (double)(now - flight->first_sent_at) + delay >= spec->deadline * SECOND) {
        *deadline = true;
        return " (another attempt would pass the deadline)";
    }
    if (spec->deadline <= 0 && reply->retry_after_ms * 1e3 > LONGEST_RETRY_AFTER)
        return " (the server asks to wait for more than an hour)";
    return NULL;
}

static void flight_failed(struct flight *flight, const xy_reply *reply, size_t batch)
{
    struct model *model = flight->model;
    const char *why = reply->error && *reply->error ? reply->error : error_name(reply->status);
    if (batch > 1 && !reply->retryable && reply->status != XY_ECANCELED) {
        flight->alone = true; /* one bad text must not cost the others their vectors */
        flight->state = FLIGHT_QUEUED;
        flight_prepend(&model->queue, flight);
        models_wake(model->models);
        return;
    }
    bool deadline;
    double delay = retry_delay(flight, reply);
    const char *end = last_word(flight, reply, delay, now_us(model), &deadline);
    if (!end) {
        model->stats.retries++;
        flight->state = FLIGHT_BACKOFF;
        flight_append(&model->backoff, flight);
        flight->timer = loop_after(model->models->loop, (uint64_t)delay, retry_due, flight);
        return;
    }
    char text[1024];
    snprintf(text, sizeof(text), "model `%s`, attempt %u: %s%s", model->spec->alias, flight->tries,
             why, end);
    if (reply->status != XY_ECANCELED && !model->models->stopping) {
        model->given_up++;
        model->refused += !reply->retryable;
        snprintf(model->last_failure, sizeof(model->last_failure), "%s", text);
    }
    flight_fail(flight, deadline ? XY_ETIMEOUT : reply->status, text);
}

/* ---- an attempt ------------------------------------------------------------------------------ */

static const xy_request *call_request(const xy_call *call)
{
    return &((const struct attempt *)(const void *)call)->request;
}

static void *call_alloc(xy_call *call, size_t bytes)
{
    return arena_alloc(&((struct attempt *)(void *)call)->arena, bytes);
}

static bool normalize(float *vector, size_t dimension)
{
    double sum = 0;
    for (size_t i = 0; i < dimension; i++)
        sum += (double)vector[i] * (double)vector[i];
    if (!isfinite(sum))
        return false;
    /* Unit length within float rounding stays as it came, bit for bit. */
    if (sum > 0 && fabs(sum - 1) > 1e-5) {
        float factor = (float)(1 / sqrt(sum));
        for (size_t i = 0; i < dimension; i++)
            vector[i] *= factor;
    }
    return true;
}

/* Are there as many log-probabilities as the candidates have tokens, or none? */
static bool tokens_agree(const xy_reply *reply)
{
    uint64_t tokens = 0;
    for (size_t i = 0; i < reply->score_count && reply->score_tokens; i++)
        tokens += reply->score_tokens[i];
    return reply->logprob_count == 0 || (reply->logprobs && reply->logprob_count == tokens);
}

/* What is wrong with an answer to a score, or NULL. */
static const char *check_scores(const xy_request *request, const xy_reply *reply)
{
    if (reply->score_count != request->text_count || !reply->scores)
        return "the number of scores is not the number of candidates";
    for (size_t i = 0; i < reply->score_count; i++)
        if (isnan(reply->scores[i]))
            return "a score is not a number";
    return tokens_agree(reply) ? NULL : "the log-probabilities are not one for each token of the "
                                        "candidates";
}

/* An answer that does not answer the request is an upstream error, and worth another attempt. */
static void check_answer(struct attempt *attempt, xy_reply *reply)
{
    const xy_request *request = &attempt->request;
    const char *wrong = NULL;
    if (request->operation == XY_SCORE) {
        wrong = check_scores(request, reply);
    } else if (request->operation == XY_EMBED) {
        if (reply->vector_count != request->text_count || !reply->vectors || !reply->dimension) {
            wrong = "the number of vectors is not the number of texts";
        } else {
            size_t floats = reply->vector_count * reply->dimension;
            float *vectors = arena_alloc(&attempt->arena, floats * sizeof(float));
            memcpy(vectors, reply->vectors, floats * sizeof(float));
            for (size_t i = 0; i < reply->vector_count; i++)
                if (!normalize(vectors + i * reply->dimension, reply->dimension))
                    wrong = "a vector has a component that is not finite";
            reply->vectors = vectors;
        }
    }
    if (wrong) {
        reply->status = XY_EUPSTREAM;
        reply->error = wrong;
        reply->retryable = 1;
    }
}

/* What later calls are expected to need, from one that was answered. */
static void learn_from(struct model *model, const struct attempt *attempt, const xy_reply *reply,
                       double cost)
{
    double output = reply->output_tokens;
    if (attempt->prompt > 0)
        model->prompt_factor = fmax(model->prompt_factor, reply->prompt_tokens / attempt->prompt);
    if (attempt->request.operation == XY_COMPLETE) {
        model->mean_output +=
            (model->mean_output > 0 ? SMOOTHING : 1) * (output - model->mean_output);
        model->largest_output = fmax(model->largest_output, output);
    }
    model->largest_cost = fmax(model->largest_cost, cost);
}

/* Everything that is counted once per attempt; returns what it cost. */
static double account(struct attempt *attempt, const xy_reply *reply, uint64_t now)
{
    struct model *model = attempt->model;
    struct models *models = model->models;
    double used = (double)reply->prompt_tokens + (double)reply->output_tokens;
    bool told = reply->prompt_tokens || reply->output_tokens;
    limiter_finish(&model->limiter, &(struct limiter_outcome){
        .sent_at = attempt->sent_at,
        .now = now,
        .limited = reply->status != XY_OK && (reply->limited || reply->status == XY_ETIMEOUT),
        .answered = reply->status == XY_OK,
        .retry_after = reply->retry_after_ms < 0 ? -1 : (int64_t)reply->retry_after_ms * 1000,
        .tokens_reserved = attempt->tokens,
        /* A server that reports no usage is believed to have used what was expected. */
        .tokens_used = told || reply->status != XY_OK ? used : attempt->tokens,
    });
    budget_release(&models->budget, attempt->money_reserved, attempt->tokens_reserved);
    double cost = reply->cost > 0 && isfinite(reply->cost)
                      ? reply->cost
                      : prices_cost(&model->prices, reply->prompt_tokens, reply->cached_tokens,
                                    reply->output_tokens);
    model->stats.cost += cost;
    model->stats.limited += reply->limited && reply->status != XY_OK;
    model->stats.prompt_tokens += reply->prompt_tokens;
    model->stats.output_tokens += reply->output_tokens;
    model->stats.cached_tokens += reply->cached_tokens;
    models->budget.spent.money += cost;
    models->budget.spent.prompt_tokens += reply->prompt_tokens;
    models->budget.spent.output_tokens += reply->output_tokens;
    if (cost > 0 || told)
        models->unsaved_spending = true;
    if (reply->status == XY_OK)
        learn_from(model, attempt, reply, cost);
    return cost;
}

static void attempt_recycle(struct attempt *attempt)
{
    struct model *model = attempt->model;
    if (attempt->previous)
        attempt->previous->next = attempt->next;
    else
        model->sent = attempt->next;
    if (attempt->next)
        attempt->next->previous = attempt->previous;
    if (attempt->arena.total > ARENA_KEPT)
        arena_free(&attempt->arena);
    else
        arena_reset(&attempt->arena);
    attempt->previous = NULL;
    attempt->next = model->free_attempts;
    model->free_attempts = attempt;
    model->settling++;
    models_wake(model->models);
}

static void attempt_finish(struct attempt *attempt, xy_reply *reply)
{
    if (reply->status == XY_OK)
        check_answer(attempt, reply);
    else if (reply->status > 0)
        reply->status = XY_EUPSTREAM;
    if (reply->status == XY_OK)
        attempt->model->answered = true;
    double cost = account(attempt, reply, now_us(attempt->model));
    /* In reverse, so that flights put back at the head of the queue keep their order. */
    for (size_t i = attempt->count; i-- > 0;) {
        struct flight *flight = attempt->flights[i];
        if (reply->status != XY_OK)
            flight_failed(flight, reply, attempt->count);
    }
    for (size_t i = 0; reply->status == XY_OK && i < attempt->count; i++)
        flight_answer(attempt->flights[i], reply, i, attempt->count, cost);
    attempt_recycle(attempt);
}

static int call_complete(xy_call *call, const xy_reply *reply)
{
    struct attempt *attempt = (struct attempt *)(void *)call;
    if (attempt->completed)
        return XY_EBUG;
    attempt->completed = true;
    /* A reply from an older plugin is shorter: what it does not have reads as 0. */
    xy_reply own = {.retry_after_ms = -1};
    memcpy(&own, reply, reply->size < sizeof(own) ? reply->size : sizeof(own));
    own.size = sizeof(own);
    attempt_finish(attempt, &own);
    return XY_OK;
}

static const xy_call_api call_api = {
    .size = sizeof(call_api),
    .request = call_request,
    .alloc = call_alloc,
    .complete = call_complete,
};

static struct attempt *attempt_new(struct model *model)
{
    struct attempt *attempt = model->free_attempts;
    if (attempt)
        model->free_attempts = attempt->next;
    else
        attempt = memory_zeroed(1, sizeof(*attempt));
    attempt->call.api = &call_api;
    attempt->model = model;
    attempt->completed = false;
    attempt->previous = NULL;
    attempt->next = model->sent;
    if (attempt->next)
        attempt->next->previous = attempt;
    model->sent = attempt;
    return attempt;
}

void model_cancel_attempt(struct model *model, struct flight *flight)
{
    if (!model->type->generator.cancel)
        return;
    for (struct attempt *attempt = model->sent; attempt; attempt = attempt->next) {
        bool carries = false, wanted = false;
        for (size_t i = 0; i < attempt->count; i++) {
            carries |= attempt->flights[i] == flight;
            wanted |= attempt->flights[i]->parts != NULL;
        }
        if (carries) {
            if (!wanted)
                model->type->generator.cancel(model->state, &attempt->call);
            return;
        }
    }
}

static uint32_t attempt_timeout(const struct flight *flight, uint64_t now)
{
    const struct model_spec *spec = flight->model->spec;
    double timeout = flight->request.timeout_ms;
    if (timeout <= 0)
        timeout = spec->timeout > 0 ? spec->timeout * 1e3 : DEFAULT_TIMEOUT_MS;
    if (spec->deadline > 0)
        timeout = fmin(timeout, spec->deadline * 1e3 - (double)(now - flight->first_sent_at) / 1e3);
    return timeout < 1 ? 1 : (uint32_t)timeout;
}

void attempt_start(struct model *model, size_t count, const struct estimate *estimate,
                          uint64_t now)
{
    struct attempt *attempt = attempt_new(model);
    attempt->count = count;
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = model->queue.first;
        flight_remove(&model->queue, flight);
        flight->state = FLIGHT_SENT;
        if (flight->tries++ == 0)
            flight->first_sent_at = now;
        attempt->flights[i] = flight;
        if (flight->request.text_count)
            attempt->texts[i] = flight->request.texts[0];
    }
    attempt->request = attempt->flights[0]->request;
    attempt->request.timeout_ms = attempt_timeout(attempt->flights[0], now);
    if (attempt->request.operation == XY_EMBED) {
        attempt->request.texts = attempt->texts;
        attempt->request.text_count = count;
    }
    attempt->sent_at = now;
    attempt->prompt = estimate->raw;
    attempt->tokens = estimate->likely;
    attempt->money_reserved = estimate->money;
    attempt->tokens_reserved = estimate->most;
    limiter_start(&model->limiter, estimate->likely, now);
    budget_reserve(&model->models->budget, estimate->money, estimate->most);
    model->stats.calls++;
    int code = model->type->generator.submit(model->state, &attempt->call);
    if (code < 0 && !attempt->completed) {
        attempt->completed = true;
        xy_reply refused = {.size = sizeof(refused), .status = code, .retry_after_ms = -1,
                            .error = "the generator refused the call"};
        attempt_finish(attempt, &refused);
    }
}
