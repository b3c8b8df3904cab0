/* SPDX-License-Identifier: Apache-2.0 */
#include "decontaminate_grams.h"

#include <stdlib.h>

#include <xxhash.h>

#include "fold.h"

/* Where the words of a folded text begin, and behind them where one more would. */
struct words {
    size_t *starts, count;
};

/* Appends the folded text to `out`; its words' places count from the start of `out`. */
static bool fold_words(struct text *out, xy_str text, struct words *words)
{
    size_t from = out->length;
    *words = (struct words){0};
    fold_add(out, text, FOLD_WORDS);
    words->starts = malloc(((out->length - from) / 2 + 2) * sizeof(*words->starts));
    if (out->failed || !words->starts)
        return false;
    for (size_t i = from; i < out->length; i++)
        if (out->bytes[i] != ' ' && (i == from || out->bytes[i - 1] == ' '))
            words->starts[words->count++] = i;
    words->starts[words->count] = out->length + 1;
    return true;
}

/* The place of the run, or the free one where it would be. */
static size_t slot_of(const struct grams *grams, uint64_t hash, const char *run, size_t length)
{
    size_t slot = hash & (grams->room - 1);
    while (grams->slots[slot].length) {
        const struct gram *gram = &grams->slots[slot];
        if (gram->hash == hash && gram->length == length &&
            memcmp(grams->bytes.bytes + gram->at, run, length) == 0)
            break;
        slot = (slot + 1) & (grams->room - 1);
    }
    return slot;
}

static bool make_room(struct grams *grams)
{
    if (grams->count * 2 < grams->room)
        return true;
    struct grams larger = *grams;
    larger.room = grams->room ? grams->room * 2 : 1024;
    larger.slots = calloc(larger.room, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < grams->room; i++) {
        const struct gram *gram = &grams->slots[i];
        if (gram->length)
            larger.slots[slot_of(&larger, gram->hash, grams->bytes.bytes + gram->at,
                                 gram->length)] = *gram;
    }
    free(grams->slots);
    grams->slots = larger.slots;
    grams->room = larger.room;
    return true;
}

bool grams_add(struct grams *grams, xy_str text, uint32_t record)
{
    struct words words;
    bool good = fold_words(&grams->bytes, text, &words);
    if (good && !grams->lengths)
        good = (grams->lengths = calloc(grams->n + 1, sizeof(*grams->lengths))) != NULL;
    size_t run = words.count < grams->n ? words.count : grams->n;
    bool taken = good && run >= grams->least;
    grams->passed += good && !taken;
    if (taken) {
        grams->lengths[run] = true;
        grams->longest = run > grams->longest ? run : grams->longest;
    }
    for (size_t i = 0; taken && good && i + run <= words.count; i++) {
        size_t at = words.starts[i], length = words.starts[i + run] - 1 - at;
        uint64_t hash = XXH3_64bits(grams->bytes.bytes + at, length);
        good = make_room(grams);
        size_t slot = good ? slot_of(grams, hash, grams->bytes.bytes + at, length) : 0;
        if (good && !grams->slots[slot].length) {
            grams->slots[slot] = (struct gram){hash, at, length, record};
            grams->count++;
        }
    }
    free(words.starts);
    return good;
}

/* The longest run that begins at word `i`; the first of the shortest where any will do. */
static const struct gram *run_at(const struct grams *grams, const struct text *folded,
                                 const struct words *words, size_t i, bool longest, size_t *length)
{
    const struct gram *found = NULL;
    for (size_t run = grams->least; run <= grams->longest && i + run <= words->count; run++) {
        if (!grams->lengths[run])
            continue;
        const char *bytes = folded->bytes + words->starts[i];
        size_t size = words->starts[i + run] - 1 - words->starts[i];
        const struct gram *gram =
            &grams->slots[slot_of(grams, XXH3_64bits(bytes, size), bytes, size)];
        if (!gram->length)
            continue;
        found = gram;
        *length = run;
        if (!longest)
            break;
    }
    return found;
}

bool grams_find(const struct grams *grams, xy_str text, bool whole, struct overlap *overlap)
{
    struct text folded = {0};
    struct words words;
    bool good = fold_words(&folded, text, &words);
    size_t covered = 0, covered_to = 0;
    *overlap = (struct overlap){0};
    for (size_t i = 0; good && i < words.count && (whole || !overlap->first); i++) {
        size_t length = 0;
        const struct gram *gram = run_at(grams, &folded, &words, i, whole, &length);
        if (!gram)
            continue;
        if (!overlap->first)
            overlap->first = gram;
        if (i + length > covered_to) {
            covered += i + length - (covered_to > i ? covered_to : i);
            covered_to = i + length;
        }
    }
    if (whole && covered)
        overlap->share = (double)covered / (double)words.count;
    free(words.starts);
    text_free(&folded);
    return good;
}

void grams_free(struct grams *grams)
{
    text_free(&grams->bytes);
    free(grams->slots);
    free(grams->lengths);
}
