/* SPDX-License-Identifier: Apache-2.0 */
#include "diversity_grams.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_wide_blank(unsigned code)
{
    return code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

/* The length in bytes of the white space at `at`, 0 where there is none: Python's str.split(). */
static size_t blank_at(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80)
        return at[0] == ' ' || (at[0] >= '\t' && at[0] <= '\r') ||
               (at[0] >= 0x1c && at[0] <= 0x1f);
    if (at[0] == 0xc2 && left >= 2)
        return at[1] == 0x85 || at[1] == 0xa0 ? 2 : 0;
    if (left < 3 || at[0] < 0xe1 || at[0] > 0xe3)
        return 0;
    unsigned code = (at[0] & 15u) << 12 | (at[1] & 63u) << 6 | (at[2] & 63u);
    return is_wide_blank(code) ? 3 : 0;
}

/* The next word from *at on; false at the end. */
static bool next_word(xy_str text, size_t *at, xy_str *word)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t blank = *at < text.len ? blank_at(bytes + *at, text.len - *at) : 0;
    while (blank) {
        *at += blank;
        blank = *at < text.len ? blank_at(bytes + *at, text.len - *at) : 0;
    }
    size_t start = *at;
    while (*at < text.len && !blank_at(bytes + *at, text.len - *at))
        ++*at;
    *word = (xy_str){text.ptr + start, *at - start};
    return *at > start;
}

static void *grow(void *old, size_t *room, size_t needed, size_t size)
{
    if (needed <= *room)
        return old;
    size_t more = needed * 2 + 256;
    void *bytes = realloc(old, more * size);
    if (bytes)
        *room = more;
    return bytes;
}

/* Notes that this record has the pair; the first time, also in the record's list. */
static int note_pair(struct grams *grams, uint32_t pair)
{
    size_t before = grams->seen_room;
    struct seen *seen = grow(grams->seen, &grams->seen_room, (size_t)pair + 1, sizeof(*seen));
    if (!seen)
        return XY_ENOMEM;
    grams->seen = seen;
    if (grams->seen_room > before)
        memset(seen + before, 0, (grams->seen_room - before) * sizeof(*seen));
    uint32_t record = (uint32_t)grams->records + 1; /* 0: none yet */
    if (seen[pair].last == record)
        return XY_OK;
    seen[pair].last = record;
    seen[pair].records++;
    uint32_t *list =
        grow(grams->two_list, &grams->two_room, grams->two_count + 1, sizeof(*list));
    if (!list)
        return XY_ENOMEM;
    grams->two_list = list;
    list[grams->two_count++] = pair;
    return XY_OK;
}

static int end_record(struct grams *grams, double length)
{
    size_t *starts = grow(grams->two_starts, &grams->start_room, grams->records + 2,
                          sizeof(*starts));
    if (!starts)
        return XY_ENOMEM;
    starts[0] = 0;
    grams->two_starts = starts;
    starts[++grams->records] = grams->two_count;
    grams->length_sum += length;
    grams->length_squares += length * length;
    return XY_OK;
}

int grams_add(struct grams *grams, xy_str text, uint32_t class_index)
{
    uint32_t before = PAIRS_NONE, pair = PAIRS_NONE;
    size_t at = 0, length = 0;
    xy_str word;
    for (; next_word(text, &at, &word); length++) {
        uint32_t number = names_add(&grams->words, word), last_pair = pair;
        bool good = number != NAMES_NONE;
        if (good && class_index != NAMES_NONE)
            good = pairs_add(&grams->class_words, class_index, number) != PAIRS_NONE;
        if (good && length >= 1) {
            pair = pairs_add(&grams->twos, before, number);
            good = pair != PAIRS_NONE && note_pair(grams, pair) == XY_OK;
        }
        if (good && length >= 2)
            good = pairs_add(&grams->threes, last_pair, number) != PAIRS_NONE;
        if (!good)
            return XY_ENOMEM;
        before = number;
    }
    for (size_t n = 0; n < 3 && n < length; n++)
        grams->totals[n] += length - n;
    return end_record(grams, (double)length);
}

double grams_overlap(const struct grams *grams)
{
    double sum = 0;
    uint64_t counted = 0;
    for (uint64_t r = 0; r < grams->records; r++) {
        size_t from = grams->two_starts[r], end = grams->two_starts[r + 1], shared = 0;
        for (size_t i = from; i < end; i++)
            shared += grams->seen[grams->two_list[i]].records > 1;
        if (end == from)
            continue;
        sum += (double)shared / (double)(end - from);
        counted++;
    }
    return counted ? sum / (double)counted : NAN;
}

void grams_free(struct grams *grams)
{
    names_free(&grams->words);
    pairs_free(&grams->twos);
    pairs_free(&grams->threes);
    pairs_free(&grams->class_words);
    free(grams->seen);
    free(grams->two_list);
    free(grams->two_starts);
    memset(grams, 0, sizeof(*grams));
}
