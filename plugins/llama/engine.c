/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - the thread: its queue, loading the model, and handing answers back to the loop. */
#include "engine_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

/* llama.cpp has one logger for the whole process and reports why a load failed only there. Each
 * engine loads on its own thread, so the last error is kept for each thread. */
static _Thread_local char last_error[256];

static void keep_error(enum ggml_log_level level, const char *text, void *unused)
{
    (void)unused;
    if (level != GGML_LOG_LEVEL_ERROR)
        return;
    const char *after = strstr(text, ": ");
    snprintf(last_error, sizeof(last_error), "%s", after ? after + 2 : text);
    last_error[strcspn(last_error, "\n")] = '\0';
}

static void start_library(void)
{
    llama_log_set(keep_error, NULL);
    llama_backend_init();
}

void engine_start_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
}

static void task_free(struct task *task)
{
    for (size_t i = 0; i < task->candidate_count; i++)
        free(task->candidates[i].tokens);
    if (task->grammar)
        llama_sampler_free(task->grammar);
    text_free(&task->text);
    free(task->prompt);
    free(task->logprobs);
    free(task->candidates);
    free(task->scores);
    free(task->score_tokens);
    free(task->vectors);
    free(task);
}

/* [loop] */
static void deliver(void *data)
{
    struct task *task = data;
    if (task->engine) {
        *task->live_link = task->live_next;
        if (task->live_next)
            task->live_next->live_link = task->live_link;
    }
    task->call->api->complete(task->call, &task->reply);
    task_free(task);
}

void engine_finish(struct engine *engine, struct task *task, int status)
{
    xy_reply *reply = &task->reply;
    reply->size = sizeof(*reply);
    reply->status = status;
    reply->error = status < 0 ? task->error : NULL;
    reply->retry_after_ms = -1;
    reply->prompt_tokens = (uint32_t)(task->prompt_count + task->text_tokens);
    reply->cached_tokens = (uint32_t)task->cached;
    reply->output_tokens = (uint32_t)task->output_count;
    if (engine->loop->post(engine->host, deliver, task) < 0)
        xy_log_line(engine->host, XY_LOG_ERROR, "llama: the host took no answer");
}

void engine_fail(struct engine *engine, struct task *task, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(task->error, sizeof(task->error), format, args);
    va_end(args);
    engine_finish(engine, task, status);
}

static uint32_t default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 2 ? (uint32_t)(cores / 2) : 1;
}

/* Fills in what depends on the model. */
static void settle_config(struct engine *engine)
{
    struct engine_config *config = &engine->config;
    uint32_t trained = (uint32_t)llama_model_n_ctx_train(engine->model);
    uint32_t usual = trained < 1024 ? trained : 1024;
    if (config->context == 0)
        config->context = usual;
    if (config->context > trained)
        config->context = trained;
    if (config->threads == 0)
        config->threads = default_threads();
    if (config->embeds && config->batch < config->context)
        config->batch = config->context; /* an encoder sees a whole text at once */
}

static struct llama_context_params context_params(const struct engine *engine)
{
    const struct engine_config *config = &engine->config;
    struct llama_context_params params = llama_context_default_params();
    params.n_batch = config->batch;
    params.n_ubatch = config->batch;
    params.n_threads = params.n_threads_batch = (int32_t)config->threads;
    params.kv_unified = true;
    params.swa_full = true; /* a window that forgets has no prefix to share */
    params.no_perf = true;
    if (config->embeds) {
        params.embeddings = true;
        params.n_ctx = config->batch;
        params.n_seq_max = ENGINE_SCRATCH;
        if (llama_model_has_decoder(engine->model) && !llama_model_has_encoder(engine->model))
            params.pooling_type = LLAMA_POOLING_TYPE_UNSPECIFIED;
    } else {
        params.n_ctx = config->context * config->sequences + config->batch;
        params.n_seq_max = config->sequences + ENGINE_SCRATCH;
    }
    return params;
}

static int load_failed(struct engine *engine, const char *what)
{
    snprintf(engine->error, sizeof(engine->error), "%s %s: %s", what, engine->config.path,
             *last_error ? last_error : "llama.cpp gives no reason");
    return XY_EINVAL;
}

static int load(struct engine *engine)
{
    *last_error = '\0';
    struct llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = engine->config.gpu_layers;
    engine->model = llama_model_load_from_file(engine->config.path, params);
    if (!engine->model)
        return load_failed(engine, "llama.cpp cannot load");
    if (llama_model_has_encoder(engine->model) && llama_model_has_decoder(engine->model) &&
        !engine->config.embeds) {
        snprintf(engine->error, sizeof(engine->error),
                 "%s is an encoder-decoder model, which this generator does not run",
                 engine->config.path);
        return XY_EUNSUPPORTED;
    }
    settle_config(engine);
    engine->vocab = llama_model_get_vocab(engine->model);
    engine->shares_prefixes =
        !llama_model_is_recurrent(engine->model) && !llama_model_is_hybrid(engine->model);
    engine->context = llama_init_from_model(engine->model, context_params(engine));
    if (!engine->context)
        return load_failed(engine, "there is no context (is there memory for it?) for");
    engine->memory = llama_get_memory(engine->context);
    int status = slots_init(engine);
    if (status == 0)
        status = sampling_room_init(&engine->room, llama_vocab_n_tokens(engine->vocab));
    if (status == 0 && !engine->config.embeds)
        return prompt_style_init(&engine->style, engine->model, engine->config.template,
                                 engine->error, sizeof(engine->error));
    if (status < 0)
        snprintf(engine->error, sizeof(engine->error), "out of memory");
    return status;
}

static void unload(struct engine *engine)
{
    slots_finish(engine);
    prompt_style_finish(&engine->style);
    sampling_room_finish(&engine->room);
    if (engine->context)
        llama_free(engine->context);
    if (engine->model)
        llama_model_free(engine->model);
}

static void fail_waiting(struct engine *engine, int status, const char *why)
{
    for (struct task *task = engine->waiting, *next; task; task = next) {
        next = task->next;
        engine_fail(engine, task, status, "%s", why);
    }
    engine->waiting = NULL;
    engine->waiting_end = &engine->waiting;
}

/* Moves what came in to the end of `waiting`; sleeps for it when `idle`. False: stop. */
static bool take_incoming(struct engine *engine, bool idle)
{
    pthread_mutex_lock(&engine->lock);
    while (idle && !engine->stopping && !engine->incoming)
        pthread_cond_wait(&engine->wake, &engine->lock);
    bool stopping = engine->stopping;
    if (engine->incoming) {
        *engine->waiting_end = engine->incoming;
        engine->waiting_end = engine->incoming_end;
        engine->incoming = NULL;
        engine->incoming_end = &engine->incoming;
    }
    pthread_mutex_unlock(&engine->lock);
    return !stopping;
}

static void *run(void *data)
{
    struct engine *engine = data;
    bool loaded = false, idle = true;
    while (take_incoming(engine, idle)) {
        if (!loaded) {
            engine->failure = load(engine);
            loaded = true;
        }
        if (engine->failure < 0) {
            fail_waiting(engine, engine->failure, engine->error);
            idle = true;
            continue;
        }
        idle = engine->config.embeds ? !embed_step(engine) : !slots_step(engine);
    }
    for (uint32_t i = 0; engine->slots && i < engine->config.sequences; i++)
        if (engine->slots[i].task)
            engine_fail(engine, engine->slots[i].task, XY_ECANCELED, "the generator was closed");
    fail_waiting(engine, XY_ECANCELED, "the generator was closed");
    unload(engine);
    return NULL;
}

struct engine *engine_open(const struct engine_config *config, const xy_host *host)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return NULL;
    engine->config = *config;
    engine->config.path = strdup(config->path);
    engine->config.template = strdup(config->template);
    engine->host = host;
    engine->loop = host->service(host, XY_LOOP);
    engine->incoming_end = &engine->incoming;
    engine->waiting_end = &engine->waiting;
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->wake, NULL);
    if (engine->config.path && engine->config.template &&
        pthread_create(&engine->thread, NULL, run, engine) == 0)
        return engine;
    pthread_cond_destroy(&engine->wake);
    pthread_mutex_destroy(&engine->lock);
    free((char *)engine->config.path);
    free((char *)engine->config.template);
    free(engine);
    return NULL;
}

int engine_submit(struct engine *engine, xy_call *call)
{
    struct task *task = calloc(1, sizeof(*task));
    if (!task)
        return XY_ENOMEM;
    task->call = call;
    task->request = call->api->request(call);
    task->engine = engine;
    task->live_next = engine->live;
    task->live_link = &engine->live;
    if (engine->live)
        engine->live->live_link = &task->live_next;
    engine->live = task;
    pthread_mutex_lock(&engine->lock);
    *engine->incoming_end = task;
    engine->incoming_end = &task->next;
    pthread_cond_signal(&engine->wake);
    pthread_mutex_unlock(&engine->lock);
    return 0;
}

void engine_cancel(struct engine *engine, const xy_call *call)
{
    for (struct task *task = engine->live; task; task = task->live_next)
        if (task->call == call)
            atomic_store(&task->cancelled, true);
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    pthread_cond_signal(&engine->wake);
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->thread, NULL);
    for (struct task *task = engine->live; task; task = task->live_next)
        task->engine = NULL; /* its answer is posted and outlives the engine */
    pthread_cond_destroy(&engine->wake);
    pthread_mutex_destroy(&engine->lock);
    free((char *)engine->config.path);
    free((char *)engine->config.template);
    free(engine);
}
