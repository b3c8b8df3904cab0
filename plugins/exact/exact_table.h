/* SPDX-License-Identifier: Apache-2.0 */
/* exact_table.h - the first row of each key, of which 96 bits count: among a billion rows two that
 * differ agree with a chance of 1 in 10^11. 16 bytes for each row and 8 for each slot, of which
 * there are between 1.5 and 3 for a row: 28 to 40 bytes a row in all. */
#ifndef XYLEM_PLUGINS_EXACT_EXACT_TABLE_H
#define XYLEM_PLUGINS_EXACT_EXACT_TABLE_H

#include <stdint.h>

#include <xxhash.h>

enum { EXACT_TABLE_FULL = 0x7fffffff }; /* more rows than this are refused */

struct exact_table {
    struct exact_row {
        uint64_t key; /* the low half */
        uint64_t id;  /* of its record, so that a twin can be named without reading it */
    } *by_row;
    /* row + 1 in the low half, 0: empty; the key's high bits in the high half, so that a look at
     * the slot nearly always does without a look at the key. Linear probing. */
    uint64_t *slots;
    uint64_t mask;
    uint32_t rows;
};

/* Room for `rows` rows. 0, XY_ENOMEM, or XY_EUNSUPPORTED past EXACT_TABLE_FULL. */
int exact_table_init(struct exact_table *table, uint64_t rows);
void exact_table_free(struct exact_table *table);
/* Says that the key will be added soon. */
void exact_table_expect(const struct exact_table *table, XXH128_hash_t key);
/* Gives the key, of the record `id`, the next row number. Returns the row that had the same key
 * first, or the new row's own number when there is none. */
uint32_t exact_table_add(struct exact_table *table, XXH128_hash_t key, uint64_t id);
/* Uses up a row number without a key: a record that has nothing to compare. */
void exact_table_skip(struct exact_table *table);

#endif
