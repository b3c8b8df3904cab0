/* SPDX-License-Identifier: Apache-2.0 */
/* Runs plugin stages for a phase: on the loop one record at a time, on workers in batches. */
#include <stdlib.h>
#include <string.h>

#include "phase_internal.h"

enum {
    BATCH = 64,          /* records handed to a worker, or to a batch stage, at once */
    WORKERS_PER_STEP = 4,
    DEFAULT_INFLIGHT = 1024,
    EMPTY_ASKS = 1000    /* a source that makes nothing so often will never end */
};

/* One hand-over: flows with one job for each, or one job for all of a batch stage. */
struct batch {
    struct runner *runner;
    size_t step;
    struct flow *flows[BATCH];
    size_t count;
    struct job *jobs[BATCH];
    size_t job_count;
    size_t open_jobs;    /* not finished yet */
    bool as_one;         /* the stage takes batches: one job for all flows */
};

static void settle_batch(struct batch *batch, struct job *job)
{
    struct runner *runner = batch->runner;
    if (job->verdict < 0 || job->emitted_count > 0) {
        /* A batch that failed as a whole fails each of its records; what a batch stage emits cannot
         * be placed among its inputs, so only single jobs may emit. */
        const char *why = job->verdict < 0 ? job->why : "a batch stage may not emit records";
        for (size_t i = 0; i < batch->count; i++)
            runner_settle(runner, batch->flows[i], job->verdict < 0 ? job->verdict : XY_EBUG, why,
                          NULL, 0);
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        int verdict = job->verdicts[i] ? job->verdicts[i] : job->verdict;
        runner_settle(runner, batch->flows[i], verdict,
                      job->reasons[i] ? job->reasons[i] : job->why, NULL, 0);
    }
}

static void settle_job(struct batch *batch, struct job *job)
{
    size_t count;
    struct record **emitted = job_take_emitted(job, &count);
    /* A batch that is not one job has a job for each of its flows.
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    int verdict = job->verdict;
    for (size_t i = 0; i < batch->job_count; i++) {
        if (batch->jobs[i] == job)
            runner_settle(batch->runner, batch->flows[i], verdict, job->why, emitted, count);
    }
}

/* A job of a batch is over. Frees the batch with the last one. [loop] */
static void job_over(struct batch *batch, struct job *job)
{
    if (batch->as_one)
        settle_batch(batch, job);
    else
        settle_job(batch, job);
    for (size_t i = 0; i < batch->job_count; i++) {
        if (batch->jobs[i] == job)
            batch->jobs[i] = NULL;
    }
    job_destroy(job);
    batch->open_jobs--;
    if (batch->open_jobs > 0)
        return;
    batch->runner->steps[batch->step].active--;
    runner_wake(batch->runner);
    free(batch);
}

struct finished_job {
    struct batch *batch;
    struct job *job;
};

static void finished_on_loop(void *data)
{
    struct finished_job over = *(struct finished_job *)data;
    free(data);
    job_over(over.batch, over.job);
}

/* finish() may come from any thread, and from deep inside a callback: take it up on the loop. */
static void job_finished(struct job *job, void *data)
{
    struct batch *batch = data;
    struct finished_job *over = memory_zeroed(1, sizeof(*over));
    *over = (struct finished_job){.batch = batch, .job = job};
    loop_post(batch->runner->phase->services->loop, finished_on_loop, over);
}

static struct job *make_job(struct batch *batch, struct record *const *inputs, size_t count)
{
    const struct phase *phase = batch->runner->phase;
    struct job *job = job_create(phase->steps[batch->step].instance, inputs, count);
    job->round = phase->round;
    job->cancelled = phase->services->cancelled;
    job->finished = job_finished;
    job->data = batch;
    batch->jobs[batch->job_count++] = job;
    batch->open_jobs++;
    return job;
}

static void make_jobs(struct batch *batch)
{
    struct record *records[BATCH];
    for (size_t i = 0; i < batch->count; i++)
        records[i] = batch->flows[i]->record;
    if (batch->as_one) {
        make_job(batch, records, batch->count);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        make_job(batch, &records[i], 1);
}

static const xy_stage *stage_of(const struct batch *batch)
{
    return &batch->runner->phase->steps[batch->step].step->type->stage;
}

static void *state_of(const struct batch *batch)
{
    return instance_state(batch->runner->phase->steps[batch->step].instance);
}

/* ---- on a worker ----------------------------------------------------------------------------- */

static void work(void *data)
{
    struct batch *batch = data;
    const xy_stage *stage = stage_of(batch);
    void *state = state_of(batch);
    for (size_t i = 0; i < batch->job_count; i++) {
        struct job *job = batch->jobs[i];
        int answer = stage->process(state, &job->base);
        if (answer == XY_PENDING) {
            job->why = arena_printf(&job->arena, "plugin `%s` answered XY_PENDING on a worker",
                                    instance_name(job->instance));
            answer = XY_EBUG;
        }
        job_settle(job, answer);
    }
}

static void worked(void *data)
{
    struct batch *batch = data;
    struct job *jobs[BATCH];
    size_t count = batch->job_count;
    memcpy(jobs, batch->jobs, count * sizeof(jobs[0]));
    for (size_t i = 0; i < count; i++)
        job_over(batch, jobs[i]);
}

/* ---- starting -------------------------------------------------------------------------------- */

static size_t most_active(const xy_stage *stage)
{
    if (stage->flags & XY_STAGE_CPU)
        return stage->flags & XY_STAGE_REENTRANT ? WORKERS_PER_STEP : 1;
    return stage->max_inflight ? stage->max_inflight : DEFAULT_INFLIGHT;
}

static void start_on_loop(struct batch *batch)
{
    const xy_stage *stage = stage_of(batch);
    void *state = state_of(batch);
    struct job *job = batch->jobs[0];
    if (job_settle(job, stage->process(state, &job->base)))
        job_over(batch, job);
}

bool stage_start(struct runner *runner, size_t index)
{
    struct step_runner *step = &runner->steps[index];
    const xy_stage *stage = &runner->phase->steps[index].step->type->stage;
    bool cpu = stage->flags & XY_STAGE_CPU, as_one = stage->flags & XY_STAGE_BATCH;
    size_t most = most_active(stage), take = cpu || as_one ? BATCH : 1;
    bool any = false;
    while (step->queue.first && (runner_stopping(runner) || step->active < most)) {
        any = true;
        if (runner_stopping(runner)) {
            runner_settle(runner, queue_pop(&step->queue), XY_ECANCELED, NULL, NULL, 0);
            continue;
        }
        struct batch *batch = memory_zeroed(1, sizeof(*batch));
        *batch = (struct batch){.runner = runner, .step = index, .as_one = as_one};
        while (batch->count < take && step->queue.first)
            batch->flows[batch->count++] = queue_pop(&step->queue);
        make_jobs(batch);
        step->active++;
        if (cpu)
            loop_work(runner->phase->services->loop, work, worked, batch);
        else
            start_on_loop(batch);
    }
    return any;
}

/* ---- sources --------------------------------------------------------------------------------- */

/* `kept` records of the same answer will enter before this one. */
static bool keep_wanted(struct runner *runner, struct record *record, size_t kept)
{
    struct phase *phase = runner->phase;
    bool room = !phase->most || phase->entered + kept < phase->most;
    if (!room || (phase->wanted && !phase->wanted(phase->wanted_data, record))) {
        record_destroy(record);
        return false;
    }
    record_event_again(record, buffer_str(&runner->made_event));
    report_take_changes(&runner->made_changes, record);
    return true;
}

/* Every record of a source and a round begins with the same event: it is written once. */
static void write_made_event(struct runner *runner)
{
    struct phase *phase = runner->phase;
    struct record *record = record_create(1);
    char round[32];
    snprintf(round, sizeof(round), "\"round\":%u", phase->source_rounds[runner->source]);
    record_event(record, phase->source_name, "made", str_of(round));
    buffer_clear(&runner->made_event);
    buffer_append_str(&runner->made_event, buffer_str(&record->trail));
    record_destroy(record);
}

/* What a source is asked once. */
struct asked {
    struct runner *runner;
    struct dataset_batch batch; /* with what it emits, where the runner is `passing` */
};

/* While this answer is taken up here, a worker makes the next one. */
static void ask_ahead(struct runner *runner, int verdict, size_t count)
{
    const struct phase *phase = runner->phase;
    const xy_stage *stage = &instance_type(phase->sources[runner->source])->stage;
    bool more = verdict >= 0 && verdict != XY_END && runner->empty_asks < EMPTY_ASKS &&
                !runner->dry && !runner_stopping(runner);
    if (more && stage->flags & XY_STAGE_CPU && !phase->most && runner->live + count < phase->window)
        source_ask(runner);
}

static void next_source(struct runner *runner)
{
    struct phase *phase = runner->phase;
    runner->source++;
    runner->sequence = 0;
    runner->empty_asks = 0;
    if (runner->source == phase->source_count || (phase->most && phase->entered >= phase->most))
        runner->dry = true;
}

/* Records that had nothing to wait for. */
static size_t take_batch(struct runner *runner, struct dataset_batch *batch)
{
    size_t count = batch->count;
    runner_count_entered(runner, count);
    if (!runner->error.code)
        dataset_append_batch(runner->phase->output, batch, &runner->error);
    if (runner->phase->progress)
        atomic_fetch_add(&runner->phase->progress->accepted, count);
    return count;
}

/* The records go where they belong; how many of them. */
static size_t take_made(struct runner *runner, struct record **emitted, size_t count, int verdict)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (verdict >= 0 && keep_wanted(runner, emitted[i], kept))
            emitted[kept++] = emitted[i];
        else if (verdict < 0)
            record_destroy(emitted[i]);
    }
    if (verdict >= 0)
        runner_enter(runner, emitted, kept);
    return kept;
}

/* The batch's memory is for the next but one: that of the next is being filled. */
static void keep_spare(struct runner *runner, struct asked *asked)
{
    buffer_free(&runner->spare.bytes);
    runner->spare = (struct dataset_batch){.bytes = asked->batch.bytes};
    buffer_clear(&runner->spare.bytes);
}

static void source_over(struct asked *asked, struct job *job)
{
    struct runner *runner = asked->runner;
    struct phase *phase = runner->phase;
    size_t count, kept = 0;
    struct record **emitted = job_take_emitted(job, &count);
    bool batched = asked->batch.count || asked->batch.too_large;
    count += asked->batch.count;
    runner->asking = false;
    runner->sequence++;
    runner->made += count;
    runner->empty_asks = count ? 0 : runner->empty_asks + 1;
    ask_ahead(runner, job->verdict, count);
    if (!batched)
        kept = take_made(runner, emitted, count, job->verdict);
    else if (job->verdict >= 0)
        kept = take_batch(runner, &asked->batch);
    report_add_counts(phase->services->report, phase->source_name,
                      &(struct step_counts){.out = job->verdict < 0 ? 0 : kept});
    if (job->verdict == XY_ECANCELED)
        runner->dry = true;
    else if (job->verdict < 0)
        runner_fail(runner, job->verdict, "step `%s`: %s", phase->source_name,
                    job->why ? job->why : error_name(job->verdict));
    if (job->verdict == XY_END)
        next_source(runner);
    else if (runner->empty_asks >= EMPTY_ASKS)
        runner_fail(runner, XY_EBUG, "step `%s` was asked %d times in a row and made no record",
                    phase->source_name, EMPTY_ASKS);
    keep_spare(runner, asked);
    job_destroy(job);
    runner_wake(runner);
}

static void source_on_loop(void *data)
{
    struct job *job = data;
    source_over(job->data, job);
}

static void source_finished(struct job *job, void *data)
{
    const struct asked *asked = data;
    loop_post(asked->runner->phase->services->loop, source_on_loop, job);
}

/* Records that have nothing to wait for are encoded by the thread that makes them, while their
 * bytes are at hand, and only the batch goes to the loop. */
static void encode_made(struct job *job, struct record *record)
{
    struct asked *asked = job->data;
    struct runner *runner = asked->runner;
    report_take_changes(&runner->made_changes, record);
    dataset_batch_add(&asked->batch, record, buffer_str(&runner->made_event));
}

static void source_work(void *data)
{
    struct job *job = data;
    const xy_stage *stage = &instance_type(job->instance)->stage;
    int answer = stage->process(instance_state(job->instance), &job->base);
    job_settle(job, answer == XY_PENDING ? XY_EBUG : answer);
}

void source_ask(struct runner *runner)
{
    struct phase *phase = runner->phase;
    struct instance *instance = phase->sources[runner->source];
    const xy_stage *stage = &instance_type(instance)->stage;
    struct job *job = job_create(instance, NULL, 0);
    struct asked *asked = arena_alloc(&job->arena, sizeof(*asked));
    *asked = (struct asked){.runner = runner, .batch = runner->spare};
    runner->spare = (struct dataset_batch){0};
    if (runner->sequence == 0)
        write_made_event(runner);
    job->round = phase->source_rounds[runner->source];
    job->sequence = runner->sequence;
    job->cancelled = phase->services->cancelled;
    job->finished = source_finished;
    job->take = runner->passing ? encode_made : NULL;
    job->data = asked;
    runner->asking = true;
    if (stage->flags & XY_STAGE_CPU)
        loop_work(phase->services->loop, source_work, source_on_loop, job);
    else if (job_settle(job, stage->process(instance_state(instance), &job->base)))
        source_over(asked, job);
}
