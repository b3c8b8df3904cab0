/* SPDX-License-Identifier: Apache-2.0 */
/* lcs.h - the length of the longest common subsequence of one text with many others, 64
 * words of the one text in a step (Hyyro 2004, "Bit-parallel LCS-length computation revisited",
 * figure 2; Crochemore et al. 2001). One thread at a time. */
#ifndef XYLEM_PLUGINS_COMMON_LCS_H
#define XYLEM_PLUGINS_COMMON_LCS_H

#include <stddef.h>
#include <stdint.h>

/* Where in the one text each of its distinct words stands. */
struct lcs { /* zeroed: empty */
    uint32_t *rows;      /* by word number: 1 + the word's row in `masks`, 0 for no word of it */
    size_t vocabulary;
    uint64_t *masks;     /* row x block: bit i of block b is the word at 64 b + i */
    size_t mask_room;
    uint64_t *column;    /* the state of the walk, one for each block */
    size_t block_room;
    uint32_t *used;      /* the distinct words of the one text */
    size_t used_count, used_room;
    size_t length, blocks;
};

/* The one text. `vocabulary`: all words of any text are below it; it may grow from call to call. 0,
 * or XY_ENOMEM. */
int lcs_set(struct lcs *lcs, const uint32_t *words, size_t length, size_t vocabulary);
/* The length of the longest common subsequence of it with this one. */
size_t lcs_length(struct lcs *lcs, const uint32_t *words, size_t length);
void lcs_free(struct lcs *lcs);

#endif
