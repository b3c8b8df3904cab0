/* SPDX-License-Identifier: Apache-2.0 */
/* What occurs more than once: pieces, and runs of words. By 64-bit hashes: two that differ are
 * taken for the same once in 2^64. */
#include <stdlib.h>

#include <xxhash.h>

#include "repetition_measure.h"

/* ---- lines and paragraphs -------------------------------------------------------------------- */

static bool make_room(struct repetition_seen *seen)
{
    if (seen->count * 2 < seen->room)
        return true;
    size_t room = seen->room ? seen->room * 4 : 32;
    uint64_t *slots = calloc(room, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < seen->room; i++) {
        size_t slot = seen->slots[i] & (room - 1);
        while (seen->slots[i] && slots[slot])
            slot = (slot + 1) & (room - 1);
        if (seen->slots[i])
            slots[slot] = seen->slots[i];
    }
    free(seen->slots);
    seen->slots = slots;
    seen->room = room;
    return true;
}

bool repetition_see(struct repetition_seen *seen, xy_str piece, uint32_t characters)
{
    uint64_t hash = XXH3_64bits(piece.ptr, piece.len) | 1; /* 0 is a free slot */
    if (!make_room(seen))
        return false;
    size_t slot = hash & (seen->room - 1);
    while (seen->slots[slot] && seen->slots[slot] != hash)
        slot = (slot + 1) & (seen->room - 1);
    seen->characters += characters;
    seen->repeated += seen->slots[slot] != 0;
    seen->repeated_characters += seen->slots[slot] ? characters : 0;
    seen->slots[slot] = hash;
    seen->count++;
    return true;
}

/* ---- n-grams --------------------------------------------------------------------------------- */

struct slot {
    uint64_t hash;
    uint32_t count, stamp; /* the n of the n-grams that it counts */
};

struct grams {
    const struct repetition_text *words;
    struct slot *slots;
    uint64_t *hashes;   /* of the n-gram that begins at each word */
    uint32_t *slot_of;  /* where it is counted; UINT32_MAX: it occurs once, for sure */
    size_t room;
};

/* Counts the n-grams. One can occur twice only where both (n-1)-grams in it do: all others are left
 * out, so that a text without repetition is looked at twice and not nine times. */
static size_t count_grams(struct grams *grams, int n)
{
    const struct repetition_text *words = grams->words;
    size_t candidates = 0, mask = grams->room - 1;
    for (size_t i = 0; i + (size_t)n <= words->count; i++) {
        bool possible = n == 1 || (grams->slot_of[i] != UINT32_MAX &&
                                   grams->slot_of[i + 1] != UINT32_MAX);
        if (!possible) {
            grams->slot_of[i] = UINT32_MAX;
            continue;
        }
        uint64_t hash = n == 1 ? words->hashes[i]
                               : (grams->hashes[i] ^ (grams->hashes[i] >> 29)) *
                                     UINT64_C(0x9e3779b97f4a7c15) +
                                     words->hashes[i + (size_t)n - 1];
        size_t slot = (hash ^ hash >> 32) & mask;
        while (grams->slots[slot].stamp == (uint32_t)n && grams->slots[slot].hash != hash)
            slot = (slot + 1) & mask;
        if (grams->slots[slot].stamp != (uint32_t)n)
            grams->slots[slot] = (struct slot){hash, 0, (uint32_t)n};
        grams->slots[slot].count++;
        grams->hashes[i] = hash;
        grams->slot_of[i] = (uint32_t)slot;
        candidates++;
    }
    for (size_t i = words->count < (size_t)n ? 0 : words->count - (size_t)n + 1;
         i < words->count; i++)
        grams->slot_of[i] = UINT32_MAX;
    size_t repeated = 0;
    for (size_t i = 0; candidates && i < words->count; i++) {
        if (grams->slot_of[i] != UINT32_MAX && grams->slots[grams->slot_of[i]].count < 2)
            grams->slot_of[i] = UINT32_MAX;
        repeated += grams->slot_of[i] != UINT32_MAX;
    }
    return repeated;
}

static uint64_t length_at(const struct grams *grams, size_t at, int n)
{
    uint64_t length = 0;
    for (size_t i = at; i < at + (size_t)n; i++)
        length += grams->words->lengths[i];
    return length;
}

/* The slot of the n-gram that occurs most often; of several the longest, then the first. */
static uint32_t most_frequent(const struct grams *grams, int n)
{
    uint32_t best = UINT32_MAX, count = 0;
    uint64_t length = 0;
    for (size_t i = 0; i < grams->words->count; i++) {
        uint32_t slot = grams->slot_of[i];
        if (slot == UINT32_MAX || slot == best || grams->slots[slot].count < count)
            continue;
        uint64_t own = length_at(grams, i, n);
        if (grams->slots[slot].count > count || own > length) {
            best = slot;
            count = grams->slots[slot].count;
            length = own;
        }
    }
    return best;
}

/* The share of characters in words of the n-grams of slot `only`, or of all that are repeated, each
 * word counted once. */
static double covered(const struct grams *grams, int n, uint32_t only)
{
    uint64_t characters = 0;
    size_t end = 0; /* words before it are counted already, or in none */
    for (size_t i = 0; i < grams->words->count; i++) {
        uint32_t slot = grams->slot_of[i];
        if (slot == UINT32_MAX || (only != UINT32_MAX && slot != only))
            continue;
        for (size_t word = i > end ? i : end; word < i + (size_t)n; word++)
            characters += grams->words->lengths[word];
        end = i + (size_t)n;
    }
    return (double)characters / (double)grams->words->characters;
}

int repetition_grams(const struct repetition_text *words, int longest, double figures[FIGURES])
{
    struct grams grams = {.words = words, .room = 16};
    if (words->count < 2 || longest < 2)
        return XY_OK;
    while (grams.room < words->count * 2)
        grams.room *= 2;
    grams.slots = grams.room < UINT32_MAX ? calloc(grams.room, sizeof(*grams.slots)) : NULL;
    grams.hashes = malloc(words->count * sizeof(*grams.hashes));
    grams.slot_of = malloc(words->count * sizeof(*grams.slot_of));
    bool good = grams.slots && grams.hashes && grams.slot_of;
    for (int n = 1; good && n <= longest && count_grams(&grams, n) > 0; n++) {
        if (n >= 2 && n <= 4)
            figures[TOP_2 + n - 2] = covered(&grams, n, most_frequent(&grams, n));
        if (n >= 5)
            figures[DUPLICATE_5 + n - 5] = covered(&grams, n, UINT32_MAX);
    }
    free(grams.slots);
    free(grams.hashes);
    free(grams.slot_of);
    return good ? XY_OK : XY_ENOMEM;
}
