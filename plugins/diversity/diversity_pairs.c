/* SPDX-License-Identifier: Apache-2.0 */
#include "diversity_pairs.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 1024 };

/* The finaliser of SplitMix64: neighbouring numbers go to slots far apart. */
static uint64_t scatter(uint64_t key)
{
    key = (key ^ (key >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ (key >> 27)) * UINT64_C(0x94d049bb133111eb);
    return key ^ (key >> 31);
}

static struct pair_slot *find(struct pair_slot *slots, size_t slot_count, uint64_t key)
{
    size_t at = scatter(key) & (slot_count - 1);
    while (slots[at].number && slots[at].key != key)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static int grow(struct pairs *pairs)
{
    size_t slot_count = pairs->slot_count ? pairs->slot_count * 2 : FIRST_SLOTS;
    struct pair_slot *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return XY_ENOMEM;
    for (size_t i = 0; i < pairs->slot_count; i++)
        if (pairs->slots[i].number)
            *find(slots, slot_count, pairs->slots[i].key) = pairs->slots[i];
    free(pairs->slots);
    pairs->slots = slots;
    pairs->slot_count = slot_count;
    return XY_OK;
}

uint32_t pairs_add(struct pairs *pairs, uint32_t first, uint32_t second)
{
    /* At most two thirds full. */
    if (pairs->count * UINT64_C(3) >= pairs->slot_count * UINT64_C(2) && grow(pairs) < 0)
        return PAIRS_NONE;
    uint64_t key = (uint64_t)first << 32 | second;
    struct pair_slot *slot = find(pairs->slots, pairs->slot_count, key);
    if (!slot->number)
        *slot = (struct pair_slot){key, ++pairs->count};
    return slot->number - 1;
}

void pairs_free(struct pairs *pairs)
{
    free(pairs->slots);
    memset(pairs, 0, sizeof(*pairs));
}
