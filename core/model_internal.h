/* SPDX-License-Identifier: Apache-2.0 */
/* model_internal.h - what the files of the model module share.
 *
 *   model.c          open, submit, cancel, stop, close
 *   model_key.c      a request's content address, and its copy
 *   model_reply.c    an answer as the journal's payload, and back
 *   model_admission.c  which call starts next, and when
 *   model_attempt.c  one attempt through the generator, retries
 *   model_turn.c     the end of a turn of the loop: journal, then callbacks, then new attempts
 *
 * One model_submit() makes an order of one part, or of one part for each text that is to be
 * embedded. Parts with the same key hang on one flight. A flight takes as many attempts as it
 * needs; an attempt carries one flight, or a batch of texts. [loop] for everything here.
 */
#ifndef XYLEM_CORE_MODEL_INTERNAL_H
#define XYLEM_CORE_MODEL_INTERNAL_H

#include "budget.h"
#include "limiter.h"
#include "model.h"

enum { EMBED_BATCH = 64, EMBED_BATCH_BYTES = 256 << 10, REPLY_CEILING = 256 << 20 };

struct order;
struct flight;

struct part {
    struct order *order;
    struct flight *flight; /* NULL once it was answered or cancelled */
    struct part *next;     /* of the same flight */
    size_t index;
};

struct order {
    struct model *model;
    struct order *next;    /* in models.orders */
    model_done done;
    void *user;
    uint32_t slot;         /* place in the table of tickets */
    bool closed;           /* answered or about to be: a cancel comes too late */
    int32_t status;        /* the first error of a part, with its text */
    char *error;
    float *vectors;        /* XY_EMBED: count x dimension, put together part by part */
    size_t dimension;
    uint32_t prompt_tokens;
    double cost;
    bool embed;
    size_t count, remaining;
    struct part parts[];
};

enum flight_state {
    FLIGHT_QUEUED = 1,
    FLIGHT_BACKOFF, /* waits for its timer */
    FLIGHT_SENT,    /* part of an attempt */
    FLIGHT_DONE     /* answered or failed: its callbacks run at the end of the turn */
};

struct flight {
    struct model *model;
    struct flight *next, *previous; /* in a list */
    struct flight *chain;           /* in the table of what is on its way */
    enum flight_state state;
    bool in_table;
    bool alone;                     /* a batch with it was refused: goes by itself */
    struct journal_key key;
    struct part *parts;
    uint32_t tries;
    uint64_t first_sent_at, random;
    struct timer *timer;            /* FLIGHT_BACKOFF */
    xy_str payload;                 /* FLIGHT_DONE with an answer; malloc'ed */
    int32_t status;                 /* FLIGHT_DONE without one, and `error` */
    char *error;
    xy_request request;             /* its arrays and texts follow the struct */
    max_align_t copy[];
};

struct flight_list {
    struct flight *first, *last;
    uint32_t count;
};

struct attempt {
    xy_call call; /* first member: the generator's handle is the attempt */
    struct model *model;
    struct attempt *next, *previous; /* among those sent, or the free ones */
    xy_request request;
    xy_str texts[EMBED_BATCH];
    struct flight *flights[EMBED_BATCH];
    size_t count;
    struct arena arena;   /* what the generator allocates on the call */
    bool completed;
    uint64_t sent_at;
    double prompt;        /* prompt tokens, as its bytes tell */
    double tokens;        /* expected, taken from the limiter */
    double money_reserved, tokens_reserved;
};

/* What a call may need, before it is sent. */
struct estimate {
    double raw;          /* prompt tokens by its bytes alone */
    double likely, most; /* tokens: for the rate limit, and for the budget */
    double money;
};

struct model {
    struct models *models;
    const struct model_spec *spec;
    const struct stage_type *type;
    void *state;
    bool opened;
    struct arena arena;             /* options, defaults */
    xy_request defaults;            /* the file's `params` of this model */
    uint64_t default_seed;
    uint64_t prefix[2];             /* what all keys of this model start from */
    struct prices prices;
    struct limiter limiter;
    struct flight_list queue;
    struct flight_list backoff;
    struct attempt *sent, *free_attempts;
    uint32_t settling;              /* answered calls whose places are freed after the write */
    struct timer *timer;            /* when the limiter lets the next call start */
    uint64_t timer_at;
    struct flight **table;          /* flights on their way, by key */
    size_t table_size, table_count;
    double mean_output;             /* smoothed output tokens, for the tokens-per-minute limit */
    double largest_output, largest_cost, prompt_factor; /* for the budget */
    struct model_stats stats;
    bool answered;                  /* some attempt of this process got a good answer */
    uint64_t given_up;              /* calls that failed for good, and the last of their errors */
    uint64_t refused;               /* those of them that no other attempt could have saved */
    char last_failure[1024];
};

struct slot {
    struct order *order;
    uint32_t generation, next_free;
};

struct models {
    struct loop *loop;
    struct journal *journal;
    uint64_t run_id;
    struct model *items;
    size_t count;
    struct budget budget;
    bool unsaved_spending;
    struct flight_list fresh;       /* answers that the journal does not have yet */
    struct flight_list settled;     /* from the cache, or failed */
    struct order *orders, **orders_end; /* cancelled, or empty */
    struct slot *slots;
    uint32_t slot_count, free_slot; /* free_slot counts from 1; 0: none */
    bool in_turn, woken, stopping, broken;
    struct error broken_error;
    struct buffer scratch;
    struct recorder *recorder;
};

/* ---- model_key.c ---- */

/* The part of a key that is the same for all requests of a model. */
void model_key_prefix(struct model *model);
/* Copies the request, with everything it points to, behind a new flight. `text` not NULL: only that
 * one of its texts. */
struct flight *flight_new(struct model *model, const xy_request *request, const xy_str *text,
                          struct journal_key key);
void flight_free(struct flight *flight);
void flight_append(struct flight_list *list, struct flight *flight);
void flight_prepend(struct flight_list *list, struct flight *flight);
void flight_remove(struct flight_list *list, struct flight *flight);
struct flight *flight_find(struct model *model, struct journal_key key);
void flight_enter(struct model *model, struct flight *flight);
void flight_leave(struct model *model, struct flight *flight);

/* ---- model_reply.c ---- */

/* Appends the answer of one request (for XY_EMBED: vector `index`) in the journal's form; false
 * when it is larger than the buffer's ceiling. */
bool reply_encode(struct buffer *out, const xy_reply *reply, uint32_t operation, size_t index,
                  double cost, uint64_t run_id);
/* Reads it back; everything in `reply` points into `payload`, which must be aligned like malloc's.
 * False when it is not an answer to `operation` in this form. */
bool reply_decode(xy_str payload, uint32_t operation, xy_reply *reply);

/* ---- model_attempt.c ---- */

/* Sends the first `count` flights of the queue as one attempt. */
void attempt_start(struct model *model, size_t count, const struct estimate *estimate,
                   uint64_t now);
/* Puts a flight among those whose callbacks run at the end of the turn. */
void flight_fail(struct flight *flight, int32_t status, const char *error);
/* Takes a waiting flight out of the queue or away from its timer. */
void flight_unqueue(struct flight *flight);
void model_cancel_attempt(struct model *model, struct flight *flight);

/* ---- model_admission.c ---- */

/* Starts as many attempts as limits and budget allow. */
void model_pump(struct model *model);

/* ---- model_turn.c ---- */

void models_turn(void *models);
/* Makes sure that a turn comes, also from outside of one. */
void models_wake(struct models *models);
void order_close(struct order *order, int32_t status, const char *error);

#endif
