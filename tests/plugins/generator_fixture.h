/* SPDX-License-Identifier: Apache-2.0 */
/* generator_fixture.h - opens a generator from its .so behind a small host, and makes calls to it.
 *
 * The host's services are the test's: `service` answers for what it knows; xylem.log/1 is kept
 * here.
 */
#ifndef XYLEM_TESTS_PLUGINS_GENERATOR_FIXTURE_H
#define XYLEM_TESTS_PLUGINS_GENERATOR_FIXTURE_H

#include "options.h"
#include "registry.h"

#include <stdlib.h>

struct generator_fixture {
    xy_host host; /* first: a service gets it back */
    struct registry registry;
    const struct stage_type *type;
    void *state;
    struct arena arena;
    struct error_list errors;
    char log[4096];
    const void *(*service)(const xy_host *, const char *id);
};

static inline void fixture_log(const xy_host *host, int level, const char *message)
{
    (void)level;
    char *log = ((struct generator_fixture *)(uintptr_t)host)->log;
    snprintf(log + strlen(log), 4096 - strlen(log), "%s\n", message);
}

static inline const void *fixture_service(const xy_host *host, const char *id)
{
    static const xy_log log = {sizeof(log), fixture_log};
    const struct generator_fixture *fixture = (const void *)host;
    if (strcmp(id, XY_LOG) == 0)
        return &log;
    return fixture->service ? fixture->service(host, id) : NULL;
}

/* The result of the open() of stage `name` in FILE.so; 1 when the options themselves are wrong. */
static inline int generator_open_in(struct generator_fixture *fixture, const char *file,
                                    const char *name, const char *yaml,
                                    const void *(*service)(const xy_host *, const char *id))
{
    char path[512];
    struct error error = {0};
    *fixture = (struct generator_fixture){
        .host = {sizeof(xy_host), XY_ABI_MAJOR, XY_ABI_MINOR, fixture_service},
        .service = service};
    snprintf(path, sizeof(path), "%s/lib/xylem/%s.so", TEST_BUILD_DIR, file);
    if (!registry_load(&fixture->registry, path, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(2);
    }
    fixture->type = registry_find(&fixture->registry, XY_GENERATOR, name);
    fixture->state = memory_zeroed(1, fixture->type->stage.state_size);
    struct node *node = node_read_text(&fixture->arena, "test", str_of(yaml), &error);
    if (!node) {
        fprintf(stderr, "%s\n", error.text);
        exit(2);
    }
    static const char *const ignore[] = {"use", NULL};
    static const struct option_resolver resolver = {.data = NULL};
    options_apply(fixture->type->options, node, "model `test`", node, TEST_SOURCE_DIR, ignore,
                  &resolver, &fixture->arena, fixture->state, &fixture->errors);
    if (fixture->errors.count)
        return 1;
    return fixture->type->stage.open ? fixture->type->stage.open(fixture->state, &fixture->host)
                                     : XY_OK;
}

static inline int generator_open(struct generator_fixture *fixture, const char *name,
                                 const char *yaml,
                                 const void *(*service)(const xy_host *, const char *id))
{
    return generator_open_in(fixture, name, name, yaml, service);
}

static inline void generator_close(struct generator_fixture *fixture)
{
    if (fixture->type->stage.close && !fixture->errors.count)
        fixture->type->stage.close(fixture->state);
    free(fixture->state);
    error_list_free(&fixture->errors);
    registry_free(&fixture->registry);
    arena_free(&fixture->arena);
}

/* One call; its reply is copied when it completes. */
struct test_call {
    xy_call call; /* first */
    const xy_request *request;
    struct arena arena;
    xy_reply reply;
    int completed;
};

static inline const xy_request *test_call_request(const xy_call *call)
{
    return ((const struct test_call *)(const void *)call)->request;
}

static inline void *test_call_alloc(xy_call *call, size_t bytes)
{
    return arena_alloc(&((struct test_call *)(void *)call)->arena, bytes);
}

static inline const void *test_copy(struct test_call *call, const void *bytes, size_t length)
{
    return bytes ? arena_copy(&call->arena, bytes, length) : NULL;
}

static inline int test_call_complete(xy_call *opaque, const xy_reply *reply)
{
    struct test_call *call = (struct test_call *)(void *)opaque;
    call->completed++;
    call->reply = *reply;
    call->reply.text.ptr = arena_copy(&call->arena, reply->text.ptr, reply->text.len);
    call->reply.error = reply->error ? test_copy(call, reply->error, strlen(reply->error)) : NULL;
    call->reply.model = reply->model ? test_copy(call, reply->model, strlen(reply->model)) : NULL;
    call->reply.scores = test_copy(call, reply->scores, reply->score_count * sizeof(double));
    call->reply.score_tokens =
        test_copy(call, reply->score_tokens, reply->score_count * sizeof(uint32_t));
    call->reply.vectors = test_copy(call, reply->vectors,
                                    reply->vector_count * reply->dimension * sizeof(float));
    call->reply.logprobs = test_copy(call, reply->logprobs, reply->logprob_count * sizeof(float));
    return XY_OK;
}

/* Submits; `call` lives until test_call_free(). The result of submit(). */
static inline int test_call(struct generator_fixture *fixture, struct test_call *call,
                            const xy_request *request)
{
    static const xy_call_api api = {sizeof(api), test_call_request, test_call_alloc,
                                    test_call_complete};
    *call = (struct test_call){.call.api = &api, .request = request};
    return fixture->type->generator.submit(fixture->state, &call->call);
}

static inline void test_call_free(struct test_call *call)
{
    arena_free(&call->arena);
}

/* A completion of one user message, with nothing else set. */
static inline xy_request test_request(const xy_message *message, size_t count)
{
    return (xy_request){.size = sizeof(xy_request), .operation = XY_COMPLETE, .messages = message,
                        .message_count = count, .temperature = -1, .top_p = -1};
}

#endif
