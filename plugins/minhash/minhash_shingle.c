/* SPDX-License-Identifier: Apache-2.0 */
#include "minhash_shingle.h"

#include <stdlib.h>

#define XXH_INLINE_ALL /* shingles are short: a call would cost as much as the hash */
#include <xxhash.h>

enum { FEW = 64 };

/* Room for `count` more starts and hashes than the text has bytes is room enough. */
static int make_room(struct shingles *shingles, size_t count)
{
    if (count <= shingles->capacity && count <= shingles->starts_capacity)
        return XY_OK;
    count += count / 2;
    uint32_t *hashes = realloc(shingles->hashes, count * sizeof(*hashes));
    if (!hashes)
        return XY_ENOMEM;
    shingles->hashes = hashes;
    shingles->capacity = count;
    size_t *starts = realloc(shingles->starts, count * sizeof(*starts));
    if (!starts)
        return XY_ENOMEM;
    shingles->starts = starts;
    shingles->starts_capacity = count;
    return XY_OK;
}

/* Where each word, or each character, begins; the last start is one past the end of the text, and
 * one more for words, so that every word ends one byte before the next start. */
static size_t find_starts(struct shingles *shingles, bool characters)
{
    const char *bytes = shingles->folded.bytes;
    size_t length = shingles->folded.length, count = 0;
    if (length == 0)
        return 0;
    if (characters) {
        for (size_t i = 0; i < length; i++)
            if (((unsigned char)bytes[i] & 0xc0) != 0x80)
                shingles->starts[count++] = i;
        shingles->starts[count] = length;
        return count;
    }
    shingles->starts[count++] = 0;
    /* Eight bytes at once, as words are short. The byte behind each space begins a word. */
    const uint64_t ones = UINT64_C(0x0101010101010101), lows = UINT64_C(0x7f7f7f7f7f7f7f7f);
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        word ^= ones * ' ';
        /* The top bit of each byte that is zero now, and of no other one. */
        word = ~(((word & lows) + lows) | word | lows);
        for (; word; word &= word - 1)
            shingles->starts[count++] = i + (size_t)__builtin_ctzll(word) / 8 + 1;
    }
    for (; i < length; i++)
        if (bytes[i] == ' ')
            shingles->starts[count++] = i + 1;
    shingles->starts[count] = length + 1;
    return count;
}

int shingles_of(struct shingles *shingles, xy_str text, size_t length, bool characters)
{
    shingles->count = 0;
    text_clear(&shingles->folded);
    fold_add(&shingles->folded, text, FOLD_WORDS);
    if (shingles->folded.failed || make_room(shingles, shingles->folded.length + 2) < 0)
        return XY_ENOMEM;
    size_t units = find_starts(shingles, characters), gap = characters ? 0 : 1;
    size_t taken = units < length ? units : length;
    for (size_t i = 0; units && i + taken <= units; i++) {
        size_t from = shingles->starts[i], to = shingles->starts[i + taken] - gap;
        shingles->hashes[shingles->count++] =
            (uint32_t)(XXH3_64bits(shingles->folded.bytes + from, to - from) >> 32);
    }
    return XY_OK;
}

static int compare(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

/* A record's text has some dozens of shingles: for so few inserting is faster than a library's
 * sort. */
static void sort_hashes(uint32_t *hashes, size_t count)
{
    if (count > FEW) {
        qsort(hashes, count, sizeof(*hashes), compare);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint32_t hash = hashes[i];
        size_t at = i;
        for (; at > 0 && hashes[at - 1] > hash; at--)
            hashes[at] = hashes[at - 1];
        hashes[at] = hash;
    }
}

void shingles_sort(struct shingles *shingles)
{
    size_t kept = 0;
    if (shingles->count == 0)
        return;
    sort_hashes(shingles->hashes, shingles->count);
    for (size_t i = 1; i < shingles->count; i++)
        if (shingles->hashes[i] != shingles->hashes[kept])
            shingles->hashes[++kept] = shingles->hashes[i];
    shingles->count = kept + 1;
}

double shingles_jaccard(const struct shingles *a, const struct shingles *b)
{
    size_t i = 0, j = 0, both = 0;
    while (i < a->count && j < b->count) {
        uint32_t first = a->hashes[i], second = b->hashes[j];
        both += first == second;
        i += first <= second;
        j += second <= first;
    }
    size_t either = a->count + b->count - both;
    return either ? (double)both / (double)either : 0;
}

void shingles_free(struct shingles *shingles)
{
    free(shingles->hashes);
    free(shingles->starts);
    text_free(&shingles->folded);
    *shingles = (struct shingles){0};
}
