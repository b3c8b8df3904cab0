/* SPDX-License-Identifier: Apache-2.0 */
#include "knn_rows.h"

#include <math.h>
#include <stdlib.h>

#include "vectors.h"

static double scale_of(const struct entry *entries, size_t length)
{
    double sum = 0;
    for (size_t j = 0; j < length; j++)
        sum += (double)entries[j].value * (double)entries[j].value;
    return sum > 0 ? 1 / sqrt(sum) : 0;
}

/* The row as floats of unit length, over what `out` held. */
static void spread(const struct entry *entries, size_t length, double scale, float *out,
                   size_t dimension)
{
    memset(out, 0, dimension * sizeof(*out));
    for (size_t j = 0; j < length; j++)
        out[entries[j].column] = (float)((double)entries[j].value * scale);
}

static int fill_columns(struct knn_rows *rows, const struct matrix *matrix, const size_t *which)
{
    size_t entries = 0;
    rows->starts = calloc(rows->dimension + 2, sizeof(*rows->starts));
    if (!rows->starts)
        return XY_ENOMEM;
    /* Counted one place up, so that writing moves each start to where the column before ends. */
    for (size_t i = 0; i < rows->count; i++)
        for (size_t j = matrix->starts[which[i]]; j < matrix->starts[which[i] + 1]; j++, entries++)
            rows->starts[matrix->entries[j].column + 2]++;
    for (size_t column = 2; column < rows->dimension + 2; column++)
        rows->starts[column] += rows->starts[column - 1];
    rows->entries = calloc(entries + 1, sizeof(*rows->entries));
    if (!rows->entries)
        return XY_ENOMEM;
    for (size_t i = 0; i < rows->count; i++) {
        const struct entry *row = matrix->entries + matrix->starts[which[i]];
        size_t length = matrix->starts[which[i] + 1] - matrix->starts[which[i]];
        double scale = scale_of(row, length);
        for (size_t j = 0; j < length; j++)
            rows->entries[rows->starts[row[j].column + 1]++] =
                (struct entry){(uint32_t)i, (float)((double)row[j].value * scale)};
    }
    return XY_OK;
}

int knn_rows_fill(struct knn_rows *rows, const struct matrix *matrix, const size_t *which,
                  size_t count, bool dense)
{
    *rows = (struct knn_rows){.dense = dense, .count = count, .dimension = matrix->columns};
    if (!dense)
        return fill_columns(rows, matrix, which);
    rows->vectors = calloc(count * rows->dimension + 1, sizeof(*rows->vectors));
    if (!rows->vectors)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct entry *row = matrix->entries + matrix->starts[which[i]];
        size_t length = matrix->starts[which[i] + 1] - matrix->starts[which[i]];
        spread(row, length, scale_of(row, length), rows->vectors + i * rows->dimension,
               rows->dimension);
    }
    return XY_OK;
}

void knn_rows_free(struct knn_rows *rows)
{
    free(rows->vectors);
    free(rows->starts);
    free(rows->entries);
    *rows = (struct knn_rows){.count = 0};
}

/* Cosines of one row with all. */
static void find_cosines(const struct knn_rows *rows, const struct entry *entries, size_t length,
                         double scale, float *cosines)
{
    float *vector = cosines + rows->count;
    if (rows->dense) {
        spread(entries, length, scale, vector, rows->dimension);
        for (size_t i = 0; i < rows->count; i++)
            cosines[i] = vectors_inner(rows->vectors + i * rows->dimension, vector,
                                       rows->dimension);
        return;
    }
    memset(cosines, 0, rows->count * sizeof(*cosines));
    for (size_t j = 0; j < length; j++) {
        float value = (float)((double)entries[j].value * scale);
        size_t end = rows->starts[entries[j].column + 1];
        for (size_t at = rows->starts[entries[j].column]; at < end; at++)
            cosines[rows->entries[at].column] += rows->entries[at].value * value;
    }
}

size_t knn_rows_nearest(const struct knn_rows *rows, const struct entry *entries, size_t length,
                        size_t k, float *scratch, struct knn_near *near)
{
    double scale = scale_of(entries, length);
    size_t found = 0;
    if (scale == 0)
        return 0;
    find_cosines(rows, entries, length, scale, scratch);
    for (size_t i = 0; i < rows->count; i++) {
        if (found == k && !(scratch[i] > near[k - 1].cosine))
            continue;
        size_t at = found < k ? found++ : k - 1;
        for (; at > 0 && scratch[i] > near[at - 1].cosine; at--)
            near[at] = near[at - 1];
        near[at] = (struct knn_near){(uint32_t)i, scratch[i]};
    }
    return found;
}
