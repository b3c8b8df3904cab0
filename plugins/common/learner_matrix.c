/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_matrix.h"

#include <stdlib.h>

enum { FIRST_ENTRIES = 4096, FIRST_ROWS = 256 };

int matrix_add(struct matrix *matrix, uint32_t column, float value)
{
    if (matrix->entry_count == matrix->entry_room) {
        size_t room = matrix->entry_room ? matrix->entry_room * 2 : FIRST_ENTRIES;
        struct entry *entries = realloc(matrix->entries, room * sizeof(*entries));
        if (!entries)
            return XY_ENOMEM;
        matrix->entries = entries;
        matrix->entry_room = room;
    }
    matrix->entries[matrix->entry_count++] = (struct entry){column, value};
    return XY_OK;
}

int matrix_end_row(struct matrix *matrix)
{
    if (matrix->rows + 1 >= matrix->row_room) {
        size_t room = matrix->row_room ? matrix->row_room * 2 : FIRST_ROWS;
        size_t *starts = realloc(matrix->starts, room * sizeof(*starts));
        if (!starts)
            return XY_ENOMEM;
        starts[0] = 0;
        matrix->starts = starts;
        matrix->row_room = room;
    }
    matrix->starts[++matrix->rows] = matrix->entry_count;
    return XY_OK;
}

void matrix_free(struct matrix *matrix)
{
    free(matrix->entries);
    free(matrix->starts);
    memset(matrix, 0, sizeof(*matrix));
}
