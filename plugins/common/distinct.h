/* SPDX-License-Identifier: Apache-2.0 */
/* distinct.h - a list of texts, each unlike all before it: not the same but for case and white
 * space, and not nearly the same in words. One thread at a time.
 *
 * Nearness is ROUGE-L (Lin 2004, section 3): the F1 of the longest common subsequence of words, as
 * Self-Instruct (Wang et al. 2023) and Explore-Instruct (Wan et al. 2023) use it, with 0.7. */
#ifndef XYLEM_PLUGINS_COMMON_DISTINCT_H
#define XYLEM_PLUGINS_COMMON_DISTINCT_H

#include "fold.h"
#include "lcs.h"
#include "names.h"

struct distinct_words {
    size_t start;       /* of its words in `ids` */
    uint32_t count;
    uint64_t signature; /* one bit for each word, by its number: no bit in common, no word */
};

struct distinct { /* zeroed but for `fold` and `similar`: empty */
    enum fold fold;     /* what counts as the same */
    double similar;     /* more ROUGE-L than this is nearly the same; 1 or more: only the same is */
    struct names keys;  /* the folded texts */
    struct names words;
    struct text scratch;
    struct lcs lcs;     /* of the text that is being added */
    struct distinct_words *texts;
    uint32_t *ids;
    size_t count, room, id_count, id_room;
};

/* XY_OK: it was new and is now in the list. XY_DROP: an earlier one is like it; its number is in
 * `*like`, which may be NULL. XY_ENOMEM. A text that folds to nothing is never new. */
int distinct_add(struct distinct *distinct, xy_str text, size_t *like);
void distinct_free(struct distinct *distinct);

#endif
