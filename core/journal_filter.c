/* SPDX-License-Identifier: Apache-2.0 */
/* journal_filter.c - a blocked Bloom filter (Putze, Sanders, Singler 2007): all bits of a key
 * lie in one cache line, so a question costs one miss. Memory is fixed: 8 MiB, about 1 % false
 * positives for 6 million keys, 25 % for 20 million; a false positive costs one look into the
 * index. */
#include <stdlib.h>

#include "journal_internal.h"

enum { BITS = 6, WORDS = 8 };

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void journal_filter_init(struct journal_filter *filter)
{
    filter->words = memory_zeroed((size_t)JOURNAL_FILTER_BLOCKS * WORDS, sizeof(uint64_t));
    atomic_init(&filter->complete, false);
}

void journal_filter_add(struct journal_filter *filter, struct journal_key key)
{
    uint64_t bits = mix(key.low);
    _Atomic uint64_t *block = filter->words + mix(key.high) % JOURNAL_FILTER_BLOCKS * WORDS;
    for (int i = 0; i < BITS; i++, bits >>= 9)
        atomic_fetch_or_explicit(&block[bits % WORDS], UINT64_C(1) << (bits / WORDS % 64),
                                 memory_order_relaxed);
}

bool journal_filter_may_have(struct journal_filter *filter, struct journal_key key)
{
    if (!atomic_load_explicit(&filter->complete, memory_order_acquire))
        return true;
    uint64_t bits = mix(key.low);
    _Atomic uint64_t *block = filter->words + mix(key.high) % JOURNAL_FILTER_BLOCKS * WORDS;
    for (int i = 0; i < BITS; i++, bits >>= 9) {
        uint64_t word = atomic_load_explicit(&block[bits % WORDS], memory_order_relaxed);
        if (!(word >> (bits / WORDS % 64) & 1))
            return false;
    }
    return true;
}

void journal_filter_finish(struct journal_filter *filter)
{
    free((void *)filter->words);
    filter->words = NULL;
}
