/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a run: folder, loop, journal, models; then the conductor; then the summary. */
#include "engine.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_internal.h"
#include "file.h"
#include "json.h"
#include "lockfile.h"
#include "recorder.h"
#include "tools.h"

enum { PROGRESS_US = 100000 };

/* ---- across threads -------------------------------------------------------------------------- */

struct crossing {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
    void (*fn)(void *data);
    void *data;
};

static void cross(void *data)
{
    struct crossing *crossing = data;
    crossing->fn(crossing->data);
    pthread_mutex_lock(&crossing->lock);
    crossing->done = true;
    pthread_cond_signal(&crossing->over);
    pthread_mutex_unlock(&crossing->lock);
}

void engine_on_loop(struct engine *engine, void (*fn)(void *data), void *data)
{
    struct crossing crossing = {.fn = fn, .data = data};
    pthread_mutex_init(&crossing.lock, NULL);
    pthread_cond_init(&crossing.over, NULL);
    loop_post(engine->services.loop, cross, &crossing);
    pthread_mutex_lock(&crossing.lock);
    while (!crossing.done)
        pthread_cond_wait(&crossing.over, &crossing.lock);
    pthread_mutex_unlock(&crossing.lock);
    pthread_cond_destroy(&crossing.over);
    pthread_mutex_destroy(&crossing.lock);
}

/* ---- progress and interrupts ----------------------------------------------------------------- */

static void look(struct engine *engine, struct engine_progress *progress)
{
    uint64_t now = loop_now_us(engine->services.loop);
    struct model_totals totals = models_totals(engine->services.models);
    uint64_t tokens = totals.output_tokens;
    double passed = (double)(now - engine->last_us) / 1e6;
    if (passed >= 0.5) {
        double rate = (double)(tokens - engine->last_tokens) / passed;
        /* Smoothed over some seconds, so that the figure can be read. */
        engine->tokens_per_second += (rate - engine->tokens_per_second) * 0.3;
        engine->last_tokens = tokens;
        engine->last_us = now;
    }
    *progress = (struct engine_progress){
        .step = atomic_load(&engine->running),
        .entered = atomic_load(&engine->progress.entered),
        .accepted = atomic_load(&engine->progress.accepted),
        .rejected = atomic_load(&engine->progress.rejected),
        .live = atomic_load(&engine->progress.live),
        .pass = engine->pass,
        .models = totals,
        .seconds = (double)(now - engine->started_us) / 1e6,
        .tokens_per_second = engine->tokens_per_second,
        .expected_calls = engine->expected_calls * engine->rounds_asked,
    };
}

static void tick(void *data)
{
    struct engine *engine = data;
    struct engine_progress progress;
    look(engine, &progress);
    engine->options->progress(engine->options->progress_data, &progress);
    engine->timer = loop_after(engine->services.loop, PROGRESS_US, tick, engine);
}

static void interrupted(void *data)
{
    struct engine *engine = data;
    int before = atomic_fetch_add(&engine->stop, 1);
    if (before == 0) {
        services_log(&engine->services, XY_LOG_WARNING, "xylem",
                     "finishing what is in flight; press Ctrl-C again to stop now");
        models_stop(engine->services.models, false);
    } else {
        atomic_store(&engine->cancelled, 1);
        tools_stop(engine->services.tools);
        models_stop(engine->services.models, true);
    }
}

/* ---- the conductor --------------------------------------------------------------------------- */

/* The lock is written beside the first steps: it reads every input file once, and a large one takes
 * a while. */
struct locking {
    struct engine *engine;
    struct error error;
    pthread_t thread;
    bool started;
};

static void *lock(void *data)
{
    struct locking *locking = data;
    struct engine *engine = locking->engine;
    struct buffer changes;
    buffer_init(&changes, 800); /* the warning's length: more names would say no more */
    lockfile_write(engine->pipeline, engine->folder, &changes, &locking->error);
    if (changes.length)
        services_log(&engine->services, XY_LOG_WARNING, "xylem",
                     "changed since this run began: %s; "
                     "answers that still fit are used again",
                     buffer_str(&changes).ptr);
    buffer_free(&changes);
    return NULL;
}

static void lock_begin(struct locking *locking)
{
    locking->started = pthread_create(&locking->thread, NULL, lock, locking) == 0;
    if (!locking->started)
        lock(locking);
}

/* What else went wrong is told first. */
static int lock_end(struct locking *locking)
{
    struct error *error = &locking->engine->error;
    if (locking->started)
        pthread_join(locking->thread, NULL);
    if (!error->code)
        *error = locking->error;
    return error->code;
}

static int run_steps(struct engine *engine)
{
    const struct pipeline *pipeline = engine->pipeline;
    int code = engine_try_stages(engine);
    if (code >= 0)
        code = engine_open_tools(engine);
    if (code >= 0)
        code = pipeline->accept.count
                   ? accept_run(engine)
                   : steps_run(engine, pipeline->steps, pipeline->step_count, NULL);
    engine_close_tools(engine);
    return code;
}

static void conduct(void *data)
{
    struct engine *engine = data;
    struct locking locking = {.engine = engine};
    engine->rounds = 1;
    atomic_store(&engine->rounds_asked, 1);
    lock_begin(&locking);
    int code = run_steps(engine);
    int locked = lock_end(&locking);
    code = code < 0 ? code : locked;
    if (code >= 0 && journal_sync(engine->journal, &engine->error) < 0)
        code = engine->error.code;
    if (code >= 0 && !atomic_load(&engine->stop))
        outputs_write(engine);
}

static void conducted(void *data)
{
    struct engine *engine = data;
    timer_stop(engine->timer);
    engine->timer = NULL;
    loop_stop(engine->services.loop);
}

static const xy_host *host_for(void *data, const char *name)
{
    struct engine *engine = data;
    struct host *host = arena_alloc(&engine->arena, sizeof(*host));
    host_init(host, &engine->services, arena_copy(&engine->arena, name, strlen(name)));
    return &host->base;
}

/* An earlier run's data and summary: this one does everything again, and whoever looks into the
 * folder before it has ended must not take the old for its own. */
static void clear_folder(const struct engine *engine)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/summary.json", engine->folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/data", engine->folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (strstr(entry->d_name, ".records") || strstr(entry->d_name, ".rejects"))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

static int open_folder(struct engine *engine)
{
    const char *root = engine->options->folder ? engine->options->folder : ".xylem";
    uint64_t run = engine->pipeline->fingerprint;
    char data[600];
    record_id_text(run, engine->result->run_id);
    snprintf(engine->folder, sizeof(engine->folder), "%s/%s/runs/%s", root,
             engine->pipeline->name, engine->result->run_id);
    snprintf(engine->result->folder, sizeof(engine->result->folder), "%s", engine->folder);
    snprintf(data, sizeof(data), "%s/data", engine->folder);
    if (file_make_folder(data, &engine->error) < 0)
        return engine->error.code;
    const char *store = arena_printf(&engine->arena, "%s/%s", root, engine->pipeline->name);
    engine->services.store = store;
    engine->journal = journal_open(engine->pipeline->cache ? engine->pipeline->cache : store,
                                   &engine->error);
    if (engine->journal)
        clear_folder(engine);
    if (engine->journal && engine->options->fresh)
        journal_start_afresh(engine->journal);
    return engine->error.code;
}

static int start(struct engine *engine)
{
    struct services *services = &engine->services;
    services->loop = loop_create(0);
    services->http = http_create(services->loop);
    services->registry = engine->pipeline->registry;
    services->report = engine->report;
    services->pipeline = engine->pipeline;
    services->seed = engine->pipeline->seed;
    services->cancelled = &engine->cancelled;
    services->log = engine->options->log;
    services->log_data = engine->options->log_data;
    services->log_level = engine->options->log_level;
    services->models = models_open(services->loop, engine->journal, engine->pipeline,
                                   engine->pipeline->fingerprint, host_for, engine, &engine->error);
    if (services->models && engine->options->record) {
        engine->recorder = recorder_open(engine->options->record, &engine->error);
        models_record(services->models, engine->recorder);
    }
    return engine->error.code;
}

static void run_loop(struct engine *engine)
{
    struct services *services = &engine->services;
    engine->started_us = engine->last_us = loop_now_us(services->loop);
    loop_on_interrupt(services->loop, interrupted, engine);
    loop_work(services->loop, conduct, conducted, engine);
    if (engine->options->progress)
        tick(engine);
    loop_run(services->loop);
}

static void finish(struct engine *engine)
{
    struct engine_result *result = engine->result;
    struct services *services = &engine->services;
    if (services->models) {
        result->totals = models_totals(services->models);
        result->model_count = models_count(services->models);
        result->models = memory_zeroed(result->model_count, sizeof(*result->models));
        for (size_t i = 0; i < result->model_count; i++)
            result->models[i] = models_stats(services->models, i);
        result->seconds = (double)(loop_now_us(services->loop) - engine->started_us) / 1e6;
        models_close(services->models);
    }
    struct error unwritten = {0};
    if (recorder_close(engine->recorder, &unwritten) < 0 && !engine->error.code)
        engine->error = unwritten;
    result->passes = engine->pass;
    result->error = engine->error;
    if (engine->error.code == XY_ECANCELED || (!engine->error.code && atomic_load(&engine->stop)))
        result->end = ENGINE_INTERRUPTED;
    else if (engine->error.code == XY_EPAUSED)
        result->end = ENGINE_PAUSED;
    else if (engine->error.code)
        result->end = ENGINE_FAILED;
    else if (engine->over_budget)
        result->end = ENGINE_BUDGET;
    accept_free(engine);
    outputs_destroy(engine);
    if (services->http)
        http_destroy(services->http);
    /* Only who holds the journal may say how the folder's run ended, and says it while it does:
     * another process may be at work there. */
    if (engine->journal) {
        summary_write(result);
        journal_close(engine->journal);
    }
    if (services->loop)
        loop_destroy(services->loop);
    arena_free(&engine->arena);
}

enum engine_end engine_run(const struct pipeline *pipeline, const struct engine_options *options,
                           struct engine_result *result)
{
    *result = (struct engine_result){.end = ENGINE_DONE, .report = report_create()};
    struct engine engine = {.pipeline = pipeline, .options = options, .result = result,
                            .report = result->report};
    struct estimate estimate;
    engine_estimate_calls(pipeline, &estimate);
    engine.expected_calls = estimate.exact ? estimate.calls / estimate.passes : 0;
    estimate_free(&estimate);
    outputs_create(&engine);
    if (open_folder(&engine) == XY_OK && outputs_check(&engine) == XY_OK && start(&engine) == XY_OK)
        run_loop(&engine);
    finish(&engine);
    return result->end;
}

void engine_result_free(struct engine_result *result)
{
    report_destroy(result->report);
    free(result->models);
    for (size_t i = 0; i < result->group_count; i++)
        free(result->groups[i].name);
    free(result->groups);
    *result = (struct engine_result){0};
}
