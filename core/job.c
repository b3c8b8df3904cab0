/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "instance.h"

enum { MOST_ROOM = 16 << 10 }; /* bytes for values that a new record is made with */

static struct job *job_of(const xy_job *base)
{
    return (struct job *)(uintptr_t)base;
}

static size_t api_count(const xy_job *base)
{
    return job_of(base)->count;
}

static xy_record *api_input(xy_job *base, size_t index)
{
    struct job *job = job_of(base);
    return index < job->count ? &job->inputs[index]->base : NULL;
}

static void *api_alloc(xy_job *base, size_t bytes)
{
    return arena_alloc(&job_of(base)->arena, bytes);
}

static void append(struct record ***list, size_t *count, size_t *capacity, struct record *record)
{
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 4;
        *list = memory_resize(*list, *capacity, sizeof(struct record *));
    }
    (*list)[(*count)++] = record;
}

/* Records of one source are of one kind: the next one is given the room that those before it
 * needed, so that its values need no memory of their own. */
static struct record *make_from_nothing(struct job *job, uint64_t id)
{
    if (job->latest && job->latest->held > job->room)
        job->room = job->latest->held < MOST_ROOM ? job->latest->held : MOST_ROOM;
    struct record *spare = job->spare;
    job->spare = NULL;
    if (spare && spare->room_size >= job->room) {
        record_renew(spare, id);
        return job->latest = spare;
    }
    record_destroy(spare);
    return job->latest = record_create_roomy(id, job->room);
}

/* What becomes of a record that is emitted. A derived one has no room that another could use. */
static void take_emitted(struct job *job, struct record *record)
{
    if (!job->take) {
        append(&job->emitted, &job->emitted_count, &job->emitted_capacity, record);
        return;
    }
    job->take(job, record);
    if (job->latest == record) {
        if (record->held > job->room)
            job->room = record->held < MOST_ROOM ? record->held : MOST_ROOM;
        job->latest = NULL;
    }
    if (record->parent || job->spare)
        record_destroy(record);
    else
        job->spare = record;
}

static xy_record *api_new_record(xy_job *base, const xy_record *parent_base)
{
    struct job *job = job_of(base);
    const struct record *parent = (const struct record *)parent_base;
    uint64_t index = job->made_count;
    struct record *record;
    if (!job->hash_start)
        job->hash_start =
            record_hash_start(instance_seed(job->instance), instance_name(job->instance));
    if (parent) {
        record = record_derive(
            parent, record_hash_from(job->hash_start, parent->id, index, job->round));
        record->sample = (uint32_t)index;
    } else {
        record = make_from_nothing(
            job, record_hash_from(job->hash_start, job->sequence, index, job->round));
    }
    append(&job->made, &job->made_count, &job->made_capacity, record);
    return &record->base;
}

static int api_emit(xy_job *base, xy_record *record)
{
    struct job *job = job_of(base);
    for (size_t i = job->made_count; i-- > 0;) {
        if (job->made[i] != (struct record *)record)
            continue;
        job->made[i] = NULL;
        take_emitted(job, (struct record *)record);
        return XY_OK;
    }
    job->why = arena_printf(&job->arena, "%s emitted a record that new_record() of this job did "
                            "not give, or emitted one twice", instance_name(job->instance));
    return XY_EBUG;
}

static int api_verdict(xy_job *base, size_t index, int verdict, const char *why)
{
    struct job *job = job_of(base);
    if (index >= job->count || verdict == XY_PENDING || verdict == XY_END || verdict > XY_END)
        return XY_EBUG;
    job->verdicts[index] = verdict;
    job->reasons[index] = why ? arena_copy(&job->arena, why, strlen(why)) : NULL;
    return XY_OK;
}

static void api_explain(xy_job *base, const char *why)
{
    struct job *job = job_of(base);
    job->why = why ? arena_copy(&job->arena, why, strlen(why)) : NULL;
}

static int broken(struct job *job, const char *rule)
{
    job->why = arena_printf(&job->arena, "plugin `%s`: %s", instance_name(job->instance), rule);
    return XY_EBUG;
}

static int checked_verdict(struct job *job, int verdict)
{
    if (verdict > XY_END || verdict == XY_PENDING)
        return broken(job, "finished with a verdict that does not exist");
    if (verdict == XY_END && job->count > 0)
        return broken(job, "answered XY_END although it has input");
    if (atomic_load(&job->tickets) > 0)
        return broken(job, "finished a job while a model call was still out");
    return verdict;
}

static int api_finish(xy_job *base, int verdict)
{
    struct job *job = job_of(base);
    int expected = JOB_PENDING;
    int checked = checked_verdict(job, verdict);
    if (atomic_compare_exchange_strong(&job->state, &expected, JOB_FINISHED)) {
        job->verdict = checked;
        job->finished(job, job->data);
        return XY_OK;
    }
    if (expected == JOB_FINISHED)
        return XY_EBUG;
    /* process() has not returned yet: job_settle() takes it up when it does. */
    int first = 0;
    if (!atomic_compare_exchange_strong(&job->early, &first, 1))
        return XY_EBUG;
    job->verdict = checked;
    atomic_store(&job->early, 2);
    /* process() may have returned XY_PENDING while this was written: one of the two sees it. */
    int pending = JOB_PENDING;
    if (atomic_compare_exchange_strong(&job->state, &pending, JOB_FINISHED))
        job->finished(job, job->data);
    return XY_OK;
}

static int api_cancelled(const xy_job *base)
{
    const struct job *job = job_of(base);
    return job->cancelled && atomic_load(job->cancelled);
}

static uint32_t api_round(const xy_job *base)
{
    return job_of(base)->round;
}

static uint64_t api_sequence(const xy_job *base)
{
    return job_of(base)->sequence;
}

const xy_job_api job_api = {
    .size = sizeof(xy_job_api),
    .count = api_count,
    .input = api_input,
    .alloc = api_alloc,
    .new_record = api_new_record,
    .emit = api_emit,
    .verdict = api_verdict,
    .explain = api_explain,
    .finish = api_finish,
    .cancelled = api_cancelled,
    .round = api_round,
    .sequence = api_sequence,
};

struct job *job_create(struct instance *instance, struct record *const *inputs, size_t count)
{
    struct job *job = memory_zeroed(1, sizeof(*job));
    job->base.api = &job_api;
    job->instance = instance;
    job->count = count;
    if (count) {
        job->inputs = arena_alloc(&job->arena, count * sizeof(struct record *));
        memcpy(job->inputs, inputs, count * sizeof(struct record *));
        job->verdicts = arena_alloc(&job->arena, count * sizeof(int));
        job->reasons = arena_alloc(&job->arena, count * sizeof(char *));
    }
    return job;
}

void job_destroy(struct job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->made_count; i++)
        record_destroy(job->made[i]);
    for (size_t i = 0; i < job->emitted_count; i++)
        record_destroy(job->emitted[i]);
    record_destroy(job->spare);
    free(job->made);
    free(job->emitted);
    arena_free(&job->arena);
    free(job);
}

bool job_settle(struct job *job, int answer)
{
    if (answer != XY_PENDING) {
        if (atomic_load(&job->early)) {
            job->verdict = broken(job, "called finish() and also answered with a verdict");
        } else {
            job->verdict = checked_verdict(job, answer);
        }
        atomic_store(&job->state, JOB_FINISHED);
        return true;
    }
    int running = JOB_RUNNING;
    if (atomic_load(&job->early) == 2) {
        atomic_store(&job->state, JOB_FINISHED);
        return true;
    }
    atomic_compare_exchange_strong(&job->state, &running, JOB_PENDING);
    /* Another thread may have called finish() between the two looks. */
    int pending = JOB_PENDING;
    if (atomic_load(&job->early) == 2 &&
        atomic_compare_exchange_strong(&job->state, &pending, JOB_FINISHED))
        return true;
    return false;
}

struct record **job_take_emitted(struct job *job, size_t *count)
{
    *count = job->emitted_count;
    job->emitted_count = 0;
    job->latest = NULL;
    return job->emitted;
}
