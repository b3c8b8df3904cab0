/* SPDX-License-Identifier: Apache-2.0 */
#include "minhash_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <xylem/plugin.h>

#include "minhash_signature.h"

/* ---- which bands ----------------------------------------------------------------------------- */

enum { STEPS = 200 }; /* of each integral, by the midpoint rule */

double banding_chance(struct banding banding, double similarity)
{
    return 1 - pow(1 - pow(similarity, (double)banding.rows), (double)banding.bands);
}

static double area(struct banding banding, double from, double to)
{
    double sum = 0, step = (to - from) / STEPS;
    for (int i = 0; i < STEPS; i++)
        sum += banding_chance(banding, from + (i + 0.5) * step);
    return sum * step;
}

struct banding banding_choose(double threshold, size_t permutations, double false_positive_weight)
{
    struct banding best = {1, 1};
    double least = INFINITY;
    for (size_t bands = 1; bands <= permutations; bands++) {
        for (size_t rows = 1; bands * rows <= permutations; rows++) {
            struct banding banding = {bands, rows};
            double met = area(banding, 0, threshold);
            double missed = 1 - threshold - area(banding, threshold, 1);
            double cost = false_positive_weight * met + (1 - false_positive_weight) * missed;
            if (cost < least) {
                least = cost;
                best = banding;
            }
        }
    }
    return best;
}

/* ---- the index ------------------------------------------------------------------------------- */

enum { HUGE_PAGE = 2 << 20 };

/* Zeroed. Untouched pages cost nothing: few entries use little memory. The places are met in no
 * order, so a large table asks for large pages, in which the way to one is short. */
static void *make_table(size_t count, size_t size)
{
    size_t bytes = count * size;
    if (bytes < (size_t)64 * HUGE_PAGE)
        return calloc(count, size);
    void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
    madvise(table, bytes, MADV_HUGEPAGE); /* a wish */
    return table;
}

static void free_table(void *table, size_t count, size_t size)
{
    size_t bytes = count * size;
    if (bytes < (size_t)64 * HUGE_PAGE)
        free(table);
    else if (table)
        munmap(table, bytes);
}

int minhash_index_init(struct minhash_index *index, struct banding banding, size_t permutations,
                       uint64_t most)
{
    *index = (struct minhash_index){.banding = banding, .permutations = permutations};
    if (most > UINT32_MAX - 1)
        return XY_EUNSUPPORTED;
    index->slots = most + most / 2 + 16;
    index->tags = make_table(banding.bands * index->slots, sizeof(*index->tags));
    index->entries = make_table(banding.bands * index->slots, sizeof(*index->entries));
    index->places = calloc(banding.bands, sizeof(*index->places));
    index->own_tags = calloc(banding.bands, sizeof(*index->own_tags));
    index->shortened = calloc(permutations, sizeof(*index->shortened));
    return index->tags && index->entries && index->places && index->own_tags && index->shortened
               ? XY_OK
               : XY_ENOMEM;
}

void minhash_index_free(struct minhash_index *index)
{
    free_table(index->tags, index->banding.bands * index->slots, sizeof(*index->tags));
    free_table(index->entries, index->banding.bands * index->slots, sizeof(*index->entries));
    free(index->signatures);
    free(index->rows);
    free(index->places);
    free(index->own_tags);
    free(index->shortened);
    free(index->found);
    *index = (struct minhash_index){0};
}

static int add_found(struct minhash_index *index, uint32_t entry)
{
    if (index->found_count == index->found_capacity) {
        size_t capacity = index->found_capacity ? index->found_capacity * 2 : 64;
        uint32_t *larger = realloc(index->found, capacity * sizeof(*larger));
        if (!larger)
            return XY_ENOMEM;
        index->found = larger;
        index->found_capacity = capacity;
    }
    index->found[index->found_count++] = entry;
    return XY_OK;
}

/* Follows one band's run of slots; leaves the band's place at the empty slot behind it. */
static int find_in_band(struct minhash_index *index, size_t band)
{
    const uint8_t *tags = index->tags + band * index->slots;
    const uint32_t *entries = index->entries + band * index->slots;
    size_t from = band * index->banding.rows;
    uint64_t at = index->places[band];
    for (; tags[at]; at = at + 1 == index->slots ? 0 : at + 1) {
        if (tags[at] != index->own_tags[band])
            continue;
        const uint8_t *other = index->signatures + (size_t)entries[at] * index->permutations;
        /* A tag agrees by chance once in 255 times, the band's bytes practically never. */
        if (memcmp(other + from, index->shortened + from, index->banding.rows) == 0 &&
            add_found(index, entries[at]) < 0)
            return XY_ENOMEM;
    }
    index->places[band] = at;
    return XY_OK;
}

static int compare(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

static void sort_found(struct minhash_index *index)
{
    size_t kept = 0;
    if (index->found_count < 2)
        return;
    qsort(index->found, index->found_count, sizeof(*index->found), compare);
    for (size_t i = 1; i < index->found_count; i++)
        if (index->found[i] != index->found[kept])
            index->found[++kept] = index->found[i];
    index->found_count = kept + 1;
}

int minhash_index_find(struct minhash_index *index, const uint32_t *least)
{
    struct banding banding = index->banding;
    index->found_count = 0;
    signature_shorten(least, index->permutations, index->shortened);
    /* All places first, so that the memory behind them is on its way when it is looked at. */
    for (size_t band = 0; band < banding.bands; band++) {
        uint64_t key = XXH3_64bits(least + band * banding.rows, banding.rows * sizeof(*least));
        index->places[band] = (uint64_t)(((unsigned __int128)key * index->slots) >> 64);
        index->own_tags[band] = (uint8_t)(1 + (key & 0xffff) % 255);
        __builtin_prefetch(index->tags + band * index->slots + index->places[band]);
    }
    for (size_t band = 0; band < banding.bands; band++)
        if (find_in_band(index, band) < 0)
            return XY_ENOMEM;
    sort_found(index);
    return XY_OK;
}

static int make_room(struct minhash_index *index)
{
    if (index->count < index->capacity)
        return XY_OK;
    size_t capacity = index->capacity ? index->capacity * 2 : 1024;
    uint8_t *signatures = realloc(index->signatures, capacity * index->permutations);
    if (!signatures)
        return XY_ENOMEM;
    index->signatures = signatures;
    uint64_t *rows = realloc(index->rows, capacity * sizeof(*rows));
    if (!rows)
        return XY_ENOMEM;
    index->rows = rows;
    index->capacity = capacity;
    return XY_OK;
}

int minhash_index_add(struct minhash_index *index, uint64_t row)
{
    if (make_room(index) < 0)
        return XY_ENOMEM;
    memcpy(index->signatures + index->count * index->permutations, index->shortened,
           index->permutations);
    index->rows[index->count] = row;
    for (size_t band = 0; band < index->banding.bands; band++) {
        uint64_t at = band * index->slots + index->places[band];
        index->tags[at] = index->own_tags[band];
        index->entries[at] = (uint32_t)index->count;
    }
    index->count++;
    return XY_OK;
}
