/* SPDX-License-Identifier: Apache-2.0 */
/* Every row against every kept one. Rows are taken a block at a time: first all of the block
 * against what was kept before it, in tiles that stay in the cache and by two threads, then one
 * after the other against what the block itself keeps. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "semantic_search.h"

enum {
    LANES = 16,     /* sums kept side by side, as in vectors.c: the same bits on every machine */
    ABREAST = 4,    /* rows of the block that one kept row is multiplied with at once */
    BLOCK = 256,    /* rows taken at a time */
    TILE = 64,      /* kept rows that stay in the cache while the block passes over them */
    THREADS = 2
};

/* Multiplies COUNT rows with another, LANES sums for each in vectors of WIDE floats. WIDE is what
 * the processor has: vectors of twice that would go through memory, four times as slowly. */
#define DEFINE_MULTIPLY(NAME, COUNT, WIDE, TARGET)                                                 \
    typedef float NAME##_lanes __attribute__((vector_size((WIDE) * sizeof(float))));               \
                                                                                                   \
    TARGET static void NAME(const float *const rows[COUNT], const float *other, size_t dimension,  \
                            float out[COUNT])                                                      \
    {                                                                                              \
        NAME##_lanes sums[COUNT][LANES / (WIDE)] = {{{0}}}, left, right;                           \
        size_t i = 0;                                                                              \
        for (; i + LANES <= dimension; i += LANES) {                                               \
            for (size_t part = 0; part < LANES / (WIDE); part++) {                                 \
                memcpy(&right, other + i + part * (WIDE), sizeof(right));                          \
                for (size_t k = 0; k < (COUNT); k++) {                                             \
                    memcpy(&left, rows[k] + i + part * (WIDE), sizeof(left));                      \
                    sums[k][part] += left * right;                                                 \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        for (size_t k = 0; k < (COUNT); k++) {                                                     \
            float lanes[LANES];                                                                    \
            memcpy(lanes, sums[k], sizeof(lanes));                                                 \
            out[k] = finish(lanes, rows[k], other, i, dimension);                                  \
        }                                                                                          \
    }

static float finish(float lanes[LANES], const float *row, const float *other, size_t from,
                    size_t dimension)
{
    float sum = 0;
    for (size_t i = from; i < dimension; i++)
        lanes[i % LANES] += row[i] * other[i];
    for (size_t i = 0; i < LANES; i++)
        sum += lanes[i];
    return sum;
}

DEFINE_MULTIPLY(multiply_plain, ABREAST, 4, )
DEFINE_MULTIPLY(multiply_one_plain, 1, 4, )
#if defined(__x86_64__)
/* Two plain functions and a question to the processor, as in minhash. Without fused operations,
 * which would round differently. */
DEFINE_MULTIPLY(multiply_avx2, ABREAST, 8, __attribute__((target("avx2"))))
DEFINE_MULTIPLY(multiply_one_avx2, 1, 8, __attribute__((target("avx2"))))
#endif

typedef void (*multiply_fn)(const float *const rows[ABREAST], const float *other, size_t dimension,
                            float out[ABREAST]);

static bool has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return false;
#endif
}

static multiply_fn best_multiply(void)
{
#if defined(__x86_64__)
    if (has_avx2())
        return multiply_avx2;
#endif
    return multiply_plain;
}

float search_inner(const float *a, const float *b, size_t dimension)
{
    const float *const rows[1] = {a};
    float out[1];
#if defined(__x86_64__)
    if (has_avx2()) {
        multiply_one_avx2(rows, b, dimension, out);
        return out[0];
    }
#endif
    multiply_one_plain(rows, b, dimension, out);
    return out[0];
}

/* ---- many against many ----------------------------------------------------------------------- */

struct best {
    uint32_t row;
    double similarity;
};

/* One thread's share: `count` rows of a block against all of `kept`. */
struct share {
    const struct rows *rows;
    const uint32_t *taken, *kept;
    struct best *best;
    size_t count, kept_count;
};

static void look_at(const struct share *share, multiply_fn product, size_t from, size_t tile,
                    size_t tile_end)
{
    const struct rows *rows = share->rows;
    const float *vectors[ABREAST];
    float products[ABREAST];
    size_t abreast = share->count - from < ABREAST ? share->count - from : ABREAST;
    for (size_t k = 0; k < ABREAST; k++) /* too few: the first once more */
        vectors[k] = rows->vectors[share->taken[from + (k < abreast ? k : 0)]];
    for (size_t i = tile; i < tile_end; i++) {
        uint32_t other = share->kept[i];
        product(vectors, rows->vectors[other], rows->dimension, products);
        for (size_t k = 0; k < abreast; k++) {
            double similarity = (double)products[k] * rows->scales[share->taken[from + k]] *
                                rows->scales[other];
            struct best *best = &share->best[from + k];
            if (best->row == SEMANTIC_NONE || similarity > best->similarity)
                *best = (struct best){other, similarity};
        }
    }
}

static void *look(void *data)
{
    const struct share *share = data;
    multiply_fn product = best_multiply();
    for (size_t i = 0; i < share->count; i++)
        share->best[i] = (struct best){SEMANTIC_NONE, 0};
    for (size_t tile = 0; tile < share->kept_count; tile += TILE) {
        size_t end = share->kept_count - tile < TILE ? share->kept_count : tile + TILE;
        for (size_t from = 0; from < share->count; from += ABREAST)
            look_at(share, product, from, tile, end);
    }
    return NULL;
}

/* A thread that cannot be made leaves its share to this one. */
static void look_together(const struct rows *rows, const uint32_t *taken, size_t count,
                          const uint32_t *kept, size_t kept_count, struct best *best)
{
    struct share shares[THREADS];
    pthread_t threads[THREADS];
    bool made[THREADS] = {false};
    size_t half = (count / 2 + ABREAST - 1) / ABREAST * ABREAST;
    size_t starts[THREADS + 1] = {0, half < count ? half : count, count};
    for (int i = 0; i < THREADS; i++)
        shares[i] = (struct share){rows, taken + starts[i], kept, best + starts[i],
                                   starts[i + 1] - starts[i], kept_count};
    made[1] = count > ABREAST && pthread_create(&threads[1], NULL, look, &shares[1]) == 0;
    look(&shares[0]);
    if (made[1])
        pthread_join(threads[1], NULL);
    else
        look(&shares[1]);
}

uint32_t search_all(const struct rows *rows, const uint32_t *kept, size_t count, uint32_t row,
                    double least, double *similarity)
{
    struct best best;
    struct share share = {rows, &row, kept, &best, 1, count};
    look(&share);
    *similarity = best.similarity;
    return best.row != SEMANTIC_NONE && best.similarity >= least ? best.row : SEMANTIC_NONE;
}

/* ---- the search ------------------------------------------------------------------------------ */

/* What the block kept so far comes last in order: only a greater similarity wins. */
static void settle(struct search *search, uint32_t row, struct best best, uint32_t *kept,
                   size_t before, size_t *count)
{
    for (size_t i = before; i < *count; i++) {
        double similarity = rows_cosine(search->rows, row, kept[i]);
        if (best.row == SEMANTIC_NONE || similarity > best.similarity)
            best = (struct best){kept[i], similarity};
    }
    if (best.row != SEMANTIC_NONE && best.similarity >= search->threshold) {
        search->twins[row] = best.row;
        search->similarities[row] = best.similarity;
    } else if (search->within) {
        kept[(*count)++] = row;
    }
}

int search_exactly(struct search *search, xy_job *job)
{
    const struct rows *rows = search->rows;
    struct best best[BLOCK];
    uint32_t *kept = malloc((search->count + 1) * sizeof(*kept));
    size_t count = 0, at = 0;
    int code = kept ? XY_OK : XY_ENOMEM;
    for (; code == XY_OK && at < search->count && search->order[at] < rows->known; at++)
        kept[count++] = search->order[at];
    while (code == XY_OK && at < search->count) {
        size_t block = search->count - at < BLOCK ? search->count - at : BLOCK, before = count;
        look_together(rows, search->order + at, block, kept, count, best);
        for (size_t i = 0; i < block; i++)
            settle(search, search->order[at + i], best[i], kept, before, &count);
        at += block;
        if (job->api->cancelled(job))
            code = XY_ECANCELED;
    }
    free(kept);
    return code;
}
