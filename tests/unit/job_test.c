/* SPDX-License-Identifier: Apache-2.0 */
/* A job ends exactly once, whoever finishes it and whenever. */
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "instance.h"
#include "job.h"

static struct stage_type type = {.stage = {.size = sizeof(xy_stage), .id = "stage",
                                           .kind = XY_FILTER, .state_size = 8}};
static struct services services = {.seed = 5};

static struct instance *make_instance(void)
{
    struct error error = {0};
    static const xy_option none[] = {{0}};
    type.options = none;
    struct instance *instance = instance_create(&services, &type, "step", NULL, NULL, NULL, NULL,
                                                NULL, &error);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

static void count_finished(struct job *job, void *data)
{
    (void)job;
    __atomic_fetch_add((int *)data, 1, __ATOMIC_SEQ_CST);
}

static struct job *make_job(struct instance *instance, struct record **record, int *finished)
{
    struct job *job = job_create(instance, record, record ? 1 : 0);
    job->finished = count_finished;
    job->data = finished;
    return job;
}

static void a_verdict_settles_at_once(void)
{
    int finished = 0;
    struct instance *instance = make_instance();
    struct record *record = record_create(1);
    struct job *job = make_job(instance, &record, &finished);
    CU_ASSERT(job_settle(job, XY_DROP));
    CU_ASSERT_EQUAL(job->verdict, XY_DROP);
    CU_ASSERT_EQUAL(job->base.api->finish(&job->base, XY_OK), XY_EBUG);
    CU_ASSERT_EQUAL(finished, 0);
    job_destroy(job);
    record_destroy(record);
    instance_close(instance);
}

static void pending_ends_with_finish(void)
{
    int finished = 0;
    struct instance *instance = make_instance();
    struct job *job = make_job(instance, NULL, &finished);
    CU_ASSERT(!job_settle(job, XY_PENDING));
    CU_ASSERT_EQUAL(job->base.api->finish(&job->base, XY_CONSUMED), XY_OK);
    CU_ASSERT_EQUAL(finished, 1);
    CU_ASSERT_EQUAL(job->verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL(job->base.api->finish(&job->base, XY_OK), XY_EBUG);
    CU_ASSERT_EQUAL(finished, 1);
    job_destroy(job);
    instance_close(instance);
}

static void finish_before_process_returns_is_taken_up(void)
{
    int finished = 0;
    struct instance *instance = make_instance();
    struct job *job = make_job(instance, NULL, &finished);
    CU_ASSERT_EQUAL(job->base.api->finish(&job->base, XY_END), XY_OK);
    CU_ASSERT(job_settle(job, XY_PENDING));
    CU_ASSERT_EQUAL(job->verdict, XY_END);
    CU_ASSERT_EQUAL(finished, 0);
    job_destroy(job);
    job = make_job(instance, NULL, &finished);
    job->base.api->finish(&job->base, XY_OK);
    CU_ASSERT(job_settle(job, XY_OK));
    CU_ASSERT_EQUAL(job->verdict, XY_EBUG); /* finished, and answered too */
    job_destroy(job);
    instance_close(instance);
}

static void *finish_elsewhere(void *data)
{
    struct job *job = data;
    job->base.api->finish(&job->base, XY_OK);
    return NULL;
}

/* The race between finish() on another thread and the return of process(): exactly one of them sees
 * the end, in each of many tries. */
static void a_race_has_one_winner(void)
{
    struct instance *instance = make_instance();
    int ends = 0, tries = 2000;
    for (int i = 0; i < tries; i++) {
        int finished = 0;
        pthread_t thread;
        struct job *job = make_job(instance, NULL, &finished);
        pthread_create(&thread, NULL, finish_elsewhere, job);
        bool settled = job_settle(job, XY_PENDING);
        pthread_join(thread, NULL);
        ends += settled + finished;
        CU_ASSERT_EQUAL(settled + finished, 1);
        job_destroy(job);
    }
    CU_ASSERT_EQUAL(ends, tries);
    instance_close(instance);
}

static void emitting_gives_records_away_once(void)
{
    int finished = 0;
    size_t count;
    struct instance *instance = make_instance();
    struct record *parent = record_create(77);
    struct job *job = make_job(instance, &parent, &finished);
    xy_record *first = job->base.api->new_record(&job->base, &parent->base);
    xy_record *kept = job->base.api->new_record(&job->base, NULL);
    CU_ASSERT_EQUAL(first->api->parent(first), 77);
    CU_ASSERT_EQUAL(kept->api->parent(kept), 0);
    CU_ASSERT(first->api->id(first) != kept->api->id(kept));
    CU_ASSERT_EQUAL(job->base.api->emit(&job->base, first), XY_OK);
    CU_ASSERT_EQUAL(job->base.api->emit(&job->base, first), XY_EBUG);
    struct record **emitted = job_take_emitted(job, &count);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    record_destroy(emitted[0]);
    job_destroy(job); /* frees the one that was not emitted */
    struct job *again = make_job(instance, &parent, &finished);
    xy_record *same = again->base.api->new_record(&again->base, &parent->base);
    CU_ASSERT_EQUAL(same->api->id(same), record_hash(5, "step", 77, 0, 0));
    job_destroy(again);
    record_destroy(parent);
    instance_close(instance);
}

static void broken_rules_are_named(void)
{
    int finished = 0;
    struct instance *instance = make_instance();
    struct record *record = record_create(1);
    struct job *job = make_job(instance, &record, &finished);
    CU_ASSERT(job_settle(job, XY_END));
    CU_ASSERT_EQUAL(job->verdict, XY_EBUG);
    CHECK_TEXT(job->why, "plugin `step`: answered XY_END although it has input");
    job_destroy(job);
    job = make_job(instance, &record, &finished);
    atomic_store(&job->tickets, 1);
    CU_ASSERT(job_settle(job, XY_OK));
    CHECK_TEXT(job->why, "plugin `step`: finished a job while a model call was still out");
    job_destroy(job);
    record_destroy(record);
    instance_close(instance);
}

static uint64_t taken[4];

static void take(struct job *job, struct record *record)
{
    int *count = job->data;
    xy_value value;
    CU_ASSERT_EQUAL_FATAL(record_get(record, "text", &value), XY_TEXT);
    CU_ASSERT_EQUAL(value.text.len, (size_t)(10 * (*count + 1)));
    taken[(*count)++] = record->id;
}

/* The memory of a record that was taken serves the next one; ids are those that records would have
 * that are kept. */
static void taken_as_emitted(void)
{
    int count = 0;
    uint64_t kept[4];
    char letters[41] = "0123456789012345678901234567890123456789";
    struct instance *instance = make_instance();
    for (int way = 0; way < 2; way++) {
        struct job *job = job_create(instance, NULL, 0);
        job->take = way ? take : NULL;
        job->data = &count;
        for (size_t i = 0; i < 4; i++) {
            xy_record *made = job->base.api->new_record(&job->base, NULL);
            CU_ASSERT_EQUAL(xy_record_set_text(made, "text", (xy_str){letters, 10 * (i + 1)}), 0);
            uint64_t id = made->api->id(made);
            CU_ASSERT_EQUAL(job->base.api->emit(&job->base, made), XY_OK);
            if (!way)
                kept[i] = id;
        }
        size_t emitted;
        struct record **records = job_take_emitted(job, &emitted);
        CU_ASSERT_EQUAL(emitted, way ? 0 : 4);
        for (size_t i = 0; i < emitted; i++)
            record_destroy(records[i]);
        job_destroy(job);
    }
    CU_ASSERT_EQUAL(count, 4);
    CU_ASSERT_EQUAL(memcmp(kept, taken, sizeof(kept)), 0);
    instance_close(instance);
}

int main(void)
{
    static const struct check checks[] = {
        {"a verdict settles at once", a_verdict_settles_at_once},
        {"pending ends with finish()", pending_ends_with_finish},
        {"finish() before process() returns", finish_before_process_returns_is_taken_up},
        {"a race has one winner", a_race_has_one_winner},
        {"emitting gives records away once", emitting_gives_records_away_once},
        {"broken rules are named", broken_rules_are_named},
        {"taken as they are emitted", taken_as_emitted},
        {NULL, NULL},
    };
    return check_main("job", checks);
}
