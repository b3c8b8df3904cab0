/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - one call's worth of work for a stage: the host's side of xy_job.
 *
 * A job is made, given to process(), run() or prepare(), and ends exactly once: by the verdict that
 * process() returns, or by finish() after XY_PENDING. job_settle() tells which. Inputs and emitted
 * records belong to the job until job_take_*() gives them to the engine.
 */
#ifndef XYLEM_CORE_JOB_H
#define XYLEM_CORE_JOB_H

#include <stdatomic.h>

#include "record.h"

struct instance;

enum job_state {
    JOB_RUNNING = 0,  /* inside process(), or made and not yet given */
    JOB_PENDING = 1,  /* process() answered XY_PENDING */
    JOB_FINISHED = 2  /* the verdict stands */
};

struct job {
    xy_job base;                    /* first: an xy_job * is a struct job * */
    struct arena arena;
    struct instance *instance;
    struct record **inputs;         /* borrowed from whoever made the job */
    int *verdicts;                  /* one for each input */
    const char **reasons;           /* NULL or the arena's */
    size_t count;
    struct record **emitted;        /* in the order of emitting */
    size_t emitted_count;
    struct record **made;           /* all that new_record() gave; emitted ones become NULL */
    size_t made_count, made_capacity;
    size_t emitted_capacity;
    struct record *latest;          /* the last one made, until the job has been taken up */
    struct record *spare;           /* a record that `take` is done with */
    uint64_t hash_start;            /* of the ids of what it makes; 0: not yet known */
    size_t room;                    /* what a record made from nothing has needed so far */
    const char *why;
    uint32_t round;
    uint64_t sequence;
    int verdict;
    _Atomic int state;              /* enum job_state */
    _Atomic int early;              /* finish() came before process() had returned */
    _Atomic int tickets;            /* model calls that have not come back */
    const _Atomic int *cancelled;   /* the run's flag; NULL: never */
    /* Called once when finish() ends a pending job, on the thread that called finish(). */
    void (*finished)(struct job *job, void *data);
    /* NULL: emitted records are kept. Else each is shown at once, in the thread that emits it, and
     * its memory serves the next one. */
    void (*take)(struct job *job, struct record *record);
    void *data;
    struct job *next;               /* for queues of whoever owns the job */
};

/* A job for `count` inputs (arrays are copied, records borrowed). */
struct job *job_create(struct instance *instance, struct record *const *inputs, size_t count);
/* Frees the arena and every record that was made and not taken. Inputs stay the caller's. */
void job_destroy(struct job *job);

/* Takes process()'s answer. Returns true when the job is finished now (job->verdict stands, rule
 * breaks already turned into XY_EBUG), false when finished() will be called later. */
bool job_settle(struct job *job, int answer);

/* The emitted records; the caller owns array elements from now on, the array is the job's. */
struct record **job_take_emitted(struct job *job, size_t *count);

extern const xy_job_api job_api;

#endif
