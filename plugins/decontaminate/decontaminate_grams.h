/* SPDX-License-Identifier: Apache-2.0 */
/* decontaminate_grams.h - runs of words of texts that must not be in a training set, and whether
 * another text has one of them. Words are runs of letters, marks and digits, case folded. Filled
 * first, then only read. */
#ifndef XYLEM_PLUGINS_DECONTAMINATE_DECONTAMINATE_GRAMS_H
#define XYLEM_PLUGINS_DECONTAMINATE_DECONTAMINATE_GRAMS_H

#include "text.h"

struct gram {
    uint64_t hash;
    size_t at, length;  /* in `bytes`; length 0: a free place */
    uint32_t record;    /* of the texts added, from 0 */
};

struct grams { /* zeroed but for `n` and `least` */
    size_t n;             /* words of a run */
    size_t least;         /* a text with fewer than n words counts as a whole, if with so many */
    struct text bytes;    /* the folded texts, one after another */
    struct gram *slots;   /* open addressing; room is a power of two */
    size_t count, room;
    size_t longest;       /* most words of a run; at most n */
    bool *lengths;        /* n + 1: is there a run of so many words? */
    size_t passed;        /* texts with fewer words than `least` */
};

/* Adds all runs of the text. False: no memory. */
bool grams_add(struct grams *grams, xy_str text, uint32_t record);
/* What a text has in common with the texts added. */
struct overlap {
    const struct gram *first; /* the first run, in the text's own order; NULL: none */
    double share;             /* of the text's words that lie in a run; 0 without `whole` */
};

/* `whole`: looks at all of the text for the share, else up to the first run. False: no memory.
 * [any] */
bool grams_find(const struct grams *grams, xy_str text, bool whole, struct overlap *overlap);
void grams_free(struct grams *grams);

#endif
