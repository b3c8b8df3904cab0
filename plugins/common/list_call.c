/* SPDX-License-Identifier: Apache-2.0 */
#include "list_call.h"

enum { MOST_STOPS = 16 };

/* An object around the list, since few servers take a schema whose root is an array. */
static const char list_schema[] =
    "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"string\"}}},\"required\":[\"items\"],\"additionalProperties\":false}";

static void *compile(const struct list_call *call, const xy_host *host, const char *name,
                     const char *source)
{
    char error[256];
    void *compiled = call->templates->compile(xy_text(source), error, sizeof(error));
    if (!compiled)
        xy_log_line(host, XY_LOG_ERROR, "`%s`: %s", name, error);
    return compiled;
}

int list_call_open(struct list_call *call, const xy_host *host)
{
    call->models = host->service(host, XY_MODEL);
    call->templates = host->service(host, XY_TEMPLATE);
    if (!call->models || !call->templates)
        return XY_EUNSUPPORTED;
    call->prompt_compiled = compile(call, host, "prompt", call->prompt);
    if (call->system)
        call->system_compiled = compile(call, host, "system", call->system);
    bool good = call->prompt_compiled && (call->system_compiled || !call->system);
    if (!good)
        list_call_close(call); /* close() comes only after a good open() */
    return good ? XY_OK : XY_EINVAL;
}

void list_call_close(struct list_call *call)
{
    if (call->prompt_compiled)
        call->templates->release(call->prompt_compiled);
    if (call->system_compiled)
        call->templates->release(call->system_compiled);
    call->prompt_compiled = call->system_compiled = NULL;
}

/* ---- one asking ------------------------------------------------------------------------------ */

struct asking {
    struct list_call *call;
    xy_message messages[2];
    size_t message_count;
    uint64_t seed;
    uint32_t sample;
    list_call_done done;
    void *user;
    bool constrained;
};

static void answered(xy_job *job, void *user, const xy_reply *reply);

static int submit(struct asking *asking, xy_job *job)
{
    struct list_call *call = asking->call;
    xy_str stop[MOST_STOPS];
    size_t stops = 0;
    for (; call->stop && call->stop[stops] && stops < MOST_STOPS; stops++)
        stop[stops] = xy_text(call->stop[stops]);
    asking->constrained = call->json && !call->unconstrained;
    xy_request request = {
        .size = sizeof(request), .operation = XY_COMPLETE, .messages = asking->messages,
        .message_count = asking->message_count, .stop = stop, .stop_count = stops,
        .temperature = call->temperature, .top_p = call->top_p,
        .max_tokens = (uint32_t)call->max_tokens, .sample = asking->sample,
        /* At temperature 0 there is one answer to a prompt, and it is asked for once. */
        .seed = call->temperature == 0 ? 0 : asking->seed};
    if (asking->constrained)
        request.json_schema = xy_text(list_schema);
    int code = call->models->submit(job, call->model, &request, answered, asking, NULL);
    return code < 0 ? xy_fail(job, code, "the prompt could not be sent to the model") : XY_OK;
}

/* Tells of an error that has no reply of its own. */
static void fail(struct asking *asking, xy_job *job, int code, const char *why)
{
    xy_reply reply = {.size = sizeof(reply), .status = code, .error = why, .retry_after_ms = -1};
    struct items none = {.count = 0};
    asking->done(job, asking->user, &reply, &none);
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct asking *asking = user;
    if (reply->status == XY_EUNSUPPORTED && asking->constrained) {
        asking->call->unconstrained = true; /* its answers are read as they come */
        int code = submit(asking, job);
        if (code < 0)
            fail(asking, job, code, "the prompt could not be sent to the model");
        return;
    }
    struct items items = {.count = 0};
    if (reply->status >= 0)
        items_read(&items, reply->text, asking->call->description[0] == 'c');
    if (reply->finish == XY_FINISH_LENGTH && !items.whole && items.count > 0)
        items.count--; /* max_tokens cut it off, perhaps in the middle of a word */
    if (items.failed)
        fail(asking, job, XY_ENOMEM, "out of memory");
    else
        asking->done(job, asking->user, reply, &items);
    items_free(&items);
}

int list_call_ask(struct list_call *call, xy_job *job, const xy_record *record, uint64_t seed,
                  uint32_t sample, list_call_done done, void *user)
{
    struct asking *asking = job->api->alloc(job, sizeof(*asking));
    if (!asking)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *asking = (struct asking){.call = call, .seed = seed, .sample = sample, .done = done,
                              .user = user};
    int code = XY_OK;
    if (call->system_compiled) {
        xy_message *message = &asking->messages[asking->message_count++];
        message->role = xy_text("system");
        code = call->templates->render(job, call->system_compiled, record, &message->content);
    }
    xy_message *message = &asking->messages[asking->message_count++];
    message->role = xy_text("user");
    if (code >= 0)
        code = call->templates->render(job, call->prompt_compiled, record, &message->content);
    return code < 0 ? code : submit(asking, job);
}
