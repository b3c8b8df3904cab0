/* SPDX-License-Identifier: Apache-2.0 */
#include "minhash_shingle.h"

#include <stdlib.h>

#include <xxhash.h>

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
    for (const char *at = bytes; at; count++) {
        at = memchr(at, ' ', length - (size_t)(at - bytes));
        if (!at)
            break;
        shingles->starts[count] = (size_t)(++at - bytes);
    }
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

void shingles_sort(struct shingles *shingles)
{
    size_t kept = 0;
    if (shingles->count == 0)
        return;
    qsort(shingles->hashes, shingles->count, sizeof(*shingles->hashes), compare);
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
