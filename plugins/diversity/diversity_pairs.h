/* SPDX-License-Identifier: Apache-2.0 */
/* diversity_pairs.h - pairs of numbers, numbered from 0 in the order of first sight. A run of
 * n words is the pair of the run without its last word and that word: exact, whatever n is. */
#ifndef XYLEM_PLUGINS_DIVERSITY_DIVERSITY_PAIRS_H
#define XYLEM_PLUGINS_DIVERSITY_DIVERSITY_PAIRS_H

#include <xylem/plugin.h>

#define PAIRS_NONE UINT32_MAX

struct pair_slot {
    uint64_t key;
    uint32_t number; /* + 1; 0: empty */
};

struct pairs { /* zeroed: empty */
    struct pair_slot *slots;
    size_t slot_count;
    uint32_t count;
};

/* The pair's number, new or old; PAIRS_NONE when memory is short. */
uint32_t pairs_add(struct pairs *pairs, uint32_t first, uint32_t second);
void pairs_free(struct pairs *pairs);

#endif
