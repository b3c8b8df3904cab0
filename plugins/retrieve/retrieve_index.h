/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve_index.h - an inverted index that ranks passages by BM25 (Robertson and Zaragoza 2009,
 * "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.3), each passage as a bag of
 * words. Built once, then only read.
 *
 *   score(q, d) = sum over the words w of q, each as often as q has it:
 *                 idf(w) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * |d| / mean |d|))
 *   idf(w)      = ln(1 + (N - n + 0.5) / (n + 0.5)),  n of the N passages having w
 *
 * The 1 in the logarithm, as Lucene has it, keeps a word that most passages have from counting
 * against a passage. Words are runs of letters, marks and digits, their case folded. */
#ifndef XYLEM_PLUGINS_RETRIEVE_RETRIEVE_INDEX_H
#define XYLEM_PLUGINS_RETRIEVE_RETRIEVE_INDEX_H

#include "names.h"
#include "text.h"

struct posting {
    uint32_t passage, frequency;
};

struct index { /* zeroed: empty */
    struct names words;
    struct posting *postings;  /* all of them, word by word, each word's by passage */
    size_t *starts;            /* words.count + 1: where the postings of each word begin */
    double *idf;               /* words.count */
    double *norms;             /* count: k1 * (1 - b + b * |d| / mean |d|) */
    double k1;
    size_t count;              /* passages */
    size_t postings_room;
    uint32_t *lengths;         /* words of each passage, while it is built */
    struct text folded;
};

/* Adds the next passage, up to 2^32 - 2 of them. False: no memory. [worker] */
bool index_add(struct index *index, xy_str text);
/* Ends the building. False: no memory. */
bool index_finish(struct index *index, double k1, double b);
void index_free(struct index *index);

/* Adds to scores[passage], which has room for all and starts at 0, in the order of the query's
 * words. Returns how many distinct words of the query any passage has. Memory that fails shows as
 * -1. [any] */
int index_score(const struct index *index, xy_str query, double *scores);

/* The `k` best of a stream of passages, which come in their order: of equal scores the earlier one
 * is better. */
struct best {
    uint32_t *passages; /* room for k, best first */
    double *scores;
    size_t k, count;
};
static inline void best_offer(struct best *best, uint32_t passage, double score)
{
    size_t at = best->count;
    if (at == best->k && score <= best->scores[at - 1])
        return;
    if (at < best->k)
        best->count++;
    else
        at--;
    for (; at > 0 && score > best->scores[at - 1]; at--) {
        best->scores[at] = best->scores[at - 1];
        best->passages[at] = best->passages[at - 1];
    }
    best->scores[at] = score;
    best->passages[at] = passage;
}

#endif
