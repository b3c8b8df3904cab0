/* SPDX-License-Identifier: Apache-2.0 */
/* slots.c - which request has which sequence, and what goes into the next batch. */
#include "engine_internal.h"

#include <stdlib.h>

/* A prompt waits for another one that is being computed when that saves at least so many tokens. */
enum { WORTH_WAITING = 16 };

int slots_init(struct engine *engine)
{
    const struct engine_config *config = &engine->config;
    engine->slots = calloc(config->sequences, sizeof(*engine->slots));
    engine->rows = calloc(config->batch, sizeof(*engine->rows));
    engine->batch = llama_batch_init((int32_t)config->batch, 0, 1);
    if (!engine->slots || !engine->rows || !engine->batch.token)
        return XY_ENOMEM;
    for (uint32_t i = 0; i < config->sequences; i++) {
        engine->slots[i].id = (llama_seq_id)i;
        engine->slots[i].tokens = calloc(config->context, sizeof(llama_token));
        if (!engine->slots[i].tokens)
            return XY_ENOMEM;
    }
    return 0;
}

void slots_finish(struct engine *engine)
{
    for (uint32_t i = 0; engine->slots && i < engine->config.sequences; i++)
        free(engine->slots[i].tokens);
    free(engine->slots);
    free(engine->rows);
    if (engine->batch.token)
        llama_batch_free(engine->batch);
    engine->slots = NULL;
    engine->rows = NULL;
    engine->batch = (struct llama_batch){0};
}

void slots_release(struct engine *engine, struct slot *slot)
{
    slot->task = NULL;
    slot->count = slot->decoded;
    slot->used = ++engine->clock;
}

static void forget(struct engine *engine, struct slot *slot)
{
    llama_memory_seq_rm(engine->memory, slot->id, -1, -1);
    slot->count = slot->decoded = 0;
}

/* How many tokens the prompt and the slot begin with in common; at least the prompt's last token is
 * left over, because its row of logits is needed. */
static size_t common_prefix(const struct slot *slot, const struct task *task)
{
    size_t limit = task->prompt_count - 1, i = 0;
    limit = slot->count < limit ? slot->count : limit;
    while (i < limit && slot->tokens[i] == task->prompt[i])
        i++;
    return i;
}

struct source {
    struct slot *slot;
    size_t shared;  /* tokens that are in its cache already */
    bool wait;      /* a running prompt will soon have clearly more */
};

static struct source find_source(struct engine *engine, const struct task *task)
{
    struct source best = {0};
    size_t planned = 0;
    for (uint32_t i = 0; engine->shares_prefixes && i < engine->config.sequences; i++) {
        struct slot *slot = &engine->slots[i];
        size_t common = common_prefix(slot, task);
        size_t ready = common < slot->decoded ? common : slot->decoded;
        planned = common > planned ? common : planned;
        if (ready > best.shared) {
            best.slot = slot;
            best.shared = ready;
        }
    }
    best.wait = planned >= best.shared + WORTH_WAITING;
    return best;
}

/* The idle slot that was unused for the longest time; `source` only when it is the only one, or
 * when the prompt goes on from its very end. NULL: none is idle. */
static struct slot *find_target(struct engine *engine, const struct source *source)
{
    struct slot *target = NULL;
    if (source->slot && !source->slot->task && source->shared == source->slot->decoded)
        return source->slot;
    for (uint32_t i = 0; i < engine->config.sequences; i++) {
        struct slot *slot = &engine->slots[i];
        if (!slot->task && slot != source->slot && (!target || slot->used < target->used))
            target = slot;
    }
    return target || !source->slot || source->slot->task ? target : source->slot;
}

/* False: no slot yet, or better later. */
static bool place(struct engine *engine, struct task *task)
{
    struct source source = find_source(engine, task);
    struct slot *target = source.wait ? NULL : find_target(engine, &source);
    if (!target)
        return false;
    size_t shared = source.shared;
    if (target == source.slot) {
        if (!llama_memory_seq_rm(engine->memory, target->id, (llama_pos)shared, -1)) {
            forget(engine, target);
            shared = 0;
        }
    } else {
        forget(engine, target);
        if (shared > 0)
            llama_memory_seq_cp(engine->memory, source.slot->id, target->id, 0, (llama_pos)shared);
    }
    memcpy(target->tokens, task->prompt, task->prompt_count * sizeof(*task->prompt));
    target->count = task->prompt_count;
    target->decoded = shared;
    target->task = task;
    target->used = ++engine->clock;
    task->cached = shared;
    return true;
}

static int prepare(struct engine *engine, struct task *task)
{
    const xy_request *request = task->request;
    if (request->operation != XY_COMPLETE && request->operation != XY_SCORE) {
        engine_fail(engine, task, XY_EUNSUPPORTED,
                    "this model writes text and makes no embeddings; use one that does, such as "
                    "all-minilm-l6-v2");
        return -1;
    }
    int status = 0;
    task->prompt = prompt_tokens(&engine->style, request->messages, request->message_count,
                                 &task->prompt_count, &status, task->error, sizeof(task->error));
    if (!task->prompt) {
        engine_finish(engine, task, status);
        return -1;
    }
    if (task->prompt_count == 0 || task->prompt_count >= engine->config.context) {
        engine_fail(engine, task, XY_EINVAL,
                    task->prompt_count == 0
                        ? "the prompt is empty: %zu tokens; the context holds %u"
                        : "the prompt has %zu tokens and the context holds %u: shorten the prompt "
                          "or raise the model's option `context`",
                    task->prompt_count, engine->config.context);
        return -1;
    }
    task->prepared = true;
    return request->operation == XY_SCORE ? score_prepare(engine, task)
                                          : complete_prepare(engine, task);
}

/* Goes once over the waiting tasks in order; what cannot start now stays in its place. */
static void admit(struct engine *engine)
{
    struct task **link = &engine->waiting;
    while (*link) {
        struct task *task = *link;
        struct task *next = task->next;
        bool gone = true;
        if (atomic_load(&task->cancelled))
            engine_fail(engine, task, XY_ECANCELED, "cancelled");
        else if (task->prepared || prepare(engine, task) == 0)
            gone = place(engine, task);
        if (gone)
            *link = next;
        else
            link = &task->next;
    }
    engine->waiting_end = link;
}

static void drop_cancelled(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->config.sequences; i++) {
        struct slot *slot = &engine->slots[i];
        if (slot->task && atomic_load(&slot->task->cancelled)) {
            engine_fail(engine, slot->task, XY_ECANCELED, "cancelled");
            slots_release(engine, slot);
        }
    }
}

void slots_add(struct engine *engine, llama_token token, size_t position, llama_seq_id sequence,
               struct row row)
{
    struct llama_batch *batch = &engine->batch;
    int32_t at = batch->n_tokens++;
    batch->token[at] = token;
    batch->pos[at] = (llama_pos)position;
    batch->n_seq_id[at] = 1;
    batch->seq_id[at][0] = sequence;
    batch->logits[at] = row.slot != NULL;
    engine->rows[at] = row;
}

/* As much of the slot's own tokens as there is room for. */
static void fill_slot(struct engine *engine, struct slot *slot)
{
    while (slot->decoded < slot->count &&
           (uint32_t)engine->batch.n_tokens < engine->config.batch) {
        bool last = slot->decoded + 1 == slot->count;
        slots_add(engine, slot->tokens[slot->decoded], slot->decoded, slot->id,
                  (struct row){.slot = last ? slot : NULL});
        slot->decoded++;
    }
}

/* Running completions first, then candidates, then prompts: who is nearly done leaves soonest. The
 * prompts take turns in being first. Returns how many scratch sequences are in use. */
static uint32_t fill_batch(struct engine *engine)
{
    uint32_t count = engine->config.sequences, scratch = 0;
    engine->batch.n_tokens = 0;
    for (uint32_t i = 0; i < count; i++)
        if (engine->slots[i].task && engine->slots[i].decoded + 1 == engine->slots[i].count)
            fill_slot(engine, &engine->slots[i]);
    for (uint32_t i = 0; i < count; i++)
        if (engine->slots[i].task && engine->slots[i].task->prompt_scored)
            score_fill(engine, &engine->slots[i], &scratch);
    for (uint32_t i = 0; i < count; i++) {
        struct slot *slot = &engine->slots[(engine->clock + i) % count];
        if (slot->task)
            fill_slot(engine, slot);
    }
    return scratch;
}

static void fail_all(struct engine *engine, int code)
{
    for (uint32_t i = 0; i < engine->config.sequences; i++) {
        struct slot *slot = &engine->slots[i];
        if (slot->task)
            engine_fail(engine, slot->task, code == 1 ? XY_ENOMEM : XY_EUPSTREAM,
                        "llama.cpp could not decode the batch (code %d)", code);
        slot->task = NULL;
        slot->count = slot->decoded = 0;
    }
    llama_memory_clear(engine->memory, false);
}

/* Code 1 says that no cell is free: the prefixes of idle slots go, and it is tried once more. */
static int decode(struct engine *engine)
{
    int code = llama_decode(engine->context, engine->batch);
    if (code != 1)
        return code;
    for (uint32_t i = 0; i < engine->config.sequences; i++)
        if (!engine->slots[i].task)
            forget(engine, &engine->slots[i]);
    return llama_decode(engine->context, engine->batch);
}

static void take_rows(struct engine *engine)
{
    for (int32_t i = 0; i < engine->batch.n_tokens; i++) {
        const struct row *row = &engine->rows[i];
        if (!row->slot)
            continue;
        float *logits = llama_get_logits_ith(engine->context, i);
        if (row->candidate)
            score_candidate_row(engine, row, logits);
        else if (row->slot->task->request->operation == XY_SCORE)
            score_prompt_row(engine, row->slot, logits);
        else
            complete_row(engine, row->slot, logits);
    }
}

bool slots_step(struct engine *engine)
{
    drop_cancelled(engine);
    admit(engine);
    uint32_t scratch = fill_batch(engine);
    if (engine->batch.n_tokens == 0)
        return false;
    int code = decode(engine);
    if (code != 0) {
        fail_all(engine, code);
        return true;
    }
    take_rows(engine);
    for (uint32_t i = 0; i < scratch; i++)
        llama_memory_seq_rm(engine->memory, (llama_seq_id)(engine->config.sequences + i), -1, -1);
    for (uint32_t i = 0; i < engine->config.sequences; i++)
        if (engine->slots[i].task && engine->slots[i].task->prompt_scored)
            score_settle(engine, &engine->slots[i]);
    return true;
}
