/* SPDX-License-Identifier: Apache-2.0 */
#include "phase.h"

#include <stdlib.h>
#include <string.h>

#include "call_step.h"
#include "json.h"
#include "phase_internal.h"

struct flow *queue_pop(struct queue *queue)
{
    struct flow *flow = queue->first;
    if (flow) {
        queue->first = flow->queued;
        queue->count--;
        flow->queued = NULL;
        if (!queue->first)
            queue->last = NULL;
    }
    return flow;
}

void queue_push(struct queue *queue, struct flow *flow)
{
    flow->queued = NULL;
    if (queue->last)
        queue->last->queued = flow;
    else
        queue->first = flow;
    queue->last = flow;
    queue->count++;
}

void runner_fail(struct runner *runner, int code, const char *format, ...)
{
    if (runner->error.code)
        return;
    char text[sizeof(runner->error.text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(&runner->error, code, "%s", text);
    runner->dry = true;
    /* Nothing more is paid for a run that has failed. */
    models_stop(runner->phase->services->models, false);
}

bool runner_stopping(const struct runner *runner)
{
    return runner->error.code || (runner->phase->stop && atomic_load(runner->phase->stop));
}

/* ---- groups ---------------------------------------------------------------------------------- */

static struct flow *flow_create(struct runner *runner, struct group *group, struct record *record)
{
    struct flow *flow = memory_zeroed(1, sizeof(*flow));
    *flow = (struct flow){.runner = runner, .group = group, .record = record};
    group->live++;
    runner->live++;
    return flow;
}

static void flow_insert_before(struct group *group, struct flow *place, struct flow *flow)
{
    flow->next = place;
    flow->previous = place ? place->previous : group->last;
    if (flow->previous)
        flow->previous->next = flow;
    else
        group->first = flow;
    if (place)
        place->previous = flow;
    else
        group->last = flow;
}

static void flow_remove(struct flow *flow)
{
    struct group *group = flow->group;
    if (flow->previous)
        flow->previous->next = flow->next;
    else
        group->first = flow->next;
    if (flow->next)
        flow->next->previous = flow->previous;
    else
        group->last = flow->previous;
    record_destroy(flow->record);
    free(flow);
}

static void flow_end(struct flow *flow, enum flow_state state)
{
    flow->state = state;
    flow->group->live--;
    flow->runner->live--;
}

/* Takes a live flow out without a trace: what a stop leaves unfinished. */
static void flow_abandon(struct flow *flow)
{
    flow->runner->phase->unfinished++;
    flow_end(flow, FLOW_DONE);
    flow_remove(flow);
}

static void flow_advance(struct flow *flow);

/* Without a step to go through, records come out as they come in. */
static void pass_through(struct runner *runner, struct record **records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!runner->error.code)
            dataset_append(runner->phase->output, records[i], &runner->error);
        record_destroy(records[i]);
    }
    if (runner->phase->progress)
        atomic_fetch_add(&runner->phase->progress->accepted, count);
}

void runner_count_entered(struct runner *runner, size_t count)
{
    runner->phase->entered += count;
    if (runner->phase->progress)
        atomic_fetch_add(&runner->phase->progress->entered, count);
}

void runner_enter(struct runner *runner, struct record **records, size_t count)
{
    if (count == 0)
        return;
    runner_count_entered(runner, count);
    if (runner->phase->step_count == 0) {
        pass_through(runner, records, count);
        return;
    }
    struct group *group = memory_zeroed(1, sizeof(*group));
    if (runner->last)
        runner->last->next = group;
    else
        runner->first = group;
    runner->last = group;
    for (size_t i = 0; i < count; i++)
        flow_insert_before(group, NULL, flow_create(runner, group, records[i]));
    /* Advancing one flow never frees another, so the list may be walked while it happens. */
    for (struct flow *flow = group->first, *next; flow; flow = next) {
        next = flow->next;
        flow_advance(flow);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void flow_reject(struct flow *flow, const char *step, const char *event, const char *why)
{
    struct buffer members;
    buffer_init(&members, 4096);
    buffer_append_text(&members, "\"reason\":");
    json_write_text(&members, str_of(why && *why ? why : "no reason was given"));
    record_event(flow->record, step, event, buffer_str(&members));
    buffer_free(&members);
    report_add_reason(flow->runner->phase->services->report, step, why ? why : "");
    flow_end(flow, FLOW_REJECTED);
}

static bool applies(struct flow *flow, const struct step *step)
{
    if (!step->when)
        return true;
    struct record_scope data = {.record = flow->record,
                                .services = flow->runner->phase->services,
                                .round = flow->runner->phase->round};
    struct error error = {0};
    bool holds;
    if (record_when(&data, step->when, &holds, &error) < 0) {
        struct step_counts *counts = &flow->runner->steps[flow->step].counts;
        counts->in++;
        counts->failed++;
        char why[sizeof(error.text) + 8];
        snprintf(why, sizeof(why), "when: %s", error.text);
        flow_reject(flow, step->id, "failed", why);
    }
    return holds;
}

/* Puts a flow into the queue of the next step that applies to it, or ends it. */
static void flow_advance(struct flow *flow)
{
    struct runner *runner = flow->runner;
    while (flow->step < runner->phase->step_count) {
        if (applies(flow, runner->phase->steps[flow->step].step)) {
            runner->steps[flow->step].counts.in++;
            queue_push(&runner->steps[flow->step].queue, flow);
            return;
        }
        if (flow->state != FLOW_LIVE)
            return;
        flow->step++;
    }
    flow_end(flow, FLOW_DONE);
}

static void replace(struct runner *runner, struct flow *flow, struct record **emitted, size_t count,
                    size_t step, bool sampled)
{
    struct group *group = flow->group;
    struct flow **fresh = memory_resize(NULL, count, sizeof(struct flow *));
    for (size_t i = 0; i < count; i++) {
        fresh[i] = flow_create(runner, group, emitted[i]);
        fresh[i]->step = step;
        fresh[i]->sampled = sampled;
        flow_insert_before(group, flow, fresh[i]);
    }
    flow_end(flow, FLOW_DONE);
    flow_remove(flow);
    for (size_t i = 0; i < count; i++)
        flow_advance(fresh[i]);
    free(fresh);
}

static void settle_error(struct runner *runner, struct flow *flow, int verdict, const char *why)
{
    struct step_runner *step = &runner->steps[flow->step];
    if (verdict == XY_ECANCELED) {
        flow_abandon(flow);
        return;
    }
    if (verdict == XY_EBUG || verdict == XY_EIO || verdict == XY_ENOMEM ||
        verdict == XY_EPAUSED) {
        runner_fail(runner, verdict, "step `%s`: %s", step->name, why ? why : error_name(verdict));
        flow_abandon(flow);
        return;
    }
    if (verdict == XY_EBUDGET) {
        /* No source is asked for more; records that exist already each get their reject. */
        runner->phase->over_budget = true;
        runner->dry = runner->dry || runner->phase->source_count;
    }
    step->counts.failed++;
    flow_reject(flow, step->name, "failed", why ? why : error_name(verdict));
}

void runner_settle(struct runner *runner, struct flow *flow, int verdict, const char *why,
                   struct record **emitted, size_t count)
{
    struct step_runner *step = &runner->steps[flow->step];
    if (verdict < 0) {
        for (size_t i = 0; i < count; i++)
            record_destroy(emitted[i]);
        settle_error(runner, flow, verdict, why);
    } else if (verdict == XY_DROP) {
        for (size_t i = 0; i < count; i++)
            record_destroy(emitted[i]);
        step->counts.dropped++;
        flow_reject(flow, step->name, "dropped", why);
    } else if (verdict == XY_CONSUMED) {
        step->counts.out += count;
        for (size_t i = 0; i < count; i++)
            report_take_changes(&step->changes, emitted[i]);
        replace(runner, flow, emitted, count, flow->step + 1, false);
    } else {
        /* The edited record goes first, then what the stage emitted beside it. */
        step->counts.out += 1 + count;
        report_take_changes(&step->changes, flow->record);
        for (size_t i = count; i-- > 0;) {
            report_take_changes(&step->changes, emitted[i]);
            struct flow *fresh = flow_create(runner, flow->group, emitted[i]);
            fresh->step = flow->step + 1;
            flow_insert_before(flow->group, flow->next, fresh);
            flow_advance(fresh);
        }
        flow->step++;
        flow->sampled = false;
        flow_advance(flow);
    }
    runner_wake(runner);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* A model that never had a good answer ends the run with what it said, not with rejects alone. */
static void fail_if_hopeless(struct runner *runner, size_t index, bool over)
{
    const struct phase_step *step = &runner->phase->steps[index];
    const char *why = step->calls ? model_hopeless(call_plan_model(step->calls), over) : NULL;
    if (why)
        runner_fail(runner, XY_EUPSTREAM, "step `%s`: %s", step->step->id, why);
}

static void call_done(void *data, const struct call_outcome *outcome)
{
    struct flow *flow = data;
    struct runner *runner = flow->runner;
    struct step_runner *step = &runner->steps[flow->step];
    step->active--;
    step->counts.calls += outcome->calls;
    step->counts.prompt_tokens += outcome->prompt_tokens;
    step->counts.output_tokens += outcome->output_tokens;
    step->counts.cost += outcome->cost;
    if (outcome->verdict < 0)
        fail_if_hopeless(runner, flow->step, false);
    runner_settle(runner, flow, outcome->verdict, outcome->why, NULL, 0);
}

static void expand_samples(struct runner *runner, struct flow *flow, const struct step *step)
{
    uint32_t samples = step->call.samples;
    struct record **copies = memory_resize(NULL, samples, sizeof(struct record *));
    for (uint32_t i = 0; i < samples; i++) {
        copies[i] = record_derive(flow->record,
                                  record_hash(runner->phase->services->seed, step->id,
                                              flow->record->id, i, runner->phase->round));
        copies[i]->sample = i;
    }
    struct step_runner *step_runner = &runner->steps[flow->step];
    step_runner->counts.in--; /* each sample counts itself when it is queued */
    replace(runner, flow, copies, samples, flow->step, true);
    free(copies);
}

static bool calls_start(struct runner *runner, size_t index)
{
    struct step_runner *step_runner = &runner->steps[index];
    const struct phase_step *phase_step = &runner->phase->steps[index];
    bool any = false;
    for (struct flow *flow = queue_pop(&step_runner->queue); flow;
         flow = queue_pop(&step_runner->queue)) {
        any = true;
        if (runner_stopping(runner)) {
            flow_abandon(flow);
        } else if (phase_step->step->call.samples > 1 && !flow->sampled) {
            expand_samples(runner, flow, phase_step->step);
        } else {
            step_runner->active++;
            call_step_start(phase_step->calls, flow->record, runner->phase->round, call_done, flow);
        }
    }
    return any;
}

/* ---- the pump -------------------------------------------------------------------------------- */

static void flush(struct runner *runner)
{
    struct phase *phase = runner->phase;
    while (runner->first && runner->first->live == 0) {
        struct group *group = runner->first;
        runner->first = group->next;
        if (!runner->first)
            runner->last = NULL;
        while (group->first) {
            struct flow *flow = group->first;
            /* flow_remove() has made the next one the first of its group.
             * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
            bool rejected = flow->state == FLOW_REJECTED;
            if (!runner->error.code)
                dataset_append(rejected ? phase->rejects : phase->output, flow->record,
                               &runner->error);
            if (phase->progress)
                atomic_fetch_add(rejected ? &phase->progress->rejected
                                          : &phase->progress->accepted, 1);
            flow_remove(flow);
        }
        free(group);
    }
}

static void take_input(struct runner *runner)
{
    struct phase *phase = runner->phase;
    while (!runner->dry && !runner_stopping(runner) && runner->live < phase->window) {
        if (phase->source_count) {
            if (runner->asking)
                return;
            source_ask(runner);
        } else if (runner->next_input < dataset_count(phase->input)) {
            struct record *record = dataset_read(phase->input, runner->next_input++);
            runner_enter(runner, &record, 1);
        } else {
            runner->dry = true;
        }
    }
}

/* What only shows once everything has come out. */
static void check_end(struct runner *runner)
{
    const struct phase *phase = runner->phase;
    for (size_t i = 0; i < phase->step_count && !runner_stopping(runner); i++)
        fail_if_hopeless(runner, i, true);
    /* A later round may have nothing more to give; a first one without records is a mistake. */
    if (phase->source_count && phase->source_rounds[0] == 0 && !runner->made &&
        !runner_stopping(runner))
        runner_fail(runner, XY_EINVAL, "step `%s` made no records: its input is empty, or its "
                    "options leave nothing", phase->source_name);
}

static void finish_if_done(struct runner *runner)
{
    if (runner->ended || runner->live > 0 || runner->asking || runner->first ||
        !(runner->dry || runner_stopping(runner)))
        return;
    check_end(runner);
    /* Whoever waits frees the runner: nothing of it may be touched after the unlock. */
    runner->ended = true;
    pthread_mutex_lock(&runner->lock);
    runner->finished = true;
    pthread_cond_signal(&runner->done);
    pthread_mutex_unlock(&runner->lock);
}

static void pump(void *data)
{
    struct runner *runner = data;
    runner->woken = false;
    bool busy = true;
    while (busy) {
        busy = false;
        for (size_t i = runner->phase->step_count; i-- > 0;) {
            bool stage = runner->phase->steps[i].step->kind == STEP_STAGE;
            if (runner->steps[i].queue.first)
                busy = (stage ? stage_start(runner, i) : calls_start(runner, i)) || busy;
        }
        flush(runner);
        size_t before = runner->live;
        take_input(runner);
        busy = busy || runner->live != before;
        flush(runner);
    }
    if (runner->phase->progress)
        atomic_store(&runner->phase->progress->live, runner->live);
    if (!runner->woken)
        finish_if_done(runner);
}

void runner_wake(struct runner *runner)
{
    if (runner->woken)
        return;
    runner->woken = true;
    loop_post(runner->phase->services->loop, pump, runner);
}

static void start(void *data)
{
    runner_wake(data);
}

static void add_counts(struct runner *runner)
{
    struct report *report = runner->phase->services->report;
    for (size_t i = 0; i < runner->phase->step_count; i++) {
        struct step_runner *step = &runner->steps[i];
        report_add_counts(report, step->name, &step->counts);
        report_add_changes(report, step->name, &step->changes);
        free(step->changes.fields);
    }
    if (runner->phase->source_count)
        report_add_changes(report, runner->phase->source_name, &runner->made_changes);
    free(runner->made_changes.fields);
}

int phase_run(struct phase *phase, struct error *error)
{
    struct runner runner = {.phase = phase};
    runner.passing = phase->step_count == 0 && !phase->wanted && !phase->most;
    runner.steps = memory_zeroed(phase->step_count, sizeof(*runner.steps));
    for (size_t i = 0; i < phase->step_count; i++)
        runner.steps[i].name = phase->steps[i].step->id;
    buffer_init(&runner.made_event, 4096);
    pthread_mutex_init(&runner.lock, NULL);
    pthread_cond_init(&runner.done, NULL);
    loop_post(phase->services->loop, start, &runner);
    pthread_mutex_lock(&runner.lock);
    while (!runner.finished)
        pthread_cond_wait(&runner.done, &runner.lock);
    pthread_mutex_unlock(&runner.lock);
    pthread_cond_destroy(&runner.done);
    pthread_mutex_destroy(&runner.lock);
    add_counts(&runner);
    if (runner.error.code)
        *error = runner.error;
    free(runner.steps);
    buffer_free(&runner.made_event);
    buffer_free(&runner.spare.bytes);
    return runner.error.code;
}
