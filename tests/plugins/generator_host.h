/* SPDX-License-Identifier: Apache-2.0 */
/* generator_host.h - the smallest host that a generator can be tested in: it loads the plugin
 * through its one symbol, fills in options from their table, has the services log and loop, and
 * keeps a copy of each answer. It checks the contract as it goes: complete() exactly once, on the
 * loop's thread, never from inside submit(). The thread that calls bench_load() is the loop.
 */
#ifndef XYLEM_TESTS_PLUGINS_GENERATOR_HOST_H
#define XYLEM_TESTS_PLUGINS_GENERATOR_HOST_H

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xylem/plugin.h>

struct bench_post {
    struct bench_post *next;
    void (*fn)(void *data);
    void *data;
};

struct bench {
    xy_host host;               /* first: a host pointer is a bench pointer */
    const xy_stage *stage;
    void *library, *state;
    bool open;
    pthread_t loop_thread;
    pthread_mutex_t lock;
    pthread_cond_t posted;
    struct bench_post *first, **last;
    char log[4096];             /* every line so far */
    unsigned broken;            /* rules that the plugin broke */
    bool submitting;
};

/* One call and the copy of its answer; free with bench_call_free(). */
struct bench_call {
    xy_call call;               /* first */
    struct bench *bench;
    xy_request request;         /* borrows the test's memory */
    unsigned completed;
    xy_reply reply;             /* points to the copies below */
    char *text, *error;
    double *scores;
    uint32_t *score_tokens;
    float *vectors, *logprobs;
    void *arena[64];
    size_t arena_count;
};

static inline void bench_log(const xy_host *host, int level, const char *message)
{
    struct bench *bench = (struct bench *)(uintptr_t)host;
    (void)level;
    pthread_mutex_lock(&bench->lock);
    size_t used = strlen(bench->log);
    snprintf(bench->log + used, sizeof(bench->log) - used, "%s\n", message);
    pthread_mutex_unlock(&bench->lock);
}

static inline int bench_post(const xy_host *host, void (*fn)(void *data), void *data)
{
    struct bench *bench = (struct bench *)(uintptr_t)host;
    struct bench_post *post = calloc(1, sizeof(*post));
    if (!post)
        return XY_ENOMEM;
    *post = (struct bench_post){.fn = fn, .data = data};
    pthread_mutex_lock(&bench->lock);
    *bench->last = post;
    bench->last = &post->next;
    pthread_cond_signal(&bench->posted);
    pthread_mutex_unlock(&bench->lock);
    return XY_OK;
}

static inline const void *bench_service(const xy_host *host, const char *id)
{
    static const xy_log log = {.size = sizeof(log), .write = bench_log};
    static const xy_loop loop = {.size = sizeof(loop), .post = bench_post};
    (void)host;
    if (strcmp(id, XY_LOG) == 0)
        return &log;
    return strcmp(id, XY_LOOP) == 0 ? &loop : NULL;
}

/* Runs one posted function, waiting at most `seconds` for it. False: none came. */
static inline bool bench_turn(struct bench *bench, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds;
    until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    int timed_out = 0;
    pthread_mutex_lock(&bench->lock);
    while (!bench->first && !timed_out)
        timed_out = pthread_cond_timedwait(&bench->posted, &bench->lock, &until);
    struct bench_post *post = bench->first;
    if (post) {
        bench->first = post->next;
        if (!bench->first)
            bench->last = &bench->first;
    }
    pthread_mutex_unlock(&bench->lock);
    if (!post)
        return false;
    post->fn(post->data);
    free(post);
    return true;
}

/* Writes an option's value, as the pipeline file would have it, at its place in the state. */
static inline void bench_set(struct bench *bench, const char *name, const char *value)
{
    for (const xy_option *option = bench->stage->options; option->name; option++) {
        char *place = (char *)bench->state + option->offset;
        if (strcmp(option->name, name) != 0)
            continue;
        if (option->type == XY_OPT_INT)
            *(int64_t *)(void *)place = strtoll(value, NULL, 10);
        else if (option->type == XY_OPT_NUMBER || option->type == XY_OPT_SECONDS)
            *(double *)(void *)place = strtod(value, NULL);
        else if (option->type == XY_OPT_BOOL)
            *(int32_t *)(void *)place = strcmp(value, "true") == 0;
        else
            *(const char **)(void *)place = value;
        return;
    }
    fprintf(stderr, "no option %s\n", name);
    bench->broken++;
}

/* Loads the plugin file and sets the defaults of its stage `id`. False with a line on stderr. */
static inline bool bench_load(struct bench *bench, const char *file, const char *id)
{
    memset(bench, 0, sizeof(*bench));
    bench->host = (xy_host){.size = sizeof(xy_host), .abi_major = XY_ABI_MAJOR,
                            .abi_minor = XY_ABI_MINOR, .service = bench_service};
    bench->loop_thread = pthread_self();
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->posted, NULL);
    bench->last = &bench->first;
    bench->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    const xy_plugin *(*entry)(void) = NULL;
    if (bench->library)
        *(void **)&entry = dlsym(bench->library, "xy_plugin_v1");
    for (const xy_stage *const *stage = entry ? entry()->stages : NULL; stage && *stage; stage++)
        if ((*stage)->kind == XY_GENERATOR && strcmp((*stage)->id, id) == 0)
            bench->stage = *stage;
    if (!bench->stage) {
        fprintf(stderr, "%s: %s\n", file, bench->library ? "no such stage" : dlerror());
        return false;
    }
    bench->state = calloc(1, bench->stage->state_size);
    for (const xy_option *option = bench->stage->options; option->name; option++)
        if (option->def)
            bench_set(bench, option->name, option->def);
    return true;
}

static inline int bench_open(struct bench *bench)
{
    int status = bench->stage->open ? bench->stage->open(bench->state, &bench->host) : XY_OK;
    bench->open = status >= 0;
    return status;
}

static inline void bench_close(struct bench *bench)
{
    if (bench->open && bench->stage->close)
        bench->stage->close(bench->state);
    while (bench_turn(bench, 0))
        continue;
    free(bench->state);
    pthread_cond_destroy(&bench->posted);
    pthread_mutex_destroy(&bench->lock);
}

/* A copy with a NUL behind it; NULL for NULL. */
static inline void *bench_copy(const void *from, size_t bytes)
{
    char *copy = from ? calloc(1, bytes + 1) : NULL;
    if (copy && bytes > 0)
        memcpy(copy, from, bytes);
    return copy;
}

static inline const xy_request *bench_request(const xy_call *call)
{
    return &((const struct bench_call *)(const void *)call)->request;
}

static inline void *bench_alloc(xy_call *base, size_t bytes)
{
    struct bench_call *call = (struct bench_call *)(void *)base;
    if (call->arena_count == sizeof(call->arena) / sizeof(call->arena[0]))
        return NULL;
    call->arena[call->arena_count] = calloc(1, bytes);
    return call->arena[call->arena_count++];
}

static inline int bench_complete(xy_call *base, const xy_reply *reply)
{
    struct bench_call *call = (struct bench_call *)(void *)base;
    if (call->completed++ || call->bench->submitting ||
        !pthread_equal(pthread_self(), call->bench->loop_thread))
        call->bench->broken++;
    memcpy(&call->reply, reply, reply->size < sizeof(*reply) ? reply->size : sizeof(*reply));
    call->reply.text.ptr = call->text = bench_copy(reply->text.ptr, reply->text.len);
    call->reply.error = call->error =
        bench_copy(reply->error, reply->error ? strlen(reply->error) : 0);
    call->reply.scores = call->scores =
        bench_copy(reply->scores, reply->score_count * sizeof(double));
    call->reply.score_tokens = call->score_tokens =
        bench_copy(reply->score_tokens, reply->score_count * sizeof(uint32_t));
    call->reply.vectors = call->vectors =
        bench_copy(reply->vectors, reply->vector_count * reply->dimension * sizeof(float));
    call->reply.logprobs = call->logprobs =
        bench_copy(reply->logprobs, reply->logprob_count * sizeof(float));
    memset(&call->request, 0xa5, sizeof(call->request)); /* the request is gone from here on */
    for (size_t i = 0; i < call->arena_count; i++)
        free(call->arena[i]);
    call->arena_count = 0;
    return XY_OK;
}

/* Submits; the answer comes while bench_wait() runs. NULL when submit() refused. */
static inline struct bench_call *bench_submit(struct bench *bench, const xy_request *request)
{
    static const xy_call_api api = {.size = sizeof(api), .request = bench_request,
                                    .alloc = bench_alloc, .complete = bench_complete};
    struct bench_call *call = calloc(1, sizeof(*call));
    call->call.api = &api;
    call->bench = bench;
    call->request = *request;
    bench->submitting = true;
    int status = bench->stage->generator->submit(bench->state, &call->call);
    bench->submitting = false;
    if (status >= 0)
        return call;
    free(call);
    return NULL;
}

/* Turns the loop until the call is complete; false after `seconds` without any news. */
static inline bool bench_wait(struct bench *bench, const struct bench_call *call, double seconds)
{
    while (!call->completed)
        if (!bench_turn(bench, seconds))
            return false;
    return true;
}

static inline void bench_call_free(struct bench_call *call)
{
    if (!call)
        return;
    free(call->text);
    free(call->error);
    free(call->scores);
    free(call->score_tokens);
    free(call->vectors);
    free(call->logprobs);
    free(call);
}

/* A request whose members are all "not set". */
static inline xy_request bench_new_request(uint32_t operation)
{
    return (xy_request){.size = sizeof(xy_request), .operation = operation, .temperature = -1,
                        .top_p = -1};
}

#endif
