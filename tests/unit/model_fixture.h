/* SPDX-License-Identifier: Apache-2.0 */
/* model_fixture.h - a generator that answers as the test says, and a journal in memory that can
 * fail.
 *
 * Both stand behind the real contracts: the generator is a stage_type like a loaded one, and the
 * journal's functions are defined here, so that the core's own are not linked.
 */
#ifndef XYLEM_TESTS_UNIT_MODEL_FIXTURE_H
#define XYLEM_TESTS_UNIT_MODEL_FIXTURE_H

#include "model.h"

#include <stdlib.h>

/* What the generator does with one call. */
struct plan {
    uint64_t delay_us;
    xy_reply reply;
    bool refuse;  /* submit() returns XY_EINVAL */
    bool never;   /* completes only when cancelled */
};

struct seen { /* one attempt, as the generator saw it */
    uint64_t at_us;
    char text[64];     /* the last message, or the first text */
    size_t text_count;
    uint32_t timeout_ms;
};

enum { SEEN_MOST = 20000, ANSWERS_MOST = 20000 };

struct got { /* one answer, as the caller saw it */
    int32_t status;
    char text[64], error[256];
    uint64_t at_us;
    size_t vectors, dimension;
    float first[64]; /* first component of each vector */
    double cost, score;
    uint32_t output_tokens;
    char model[32];
    float logprob;
    int times;
};

struct fixture {
    struct loop *loop;
    struct models *models;
    struct model *model;
    struct model_spec spec;
    struct stage_type type;
    struct pipeline pipeline;
    struct error error;
    struct plan (*plan)(struct fixture *, const xy_request *, size_t attempt);
    struct seen *seen;
    size_t seen_count;
    struct got *got;
    size_t got_count, done_count;
    uint32_t in_flight, most_in_flight;
    size_t unwritten_starts; /* attempts begun while an answer was not on disk */
    uint32_t cancels;
    uint64_t started_us;
};

/* The journal in memory. */
struct fake_journal {
    struct {
        struct journal_key key;
        char *bytes;
        size_t length;
        bool written;
    } entries[4096];
    size_t count, written, writes;
    bool fail;
};
static struct fake_journal journal_memory;
static struct fixture *current;

/* ---- journal --------------------------------------------------------------------------------- */

bool journal_find(struct journal *journal, struct journal_key key, struct buffer *out)
{
    (void)journal;
    for (size_t i = journal_memory.count; i-- > 0;) {
        if (journal_memory.entries[i].key.high != key.high ||
            journal_memory.entries[i].key.low != key.low)
            continue;
        buffer_clear(out);
        return buffer_append(out, journal_memory.entries[i].bytes,
                             journal_memory.entries[i].length);
    }
    return false;
}

void journal_append(struct journal *journal, struct journal_key key, xy_str payload)
{
    (void)journal;
    size_t i = journal_memory.count++;
    journal_memory.entries[i].key = key;
    journal_memory.entries[i].bytes = memory_copy_text(payload.ptr, payload.len);
    journal_memory.entries[i].length = payload.len;
    journal_memory.entries[i].written = false;
}

int journal_write(struct journal *journal, struct error *error)
{
    (void)journal;
    journal_memory.writes++;
    if (journal_memory.fail)
        return error_set(error, XY_EIO, "no room left on the device");
    for (size_t i = journal_memory.written; i < journal_memory.count; i++)
        journal_memory.entries[i].written = true;
    journal_memory.written = journal_memory.count;
    return XY_OK;
}

/* As a kill does: what was not written is gone. */
static inline void journal_memory_kill(void)
{
    while (journal_memory.count > journal_memory.written)
        free(journal_memory.entries[--journal_memory.count].bytes);
}

static inline void journal_memory_clear(void)
{
    while (journal_memory.count)
        free(journal_memory.entries[--journal_memory.count].bytes);
    journal_memory = (struct fake_journal){.fail = false};
}

/* ---- generator ------------------------------------------------------------------------------- */

struct scripted {
    struct fixture *fixture;
    xy_call *call;
    struct timer *timer;
    struct plan plan;
};

static struct scripted *flying[SEEN_MOST];

static void finish(struct scripted *scripted, const xy_reply *reply)
{
    for (size_t i = 0; i < SEEN_MOST; i++)
        if (flying[i] == scripted)
            flying[i] = NULL;
    scripted->fixture->in_flight--;
    xy_call *call = scripted->call;
    call->api->complete(call, reply);
    free(scripted);
}

static void answer(void *data)
{
    struct scripted *scripted = data;
    finish(scripted, &scripted->plan.reply);
}

static uint32_t can(const void *state)
{
    (void)state;
    return XY_COMPLETE | XY_SCORE | XY_EMBED;
}

static int generator_submit(void *state, xy_call *call)
{
    (void)state;
    struct fixture *fixture = current;
    const xy_request *request = call->api->request(call);
    struct seen *seen = &fixture->seen[fixture->seen_count];
    xy_str text = request->message_count ? request->messages[request->message_count - 1].content
                                         : request->texts[0];
    snprintf(seen->text, sizeof(seen->text), "%.*s", (int)text.len, text.ptr);
    seen->at_us = loop_now_us(fixture->loop) - fixture->started_us;
    seen->text_count = request->text_count;
    seen->timeout_ms = request->timeout_ms;
    if (journal_memory.count != journal_memory.written)
        fixture->unwritten_starts++;
    struct plan plan = fixture->plan(fixture, request, fixture->seen_count++);
    if (plan.refuse)
        return XY_EINVAL;
    struct scripted *scripted = memory_zeroed(1, sizeof(*scripted));
    *scripted = (struct scripted){.fixture = fixture, .call = call, .plan = plan};
    if (++fixture->in_flight > fixture->most_in_flight)
        fixture->most_in_flight = fixture->in_flight;
    size_t i = 0;
    while (flying[i])
        i++;
    flying[i] = scripted;
    if (!plan.never)
        scripted->timer = loop_after(fixture->loop, plan.delay_us, answer, scripted);
    return XY_OK;
}

static void cancelled(void *data)
{
    xy_reply reply = {.size = sizeof(reply), .status = XY_ECANCELED, .retry_after_ms = -1};
    finish(data, &reply);
}

static void generator_cancel(void *state, xy_call *call)
{
    (void)state;
    current->cancels++;
    for (size_t i = 0; i < SEEN_MOST; i++) {
        if (!flying[i] || flying[i]->call != call)
            continue;
        timer_stop(flying[i]->timer);
        flying[i]->timer = loop_after(current->loop, 0, cancelled, flying[i]);
    }
}

/* ---- fixture --------------------------------------------------------------------------------- */

struct generator_state {
    int64_t size;
    const char *secret;
};

static const xy_option options[] = {
    {"size", XY_OPT_INT, offsetof(struct generator_state, size), "3", 0, 0, 0, NULL, "A size."},
    {"secret", XY_OPT_TEXT, offsetof(struct generator_state, secret), NULL, XY_OPT_SECRET, 0, 0,
     NULL, "A secret."},
    {.name = NULL},
};

static const void *no_service(const xy_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

static const xy_host *host_for(void *data, const char *name)
{
    static const xy_host host = {sizeof(host), XY_ABI_MAJOR, XY_ABI_MINOR, no_service};
    (void)data, (void)name;
    return &host;
}

static inline void fixture_init(struct fixture *fixture,
                  struct plan (*plan)(struct fixture *, const xy_request *, size_t))
{
    *fixture = (struct fixture){.plan = plan};
    current = fixture;
    fixture->loop = loop_create(1);
    fixture->seen = memory_zeroed(SEEN_MOST, sizeof(*fixture->seen));
    fixture->got = memory_zeroed(ANSWERS_MOST, sizeof(*fixture->got));
    fixture->type.stage = (xy_stage){
        XY_STAGE_INIT, .kind = XY_GENERATOR, .state_size = sizeof(struct generator_state),
        .id = "scripted", .version = "1", .summary = "A script.", .options = options};
    fixture->type.options = options;
    fixture->type.generator = (xy_generator){
        .size = sizeof(xy_generator), .can = can, .submit = generator_submit,
        .cancel = generator_cancel};
    fixture->spec = (struct model_spec){.alias = "teacher", .concurrency = 8, .attempts = 6};
}

/* After changing `spec`. */
static inline bool fixture_open(struct fixture *fixture)
{
    fixture->spec.type = &fixture->type;
    fixture->pipeline.models = &fixture->spec;
    fixture->pipeline.model_count = 1;
    fixture->started_us = loop_now_us(fixture->loop);
    fixture->models = models_open(fixture->loop, NULL, &fixture->pipeline, 1, host_for, NULL,
                                  &fixture->error);
    fixture->model = fixture->models ? models_find(fixture->models, "teacher") : NULL;
    return fixture->models != NULL;
}

static inline void fixture_close(struct fixture *fixture)
{
    models_close(fixture->models);
    loop_destroy(fixture->loop);
    free(fixture->seen);
    free(fixture->got);
}

static void done(void *user, const xy_reply *reply)
{
    struct got *got = user;
    got->times++;
    got->status = reply->status;
    got->at_us = loop_now_us(current->loop) - current->started_us;
    snprintf(got->text, sizeof(got->text), "%.*s", (int)reply->text.len,
             reply->text.ptr ? reply->text.ptr : "");
    snprintf(got->error, sizeof(got->error), "%s", reply->error ? reply->error : "");
    snprintf(got->model, sizeof(got->model), "%s", reply->model ? reply->model : "");
    got->vectors = reply->vector_count;
    got->dimension = reply->dimension;
    for (size_t i = 0; i < reply->vector_count && i < 64; i++)
        got->first[i] = reply->vectors[i * reply->dimension];
    got->cost = reply->cost;
    got->score = reply->score_count ? reply->scores[reply->score_count - 1] : 0;
    got->logprob = reply->logprob_count ? reply->logprobs[reply->logprob_count - 1] : 0;
    got->output_tokens = reply->output_tokens;
    current->done_count++;
}

static inline uint64_t submit(struct fixture *fixture, const xy_request *request)
{
    uint64_t ticket = 0;
    struct got *got = &fixture->got[fixture->got_count];
    int code = model_submit(fixture->model, request, done, got, &ticket);
    if (code == XY_OK)
        fixture->got_count++;
    return code == XY_OK ? ticket : 0;
}

/* Submits a completion of `prompt`; its answer goes to the next of got[]. */
static inline uint64_t ask(struct fixture *fixture, const char *prompt, uint32_t sample)
{
    xy_message message = {STR("user"), str_of(prompt)};
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE, .messages = &message,
                          .message_count = 1, .temperature = -1, .top_p = -1, .sample = sample};
    return submit(fixture, &request);
}

static inline void run(struct fixture *fixture)
{
    loop_run(fixture->loop);
}

static inline struct plan say(const char *text)
{
    return (struct plan){.delay_us = 1000, .reply = {
        .size = sizeof(xy_reply), .text = str_of(text), .finish = XY_FINISH_STOP,
        .prompt_tokens = 10, .output_tokens = 5, .retry_after_ms = -1, .model = "scripted-1"}};
}

static inline struct plan fail(int32_t status, bool retryable, bool limited, int32_t retry_after_ms)
{
    return (struct plan){.delay_us = 1000, .reply = {
        .size = sizeof(xy_reply), .status = status, .error = "it went wrong",
        .retryable = retryable, .limited = limited, .retry_after_ms = retry_after_ms}};
}

#endif
