/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_generator.c - a generator's calls: exactly one answer each, on the loop, after
 * submit(). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_internal.h"
#include "json.h"

enum { CALLS_AT_ONCE = 16 };

/* One call under watch; `base` first, so that the plugin's xy_call * is this. */
struct call {
    xy_call base;
    struct kit *kit;
    struct instance *instance;
    struct arena arena;
    struct {
        xy_request known;
        uint64_t unknown[4]; /* a request of a later minor */
    } request;
    bool submitting;
    bool cancels;
    int answer;              /* of submit() */
    int completes;
    int status;
    _Atomic int over;
};

static const xy_request *call_request(const xy_call *base)
{
    return &((const struct call *)base)->request.known;
}

static void *call_alloc(xy_call *base, size_t bytes)
{
    return arena_alloc(&((struct call *)base)->arena, bytes);
}

static void judge_vectors(struct kit *kit, const xy_request *request, const xy_reply *reply)
{
    if (reply->vector_count != request->text_count || !reply->dimension || !reply->vectors) {
        kit_fail(kit, "%zu texts gave %zu vectors of dimension %zu", request->text_count,
                 reply->vector_count, reply->dimension);
        return;
    }
    for (size_t i = 0; i < reply->vector_count; i++) {
        double sum = 0;
        for (size_t j = 0; j < reply->dimension; j++) {
            double x = (double)reply->vectors[i * reply->dimension + j];
            sum += x * x;
        }
        if (!(fabs(sqrt(sum) - 1) < 1e-3)) {
            kit_fail(kit, "vector %zu has length %g, not 1", i, sqrt(sum));
            return;
        }
    }
}

/* What an answer without error must hold. */
static void judge_reply(struct kit *kit, const xy_request *request, const xy_reply *reply)
{
    switch (request->operation) {
    case XY_COMPLETE:
        if (reply->text.len && !utf8_valid(reply->text))
            kit_fail(kit, "the answer's text is not UTF-8");
        break;
    case XY_SCORE:
        if (reply->score_count != request->text_count || !reply->scores)
            kit_fail(kit, "%zu candidates gave %zu scores", request->text_count,
                     reply->score_count);
        for (size_t i = 0; reply->scores && i < reply->score_count; i++)
            if (!(reply->scores[i] <= 1e-6))
                kit_fail(kit, "score %zu is %g: a log-probability is not above 0", i,
                         reply->scores[i]);
        break;
    default: judge_vectors(kit, request, reply);
    }
}

static int call_complete(xy_call *base, const xy_reply *reply)
{
    struct call *call = (struct call *)base;
    struct kit *kit = call->kit;
    call->completes++;
    if (call->submitting)
        kit_fail(kit, "complete() was called from inside submit()");
    else if (!loop_is_current(kit->services.loop))
        kit_fail(kit, "complete() is [loop] and was called from another thread");
    if (call->completes > 1) {
        kit_fail(kit, "complete() was called %d times for one call", call->completes);
        return XY_EBUG;
    }
    if (!reply || reply->size < offsetof(xy_reply, limited) || reply->status > 0) {
        kit_fail(kit, "complete() got a reply without its size, or with a status above 0");
    } else {
        call->status = reply->status;
        if (reply->status == XY_OK)
            judge_reply(kit, &call->request.known, reply);
        else if (!reply->error || !*reply->error)
            kit_fail(kit, "the error %d came without a text in `error`", reply->status);
    }
    atomic_store(&call->over, 1);
    return XY_OK;
}

static const xy_call_api call_api = {
    .size = sizeof(call_api), .request = call_request, .alloc = call_alloc,
    .complete = call_complete};

static void submit_call(void *data)
{
    struct call *call = data;
    const xy_generator *generator = &call->kit->type->generator;
    void *state = instance_state(call->instance);
    call->submitting = true;
    call->answer = generator->submit(state, &call->base);
    call->submitting = false;
    if (call->answer < 0)
        atomic_store(&call->over, 1);
    else if (call->cancels)
        generator->cancel(state, &call->base);
}

/* ---- requests -------------------------------------------------------------------------------- */

static xy_str prompt_of(struct kit *kit, enum kit_record what)
{
    struct record *record = record_create(1);
    kit_fill(kit, &record->base, what, 0);
    xy_str text = arena_str(&kit->arena, xy_record_text(&record->base, "text"));
    record_destroy(record);
    return text;
}

static struct call *make_call(struct kit *kit, struct instance *instance, uint32_t operation,
                              enum kit_record what)
{
    static const xy_str candidates[] = {{"alpha", 5}, {"beta", 4}};
    struct call *call = arena_alloc(&kit->arena, sizeof(*call));
    call->base.api = &call_api;
    call->kit = kit;
    call->instance = instance;
    xy_request *request = &call->request.known;
    *request = (xy_request){.size = kit->longer ? sizeof(call->request) : sizeof(*request),
                            .operation = operation, .temperature = -1, .top_p = -1,
                            .max_tokens = 8};
    memset(call->request.unknown, 0xa5, sizeof(call->request.unknown));
    xy_str prompt = prompt_of(kit, what);
    if (operation == XY_EMBED) {
        xy_str *texts = arena_alloc(&kit->arena, 2 * sizeof(*texts));
        texts[0] = prompt;
        texts[1] = STR("another text");
        request->texts = texts;
        request->text_count = 2;
        return call;
    }
    xy_message *message = arena_alloc(&kit->arena, sizeof(*message));
    *message = (xy_message){.role = STR("user"), .content = prompt};
    request->messages = message;
    request->message_count = what == RECORD_NO_FIELDS ? 0 : 1;
    if (operation == XY_SCORE) {
        request->texts = candidates;
        request->text_count = 2;
    }
    return call;
}

/* Waits for the end of one call; false when it never came. */
static bool await_call(struct kit *kit, struct call *call)
{
    static const _Atomic int never;
    if (!kit_wait(kit, &call->over, kit->job_ms)) {
        kit_fail(kit, "a call was never completed: complete() did not come within %u ms",
                 kit->job_ms);
        return false;
    }
    kit_wait(kit, &never, KIT_GRACE_MS); /* a second answer would come now */
    if (call->answer < 0 && call->completes > 0)
        kit_fail(kit, "submit() refused the call with %d, and complete() came all the same",
                 call->answer);
    if (call->answer > 0)
        kit_fail(kit, "submit() answered %d: 0, or an error", call->answer);
    return true;
}

static bool call_once(struct kit *kit, struct instance *instance, uint32_t operation,
                      enum kit_record what, bool cancels)
{
    struct call *call = make_call(kit, instance, operation, what);
    call->cancels = cancels;
    kit_do(kit, false, submit_call, call);
    if (!await_call(kit, call))
        return false;
    uint32_t can = kit->type->generator.can(instance_state(instance));
    if (!(can & operation) && call->answer == 0 && call->status == XY_OK)
        kit_fail(kit, "can() denies the operation %u, and it was done", operation);
    arena_free(&call->arena);
    return true;
}

/* Every operation, whether can() names it or not. */
static bool try_operations(struct kit *kit, struct instance *instance, enum kit_record what,
                           bool cancels)
{
    return call_once(kit, instance, XY_COMPLETE, what, cancels) &&
           call_once(kit, instance, XY_SCORE, what, cancels) &&
           call_once(kit, instance, XY_EMBED, what, cancels);
}

static bool try_many(struct kit *kit, struct instance *instance, uint32_t operation)
{
    struct call *calls[CALLS_AT_ONCE];
    kit_begin(kit, "many calls at once");
    for (size_t i = 0; i < CALLS_AT_ONCE; i++) {
        calls[i] = make_call(kit, instance, operation, RECORD_PLAIN);
        calls[i]->cancels = i % 4 == 3;
        kit_do(kit, false, submit_call, calls[i]);
    }
    for (size_t i = 0; i < CALLS_AT_ONCE; i++) {
        if (!await_call(kit, calls[i]))
            return false;
        arena_free(&calls[i]->arena);
    }
    return true;
}

static void try_bare(struct kit *kit)
{
    kit_begin(kit, "missing services");
    kit->bare = true;
    struct error error = {0};
    struct instance *instance = kit_open(kit, &error);
    if (instance && try_operations(kit, instance, RECORD_PLAIN, false))
        kit_close(kit, instance);
    else if (!instance && error.code != XY_EUNSUPPORTED)
        kit_fail(kit, "without a service it opens with \"%s\": answer XY_EUNSUPPORTED or work",
                 error.text);
}

void kit_try_generator(struct kit *kit)
{
    struct error error = {0};
    kit_begin(kit, "abilities");
    struct instance *instance = kit_open(kit, &error);
    if (!instance) {
        kit_fail(kit, "it could be opened before, and now: %s", error.text);
        return;
    }
    uint32_t can = kit->type->generator.can(instance_state(instance));
    if (!(can & (XY_COMPLETE | XY_SCORE | XY_EMBED)))
        kit_fail(kit, "can() names no operation");
    for (enum kit_record what = RECORD_PLAIN; what <= RECORD_ODD_TEXT; what++) {
        kit_begin(kit, kit_record_names[what]);
        if (!try_operations(kit, instance, what, false))
            return;
    }
    kit_begin(kit, "longer structs");
    kit->longer = true;
    if (!try_operations(kit, instance, RECORD_PLAIN, false))
        return;
    kit_begin(kit, "cancel");
    if (!try_operations(kit, instance, RECORD_PLAIN, true))
        return;
    static const char *const names[] = {"", "failing services", "empty answers", "odd answers"};
    for (enum kit_answers answers = ANSWER_ERROR; answers <= ANSWER_ODD; answers++) {
        kit_begin(kit, names[answers]);
        kit->answers = answers;
        if (!try_operations(kit, instance, RECORD_PLAIN, false))
            return;
    }
    uint32_t operation = can & XY_COMPLETE ? XY_COMPLETE : can & XY_SCORE ? XY_SCORE : XY_EMBED;
    if (!try_many(kit, instance, operation))
        return;
    kit_close(kit, instance);
    try_bare(kit);
}
