/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling.h"

#include <math.h>
#include <stdlib.h>
#include <xylem/plugin.h>

/* Tokens less than e^-30 as likely as the best cannot be told from rounding in top-p's sum. */
static const double negligible = -30.0;

int sampling_room_init(struct sampling_room *room, int32_t vocabulary)
{
    room->vocabulary = vocabulary;
    room->data = calloc((size_t)vocabulary, sizeof(*room->data));
    return room->data ? 0 : XY_ENOMEM;
}

void sampling_room_finish(struct sampling_room *room)
{
    free(room->data);
    room->data = NULL;
}

static float greatest(const float *logits, int32_t count)
{
    float best = logits[0];
    for (int32_t i = 1; i < count; i++)
        best = logits[i] > best ? logits[i] : best;
    return best;
}

double sampling_log_sum(const float *logits, int32_t vocabulary)
{
    float best = greatest(logits, vocabulary);
    double sum = 0;
    for (int32_t i = 0; i < vocabulary; i++)
        sum += (double)expf(logits[i] - best);
    return (double)best + log(sum);
}

static void penalise(double penalty, float *logits, int32_t vocabulary, const llama_token *recent,
                     size_t count)
{
    if (penalty == 1.0)
        return;
    for (size_t i = 0; i < count; i++) {
        bool repeated = false;
        for (size_t j = 0; j < i && !repeated; j++)
            repeated = recent[j] == recent[i];
        if (repeated || recent[i] < 0 || recent[i] >= vocabulary)
            continue;
        float *logit = &logits[recent[i]];
        *logit = (float)(*logit > 0 ? *logit / penalty : *logit * penalty);
    }
}

static int by_logit(const void *a, const void *b)
{
    const llama_token_data *left = a, *right = b;
    if (left->logit != right->logit)
        return left->logit < right->logit ? 1 : -1;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Restores the heap whose root, the smallest, may be too great. */
static void sift_down(llama_token_data *heap, size_t count)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && by_logit(&heap[child], &heap[child + 1]) < 0)
            child++;
        if (by_logit(&heap[at], &heap[child]) >= 0)
            return;
        llama_token_data swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* The k greatest logits, greatest first. */
static size_t select_top(struct sampling_room *room, const float *logits, size_t k)
{
    llama_token_data *heap = room->data;
    size_t count = 0;
    for (int32_t id = 0; id < room->vocabulary; id++) {
        if (count == k && logits[id] <= heap[0].logit)
            continue;
        llama_token_data item = {.id = id, .logit = logits[id]};
        if (count < k) {
            size_t at = count++;
            for (; at > 0 && by_logit(&heap[(at - 1) / 2], &item) < 0; at = (at - 1) / 2)
                heap[at] = heap[(at - 1) / 2];
            heap[at] = item;
        } else {
            heap[0] = item;
            sift_down(heap, count);
        }
    }
    qsort(heap, count, sizeof(*heap), by_logit);
    return count;
}

/* All tokens that are not negligible, greatest first. */
static size_t select_likely(struct sampling_room *room, const float *logits, double temperature)
{
    float best = greatest(logits, room->vocabulary);
    float least = best + (float)(negligible * temperature);
    size_t count = 0;
    for (int32_t id = 0; id < room->vocabulary; id++)
        if (logits[id] >= least)
            room->data[count++] = (llama_token_data){.id = id, .logit = logits[id]};
    qsort(room->data, count, sizeof(*room->data), by_logit);
    return count;
}

static llama_token most_likely(const float *logits, int32_t vocabulary)
{
    llama_token best = 0;
    for (int32_t id = 1; id < vocabulary; id++)
        if (logits[id] > logits[best])
            best = id;
    return best;
}

static llama_token draw_free(struct sampling *sampling, struct sampling_room *room,
                             const float *logits)
{
    if (sampling->temperature <= 0)
        return most_likely(logits, room->vocabulary);
    size_t count = sampling->top_k > 0 && sampling->top_k < room->vocabulary
                       ? select_top(room, logits, (size_t)sampling->top_k)
                       : select_likely(room, logits, sampling->temperature);
    llama_token_data *data = room->data;
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        double p = exp(((double)data[i].logit - (double)data[0].logit) / sampling->temperature);
        if (p < sampling->min_p || p == 0) {
            count = i;
            break;
        }
        data[i].p = (float)p;
        total += p;
    }
    double kept = 0;
    size_t last = 0;
    while (last < count && kept < sampling->top_p * total)
        kept += (double)data[last++].p;
    double point = xy_random_unit(&sampling->random) * kept;
    size_t chosen = 0;
    while (chosen + 1 < last && point >= (double)data[chosen].p)
        point -= (double)data[chosen++].p;
    return data[chosen].id;
}

/* A grammar over the whole vocabulary costs several times the decoding, and nearly every token that
 * an instructed model chooses fits: so one token is tested, and all of them only after a miss. */
static bool allowed(struct llama_sampler *grammar, llama_token token)
{
    llama_token_data one = {.id = token, .logit = 0};
    llama_token_data_array array = {.data = &one, .size = 1, .selected = -1};
    llama_sampler_apply(grammar, &array);
    return one.logit > -INFINITY;
}

llama_token sampling_draw(struct sampling *sampling, struct sampling_room *room, float *logits,
                          const llama_token *recent, size_t recent_count,
                          struct llama_sampler *grammar)
{
    penalise(sampling->repeat_penalty, logits, room->vocabulary, recent, recent_count);
    llama_token token = draw_free(sampling, room, logits);
    if (!grammar || allowed(grammar, token))
        return token;
    for (int32_t id = 0; id < room->vocabulary; id++)
        room->data[id] = (llama_token_data){.id = id, .logit = logits[id]};
    llama_token_data_array all = {
        .data = room->data, .size = (size_t)room->vocabulary, .selected = -1};
    llama_sampler_apply(grammar, &all);
    float best = -INFINITY;
    for (size_t i = 0; i < all.size; i++) {
        logits[all.data[i].id] = all.data[i].logit;
        best = all.data[i].logit > best ? all.data[i].logit : best;
    }
    return best > -INFINITY ? draw_free(sampling, room, logits) : -1;
}
