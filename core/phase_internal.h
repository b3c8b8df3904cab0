/* SPDX-License-Identifier: Apache-2.0 */
/* phase_internal.h - shared by phase.c (flow of records) and phase_stage.c (running plugins). */
#ifndef XYLEM_CORE_PHASE_INTERNAL_H
#define XYLEM_CORE_PHASE_INTERNAL_H

#include <pthread.h>

#include "job.h"
#include "phase.h"
#include "report.h"

struct group;

enum flow_state { FLOW_LIVE = 0, FLOW_DONE, FLOW_REJECTED };

/* A record on its way. It stands in its group's list at the place where it will come out. */
struct flow {
    struct flow *previous, *next; /* in the group */
    struct flow *queued;          /* in a step's queue */
    struct group *group;
    struct record *record;
    struct runner *runner;
    size_t step;                  /* the next step to go through */
    enum flow_state state;
    bool sampled;                 /* already one of several samples of this step */
};

/* What came in together: one input record, or what a source emitted at one time. */
struct group {
    struct group *next;
    struct flow *first, *last;
    size_t live;
};

struct queue {
    struct flow *first, *last;
    size_t count;
};

struct step_runner {
    struct queue queue;
    size_t active;                /* jobs, batches or calls under way */
    struct step_counts counts;
    struct report_changes changes;
    const char *name;
};

struct runner {
    struct phase *phase;
    struct step_runner *steps;
    struct group *first, *last;   /* groups in order of entry */
    size_t live;                  /* flows in FLOW_LIVE */
    size_t source;                /* which source is being asked */
    uint64_t sequence, next_input;
    uint64_t made;                /* by the sources, whether wanted or not */
    struct report_changes made_changes;
    struct buffer made_event;     /* of the source and round that is being asked */
    bool passing;                 /* records that are made come out at once: see encode_made() */
    struct dataset_batch spare;   /* memory of a batch that was appended */
    unsigned empty_asks;
    bool asking, dry, woken, ended;
    struct error error;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool finished;
};

/* Something changed: look again at the end of this turn. [loop] */
void runner_wake(struct runner *runner);
/* After an error or the user's stop: start nothing, abandon what waits. */
bool runner_stopping(const struct runner *runner);
/* The first error wins and ends the run. */
void runner_fail(struct runner *runner, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The verdict on a flow at its step; `emitted` (count) take its place in the group. Takes ownership
 * of the emitted records. [loop] */
void runner_settle(struct runner *runner, struct flow *flow, int verdict, const char *why,
                   struct record **emitted, size_t count);
/* So many records came in. */
void runner_count_entered(struct runner *runner, size_t count);
/* Opens a group of flows that start at the first step. Takes the records. */
void runner_enter(struct runner *runner, struct record **records, size_t count);

/* phase_stage.c: starts what can be started of step `index`; true when anything was. [loop] */
bool stage_start(struct runner *runner, size_t index);
/* Asks the source once. [loop] */
void source_ask(struct runner *runner);

struct flow *queue_pop(struct queue *queue);
void queue_push(struct queue *queue, struct flow *flow);

#endif
