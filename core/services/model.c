/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.model/1: a stage's calls, on the loop with a callback or from a worker waiting. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "job.h"

enum { EMBED_AT_ONCE = 1024 }; /* texts in one request: bounds what one answer holds in memory */

struct pending_call {
    struct job *job;
    xy_reply_done done;
    void *user;
    uint32_t operation;
    size_t texts;
};

/* A stage's own calls count to its step, each text that was embedded as one. [any] */
static void count(const struct job *job, uint32_t operation, size_t texts, const xy_reply *reply)
{
    struct services *services = instance_services(job->instance);
    struct step_counts counts = {
        .calls = operation == XY_EMBED ? texts : 1,
        .prompt_tokens = reply->prompt_tokens,
        .output_tokens = reply->output_tokens,
        .cost = reply->cost,
    };
    if (services->report)
        report_add_calls(services->report, instance_name(job->instance), &counts);
}

static void call_done(void *data, const xy_reply *reply)
{
    struct pending_call call = *(struct pending_call *)data;
    free(data);
    count(call.job, call.operation, call.texts, reply);
    atomic_fetch_sub(&call.job->tickets, 1);
    call.done(&call.job->base, call.user, reply);
}

/* What the plugin knows of a request, with the model's params where it says nothing. */
static xy_request fill(const xy_model *model, const xy_request *request)
{
    xy_request filled = {.temperature = -1, .top_p = -1};
    memcpy(&filled, request, request->size < sizeof(filled) ? request->size : sizeof(filled));
    filled.size = sizeof(filled);
    model_fill((const struct model *)model, &filled);
    return filled;
}

static int submit(xy_job *base, const xy_model *model, const xy_request *request,
                  xy_reply_done done, void *user, uint64_t *ticket)
{
    int tagged =
        services_on_loop(instance_services(((struct job *)base)->instance),
                         instance_name(((struct job *)base)->instance), XY_MODEL " submit()");
    if (tagged < 0)
        return tagged;
    struct job *job = (struct job *)base;
    struct pending_call *call = memory_zeroed(1, sizeof(*call));
    *call = (struct pending_call){.job = job, .done = done, .user = user};
    atomic_fetch_add(&job->tickets, 1);
    xy_request filled = fill(model, request);
    call->operation = filled.operation;
    call->texts = filled.text_count;
    int code = model_submit((struct model *)model, &filled, call_done, call, ticket);
    if (code < 0) {
        atomic_fetch_sub(&job->tickets, 1);
        free(call);
    }
    return code;
}

struct cancel_wish {
    struct model *model;
    uint64_t ticket;
};

static void cancel_on_loop(void *data)
{
    struct cancel_wish *wish = data;
    model_cancel(wish->model, wish->ticket);
    free(wish);
}

static int cancel(xy_job *base, const xy_model *model, uint64_t ticket)
{
    struct job *job = (struct job *)base;
    struct cancel_wish *wish = memory_zeroed(1, sizeof(*wish));
    *wish = (struct cancel_wish){.model = (struct model *)model, .ticket = ticket};
    loop_post(instance_services(job->instance)->loop, cancel_on_loop, wish);
    return XY_OK;
}

/* ---- waiting calls --------------------------------------------------------------------------- */

struct waiting_call {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool done;
    struct job *job;
    struct model *model;
    const xy_request *request;
    xy_reply *reply;
};

static const void *keep(struct job *job, const void *bytes, size_t length)
{
    return bytes && length ? arena_copy(&job->arena, bytes, length) : NULL;
}

static void keep_reply(struct job *job, xy_reply *out, const xy_reply *reply)
{
    *out = *reply;
    out->size = sizeof(*out);
    out->error = keep(job, reply->error, reply->error ? strlen(reply->error) : 0);
    out->model = keep(job, reply->model, reply->model ? strlen(reply->model) : 0);
    out->text.ptr = keep(job, reply->text.ptr, reply->text.len);
    out->scores = keep(job, reply->scores, reply->score_count * sizeof(double));
    out->score_tokens = keep(job, reply->score_tokens, reply->score_count * sizeof(uint32_t));
    out->vectors = keep(job, reply->vectors,
                        reply->vector_count * reply->dimension * sizeof(float));
    out->logprobs = keep(job, reply->logprobs, reply->logprob_count * sizeof(float));
}

static void wake(struct waiting_call *call, const xy_reply *reply)
{
    pthread_mutex_lock(&call->lock);
    keep_reply(call->job, call->reply, reply);
    call->done = true;
    pthread_cond_signal(&call->ready);
    pthread_mutex_unlock(&call->lock);
}

static void waiting_done(void *data, const xy_reply *reply)
{
    wake(data, reply);
}

/* Why the model takes no such request: kept until the call's reply is copied. */
static const char *refusal(const struct model *model, const xy_request *request, int code,
                           char *room, size_t size)
{
    if (code != XY_EUNSUPPORTED)
        return "the request makes no sense";
    const char *what = request->operation == XY_EMBED   ? "embed texts"
                       : request->operation == XY_SCORE ? "score candidates"
                                                        : "complete prompts";
    snprintf(room, size, "model `%s` cannot %s: take one that can, or see its generator's options",
             model_alias(model), what);
    return room;
}

static void waiting_start(void *data)
{
    struct waiting_call *call = data;
    char why[256];
    int code = model_submit(call->model, call->request, waiting_done, call, NULL);
    if (code < 0)
        wake(call, &(xy_reply){.size = sizeof(xy_reply), .status = code,
                               .error = refusal(call->model, call->request, code, why,
                                                sizeof(why))});
}

static int call_and_wait(xy_job *base, const xy_model *model, const xy_request *request,
                         xy_reply *reply)
{
    int tagged = services_off_loop(instance_services(((struct job *)base)->instance),
                                   instance_name(((struct job *)base)->instance),
                                   XY_MODEL " call() or embed()");
    if (tagged < 0)
        return tagged;
    struct job *job = (struct job *)base;
    xy_request filled = fill(model, request);
    struct waiting_call call = {.job = job, .model = (struct model *)model, .request = &filled,
                                .reply = reply};
    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.ready, NULL);
    loop_post(instance_services(job->instance)->loop, waiting_start, &call);
    pthread_mutex_lock(&call.lock);
    while (!call.done)
        pthread_cond_wait(&call.ready, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.ready);
    pthread_mutex_destroy(&call.lock);
    count(job, filled.operation, filled.text_count, reply);
    return reply->status;
}

static int embed(xy_job *base, const xy_model *model, const xy_str *texts, size_t count,
                 const float **vectors, size_t *dimension)
{
    struct job *job = (struct job *)base;
    float *matrix = NULL;
    *dimension = 0;
    for (size_t at = 0; at < count; at += EMBED_AT_ONCE) {
        size_t part = count - at < EMBED_AT_ONCE ? count - at : EMBED_AT_ONCE;
        xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .temperature = -1,
                              .top_p = -1, .texts = texts + at, .text_count = part};
        xy_reply reply = {.size = sizeof(reply)};
        int code = call_and_wait(base, model, &request, &reply);
        if (code < 0) {
            job->base.api->explain(base, reply.error ? reply.error : error_name(code));
            return code;
        }
        if (reply.vector_count != part || reply.dimension == 0 ||
            (*dimension && reply.dimension != *dimension))
            return xy_fail(base, XY_EUPSTREAM, "the embedder answered %zu vectors of dimension %zu "
                           "where %zu of dimension %zu were due", reply.vector_count,
                           reply.dimension, part, *dimension);
        if (!matrix) {
            *dimension = reply.dimension;
            matrix = arena_alloc(&job->arena, count * *dimension * sizeof(float));
        }
        memcpy(matrix + at * *dimension, reply.vectors, part * *dimension * sizeof(float));
    }
    *vectors = matrix;
    return XY_OK;
}

static uint32_t can(const xy_model *model)
{
    return model_can((const struct model *)model);
}

const xy_model_service service_model = {
    .size = sizeof(xy_model_service),
    .submit = submit,
    .cancel = cancel,
    .call = call_and_wait,
    .embed = embed,
    .can = can,
};
