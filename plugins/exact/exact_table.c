/* SPDX-License-Identifier: Apache-2.0 */
#include "exact_table.h"

#include <stdlib.h>

#include <xylem/plugin.h>

int exact_table_init(struct exact_table *table, uint64_t rows)
{
    *table = (struct exact_table){0};
    if (rows > EXACT_TABLE_FULL)
        return XY_EUNSUPPORTED;
    uint64_t slots = 16;
    while (slots < rows + rows / 2)
        slots *= 2;
    table->mask = slots - 1;
    table->keys = malloc((rows + 1) * sizeof(*table->keys));
    table->ids = malloc((rows + 1) * sizeof(*table->ids));
    table->slots = calloc(slots, sizeof(*table->slots));
    return table->keys && table->ids && table->slots ? XY_OK : XY_ENOMEM;
}

void exact_table_free(struct exact_table *table)
{
    free(table->keys);
    free(table->ids);
    free(table->slots);
    *table = (struct exact_table){0};
}

uint32_t exact_table_add(struct exact_table *table, XXH128_hash_t key, uint64_t id)
{
    uint32_t row = table->rows++;
    uint64_t tag = key.high64 & ~(uint64_t)UINT32_MAX;
    table->keys[row] = key;
    table->ids[row] = id;
    for (uint64_t at = key.low64 & table->mask;; at = (at + 1) & table->mask) {
        uint64_t slot = table->slots[at];
        uint32_t first = (uint32_t)slot;
        if (first == 0) {
            table->slots[at] = tag | (row + 1);
            return row;
        }
        if ((slot ^ tag) <= UINT32_MAX && XXH128_isEqual(table->keys[first - 1], key))
            return first - 1;
    }
}

void exact_table_skip(struct exact_table *table)
{
    table->rows++;
}
