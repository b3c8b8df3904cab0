/* SPDX-License-Identifier: Apache-2.0 */
#include "tools.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "job.h"
#include "json.h"
#include "schema.h"

enum { DEFAULT_AT_WORK = 64, WORKERS_PER_TOOL = 4, PATIENCE_SECONDS = 5, RESULT_CEILING = 1 << 26 };

struct tool {
    struct tools *tools;
    const struct tool_spec *spec;
    struct instance *instance;
    struct tool_call *first, *last; /* waiting */
    struct tool_call *working;
    _Atomic size_t at_work;         /* tools_close() looks at it from a worker */
    size_t overdue;                 /* answered by the timeout and still at work */
};

struct tools {
    struct services *services;
    struct tool *items;
    size_t count;
    bool woken, stopped;
    pthread_mutex_t lock;           /* of `out` */
    pthread_cond_t idle;
    size_t out;                     /* calls and posts that will still come here */
};

struct tool_call {
    struct tool_call *next;         /* in the queue, or among those at work */
    struct tools *tools;
    struct tool *tool;              /* NULL: there is none of that name */
    struct job *job;
    struct record *record;
    struct arena arena;
    tool_done done;                 /* NULL once it was called */
    void *data;
    const char *refusal;            /* why the tool is not asked */
    struct timer *timer;
    _Atomic int cancelled;
};

/* ---- life ------------------------------------------------------------------------------------ */

struct tools *tools_create(struct services *services, const struct tool_spec *specs,
                           struct instance *const *instances, size_t count)
{
    struct tools *tools = memory_zeroed(1, sizeof(*tools));
    tools->services = services;
    tools->items = memory_zeroed(count, sizeof(*tools->items));
    tools->count = count;
    for (size_t i = 0; i < count; i++)
        tools->items[i] = (struct tool){.tools = tools, .spec = &specs[i],
                                        .instance = instances[i]};
    pthread_mutex_init(&tools->lock, NULL);
    pthread_cond_init(&tools->idle, NULL);
    return tools;
}

static void hold(struct tools *tools)
{
    pthread_mutex_lock(&tools->lock);
    tools->out++;
    pthread_mutex_unlock(&tools->lock);
}

/* `tools` may be gone afterwards. */
static void let_go(struct tools *tools)
{
    pthread_mutex_lock(&tools->lock);
    if (--tools->out == 0)
        pthread_cond_signal(&tools->idle);
    pthread_mutex_unlock(&tools->lock);
}

static const char *name_at_work(const struct tools *tools)
{
    for (size_t i = 0; i < tools->count; i++) {
        if (tools->items[i].at_work)
            return tools->items[i].spec->name;
    }
    return "?";
}

void tools_close(struct tools *tools)
{
    if (!tools)
        return;
    bool told = false;
    pthread_mutex_lock(&tools->lock);
    while (tools->out) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_SECONDS;
        int late = pthread_cond_timedwait(&tools->idle, &tools->lock, &until);
        if (late && tools->out && !told)
            services_log(tools->services, XY_LOG_WARNING, "tools",
                         "waiting for `%s`, which still works on a call that passed its timeout",
                         name_at_work(tools));
        told = told || late;
    }
    pthread_mutex_unlock(&tools->lock);
    pthread_cond_destroy(&tools->idle);
    pthread_mutex_destroy(&tools->lock);
    free(tools->items);
    free(tools);
}

const struct tool_spec *tools_find(const struct tools *tools, xy_str name)
{
    for (size_t i = 0; i < tools->count; i++) {
        if (str_is(name, tools->items[i].spec->name))
            return tools->items[i].spec;
    }
    return NULL;
}

size_t tools_count(const struct tools *tools)
{
    return tools->count;
}

const struct tool_spec *tools_at(const struct tools *tools, size_t index)
{
    return tools->items[index].spec;
}

/* ---- answering ------------------------------------------------------------------------------- */

static void answer(struct tool_call *call, const struct tool_outcome *outcome)
{
    tool_done done = call->done;
    call->done = NULL;
    if (done)
        done(call->data, outcome);
}

static void answer_with(struct tool_call *call, int status, bool ran, const char *why)
{
    answer(call, &(struct tool_outcome){.status = status, .ran = ran, .result = str_of(why)});
}

static void free_call(struct tool_call *call)
{
    struct tools *tools = call->tools;
    job_destroy(call->job);
    record_destroy(call->record);
    arena_free(&call->arena);
    free(call);
    let_go(tools);
}

/* The record that carries the result: the input as edited, or the one that was emitted. */
static const struct record *result_record(const struct job *job)
{
    if (job->verdict == XY_OK)
        return job->inputs[0];
    return job->verdict == XY_CONSUMED && job->emitted_count ? job->emitted[0] : NULL;
}

static void answer_with_field(struct tool_call *call, const struct record *record)
{
    const struct tool_spec *spec = call->tool->spec;
    struct value value;
    if (!record_value(record, &call->arena, str_of(spec->result), &value)) {
        answer_with(call, XY_EBUG, true,
                    arena_printf(&call->arena, "the tool `%s` did not set its result `%s`",
                                 spec->name, spec->result));
        return;
    }
    struct tool_outcome outcome = {.status = XY_OK, .ran = true,
                                   .json = value.type != VALUE_TEXT};
    struct buffer text;
    buffer_init(&text, RESULT_CEILING);
    if (value.type == VALUE_TEXT)
        outcome.result = value.text;
    else if (json_write(&text, &value))
        outcome.result = buffer_str(&text);
    answer(call, &outcome);
    buffer_free(&text);
}

static void answer_with_job(struct tool_call *call)
{
    const struct job *job = call->job;
    const struct record *record = result_record(job);
    if (record)
        answer_with_field(call, record);
    else if (job->verdict == XY_DROP || job->verdict == XY_CONSUMED)
        answer_with(call, XY_DROP, true, job->why ? job->why : "the tool refused");
    else
        answer_with(call, job->verdict, true, job->why ? job->why : error_name(job->verdict));
}

/* ---- at work --------------------------------------------------------------------------------- */

static void wake(struct tools *tools);

static void remove_working(struct tool *tool, const struct tool_call *call)
{
    struct tool_call **place = &tool->working;
    while (*place && *place != call)
        place = &(*place)->next;
    if (*place)
        *place = call->next;
    tool->at_work--;
}

static void over(void *data)
{
    struct tool_call *call = data;
    struct tool *tool = call->tool;
    timer_stop(call->timer);
    remove_working(tool, call);
    if (call->done)
        answer_with_job(call);
    else
        tool->overdue--;
    wake(call->tools);
    free_call(call);
}

/* finish() may come from any thread. */
static void finished(struct job *job, void *data)
{
    (void)job;
    struct tool_call *call = data;
    loop_post(call->tools->services->loop, over, call);
}

static void work(void *data)
{
    struct tool_call *call = data;
    struct job *job = call->job;
    const xy_stage *stage = &call->tool->spec->step.type->stage;
    int verdict = stage->process(instance_state(job->instance), &job->base);
    if (verdict == XY_PENDING) {
        job->why = arena_printf(&job->arena, "plugin `%s` answered XY_PENDING on a worker",
                                instance_name(job->instance));
        verdict = XY_EBUG;
    }
    job_settle(job, verdict);
}

static void timed_out(void *data)
{
    struct tool_call *call = data;
    call->timer = NULL;
    call->tool->overdue++;
    atomic_store(&call->cancelled, 1);
    answer_with(call, XY_ETIMEOUT, true,
                arena_printf(&call->arena, "no result within %g s", call->tool->spec->timeout));
    wake(call->tools);
}

static void start(struct tool *tool, struct tool_call *call)
{
    struct services *services = tool->tools->services;
    const xy_stage *stage = &tool->spec->step.type->stage;
    struct job *job = job_create(tool->instance, &call->record, 1);
    job->cancelled = &call->cancelled;
    job->finished = finished;
    job->data = call;
    call->job = job;
    call->next = tool->working;
    tool->working = call;
    tool->at_work++;
    call->timer = loop_after(services->loop, (uint64_t)(tool->spec->timeout * 1e6), timed_out,
                             call);
    if (stage->flags & XY_STAGE_CPU)
        loop_work(services->loop, work, over, call);
    else if (job_settle(job, stage->process(instance_state(tool->instance), &job->base)))
        over(call);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static size_t most_at_work(const xy_stage *stage)
{
    if (stage->flags & XY_STAGE_CPU)
        return stage->flags & XY_STAGE_REENTRANT ? WORKERS_PER_TOOL : 1;
    return stage->max_inflight ? stage->max_inflight : DEFAULT_AT_WORK;
}

static struct tool_call *take_waiting(struct tool *tool)
{
    struct tool_call *call = tool->first;
    if (call)
        tool->first = call->next;
    if (!tool->first)
        tool->last = NULL;
    return call;
}

static void pump(struct tool *tool)
{
    size_t most = most_at_work(&tool->spec->step.type->stage);
    while (tool->first && tool->at_work < most)
        start(tool, take_waiting(tool));
    /* Calls that passed their time hold every place, perhaps for good: nobody waits for that. */
    while (tool->first && tool->overdue >= most) {
        struct tool_call *call = take_waiting(tool);
        answer_with(call, XY_ETIMEOUT, true, "earlier calls that passed their time hold the tool");
        free_call(call);
    }
}

static void pump_all(void *data)
{
    struct tools *tools = data;
    tools->woken = false;
    for (size_t i = 0; i < tools->count; i++)
        pump(&tools->items[i]);
    let_go(tools);
}

static void wake(struct tools *tools)
{
    if (tools->woken)
        return;
    tools->woken = true;
    hold(tools);
    loop_post(tools->services->loop, pump_all, tools);
}

static void refuse(void *data)
{
    struct tool_call *call = data;
    answer_with(call, call->tools->stopped ? XY_ECANCELED : XY_EINVAL, false, call->refusal);
    free_call(call);
}

/* A record of the arguments, with an id that follows from them: the same call draws the same random
 * numbers, whoever makes it and when. */
static void make_record(struct tool_call *call, const struct value *arguments)
{
    struct services *services = call->tools->services;
    struct buffer text;
    buffer_init(&text, RESULT_CEILING);
    json_write(&text, arguments);
    uint64_t hash = XXH3_64bits(text.bytes, text.length);
    buffer_free(&text);
    call->record = record_create(record_hash(services->seed, call->tool->spec->name, hash, 0, 0));
    for (size_t i = 0; i < arguments->map.count && !call->refusal; i++) {
        const struct member *member = &arguments->map.members[i];
        const char *name = arena_copy(&call->arena, member->key.ptr, member->key.len);
        if (member->value.type != VALUE_NULL &&
            record_set_tree(call->record, name, &member->value) < 0)
            call->refusal = arena_printf(&call->arena, "the argument `%.100s` cannot be used",
                                         name);
    }
}

void tools_call(struct tools *tools, xy_str name, const struct value *arguments, tool_done done,
                void *data)
{
    struct tool_call *call = memory_zeroed(1, sizeof(*call));
    struct error error = {0};
    *call = (struct tool_call){.tools = tools, .done = done, .data = data};
    hold(tools);
    for (size_t i = 0; i < tools->count; i++) {
        if (str_is(name, tools->items[i].spec->name))
            call->tool = &tools->items[i];
    }
    if (tools->stopped)
        call->refusal = error_name(XY_ECANCELED);
    else if (!call->tool)
        call->refusal = arena_printf(&call->arena, "there is no tool `%.*s`",
                                     (int)(name.len < 100 ? name.len : 100), name.ptr);
    else if (arguments->type != VALUE_MAP)
        call->refusal = "the arguments are no JSON object";
    else if (schema_check(call->tool->spec->schema, arguments, &error) < 0)
        call->refusal = arena_printf(&call->arena, "the arguments do not fit: %s", error.text);
    else
        make_record(call, arguments);
    if (call->refusal) {
        loop_post(tools->services->loop, refuse, call);
        return;
    }
    struct tool *tool = call->tool;
    /* A call of no tool has a refusal, and so has one after the stop.
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    if (tool->last)
        tool->last->next = call;
    else
        tool->first = call;
    tool->last = call;
    wake(tools);
}

void tools_stop(struct tools *tools)
{
    if (!tools)
        return;
    tools->stopped = true;
    for (size_t i = 0; i < tools->count; i++) {
        struct tool *tool = &tools->items[i];
        for (struct tool_call *call = tool->working; call; call = call->next)
            atomic_store(&call->cancelled, 1);
        struct tool_call *call;
        while ((call = take_waiting(tool)) != NULL) {
            answer_with(call, XY_ECANCELED, false, error_name(XY_ECANCELED));
            free_call(call);
        }
    }
}
