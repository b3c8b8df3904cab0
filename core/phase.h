/* SPDX-License-Identifier: Apache-2.0 */
/* phase.h - a chain of streaming steps, run on the loop: records flow through with bounded memory
 * and come out in the order they went in, whatever order the answers arrive in.
 *
 * A phase is a pure function of its input, its seed and the models' answers. Everything that enters
 * leaves exactly once: to `output`, to `rejects` with a step and a reason, or, when the run is
 * stopped, to nowhere, and is then counted as unfinished.
 */
#ifndef XYLEM_CORE_PHASE_H
#define XYLEM_CORE_PHASE_H

#include <stdatomic.h>

#include "dataset.h"
#include "instance.h"
#include "pipeline.h"

/* A step with what it needs to run. */
struct phase_step {
    const struct step *step;
    struct instance *instance;   /* STEP_STAGE, opened and prepared */
    struct call_plan *calls;     /* the others, see call_step.h */
};

/* What the progress line shows; written on the loop, read from anywhere. */
struct phase_progress {
    _Atomic uint64_t entered, accepted, rejected, live;
};

struct phase {
    struct services *services;
    const struct phase_step *steps;      /* after the source, in order */
    size_t step_count;
    /* Either a source, one opened instance for each round it is asked in ... */
    struct instance *const *sources;
    const uint32_t *source_rounds;
    size_t source_count;
    const char *source_name;
    bool (*wanted)(void *data, const struct record *record); /* NULL: all; else unasked for */
    void *wanted_data;
    uint64_t most;                       /* most records that the source may make; 0: no bound */
    /* ... or a sealed dataset. */
    const struct dataset *input;
    struct dataset *output, *rejects;    /* open for appending */
    uint32_t round;                      /* of the steps; a source has its own */
    size_t window;                       /* records alive at once */
    const _Atomic int *stop;             /* nonzero: take no more, finish what is in flight */
    struct phase_progress *progress;
    /* results */
    uint64_t entered, unfinished;
    bool over_budget;
};

/* [worker] Blocks until everything has come out. 0, or the first error that ends the run: a source
 * that failed, a plugin that broke a rule, a disk that is full. */
int phase_run(struct phase *phase, struct error *error);

#endif
