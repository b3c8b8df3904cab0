/* SPDX-License-Identifier: Apache-2.0 */
/* call_internal.h - shared by call_step.c (asking), call_history.c (conversations), call_tools.c
 * (tools on the way to an answer) and call_result.c (what an answer becomes). */
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
    bool told;                /* a record whose prompt cannot be rendered was told of. [loop] */
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
    struct tool_turns *turns;     /* with `tools:`: what was called so far; else NULL */
    struct call_outcome outcome;
    void (*done)(void *data, const struct call_outcome *outcome);
    void *data;
};

/* What to do with a good answer. XY_OK: the record is edited. XY_EINVAL: the answer does not fit,
 * with outcome.why set: worth asking again. */
int call_take_text(struct call *call, const xy_reply *reply);
/* A parsed answer, checked by the step's schema where it has one. */
int call_take_value(struct call *call, const struct value *value);
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

/* XY_EINVAL with `why`, copied, as outcome.why. */
int call_refuse(struct call *call, const char *why);
/* How the answer ended, where the step wants it in a field. */
int call_set_finish(struct call *call, const xy_reply *reply);
/* The average log-probability of the answer's tokens, where the reply has them. */
void call_set_logprob(struct call *call, const xy_reply *reply);

/* call_step.c: sends call->messages; ends the call. */
void call_submit(struct call *call);
void call_end(struct call *call, int verdict);
/* Adds the answer and what to do about it ("That answer cannot be used: ...") and sends again. */
void call_ask_again(struct call *call, const xy_reply *reply);

/* call_tools.c: the messages are rendered: adds the block that describes the tools. */
void call_tools_begin(struct call *call);
/* One message of the model: a call, which is made, or the answer, with which the call ends. */
void call_tools_take(struct call *call, const xy_reply *reply);
/* The trace goes into the record. Called once before the end, whatever the verdict. */
void call_tools_end(struct call *call, int verdict);

#endif
