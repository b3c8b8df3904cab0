/* SPDX-License-Identifier: Apache-2.0 */
/* The longest common run of words: runs of `least` words of the prompt are put into a table, and
 * where the text has one, it is made longer word by word. */
#include <stdlib.h>

#include "fold.h"
#include "leakage_find.h"

struct words { /* of a folded text */
    struct text folded;
    size_t *starts; /* count + 1; a word ends one before the next begins */
    uint64_t *hashes;
    size_t count;
};

static bool split(xy_str text, struct words *words)
{
    *words = (struct words){0};
    fold_add(&words->folded, text, FOLD_WORDS);
    size_t room = words->folded.length / 2 + 2;
    words->starts = malloc(room * sizeof(*words->starts));
    words->hashes = calloc(room, sizeof(*words->hashes));
    if (words->folded.failed || !words->starts || !words->hashes)
        return false;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < words->folded.length; i++) {
        char c = words->folded.bytes[i];
        if (i == 0 || words->folded.bytes[i - 1] == ' ') {
            words->starts[words->count++] = i;
            hash = UINT64_C(0xcbf29ce484222325);
        }
        if (c == ' ')
            continue;
        hash = (hash ^ (unsigned char)c) * UINT64_C(0x100000001b3);
        words->hashes[words->count - 1] = hash;
    }
    words->starts[words->count] = words->folded.length + 1;
    return true;
}

static void words_free(struct words *words)
{
    text_free(&words->folded);
    free(words->starts);
    free(words->hashes);
}

static uint64_t run_hash(const struct words *words, size_t at, size_t length)
{
    uint64_t hash = 0;
    for (size_t i = at; i < at + length; i++)
        hash = (hash ^ (hash >> 29)) * UINT64_C(0x9e3779b97f4a7c15) + words->hashes[i];
    return hash ^ hash >> 32;
}

static size_t common(const struct words *a, size_t at, const struct words *b, size_t place)
{
    size_t length = 0;
    while (at + length < a->count && place + length < b->count &&
           a->hashes[at + length] == b->hashes[place + length])
        length++;
    return length;
}

/* `table`: the place + 1 of each run of the prompt, by its hash; 0 is free. */
static void fill(const struct words *prompt, size_t least, uint32_t *table, size_t room)
{
    for (size_t i = 0; i + least <= prompt->count; i++) {
        size_t slot = run_hash(prompt, i, least) & (room - 1);
        while (table[slot])
            slot = (slot + 1) & (room - 1);
        table[slot] = (uint32_t)i + 1;
    }
}

static size_t search(const struct words *text, const struct words *prompt, size_t least,
                     const uint32_t *table, size_t room, size_t *from)
{
    size_t best = 0;
    for (size_t i = 0; i + least <= text->count; i++) {
        size_t here = 0;
        for (size_t slot = run_hash(text, i, least) & (room - 1); table[slot];
             slot = (slot + 1) & (room - 1)) {
            size_t length = common(text, i, prompt, table[slot] - 1);
            here = length > here ? length : here;
        }
        if (here >= least && here > best) {
            best = here;
            *from = i;
        }
        if (here > least)
            i += here - least; /* what begins inside is shorter, or goes on from its end */
    }
    return best;
}

int64_t leakage_copy(xy_str text, xy_str prompt, size_t least, char *shown, size_t room)
{
    struct words own, theirs = {0};
    size_t slots = 64, from = 0, best = 0;
    uint32_t *table = NULL;
    bool good = split(prompt, &theirs);
    while (slots < theirs.count * 2)
        slots *= 2;
    if (good && theirs.count >= least)
        good = (table = calloc(slots, sizeof(*table))) != NULL;
    bool split_own = good && table;
    if (split_own) {
        good = split(text, &own);
        if (good) {
            fill(&theirs, least, table, slots);
            best = search(&own, &theirs, least, table, slots, &from);
        }
        if (best)
            snprintf(shown, room, "%.*s",
                     (int)(own.starts[from + best] - 1 - own.starts[from]),
                     own.folded.bytes + own.starts[from]);
        words_free(&own);
    }
    words_free(&theirs);
    free(table);
    return good ? (int64_t)best : XY_ENOMEM;
}
