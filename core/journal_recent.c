/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_internal.h"

static uint32_t chain_of(struct journal_key key)
{
    return (uint32_t)((key.low ^ key.high >> 32) % JOURNAL_RECENT);
}

static bool same_key(struct journal_key a, struct journal_key b)
{
    return a.high == b.high && a.low == b.low;
}

void journal_recent_push(struct journal_recent *recent, const struct journal_place *place)
{
    uint32_t at = (uint32_t)(recent->head++ % JOURNAL_RECENT), chain = chain_of(place->key);
    recent->places[at] = *place;
    recent->older[at] = recent->newest[chain];
    recent->newest[chain] = at + 1;
}

bool journal_recent_find(const struct journal_recent *recent, struct journal_key key,
                         uint64_t *offset)
{
    for (uint32_t at = recent->newest[chain_of(key)]; at; at = recent->older[at - 1]) {
        if (same_key(recent->places[at - 1].key, key)) {
            *offset = recent->places[at - 1].offset;
            return true;
        }
    }
    return false;
}

void journal_recent_drop(struct journal_recent *recent, size_t count)
{
    for (; count > 0; count--) {
        uint32_t at = (uint32_t)(recent->tail++ % JOURNAL_RECENT);
        uint32_t *link = &recent->newest[chain_of(recent->places[at].key)];
        /* The oldest entry of all is the last of its chain. */
        while (*link != at + 1)
            link = &recent->older[*link - 1];
        *link = 0;
    }
}
