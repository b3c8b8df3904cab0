/* SPDX-License-Identifier: Apache-2.0 */
/* exact_table.h - the first row of each 128-bit key. 16 bytes for each distinct key and 4 for each
 * of its slots, of which there are between 1.5 and 3 for a row: 22 to 28 bytes a row in all. */
#ifndef XYLEM_PLUGINS_EXACT_EXACT_TABLE_H
#define XYLEM_PLUGINS_EXACT_EXACT_TABLE_H

#include <stdint.h>

#include <xxhash.h>

enum { EXACT_TABLE_FULL = 0x7fffffff }; /* more rows than this are refused */

struct exact_table {
    XXH128_hash_t *keys; /* by row */
    uint32_t *slots;     /* row + 1; 0: empty; linear probing */
    uint64_t mask;
    uint32_t rows;
};

/* Room for `rows` rows. 0, XY_ENOMEM, or XY_EUNSUPPORTED past EXACT_TABLE_FULL. */
int exact_table_init(struct exact_table *table, uint64_t rows);
void exact_table_free(struct exact_table *table);
/* Gives the key the next row number. Returns the row that had the same key first, or the new row's
 * own number when there is none. */
uint32_t exact_table_add(struct exact_table *table, XXH128_hash_t key);
/* Uses up a row number without a key: a record that has nothing to compare. */
void exact_table_skip(struct exact_table *table);

#endif
