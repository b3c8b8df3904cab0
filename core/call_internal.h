/* SPDX-License-Identifier: Apache-2.0 */
/* call_internal.h - shared by call_step.c (asking) and call_result.c (what an answer becomes). */
#ifndef XYLEM_CORE_CALL_INTERNAL_H
#define XYLEM_CORE_CALL_INTERNAL_H

#include "call_step.h"

struct call_plan {
    struct services *services;
    const struct step *step;
    struct model *model;
    struct arena arena;
    xy_request base;          /* params merged: step over model */
    uint64_t seed;            /* `params.seed`: another one gives other answers */
    bool unconstrained;       /* the generator cannot enforce the schema */
    const char *into;
    const char *into_logprob; /* "<into>_logprob" and so on, made once */
    const char *into_confidence, *into_probabilities;
};

/* One record's way through the step: lives from call_step_start() to `done`. */
struct call {
    struct call_plan *plan;
    struct record *record;
    uint32_t round, attempt;      /* attempt: how often the model was asked again with an error */
    struct arena arena;
    xy_message *messages;
    size_t message_count;
    bool unconstrained;           /* this call has been sent again without the schema */
    double *neutral;              /* score: log-probabilities of the content-free prompt */
    struct call_outcome outcome;
    void (*done)(void *data, const struct call_outcome *outcome);
    void *data;
};

/* What to do with a good answer. XY_OK: the record is edited. XY_EINVAL: the answer does not fit,
 * with outcome.why set: worth asking again. */
int call_take_text(struct call *call, const xy_reply *reply);
int call_take_scores(struct call *call, const xy_reply *reply);
int call_take_vector(struct call *call, const xy_reply *reply);

#endif
