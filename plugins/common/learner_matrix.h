/* SPDX-License-Identifier: Apache-2.0 */
/* learner_matrix.h - a sparse matrix by rows, grown row by row. One thread at a time. */
#ifndef XYLEM_PLUGINS_COMMON_LEARNER_MATRIX_H
#define XYLEM_PLUGINS_COMMON_LEARNER_MATRIX_H

#include <xylem/plugin.h>

struct entry {
    uint32_t column;
    float value;
};

struct matrix { /* zeroed: empty */
    struct entry *entries;
    size_t entry_count, entry_room;
    size_t *starts; /* rows + 1 of them, once a row was ended */
    size_t rows, row_room;
    uint32_t columns;
};

/* Appends one entry to the row that is being written. 0 or XY_ENOMEM. */
int matrix_add(struct matrix *matrix, uint32_t column, float value);
/* Ends the row. 0 or XY_ENOMEM. */
int matrix_end_row(struct matrix *matrix);
void matrix_free(struct matrix *matrix);

#endif
