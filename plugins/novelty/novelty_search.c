/* SPDX-License-Identifier: Apache-2.0 */
#include "novelty_search.h"

#include <stdlib.h>

int search_init(struct search *search, const struct texts *texts, size_t nearest_most)
{
    *search = (struct search){.texts = texts, .nearest_most = nearest_most};
    search->pool = calloc(texts->count + 1, sizeof(*search->pool));
    search->nearest = calloc(nearest_most + 1, sizeof(*search->nearest));
    return search->pool && search->nearest ? XY_OK : XY_ENOMEM;
}

void search_free(struct search *search)
{
    free(search->pool);
    free(search->nearest);
    lcs_free(&search->lcs);
}

void search_add(struct search *search, size_t text)
{
    search->pool[search->pool_count++] = text;
}

static size_t bits_of_first_only(const struct signature *first, const struct signature *second)
{
    return (size_t)__builtin_popcountll(first->bits[0] & ~second->bits[0]) +
           (size_t)__builtin_popcountll(first->bits[1] & ~second->bits[1]);
}

/* No common subsequence is longer: each bit that one text has alone is a word, at least, that the
 * other one lacks. */
static size_t most_common(const struct texts *texts, size_t a, size_t b)
{
    const struct signature *first = &texts->signatures[a], *second = &texts->signatures[b];
    size_t of_a = texts_length(texts, a) - bits_of_first_only(first, second);
    size_t of_b = texts_length(texts, b) - bits_of_first_only(second, first);
    return of_a < of_b ? of_a : of_b;
}

/* Behind those that are as similar, since it comes later. */
static void keep(struct search *search, struct near found)
{
    size_t at = search->nearest_count;
    if (at == search->nearest_most)
        at--;
    else
        search->nearest_count++;
    for (; at > 0 && search->nearest[at - 1].similarity < found.similarity; at--)
        search->nearest[at] = search->nearest[at - 1];
    search->nearest[at] = found;
}

int search_find(struct search *search, size_t text, double floor)
{
    const struct texts *texts = search->texts;
    size_t length = texts_length(texts, text);
    search->nearest_count = 0;
    if (lcs_set(&search->lcs, texts->words + texts->starts[text], length,
                texts->vocabulary.count) < 0)
        return XY_ENOMEM;
    double least = floor;
    for (size_t i = 0; i < search->pool_count; i++) {
        size_t other = search->pool[i], other_length = texts_length(texts, other);
        double words = (double)(length + other_length);
        double bound = 2 * (double)most_common(texts, text, other);
        /* A little less than `least`, so that no rounding hides a pair that lies above it. */
        if (bound <= least * words * (1 - 1e-12))
            continue;
        search->compared++;
        size_t common = lcs_length(&search->lcs, texts->words + texts->starts[other],
                                   other_length);
        struct near found = {other, 2 * (double)common / words};
        if (found.similarity <= least)
            continue;
        keep(search, found);
        if (search->nearest_count == search->nearest_most)
            least = search->nearest[search->nearest_most - 1].similarity;
    }
    search->pairs += search->pool_count;
    return XY_OK;
}
