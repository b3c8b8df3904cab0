/* SPDX-License-Identifier: Apache-2.0 */
/* stage_host_model.c - xylem.model/1 for tests: each request goes to the test's answer(). */
#include <string.h>

#include "stage_host_internal.h"

/* A submitted call. Its request is the plugin's: what it points to is copied into the job. */
struct stage_call {
    struct stage_call *next;
    struct job *job;
    xy_reply_done done;
    void *user;
    xy_request request;
};

static struct stage_host *host_of(const xy_job *base)
{
    return (struct stage_host *)instance_services(((const struct job *)base)->instance);
}

static int ask(struct stage_host *host, struct job *job, const xy_request *request,
               xy_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    reply->size = sizeof(*reply);
    reply->retry_after_ms = -1;
    reply->status = host->answer(host->answer_data, request, reply, &job->arena);
    return reply->status;
}

static const xy_str *copy_texts(struct arena *arena, const xy_str *texts, size_t count)
{
    xy_str *copies = arena_alloc(arena, (count + 1) * sizeof(*copies));
    for (size_t i = 0; i < count; i++)
        copies[i] = arena_str(arena, texts[i]);
    return copies;
}

static int mock_submit(xy_job *base, const xy_model *model, const xy_request *request,
                        xy_reply_done done, void *user, uint64_t *ticket)
{
    (void)model;
    struct stage_host *host = host_of(base);
    struct job *job = (struct job *)base;
    struct stage_call *call = arena_alloc(&job->arena, sizeof(*call));
    *call = (struct stage_call){.job = job, .done = done, .user = user, .request = *request};
    call->request.texts = copy_texts(&job->arena, request->texts, request->text_count);
    call->request.stop = copy_texts(&job->arena, request->stop, request->stop_count);
    call->request.json_schema = arena_str(&job->arena, request->json_schema);
    call->request.extra = arena_str(&job->arena, request->extra);
    xy_message *messages =
        arena_alloc(&job->arena, (request->message_count + 1) * sizeof(*messages));
    for (size_t i = 0; i < request->message_count; i++) {
        messages[i].role = arena_str(&job->arena, request->messages[i].role);
        messages[i].content = arena_str(&job->arena, request->messages[i].content);
    }
    call->request.messages = messages;
    struct stage_call **end = &host->calls;
    while (*end)
        end = &(*end)->next;
    *end = call;
    job->tickets++;
    if (ticket)
        *ticket = (uint64_t)(uintptr_t)call;
    return XY_OK;
}

bool stage_host_answer_next(struct stage_host *host)
{
    struct stage_call **place = &host->calls;
    while (host->newest_first && *place && (*place)->next)
        place = &(*place)->next;
    struct stage_call *call = *place;
    if (!call)
        return stage_host_tool_next(host);
    *place = call->next;
    xy_reply reply;
    ask(host, call->job, &call->request, &reply);
    call->job->tickets--;
    call->done(&call->job->base, call->user, &reply);
    return true;
}

/* The answer comes all the same, as a real one may. */
static int mock_cancel(xy_job *base, const xy_model *model, uint64_t ticket)
{
    (void)base, (void)model, (void)ticket;
    return XY_OK;
}

static int mock_call(xy_job *base, const xy_model *model, const xy_request *request,
                      xy_reply *reply)
{
    (void)model;
    return ask(host_of(base), (struct job *)base, request, reply);
}

static int mock_embed(xy_job *base, const xy_model *model, const xy_str *texts, size_t count,
                       const float **vectors, size_t *dimension)
{
    const xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = texts,
                                .text_count = count};
    xy_reply reply;
    int code = mock_call(base, model, &request, &reply);
    if (code < 0) {
        base->api->explain(base, reply.error);
        return code;
    }
    *vectors = reply.vectors;
    *dimension = reply.dimension;
    return XY_OK;
}

static uint32_t mock_can(const xy_model *model)
{
    (void)model;
    return XY_COMPLETE | XY_SCORE | XY_EMBED | XY_CAN_SCHEMA | XY_CAN_LOGPROBS | XY_CAN_SEED;
}

static const xy_model_service mock_service = {
    .size = sizeof(mock_service), .submit = mock_submit, .cancel = mock_cancel,
    .call = mock_call, .embed = mock_embed, .can = mock_can};

const void *stage_host_service(const xy_host *base, const char *id)
{
    const struct stage_host *host = (const struct stage_host *)host_services(base);
    if (strcmp(id, XY_MODEL) == 0)
        return host->answer ? &mock_service : NULL;
    if (strcmp(id, XY_TOOLS) == 0)
        return host->tool ? &stage_host_tools : NULL;
    return services_find(base, id);
}
