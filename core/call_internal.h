/* SPDX-License-Identifier: Apache-2.0 */
/* call_internal.h - shared by call_step.c (asking), call_history.c (conversations) and
 * call_result.c (what an answer becomes). */
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
    size_t message_count, message_capacity;
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

/* Adds a message to the call's prompt; the texts are borrowed until the call ends. */
void call_add_message(struct call *call, xy_str role, xy_str content);

/* ---- call_history.c: a conversation in a field, a list of {role, content} -------------------- */

/* Adds the field's messages to the prompt. XY_DROP, with outcome.why set, when the record has no
 * such field or it is no conversation. */
int call_add_history(struct call *call, const struct prompt_message *message);
/* May the answer be appended? Asked before it is paid for: XY_OK, or XY_DROP as above. An absent
 * field will be a new conversation. */
int call_check_append(struct call *call);
/* Appends the answer to the field `append_to` as a turn of `append_role`. */
int call_append_turn(struct call *call, xy_str text);

#endif
