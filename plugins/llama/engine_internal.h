/* SPDX-License-Identifier: Apache-2.0 */
/* engine_internal.h - the engine's state, shared by the files that each do one operation.
 * Everything here belongs to the engine's thread unless it says otherwise.
 */
#ifndef XYLEM_PLUGINS_LLAMA_ENGINE_INTERNAL_H
#define XYLEM_PLUGINS_LLAMA_ENGINE_INTERNAL_H

#include "engine.h"
#include "prompt.h"
#include "sampling.h"
#include "text.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ENGINE_SCRATCH = 64,       /* sequences for the candidates of scores */
    ENGINE_SEQUENCE_LIMIT = 256, /* llama.cpp's own (LLAMA_MAX_SEQ) */
    ENGINE_PENALTY_WINDOW = 64 /* tokens that a repetition penalty looks back on */
};

/* One continuation of a score. */
struct candidate {
    llama_token *tokens;
    size_t count;
    float *logprobs; /* count, in the task's list; NULL: not asked for */
    bool done;
};

/* One call, from submit() to complete(). */
struct task {
    struct task *next;          /* in the queue that it is in */
    struct task *live_next, **live_link; /* [loop] all calls that are not complete */
    struct engine *engine;      /* [loop] NULL once the engine is closed */
    xy_call *call;
    const xy_request *request;
    atomic_bool cancelled;      /* set on the loop */
    bool prepared;

    llama_token *prompt;
    size_t prompt_count, cached;

    struct sampling sampling;   /* XY_COMPLETE */
    struct llama_sampler *grammar;
    struct text text;
    float *logprobs;
    size_t output_count, output_limit;

    struct candidate *candidates; /* XY_SCORE: one for each of the request's texts */
    size_t candidate_count;
    double *scores;
    uint32_t *score_tokens;
    size_t scored;              /* candidates that are done */
    bool prompt_scored;         /* their first tokens are */

    float *vectors;             /* XY_EMBED */
    size_t next_text, embedded, text_tokens;

    char error[512];
    xy_reply reply;
};

/* A sequence of the cache. It keeps its tokens after its task, as prefix for later ones. */
struct slot {
    llama_seq_id id;
    struct task *task;          /* NULL: idle */
    llama_token *tokens;        /* room for `context` */
    size_t count;               /* tokens that it has or is to have */
    size_t decoded;             /* of which are in the cache */
    uint64_t used;              /* the engine's clock when it was last given or taken */
};

/* Where a row of logits goes. */
struct row {
    struct slot *slot;
    struct candidate *candidate; /* NULL: the slot's own last token */
    size_t index;               /* of the candidate's token that the row comes after */
};

struct engine {
    struct engine_config config;
    const xy_host *host;
    const xy_loop *loop;
    pthread_t thread;
    struct task *live;          /* [loop] */

    pthread_mutex_t lock;       /* guards the next three */
    pthread_cond_t wake;
    struct task *incoming, **incoming_end;
    bool stopping;

    struct llama_model *model;
    struct llama_context *context;
    const struct llama_vocab *vocab;
    llama_memory_t memory;
    struct prompt_style style;
    struct sampling_room room;
    bool shares_prefixes;       /* false for recurrent models, whose state has no prefix to share */
    bool failed;                /* the model could not be loaded; `error` says why */
    int failure;
    char error[512];

    struct task *waiting, **waiting_end;
    struct slot *slots;
    struct llama_batch batch;
    struct row *rows; /* batch.n_tokens of them; slot NULL where no logits are asked for */
    uint64_t clock;
    bool warned_truncated;
};

/* engine.c: ends a task: complete() is called on the loop, and the task is gone. */
void engine_finish(struct engine *engine, struct task *task, int status);
__attribute__((format(printf, 4, 5))) void engine_fail(struct engine *engine, struct task *task,
                                                       int status, const char *format, ...);

/* slots.c: admits waiting tasks and decodes one batch. False: there was nothing to do. */
bool slots_step(struct engine *engine);
int slots_init(struct engine *engine);
void slots_finish(struct engine *engine);
/* Gives the slot back; what it has decoded stays as a prefix. */
void slots_release(struct engine *engine, struct slot *slot);
/* Adds one token to the batch; its row of logits goes to `slot` unless that is NULL. */
void slots_add(struct engine *engine, llama_token token, size_t position, llama_seq_id sequence,
               struct row row);

/* complete.c: XY_COMPLETE */
int complete_prepare(struct engine *engine, struct task *task);
/* Takes the row behind the slot's last token: draws, and ends the task or appends the token. */
void complete_row(struct engine *engine, struct slot *slot, float *logits);

/* score.c: XY_SCORE */
int score_prepare(struct engine *engine, struct task *task);
/* Takes the row behind the prompt: scores each candidate's first token. */
void score_prompt_row(struct engine *engine, struct slot *slot, const float *logits);
/* Takes the row behind token `row->index` of a candidate. */
void score_candidate_row(struct engine *engine, const struct row *row, const float *logits);
/* Adds candidates to the batch, each on a scratch sequence of its own from `*scratch` on. */
void score_fill(struct engine *engine, struct slot *slot, uint32_t *scratch);
/* Ends the task when all its candidates are done. */
void score_settle(struct engine *engine, struct slot *slot);

/* embed.c: XY_EMBED: prepares waiting tasks and encodes one batch of texts. */
bool embed_step(struct engine *engine);

#endif
