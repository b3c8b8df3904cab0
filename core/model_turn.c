/* SPDX-License-Identifier: Apache-2.0 */
/* The order within a turn carries the module's main promise: answers are written before any
 * callback sees them, and places in the window are freed only after that write. So at any instant
 * the calls whose answers a kill can lose are at most those that were in flight. */
#include "model_internal.h"

#include <stdlib.h>

#include "recorder.h"

/* ---- orders: what a caller waits for --------------------------------------------------------- */

static void slot_release(struct models *models, uint32_t index)
{
    struct slot *slot = &models->slots[index];
    slot->order = NULL;
    slot->generation++;
    slot->next_free = models->free_slot;
    models->free_slot = index + 1;
}

static void order_answer(struct order *order, const xy_reply *reply)
{
    struct model *model = order->model;
    slot_release(model->models, order->slot);
    model->stats.answers++;
    if (reply->status == XY_ECANCELED)
        model->stats.cancelled++;
    else if (reply->status != XY_OK)
        model->stats.failed++;
    order->done(order->user, reply);
    free(order->vectors);
    free(order->error);
    free(order);
}

void order_close(struct order *order, int32_t status, const char *error)
{
    struct models *models = order->model->models;
    order->closed = true;
    order->status = status;
    free(order->error);
    order->error = error ? memory_copy_text(error, strlen(error)) : NULL;
    order->next = NULL;
    *models->orders_end = order;
    models->orders_end = &order->next;
    models_wake(models);
}

/* All parts of an order are there: one reply out of them. */
static void order_assemble(struct order *order)
{
    xy_reply reply = {
        .size = sizeof(reply),
        .status = order->status,
        .error = order->error,
        .retry_after_ms = -1,
    };
    if (order->status == XY_OK && order->embed) {
        reply.vectors = order->vectors;
        reply.vector_count = order->count;
        reply.dimension = order->dimension;
        reply.prompt_tokens = order->prompt_tokens;
        reply.cost = order->cost;
    }
    order_answer(order, &reply);
}

static void order_fail(struct order *order, int32_t status, const char *error)
{
    if (order->status != XY_OK)
        return; /* the first error is the one to tell */
    order->status = status;
    order->error = memory_copy_text(error ? error : "", error ? strlen(error) : 0);
}

static void order_take_vector(struct order *order, size_t index, const xy_reply *reply)
{
    if (!order->vectors) {
        order->dimension = reply->dimension;
        order->vectors = memory_zeroed(order->count * reply->dimension, sizeof(float));
    }
    if (reply->dimension != order->dimension) {
        char why[256];
        snprintf(why, sizeof(why), "the model's vectors differ in dimension: %zu numbers for text "
                 "%zu of this call, %zu before; where answers come from a cache, it holds those of "
                 "another model: use another `cache`", reply->dimension, index + 1,
                 order->dimension);
        order_fail(order, XY_EUPSTREAM, why);
        return;
    }
    memcpy(order->vectors + index * order->dimension, reply->vectors,
           order->dimension * sizeof(float));
    order->prompt_tokens += reply->prompt_tokens;
    order->cost += reply->cost;
}

/* ---- flights --------------------------------------------------------------------------------- */

static void flight_deliver(struct flight *flight)
{
    struct model *model = flight->model;
    xy_reply reply = {.size = sizeof(reply), .retry_after_ms = -1};
    flight_leave(model, flight);
    if (!flight->payload.ptr || !reply_decode(flight->payload, flight->request.operation, &reply)) {
        reply.status = flight->status ? flight->status : XY_EBUG;
        reply.error = flight->error;
    }
    if (model->models->recorder && reply.status == XY_OK)
        recorder_add(model->models->recorder, &flight->request, &reply);
    /* A callback may cancel the next part: each is taken off before anything of the caller runs. */
    while (flight->parts) {
        struct part *part = flight->parts;
        struct order *order = part->order;
        flight->parts = part->next;
        part->flight = NULL;
        order->remaining--;
        if (!order->embed) {
            order->closed = true;
            order_answer(order, &reply);
            continue;
        }
        if (reply.status == XY_OK)
            order_take_vector(order, part->index, &reply);
        else
            order_fail(order, reply.status, reply.error);
        if (order->remaining == 0) {
            order->closed = true;
            order_assemble(order);
        }
    }
    flight_free(flight);
}

/* ---- the turn -------------------------------------------------------------------------------- */

/* Nothing that was queued may be used, and nothing more may be paid. */
static void break_down(struct models *models)
{
    while (models->fresh.first) {
        struct flight *flight = models->fresh.first;
        flight_remove(&models->fresh, flight);
        free((char *)(uintptr_t)flight->payload.ptr);
        flight->payload = (xy_str){NULL, 0};
        flight_fail(flight, XY_EIO, models->broken_error.text);
    }
    for (size_t i = 0; i < models->count; i++) {
        struct model *model = &models->items[i];
        while (model->queue.first || model->backoff.first) {
            struct flight *flight = model->queue.first ? model->queue.first : model->backoff.first;
            flight_unqueue(flight);
            flight_fail(flight, XY_EIO, models->broken_error.text);
        }
    }
}

static void save(struct models *models)
{
    if (!models->fresh.first && !models->unsaved_spending)
        return;
    if (!models->broken) {
        /* The sum first: a log cut after it counts a call that was paid, never one less. */
        if (models->unsaved_spending)
            budget_append(&models->budget, models->journal, models->run_id);
        for (struct flight *flight = models->fresh.first; flight; flight = flight->next)
            journal_append(models->journal, flight->key, flight->payload);
        models->broken = journal_write(models->journal, &models->broken_error) != XY_OK;
    }
    models->unsaved_spending = false;
    if (models->broken)
        break_down(models);
}

static void deliver(struct flight_list list)
{
    while (list.first) {
        struct flight *flight = list.first;
        flight_remove(&list, flight);
        flight_deliver(flight);
    }
}

static void deliver_orders(struct models *models)
{
    struct order *order = models->orders;
    models->orders = NULL;
    models->orders_end = &models->orders;
    while (order) {
        struct order *next = order->next;
        order_assemble(order);
        order = next;
    }
}

void models_turn(void *data)
{
    struct models *models = data;
    models->woken = false;
    models->in_turn = true;
    save(models);
    for (size_t i = 0; i < models->count; i++) {
        struct model *model = &models->items[i];
        for (; model->settling; model->settling--)
            limiter_release(&model->limiter);
    }
    /* The lists as they stand: what callbacks add comes in the next turn. */
    struct flight_list fresh = models->fresh, settled = models->settled;
    models->fresh = models->settled = (struct flight_list){0};
    deliver_orders(models);
    deliver(settled);
    deliver(fresh);
    bool more = false;
    for (size_t i = 0; i < models->count; i++) {
        model_pump(&models->items[i]);
        more |= models->items[i].settling > 0; /* the generator refused or answered at once */
    }
    models->in_turn = false;
    if (more || models->fresh.first || models->settled.first || models->orders)
        models_wake(models);
}

void models_wake(struct models *models)
{
    if (models->in_turn || models->woken)
        return;
    models->woken = true;
    loop_post(models->loop, models_turn, models);
}
