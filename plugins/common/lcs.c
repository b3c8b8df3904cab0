/* SPDX-License-Identifier: Apache-2.0 */
#include "lcs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xylem/plugin.h>

enum { BLOCK = 64 };

static int grow_rows(struct lcs *lcs, size_t vocabulary)
{
    if (vocabulary <= lcs->vocabulary)
        return XY_OK;
    size_t larger = vocabulary + lcs->vocabulary / 2;
    uint32_t *rows = realloc(lcs->rows, larger * sizeof(*rows));
    if (!rows)
        return XY_ENOMEM;
    memset(rows + lcs->vocabulary, 0, (larger - lcs->vocabulary) * sizeof(*rows));
    lcs->rows = rows;
    lcs->vocabulary = larger;
    return XY_OK;
}

static int make_room(struct lcs *lcs, size_t length, size_t vocabulary)
{
    size_t blocks = (length + BLOCK - 1) / BLOCK;
    if (length * blocks > lcs->mask_room) {
        free(lcs->masks);
        lcs->mask_room = length * blocks;
        lcs->masks = malloc(lcs->mask_room * sizeof(*lcs->masks));
    }
    if (length > lcs->used_room) {
        free(lcs->used);
        lcs->used_room = length;
        lcs->used = malloc(length * sizeof(*lcs->used));
    }
    if (blocks > lcs->block_room) {
        free(lcs->column);
        lcs->block_room = blocks;
        lcs->column = malloc(blocks * sizeof(*lcs->column));
    }
    lcs->mask_room = lcs->masks ? lcs->mask_room : 0;
    lcs->used_room = lcs->used ? lcs->used_room : 0;
    lcs->block_room = lcs->column ? lcs->block_room : 0;
    bool enough = lcs->used_room >= length && lcs->block_room >= blocks &&
                  lcs->mask_room >= length * blocks;
    return enough ? grow_rows(lcs, vocabulary) : XY_ENOMEM;
}

int lcs_set(struct lcs *lcs, const uint32_t *words, size_t length, size_t vocabulary)
{
    for (size_t i = 0; i < lcs->used_count; i++)
        lcs->rows[lcs->used[i]] = 0; /* the words of the text before */
    lcs->length = lcs->used_count = 0;
    if (make_room(lcs, length, vocabulary) < 0)
        return XY_ENOMEM;
    lcs->length = length;
    lcs->blocks = (length + BLOCK - 1) / BLOCK;
    for (size_t i = 0; i < length; i++) {
        uint32_t *row = &lcs->rows[words[i]];
        if (*row == 0) {
            memset(lcs->masks + lcs->used_count * lcs->blocks, 0,
                   lcs->blocks * sizeof(*lcs->masks));
            lcs->used[lcs->used_count++] = words[i];
            *row = (uint32_t)lcs->used_count;
        }
        lcs->masks[(*row - 1) * lcs->blocks + i / BLOCK] |= UINT64_C(1) << (i % BLOCK);
    }
    return XY_OK;
}

/* Bits of the column that are 0 count the subsequence. Those past the text's end stay 1: no word
 * stands there, so the difference keeps them, whatever the sum carries into them. */
static size_t lcs_of_one_block(const struct lcs *lcs, const uint32_t *words, size_t length)
{
    uint64_t column = ~UINT64_C(0);
    for (size_t i = 0; i < length; i++) {
        uint32_t row = lcs->rows[words[i]];
        if (row == 0)
            continue;
        uint64_t matched = column & lcs->masks[row - 1];
        column = (column + matched) | (column - matched);
    }
    return (size_t)__builtin_popcountll(~column);
}

size_t lcs_length(struct lcs *lcs, const uint32_t *words, size_t length)
{
    size_t zeros = 0;
    if (lcs->blocks <= 1)
        return lcs->length ? lcs_of_one_block(lcs, words, length) : 0;
    memset(lcs->column, 0xff, lcs->blocks * sizeof(*lcs->column));
    for (size_t i = 0; i < length; i++) {
        uint32_t row = lcs->rows[words[i]];
        if (row == 0)
            continue;
        const uint64_t *mask = lcs->masks + (size_t)(row - 1) * lcs->blocks;
        uint64_t carry = 0;
        for (size_t block = 0; block < lcs->blocks; block++) {
            uint64_t column = lcs->column[block], matched = column & mask[block], sum;
            carry = (uint64_t)__builtin_add_overflow(column, carry, &sum);
            carry += (uint64_t)__builtin_add_overflow(sum, matched, &sum);
            lcs->column[block] = sum | (column - matched);
        }
    }
    for (size_t block = 0; block < lcs->blocks; block++)
        zeros += (size_t)__builtin_popcountll(~lcs->column[block]);
    return zeros;
}

void lcs_free(struct lcs *lcs)
{
    free(lcs->rows);
    free(lcs->masks);
    free(lcs->column);
    free(lcs->used);
    *lcs = (struct lcs){0};
}
