/* SPDX-License-Identifier: Apache-2.0 */
/* embed.c - one vector of length 1 for each text: the model's own pooling, then L2 normalisation.
 * Texts of several requests share a batch. */
#include "engine_internal.h"

#include <math.h>
#include <stdlib.h>

/* Where a text's vector goes. */
struct place {
    struct task *task;
    size_t text;
};

static void begin(struct engine *engine, struct task *task)
{
    size_t dimension = (size_t)llama_model_n_embd_out(engine->model);
    task->vectors = calloc(task->request->text_count * dimension + 1, sizeof(float));
    task->reply.vectors = task->vectors;
    task->reply.vector_count = task->request->text_count;
    task->reply.dimension = dimension;
    task->prepared = true;
}

/* Ends what cannot go on, and takes finished tasks off the queue. */
static void sweep(struct engine *engine)
{
    struct task **link = &engine->waiting;
    while (*link) {
        struct task *task = *link;
        const xy_request *request = task->request;
        struct task *next = task->next;
        if (!task->prepared && request->operation == XY_EMBED)
            begin(engine, task);
        if (atomic_load(&task->cancelled))
            engine_fail(engine, task, XY_ECANCELED, "cancelled");
        else if (request->operation != XY_EMBED)
            engine_fail(engine, task, XY_EUNSUPPORTED,
                        "this model makes embeddings and writes no text");
        else if (!task->vectors)
            engine_fail(engine, task, XY_ENOMEM, "out of memory");
        else if (task->embedded == request->text_count)
            engine_finish(engine, task, XY_OK);
        else {
            link = &task->next;
            continue;
        }
        *link = next;
    }
    engine->waiting_end = link;
}

/* A text past the context loses its end, as with sentence-transformers; the closing token stays. */
static size_t truncate(struct engine *engine, llama_token *tokens, size_t count)
{
    size_t limit = engine->config.context;
    if (count <= limit)
        return count;
    if (!engine->warned_truncated)
        xy_log_line(engine->host, XY_LOG_WARNING,
                    "llama: a text of %zu tokens is embedded by its first %zu (said once)", count,
                    limit);
    engine->warned_truncated = true;
    tokens[limit - 1] = tokens[count - 1];
    return limit;
}

/* Adds the task's next text as sequence `index`. False: no room left in this batch. */
static bool add_text(struct engine *engine, struct task *task, size_t index)
{
    xy_str text = task->request->texts[task->next_text];
    size_t count = 0;
    llama_token *tokens =
        prompt_tokenize(engine->vocab, text.ptr ? text.ptr : "", text.len, true, false, &count);
    if (!tokens) { /* the next sweep ends it */
        free(task->vectors);
        task->vectors = NULL;
        return false;
    }
    count = truncate(engine, tokens, count);
    bool fits = count + (size_t)engine->batch.n_tokens <= engine->config.batch;
    for (size_t i = 0; fits && i < count; i++) {
        slots_add(engine, tokens[i], i, (llama_seq_id)index, (struct row){0});
        engine->batch.logits[engine->batch.n_tokens - 1] = 1; /* pooled over all tokens */
    }
    if (fits) {
        task->text_tokens += count;
        task->next_text++;
    }
    free(tokens);
    return fits;
}

static void take_vector(struct engine *engine, const struct place *place, size_t index)
{
    size_t dimension = place->task->reply.dimension;
    const float *pooled = llama_get_embeddings_seq(engine->context, (llama_seq_id)index);
    float *out = place->task->vectors + place->text * dimension;
    double sum = 0;
    for (size_t i = 0; pooled && i < dimension; i++)
        sum += (double)pooled[i] * (double)pooled[i];
    double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    for (size_t i = 0; pooled && i < dimension; i++)
        out[i] = (float)((double)pooled[i] * scale);
    place->task->embedded++;
}

static void fail_batch(struct engine *engine, int code)
{
    for (struct task *task = engine->waiting, *next; task; task = next) {
        next = task->next;
        engine_fail(engine, task, XY_EUPSTREAM, "llama.cpp could not encode the batch (code %d)",
                    code);
    }
    engine->waiting = NULL;
    engine->waiting_end = &engine->waiting;
}

/* True when there is more to do. */
static bool take_empty(struct engine *engine, const struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        places[i].task->embedded++;
    return engine->waiting != NULL;
}

bool embed_step(struct engine *engine)
{
    struct place places[ENGINE_SCRATCH];
    size_t count = 0;
    bool fits = true;
    sweep(engine);
    engine->batch.n_tokens = 0;
    for (struct task *task = engine->waiting; task && fits; task = task->next)
        while (fits && task->next_text < task->request->text_count && count < ENGINE_SCRATCH) {
            places[count] = (struct place){.task = task, .text = task->next_text};
            fits = add_text(engine, task, count);
            count += fits;
        }
    if (engine->batch.n_tokens == 0) /* texts without tokens keep a vector of zeros */
        return take_empty(engine, places, count);
    if (engine->memory)
        llama_memory_clear(engine->memory, false);
    int code = engine->memory ? llama_decode(engine->context, engine->batch)
                              : llama_encode(engine->context, engine->batch);
    if (code != 0) {
        fail_batch(engine, code);
        return true;
    }
    for (size_t i = 0; i < count; i++)
        take_vector(engine, &places[i], i);
    sweep(engine);
    return true;
}
