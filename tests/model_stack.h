/* SPDX-License-Identifier: Apache-2.0 */
/* model_stack.h - the real path of a call: models, journal, the openai plugin from its .so, http,
 * and a server on loopback. For tests and benchmarks; the host is the smallest one that openai
 * needs. */
#ifndef XYLEM_TESTS_MODEL_STACK_H
#define XYLEM_TESTS_MODEL_STACK_H

#include "http.h"
#include "model.h"
#include "server/launch.h"

struct model_stack {
    xy_host host; /* first: services get it back */
    struct loop *loop;
    struct http *http;
    struct journal *journal;
    struct models *models;
    struct model *model;
    struct model_spec spec;
    struct pipeline pipeline;
    struct registry registry;
    struct arena arena;
    char folder[64];
};

static inline int stack_http_submit(const xy_host *host, const xy_http_request *request,
                                    void (*done)(void *, const xy_http_reply *), void *user,
                                    uint64_t *ticket)
{
    return http_submit(((const struct model_stack *)(const void *)host)->http, request, done, user,
                       ticket);
}

static inline int stack_http_cancel(const xy_host *host, uint64_t ticket)
{
    return http_cancel(((const struct model_stack *)(const void *)host)->http, ticket);
}

static inline const void *stack_service(const xy_host *host, const char *id)
{
    static const xy_http table = {sizeof(table), stack_http_submit, stack_http_cancel};
    (void)host;
    return strcmp(id, XY_HTTP) == 0 ? &table : NULL;
}

static inline const xy_host *stack_host(void *data, const char *name)
{
    (void)name;
    return &((struct model_stack *)data)->host;
}

static inline bool stack_reopen(struct model_stack *stack)
{
    struct error error = {0};
    stack->loop = loop_create(1);
    stack->http = http_create(stack->loop);
    stack->journal = journal_open(stack->folder, &error);
    if (stack->journal)
        stack->models = models_open(stack->loop, stack->journal, &stack->pipeline, 1, stack_host,
                                    stack, &error);
    stack->model = stack->models ? models_find(stack->models, "teacher") : NULL;
    if (!stack->model)
        fprintf(stderr, "%s\n", error.text);
    return stack->model != NULL;
}

/* `spec`: limits; its alias, type and node are set here. */
static inline bool stack_open(struct model_stack *stack, const struct test_server *server,
                              struct model_spec spec)
{
    struct error error = {0};
    *stack = (struct model_stack){
        .host = {sizeof(xy_host), XY_ABI_MAJOR, XY_ABI_MINOR, stack_service}, .spec = spec,
        .folder = "/tmp/xylem-stack-XXXXXX"};
    if (!mkdtemp(stack->folder) ||
        !registry_load(&stack->registry, TEST_BUILD_DIR "/lib/xylem/openai.so", &error)) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    char *yaml = arena_printf(&stack->arena, "{base_url: '%s/v1', model: test-model}", server->url);
    stack->spec.alias = "teacher";
    stack->spec.type = registry_find(&stack->registry, XY_GENERATOR, "openai");
    stack->spec.node = node_read_text(&stack->arena, "test", str_of(yaml), &error);
    stack->pipeline.models = &stack->spec;
    stack->pipeline.model_count = 1;
    return stack_reopen(stack);
}

static inline void stack_stop(struct model_stack *stack)
{
    models_close(stack->models);
    journal_close(stack->journal);
    http_destroy(stack->http);
    loop_destroy(stack->loop);
}

static inline void stack_close(struct model_stack *stack)
{
    stack_stop(stack);
    static const char *const files[] = {"answers.log", "index.db", "index.db-wal", "index.db-shm",
                                        "lock", "filter", NULL};
    for (const char *const *file = files; *file; file++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", stack->folder, *file);
        remove(path);
    }
    rmdir(stack->folder);
    registry_free(&stack->registry);
    arena_free(&stack->arena);
}

/* Submits a completion; every `sample` is another request, also for the server. */
static inline int stack_ask(struct model_stack *stack, uint32_t sample, model_done done, void *user)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "Write review number %u, please.", sample);
    xy_message message = {STR("user"), {text, (size_t)length}};
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE, .messages = &message,
                          .message_count = 1, .temperature = -1, .top_p = -1, .max_tokens = 20};
    return model_submit(stack->model, &request, done, user, NULL);
}

#endif
