/* SPDX-License-Identifier: Apache-2.0 */
#include "exact_table.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <xylem/plugin.h>

enum { HUGE_PAGE = 2 << 20 };

/* Zeroed. Slots are met in no order: in large pages the way to one is short. */
static uint64_t *make_slots(uint64_t count)
{
    size_t size = count * sizeof(uint64_t);
    if (size < HUGE_PAGE)
        return calloc(count, sizeof(uint64_t));
    uint64_t *slots = aligned_alloc(HUGE_PAGE, size); /* a power of two, as `count` is one */
    if (slots) {
        madvise(slots, size, MADV_HUGEPAGE); /* a wish */
        memset(slots, 0, size);
    }
    return slots;
}

int exact_table_init(struct exact_table *table, uint64_t rows)
{
    *table = (struct exact_table){0};
    if (rows > EXACT_TABLE_FULL)
        return XY_EUNSUPPORTED;
    uint64_t slots = 16;
    while (slots < rows + rows / 2)
        slots *= 2;
    table->mask = slots - 1;
    table->by_row = malloc((rows + 1) * sizeof(*table->by_row));
    table->slots = make_slots(slots);
    return table->by_row && table->slots ? XY_OK : XY_ENOMEM;
}

void exact_table_free(struct exact_table *table)
{
    free(table->by_row);
    free(table->slots);
    *table = (struct exact_table){0};
}

void exact_table_expect(const struct exact_table *table, XXH128_hash_t key)
{
    __builtin_prefetch(&table->slots[key.low64 & table->mask], 1);
}

uint32_t exact_table_add(struct exact_table *table, XXH128_hash_t key, uint64_t id)
{
    uint32_t row = table->rows++;
    uint64_t tag = key.high64 & ~(uint64_t)UINT32_MAX;
    table->by_row[row] = (struct exact_row){key.low64, id};
    for (uint64_t at = key.low64 & table->mask;; at = (at + 1) & table->mask) {
        uint64_t slot = table->slots[at];
        uint32_t first = (uint32_t)slot;
        if (first == 0) {
            table->slots[at] = tag | (row + 1);
            return row;
        }
        if ((slot ^ tag) <= UINT32_MAX && table->by_row[first - 1].key == key.low64)
            return first - 1;
    }
}

void exact_table_skip(struct exact_table *table)
{
    table->rows++;
}
