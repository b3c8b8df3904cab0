/* SPDX-License-Identifier: Apache-2.0 */
/* knn_rows.h - rows of unit length, and the nearest of them by cosine. Read-only once filled; then
 * any number of threads. */
#ifndef XYLEM_PLUGINS_KNN_KNN_ROWS_H
#define XYLEM_PLUGINS_KNN_KNN_ROWS_H

#include <stdbool.h>

#include "learner_input.h"

struct knn_rows { /* zeroed: empty */
    bool dense;
    size_t count, dimension;
    float *vectors;         /* dense: count x dimension */
    size_t *starts;         /* sparse: of each column in `entries`, dimension + 1 of them */
    struct entry *entries;  /* sparse, by columns: `column` is the row, ascending */
};

struct knn_near {
    uint32_t row;
    float cosine;
};

/* Takes the rows at `which` of a matrix. XY_OK or XY_ENOMEM. */
int knn_rows_fill(struct knn_rows *rows, const struct matrix *matrix, const size_t *which,
                  size_t count, bool dense);
void knn_rows_free(struct knn_rows *rows);
/* The `k` nearest to a row of entries, the nearest first, equals by index; how many there are: none
 * for a row of zeros. `scratch`: count + dimension floats; `near`: room for k. */
size_t knn_rows_nearest(const struct knn_rows *rows, const struct entry *entries, size_t length,
                        size_t k, float *scratch, struct knn_near *near);

#endif
