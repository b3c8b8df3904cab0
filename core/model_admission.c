/* SPDX-License-Identifier: Apache-2.0 */
/* Which call starts next, and when: the window, the rates, the budget. */
#include "model_internal.h"

#include <math.h>

enum {
    FIRST_OUTPUT_GUESS = 256, /* tokens, until an answer has told more */
    BYTES_PER_TOKEN = 3,      /* on the safe side for English prose, about right for code */
    TOKENS_PER_MESSAGE = 4    /* what chat templates put around a message */
};

static double prompt_tokens(const xy_request *request)
{
    size_t bytes = 0;
    for (size_t i = 0; i < request->message_count; i++)
        bytes += request->messages[i].content.len;
    for (size_t i = 0; i < request->text_count; i++)
        bytes += request->texts[i].len;
    return (double)bytes / BYTES_PER_TOKEN +
           (double)(request->message_count + request->text_count) * TOKENS_PER_MESSAGE;
}

static void estimate_add(const struct model *model, const xy_request *request,
                         struct estimate *estimate)
{
    double raw = prompt_tokens(request), likely = 0, most = 0;
    /* The largest share of tokens per byte seen so far: a hard budget needs the upper side. */
    double prompt = raw * fmax(1, model->prompt_factor);
    if (request->operation == XY_COMPLETE) {
        bool known = model->largest_output > 0;
        likely = known ? model->mean_output : FIRST_OUTPUT_GUESS;
        most = known ? model->largest_output : FIRST_OUTPUT_GUESS;
        if (request->max_tokens) {
            likely = fmin(likely, request->max_tokens);
            most = request->max_tokens;
        }
    }
    estimate->raw += raw;
    estimate->likely += prompt + likely;
    estimate->most += prompt + most;
    estimate->money += prices_cost(&model->prices, prompt, 0, most);
}

static bool same_batch(const struct flight *first, const struct flight *other)
{
    return other->request.operation == XY_EMBED && !other->alone && !first->alone &&
           str_equal(first->request.extra, other->request.extra);
}

/* How many flights from the head of the queue go in one attempt, with what they may need. */
static size_t gather(const struct model *model, struct estimate *estimate)
{
    const struct flight *first = model->queue.first;
    *estimate = (struct estimate){0};
    size_t count = 0, bytes = 0;
    for (const struct flight *flight = first; flight; flight = flight->next) {
        if (flight->request.text_count)
            bytes += flight->request.texts[0].len;
        if (count && (first->request.operation != XY_EMBED || count == EMBED_BATCH ||
                      bytes > EMBED_BATCH_BYTES || !same_batch(first, flight)))
            break;
        estimate_add(model, &flight->request, estimate);
        count++;
    }
    if (estimate->money <= 0)
        estimate->money = model->largest_cost; /* a server that names its price only afterwards */
    return count;
}

static void timer_due(void *data)
{
    struct model *model = data;
    model->timer = NULL;
    models_wake(model->models);
}

static void wake_after(struct model *model, uint64_t wait, uint64_t now)
{
    if (model->timer && model->timer_at <= now + wait)
        return; /* comes early enough, and looks again then */
    timer_stop(model->timer);
    model->timer_at = now + wait;
    model->timer = loop_after(model->models->loop, wait, timer_due, model);
}

static void fail_over_budget(struct model *model, size_t count, const struct estimate *estimate)
{
    const struct budget *budget = &model->models->budget;
    char text[400];
    snprintf(text, sizeof(text),
             "the budget does not allow this call (about %.0f tokens, %.6f in money): paid so far "
             "%.6f of %.6f in money, %llu of %lld tokens; raise `budget:` and run the same command "
             "again to go on", estimate->most, estimate->money, budget->spent.money,
             budget->money_limit,
             (unsigned long long)budget->spent.prompt_tokens + budget->spent.output_tokens,
             (long long)budget->token_limit);
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = model->queue.first;
        flight_remove(&model->queue, flight);
        flight_fail(flight, XY_EBUDGET, text);
    }
}

/* A retry that had to wait for the limits as well. The deadline runs from the first attempt. */
static bool past_deadline(const struct flight *flight, uint64_t now)
{
    double deadline = flight->model->spec->deadline * 1e6;
    return deadline > 0 && flight->tries > 0 && (double)(now - flight->first_sent_at) >= deadline;
}

void model_pump(struct model *model)
{
    uint64_t now = loop_now_us(model->models->loop);
    while (model->queue.first) {
        if (past_deadline(model->queue.first, now)) {
            struct flight *late = model->queue.first;
            flight_remove(&model->queue, late);
            flight_fail(late, XY_ETIMEOUT, "the deadline passed while the call waited its turn");
            continue;
        }
        struct estimate estimate;
        size_t count = gather(model, &estimate);
        uint64_t wait = limiter_wait(&model->limiter, estimate.likely, now);
        if (wait == LIMITER_NEVER)
            return;
        if (wait > 0) {
            wake_after(model, wait, now);
            return;
        }
        enum budget_verdict verdict =
            budget_ask(&model->models->budget, estimate.money, estimate.most);
        if (verdict == BUDGET_WAIT)
            return; /* each turn looks again, and a call that ends makes a turn */
        if (verdict == BUDGET_SPENT)
            fail_over_budget(model, count, &estimate);
        else
            attempt_start(model, count, &estimate, now);
    }
}
