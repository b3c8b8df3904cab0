/* SPDX-License-Identifier: Apache-2.0 */
#include "distinct.h"

#include <stdlib.h>

static bool reserve(void **array, size_t *room, size_t wanted, size_t size)
{
    if (wanted <= *room)
        return true;
    size_t larger = wanted * 2 + 16;
    void *grown = realloc(*array, larger * size);
    if (!grown)
        return false;
    *array = grown;
    *room = larger;
    return true;
}

/* Numbers the words of the text behind those of the list, without taking them in yet. */
static int read_words(struct distinct *distinct, xy_str text, struct distinct_words *out)
{
    *out = (struct distinct_words){.start = distinct->id_count};
    text_clear(&distinct->scratch);
    fold_add(&distinct->scratch, text, FOLD_WORDS);
    const char *at = distinct->scratch.bytes, *end = at + distinct->scratch.length;
    while (at && at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        xy_str word = {at, (size_t)((space ? space : end) - at)};
        uint32_t number = names_add(&distinct->words, word);
        void *ids = distinct->ids;
        if (number == NAMES_NONE ||
            !reserve(&ids, &distinct->id_room, distinct->id_count + out->count + 1,
                     sizeof(*distinct->ids)))
            return XY_ENOMEM;
        distinct->ids = ids;
        distinct->ids[out->start + out->count++] = number;
        out->signature |= UINT64_C(1) << (number % 64);
        at += word.len + 1;
    }
    return distinct->scratch.failed ? XY_ENOMEM : XY_OK;
}

/* Is the new text, which `lcs` holds, nearly this one? */
static bool near(struct distinct *distinct, const struct distinct_words *a,
                 const struct distinct_words *b)
{
    size_t sum = (size_t)a->count + b->count, least = a->count < b->count ? a->count : b->count;
    if (sum == 0 || !(a->signature & b->signature) ||
        2.0 * (double)least <= distinct->similar * (double)sum)
        return false; /* the longest subsequence that there could be is too short */
    size_t common = lcs_length(&distinct->lcs, distinct->ids + b->start, b->count);
    return 2.0 * (double)common > distinct->similar * (double)sum;
}

/* Is one of the texts nearly the new one? `like`: the number of that one. */
static bool find_near(struct distinct *distinct, const struct distinct_words *words, size_t *like)
{
    bool found = false;
    for (size_t i = 0; i < distinct->count && !found; i++) {
        found = near(distinct, words, &distinct->texts[i]);
        *like = i;
    }
    return found;
}

int distinct_add(struct distinct *distinct, xy_str text, size_t *like)
{
    size_t unused;
    like = like ? like : &unused;
    text_clear(&distinct->scratch);
    fold_add(&distinct->scratch, text, distinct->fold);
    if (distinct->scratch.failed)
        return XY_ENOMEM;
    xy_str key = {distinct->scratch.bytes, distinct->scratch.length};
    uint32_t known = key.len ? names_find(&distinct->keys, key) : 0;
    if (known != NAMES_NONE) {
        *like = known;
        return XY_DROP;
    }
    struct distinct_words words = {0};
    void *texts = distinct->texts;
    if (names_add(&distinct->keys, key) == NAMES_NONE ||
        !reserve(&texts, &distinct->room, distinct->count + 1, sizeof(*distinct->texts)))
        return XY_ENOMEM;
    distinct->texts = texts;
    if (distinct->similar < 1 &&
        (read_words(distinct, text, &words) < 0 ||
         lcs_set(&distinct->lcs, distinct->ids + words.start, words.count,
                 distinct->words.count) < 0))
        return XY_ENOMEM;
    /* A text that is nearly an earlier one keeps its key and gets no words: its key then finds it
     * the next time, and its words, which the earlier one has, pull nothing else out. */
    bool found = distinct->similar < 1 && find_near(distinct, &words, like);
    distinct->texts[distinct->count++] = found ? (struct distinct_words){.count = 0} : words;
    distinct->id_count += found ? 0 : words.count;
    return found ? XY_DROP : XY_OK;
}

void distinct_free(struct distinct *distinct)
{
    names_free(&distinct->keys);
    names_free(&distinct->words);
    text_free(&distinct->scratch);
    lcs_free(&distinct->lcs);
    free(distinct->texts);
    free(distinct->ids);
    *distinct = (struct distinct){.fold = distinct->fold, .similar = distinct->similar};
}
