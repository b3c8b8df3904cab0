/* SPDX-License-Identifier: Apache-2.0 */
/* score.c - log-probabilities of given continuations.
 *
 * log p(continuation | prompt) = sum over its tokens of log p(token | prompt, tokens before), each
 * by a log-softmax relative to the greatest logit. The row behind the prompt scores every
 * candidate's first token, so that one-token labels cost no decoding beyond the prompt; the others
 * share the prompt's cells and go through one batch together. A continuation is tokenised by
 * itself: begin it with a space where the prompt ends in a word.
 */
#include "engine_internal.h"

#include <stdlib.h>

/* Room for the log-probability of each token of each candidate, where they are asked for. */
static bool make_room(struct task *task)
{
    if (task->request->logprobs == 0)
        return true;
    task->logprobs = calloc(task->output_count + 1, sizeof(*task->logprobs));
    float *next = task->logprobs;
    for (size_t i = 0; i < task->candidate_count && next; i++) {
        task->candidates[i].logprobs = next;
        next += task->candidates[i].count;
    }
    return task->logprobs != NULL;
}

static void add_token(struct task *task, struct candidate *candidate, size_t index,
                      double logprob)
{
    task->scores[candidate - task->candidates] += logprob;
    if (candidate->logprobs)
        candidate->logprobs[index] = (float)logprob;
}

int score_prepare(struct engine *engine, struct task *task)
{
    const xy_request *request = task->request;
    size_t count = request->text_count;
    task->candidates = calloc(count + 1, sizeof(*task->candidates));
    task->scores = calloc(count + 1, sizeof(*task->scores));
    task->score_tokens = calloc(count + 1, sizeof(*task->score_tokens));
    if (!task->candidates || !task->scores || !task->score_tokens) {
        engine_fail(engine, task, XY_ENOMEM, "out of memory");
        return -1;
    }
    task->candidate_count = count;
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = &task->candidates[i];
        candidate->tokens = prompt_tokenize(engine->vocab, request->texts[i].ptr,
                                            request->texts[i].len, false, false, &candidate->count);
        size_t room = engine->config.context - task->prompt_count;
        if (!candidate->tokens || candidate->count > room ||
            candidate->count > engine->config.batch) {
            engine_fail(
                engine, task, candidate->tokens ? XY_EINVAL : XY_ENOMEM,
                "continuation %zu has %zu tokens; %zu fit behind the prompt into the context "
                "of %u, and at most %u in a batch",
                i, candidate->count, room, engine->config.context, engine->config.batch);
            return -1;
        }
        task->score_tokens[i] = (uint32_t)candidate->count;
        task->output_count += candidate->count;
    }
    if (!make_room(task)) {
        engine_fail(engine, task, XY_ENOMEM, "out of memory");
        return -1;
    }
    return 0;
}

void score_prompt_row(struct engine *engine, struct slot *slot, const float *logits)
{
    struct task *task = slot->task;
    double log_sum = sampling_log_sum(logits, engine->room.vocabulary);
    for (size_t i = 0; i < task->candidate_count; i++) {
        struct candidate *candidate = &task->candidates[i];
        if (candidate->count > 0)
            add_token(task, candidate, 0, (double)logits[candidate->tokens[0]] - log_sum);
        candidate->done = candidate->count <= 1;
        task->scored += candidate->done;
    }
    task->prompt_scored = true;
}

void score_candidate_row(struct engine *engine, const struct row *row, const float *logits)
{
    struct task *task = row->slot->task;
    struct candidate *candidate = row->candidate;
    double log_sum = sampling_log_sum(logits, engine->room.vocabulary);
    add_token(task, candidate, row->index + 1,
              (double)logits[candidate->tokens[row->index + 1]] - log_sum);
    if (row->index + 2 == candidate->count) {
        candidate->done = true;
        task->scored++;
    }
}

void score_fill(struct engine *engine, struct slot *slot, uint32_t *scratch)
{
    struct task *task = slot->task;
    for (size_t i = 0; i < task->candidate_count && *scratch < ENGINE_SCRATCH; i++) {
        struct candidate *candidate = &task->candidates[i];
        size_t room = engine->config.batch - (size_t)engine->batch.n_tokens;
        if (candidate->done || candidate->count - 1 > room)
            continue;
        llama_seq_id sequence = (llama_seq_id)(engine->config.sequences + (*scratch)++);
        llama_memory_seq_cp(engine->memory, slot->id, sequence, -1, -1);
        for (size_t token = 0; token + 1 < candidate->count; token++)
            slots_add(engine, candidate->tokens[token], task->prompt_count + token, sequence,
                      (struct row){.slot = slot, .candidate = candidate, .index = token});
    }
}

void score_settle(struct engine *engine, struct slot *slot)
{
    struct task *task = slot->task;
    if (task->scored < task->candidate_count)
        return;
    task->reply.scores = task->scores;
    task->reply.score_tokens = task->score_tokens;
    task->reply.score_count = task->candidate_count;
    task->reply.logprobs = task->logprobs;
    task->reply.logprob_count = task->logprobs ? task->output_count : 0;
    engine_finish(engine, task, XY_OK);
    slots_release(engine, slot);
}
