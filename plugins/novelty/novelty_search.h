/* SPDX-License-Identifier: Apache-2.0 */
/* novelty_search.h - the texts most similar to one text by ROUGE-L F1 (Lin 2004): with an LCS of L
 * words of texts of n and m words, precision L / n and recall L / m give F1 = 2 L / (n + m). One
 * thread at a time. */
#ifndef XYLEM_PLUGINS_NOVELTY_NOVELTY_SEARCH_H
#define XYLEM_PLUGINS_NOVELTY_NOVELTY_SEARCH_H

#include "lcs.h"
#include "novelty_texts.h"

struct near {
    size_t text;
    double similarity;
};

struct search {
    const struct texts *texts;
    size_t *pool;         /* the texts to compare with, in order; room for all */
    size_t pool_count;
    struct near *nearest; /* most similar first; of equally similar ones the earlier first */
    size_t nearest_count, nearest_most;
    struct lcs lcs;
    uint64_t pairs, compared; /* looked at; those of which a subsequence had to be computed */
};

/* All texts are there by now. XY_OK or XY_ENOMEM; free it in both cases. */
int search_init(struct search *search, const struct texts *texts, size_t nearest_most);
void search_free(struct search *search);
void search_add(struct search *search, size_t text);
/* Finds the `nearest_most` texts of the pool that are more similar to this one than `floor`. XY_OK
 * or XY_ENOMEM. */
int search_find(struct search *search, size_t text, double floor);

#endif
