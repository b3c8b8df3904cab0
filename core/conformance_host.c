/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_host.c - services that answer at once and the same each time, without network or
 * model.
 *
 * Log, random streams, loop, expressions, schemas and reports are the real ones. Models, HTTP,
 * tools, learners and files are mocks, whose answers the kit can turn into errors or nonsense.
 */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "conformance_internal.h"

enum { DIMENSION = 8 };

struct kit *kit_of_job(const xy_job *base)
{
    return (struct kit *)instance_services(((const struct job *)base)->instance);
}

bool kit_count(struct kit *kit)
{
    int call = atomic_fetch_add(&kit->calls, 1) + 1;
    if (kit->cancel_at > 0 && call >= kit->cancel_at)
        atomic_store(&kit->cancelled, 1);
    return atomic_load(&kit->cancelled);
}

/* ---- xylem.model/1 --------------------------------------------------------------------------- */

/* One answer: to the request's content, so that the same request has the same answer. */
struct answer {
    struct kit *kit;
    struct job *job;
    xy_reply_done done;
    void *user;
    bool cancelled;
    uint64_t hash;
    uint32_t operation;
    size_t text_count;
    bool wants_json;
    /* The reply of a later minor has more members than this header knows. */
    struct {
        xy_reply known;
        uint64_t unknown[4];
    } reply;
};

static uint64_t hash_request(const xy_request *request)
{
    uint64_t hash = XXH3_64bits(&request->sample, sizeof(request->sample));
    for (size_t i = 0; i < request->message_count; i++)
        hash = XXH3_64bits_withSeed(
            request->messages[i].content.ptr ? request->messages[i].content.ptr : "",
            request->messages[i].content.len, hash);
    for (size_t i = 0; i < request->text_count; i++)
        hash = XXH3_64bits_withSeed(request->texts[i].ptr ? request->texts[i].ptr : "",
                                    request->texts[i].len, hash);
    return hash;
}

/* A unit vector that points where the hash says. */
static void fill_vector(float *vector, uint64_t hash)
{
    double sum = 0;
    for (size_t i = 0; i < DIMENSION; i++) {
        vector[i] = (float)(xy_random_unit(&hash) - 0.5);
        sum += (double)vector[i] * (double)vector[i];
    }
    double norm = sum > 0 ? 1 / __builtin_sqrt(sum) : 0;
    for (size_t i = 0; i < DIMENSION; i++)
        vector[i] = (float)((double)vector[i] * norm);
}

static xy_str answer_text(const struct answer *answer)
{
    static const char *const words[] = {"alpha", "beta", "yes", "a small text"};
    switch (answer->kit->answers) {
    case ANSWER_EMPTY: return STR("");
    case ANSWER_ODD: return STR("{\"broken\": [\xc3\xa9, \x01");
    default:
        return answer->wants_json ? STR("{}") : str_of(words[answer->hash % 4]);
    }
}

/* Fills the reply; arrays are the job's. */
static xy_reply *fill_reply(struct answer *answer)
{
    xy_reply *reply = &answer->reply.known;
    struct arena *arena = &answer->job->arena;
    reply->size = answer->kit->longer ? sizeof(answer->reply) : sizeof(*reply);
    memset(answer->reply.unknown, 0xa5, sizeof(answer->reply.unknown));
    reply->retry_after_ms = -1;
    bool cancelled = kit_count(answer->kit) || answer->cancelled;
    if (cancelled || answer->kit->answers == ANSWER_ERROR) {
        reply->status = cancelled ? XY_ECANCELED : XY_EUPSTREAM;
        reply->error = cancelled ? "the run is being stopped" : "the model does not answer";
        return reply;
    }
    reply->finish = XY_FINISH_STOP;
    reply->model = "mock";
    reply->prompt_tokens = reply->output_tokens = 3;
    size_t count = answer->text_count;
    if (answer->operation == XY_COMPLETE) {
        reply->text = answer_text(answer);
    } else if (answer->operation == XY_SCORE) {
        double *scores = arena_alloc(arena, (count + 1) * sizeof(double));
        uint32_t *tokens = arena_alloc(arena, (count + 1) * sizeof(uint32_t));
        for (size_t i = 0; i < count; i++) {
            scores[i] = -1 - (double)((answer->hash >> i) % 5);
            tokens[i] = 2;
        }
        reply->scores = scores;
        reply->score_tokens = tokens;
        reply->score_count = count;
    } else {
        float *vectors = arena_alloc(arena, (count + 1) * DIMENSION * sizeof(float));
        for (size_t i = 0; i < count; i++)
            fill_vector(vectors + i * DIMENSION, answer->hash + i);
        reply->vectors = vectors;
        reply->vector_count = count;
        reply->dimension = DIMENSION;
    }
    return reply;
}

static void prepare_answer(struct answer *answer, xy_job *base, const xy_request *request)
{
    answer->kit = kit_of_job(base);
    answer->job = (struct job *)base;
    answer->hash = hash_request(request);
    answer->operation = request->operation;
    answer->text_count = request->text_count;
    answer->wants_json = request->json_schema.len > 0;
}

static void give_answer(void *data)
{
    struct answer *answer = data;
    xy_reply *reply = fill_reply(answer);
    atomic_fetch_sub(&answer->job->tickets, 1);
    answer->done(&answer->job->base, answer->user, reply);
    /* The answer stays in the job's arena: a cancel() that comes too late finds it there. */
}

static int model_mock_submit(xy_job *base, const xy_model *model, const xy_request *request,
                             xy_reply_done done, void *user, uint64_t *ticket)
{
    struct kit *kit = kit_of_job(base);
    kit_count(kit);
    if (!model || !request || !done || request->size < sizeof(uint32_t) * 2) {
        kit_fail(kit, "submit() was called without a model, a request with its size, or done()");
        return XY_EINVAL;
    }
    if (!loop_is_current(kit->services.loop))
        kit_fail(kit, "submit() is [loop] and was called from another thread");
    struct answer *answer = arena_alloc(&((struct job *)base)->arena, sizeof(*answer));
    prepare_answer(answer, base, request);
    answer->done = done;
    answer->user = user;
    atomic_fetch_add(&answer->job->tickets, 1);
    if (ticket)
        *ticket = (uint64_t)(uintptr_t)answer;
    loop_post(kit->services.loop, give_answer, answer);
    return XY_OK;
}

static int model_mock_cancel(xy_job *base, const xy_model *model, uint64_t ticket)
{
    (void)base, (void)model;
    struct answer *answer = (struct answer *)(uintptr_t)ticket;
    if (answer)
        answer->cancelled = true;
    return XY_OK;
}

static int model_mock_call(xy_job *base, const xy_model *model, const xy_request *request,
                           xy_reply *out)
{
    struct kit *kit = kit_of_job(base);
    kit_count(kit);
    if (!model || !request || !out)
        return XY_EINVAL;
    if (loop_is_current(kit->services.loop))
        kit_fail(kit, "call() is [worker] and was called on the loop, where nothing may wait");
    struct answer *answer = arena_alloc(&((struct job *)base)->arena, sizeof(*answer));
    prepare_answer(answer, base, request);
    *out = *fill_reply(answer);
    return out->status;
}

static int model_mock_embed(xy_job *base, const xy_model *model, const xy_str *texts, size_t count,
                            const float **vectors, size_t *dimension)
{
    const xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = texts,
                                .text_count = count};
    xy_reply reply = {0};
    int code = model_mock_call(base, model, &request, &reply);
    if (code < 0) {
        base->api->explain(base, reply.error);
        return code;
    }
    *vectors = reply.vectors;
    *dimension = reply.dimension;
    return XY_OK;
}

static uint32_t model_mock_can(const xy_model *model)
{
    (void)model;
    return XY_COMPLETE | XY_SCORE | XY_EMBED | XY_CAN_SCHEMA | XY_CAN_LOGPROBS | XY_CAN_SEED;
}

/* ---- xylem.http/1 ---------------------------------------------------------------------------- */

struct http_answer {
    struct kit *kit;
    void (*done)(void *user, const xy_http_reply *reply);
    void *user;
    bool cancelled;
};

static void give_http_answer(void *data)
{
    struct http_answer *answer = data;
    struct kit *kit = answer->kit;
    xy_http_reply reply = {.size = sizeof(reply), .status = XY_OK, .code = 200,
                           .retry_after_ms = -1, .content_type = "application/json"};
    if (answer->cancelled || kit_count(kit)) {
        reply.status = XY_ECANCELED;
        reply.code = 0;
        reply.error = "cancelled";
    } else if (kit->answers == ANSWER_ERROR) {
        reply.code = 503;
        reply.retryable = 1;
        reply.body = STR("busy");
    } else {
        reply.body = kit->answers == ANSWER_ODD ? STR("<html>") : STR("{}");
    }
    answer->done(answer->user, &reply);
    /* Kept in the kit's arena: see give_answer(). */
}

static int http_mock_submit(const xy_host *host, const xy_http_request *request,
                            void (*done)(void *user, const xy_http_reply *reply), void *user,
                            uint64_t *ticket)
{
    struct kit *kit = (struct kit *)host_services(host);
    kit_count(kit);
    if (!request || !request->url || !done) {
        kit_fail(kit, "submit() of xylem.http/1 was called without a URL or without done()");
        return XY_EINVAL;
    }
    struct http_answer *answer = arena_alloc(&kit->arena, sizeof(*answer));
    *answer = (struct http_answer){.kit = kit, .done = done, .user = user};
    if (ticket)
        *ticket = (uint64_t)(uintptr_t)answer;
    loop_post(kit->services.loop, give_http_answer, answer);
    return XY_OK;
}

static int http_mock_cancel(const xy_host *host, uint64_t ticket)
{
    (void)host;
    struct http_answer *answer = (struct http_answer *)(uintptr_t)ticket;
    if (answer)
        answer->cancelled = true;
    return XY_OK;
}

/* ---- xylem.tools/1 --------------------------------------------------------------------------- */

static int tools_mock_describe(xy_job *base, const char *const *names, xy_str *json)
{
    (void)base, (void)names;
    *json = STR("[{\"name\":\"mock\",\"description\":\"Says yes.\",\"parameters\":"
                "{\"type\":\"object\",\"properties\":{}}}]");
    return XY_OK;
}

struct tool_answer {
    struct kit *kit;
    struct job *job;
    xy_tool_done done;
    void *user;
};

static void give_tool_answer(void *data)
{
    struct tool_answer *answer = data;
    bool cancelled = kit_count(answer->kit), fails = answer->kit->answers == ANSWER_ERROR;
    xy_tool_reply reply = {.size = sizeof(reply),
                           .status = cancelled ? XY_ECANCELED : fails ? XY_DROP : XY_OK,
                           .result = cancelled || fails ? STR("no") : STR("yes")};
    atomic_fetch_sub(&answer->job->tickets, 1);
    answer->done(&answer->job->base, answer->user, &reply);
}

static int tools_mock_call(xy_job *base, const char *name, xy_str arguments, xy_tool_done done,
                           void *user)
{
    struct kit *kit = kit_of_job(base);
    (void)arguments;
    kit_count(kit);
    if (!name || !done) {
        kit_fail(kit, "call() of xylem.tools/1 was called without a name or without done()");
        return XY_EINVAL;
    }
    struct tool_answer *answer = arena_alloc(&((struct job *)base)->arena, sizeof(*answer));
    *answer = (struct tool_answer){kit, (struct job *)base, done, user};
    atomic_fetch_add(&answer->job->tickets, 1);
    loop_post(kit->services.loop, give_tool_answer, answer);
    return XY_OK;
}

/* ---- xylem.learner/1 ------------------------------------------------------------------------- */

static int learner_mock_fit(xy_job *base, const xy_student *student, const xy_examples *examples,
                            uint64_t seed, void **fitted)
{
    (void)seed;
    struct kit *kit = kit_of_job(base);
    *fitted = NULL;
    if (kit_count(kit))
        return XY_ECANCELED;
    if (!student || examples->classes < 2 || examples->count == 0)
        return xy_fail(base, XY_EINVAL, "nothing to train on");
    if (kit->answers == ANSWER_ERROR)
        return xy_fail(base, XY_EINVAL, "the learner refuses");
    *fitted = memory_zeroed(1, sizeof(uint32_t));
    memcpy(*fitted, &examples->classes, sizeof(uint32_t));
    return XY_OK;
}

/* The more bytes a text has, the surer the first class: a stand-in that depends on its input. */
static int learner_mock_predict(xy_job *base, const xy_student *student, const void *fitted,
                                const xy_examples *examples, float *probabilities)
{
    (void)base, (void)student;
    uint32_t classes;
    memcpy(&classes, fitted, sizeof(classes));
    for (size_t row = 0; row < examples->count; row++) {
        size_t length = examples->texts ? examples->texts[row].len : 0;
        float first = 0.5f + 0.4f * (float)(length % 10) / 10;
        for (uint32_t class = 0; class < classes; class++)
            probabilities[row * classes + class] =
                class == 0 ? first : (1 - first) / (float)(classes - 1);
    }
    return XY_OK;
}

/* Two passes, after each of which every class is as likely. */
static int learner_mock_trace(xy_job *base, const xy_student *student, const xy_examples *examples,
                              const xy_examples *watched, uint64_t seed,
                              const float **probabilities, uint32_t *passes, void **fitted)
{
    const xy_examples *rows = watched ? watched : examples;
    size_t count = rows->count * rows->classes;
    int code = learner_mock_fit(base, student, examples, seed, fitted);
    float *made = code < 0 ? NULL : base->api->alloc(base, 2 * count * sizeof(*made) + 1);
    for (size_t i = 0; made && i < 2 * count; i++)
        made[i] = 1.0f / (float)rows->classes;
    *probabilities = made;
    *passes = made ? 2 : 0;
    return code;
}

static void learner_mock_release(const xy_student *student, void *fitted)
{
    (void)student;
    free(fitted);
}

/* ---- xylem.store/1 --------------------------------------------------------------------------- */

/* Among the kit's own files, which are removed with their folder. */
static const char *store_mock_path(xy_job *base, const char *name)
{
    return arena_printf(&((struct job *)base)->arena, "%s/kept-%s", kit_of_job(base)->folder, name);
}

/* ---- the table of tables --------------------------------------------------------------------- */

static const xy_model_service model_mock = {
    sizeof(model_mock), model_mock_submit, model_mock_cancel, model_mock_call, model_mock_embed,
    model_mock_can};
static const xy_http http_mock = {sizeof(http_mock), http_mock_submit, http_mock_cancel};
static const xy_tools tools_mock = {sizeof(tools_mock), tools_mock_describe, tools_mock_call};
static const xy_learner_service learner_mock = {
    sizeof(learner_mock), learner_mock_fit, learner_mock_predict, learner_mock_release,
    learner_mock_trace};
static const xy_store store_mock = {sizeof(store_mock), store_mock_path};

static const void *find_table(const xy_host *host, const char *id)
{
    if (strcmp(id, XY_MODEL) == 0)
        return &model_mock;
    if (strcmp(id, XY_HTTP) == 0)
        return &http_mock;
    if (strcmp(id, XY_TOOLS) == 0)
        return &tools_mock;
    if (strcmp(id, XY_LEARNER_SERVICE) == 0)
        return &learner_mock;
    if (strcmp(id, XY_FILES) == 0)
        return &kit_files;
    if (strcmp(id, XY_STORE) == 0)
        return &store_mock;
    return services_find(host, id);
}

static bool is_needed(const struct kit *kit, const char *id)
{
    const char *const *need = kit->type->stage.needs;
    for (; need && *need; need++)
        if (strcmp(*need, id) == 0)
            return true;
    return false;
}

const void *kit_service(const xy_host *host, const char *id)
{
    struct kit *kit = (struct kit *)host_services(host);
    if (kit->bare && !is_needed(kit, id))
        return NULL;
    const void *table = find_table(host, id);
    if (!table || !kit->longer)
        return table;
    /* As a host of a later minor hands it out: more members, of which this header knows nothing. */
    uint32_t size;
    memcpy(&size, table, sizeof(size));
    uint32_t longer = size + 4 * (uint32_t)sizeof(void *);
    char *copy = arena_alloc(&kit->arena, longer);
    memcpy(copy, table, size);
    memset(copy + size, 0xa5, longer - size);
    memcpy(copy, &longer, sizeof(longer));
    return copy;
}

/* ---- what options refer to ------------------------------------------------------------------- */

static const xy_model *resolve_model(void *data, const struct node *node, struct error *error)
{
    (void)node, (void)error;
    return data; /* any address but NULL: only the mock is ever handed it */
}

static const xy_student *resolve_learner(void *data, const struct node *node, struct error *error)
{
    (void)node, (void)error;
    return data;
}

static xy_dataset *resolve_dataset(void *data, const struct node *node, struct error *error)
{
    (void)node, (void)error;
    return (xy_dataset *)((struct kit *)data)->view;
}

const struct option_resolver kit_resolver_functions = {
    .model = resolve_model, .learner = resolve_learner, .dataset = resolve_dataset};
