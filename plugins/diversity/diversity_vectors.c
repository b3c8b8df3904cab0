/* SPDX-License-Identifier: Apache-2.0 */
#include "diversity_vectors.h"

#include <math.h>
#include <stdlib.h>

/* 1 over the row's length; 0 for a row that has none. */
static double scale_of(const float *row, size_t width)
{
    double sum = 0;
    for (size_t j = 0; j < width; j++)
        sum += (double)row[j] * (double)row[j];
    return isfinite(sum) && sum > 0 ? 1 / sqrt(sum) : 0;
}

static double square(const double *sum, size_t width)
{
    double total = 0;
    for (size_t j = 0; j < width; j++)
        total += sum[j] * sum[j];
    return total;
}

/* From the sums: `sums` has class_count rows, then the one of all. */
static void finish(const double *sums, const uint64_t *counts, size_t width, uint32_t class_count,
                   struct similarity *similarity)
{
    double n = (double)counts[class_count], all = square(sums + class_count * width, width);
    similarity->count = counts[class_count];
    similarity->all = n > 1 ? (all - n) / (n * (n - 1)) : NAN;
    double *labelled = calloc(width + 1, sizeof(*labelled));
    double within = 0, within_pairs = 0, labelled_count = 0, squares = 0, count_squares = 0;
    for (uint32_t k = 0; labelled && k < class_count; k++) {
        double count = (double)counts[k], own = square(sums + k * width, width);
        within += own - count;
        within_pairs += count * (count - 1);
        squares += own;
        count_squares += count * count;
        labelled_count += count;
        for (size_t j = 0; j < width; j++)
            labelled[j] += sums[k * width + j];
    }
    double between_pairs = labelled_count * labelled_count - count_squares;
    similarity->within = within_pairs > 0 ? within / within_pairs : NAN;
    similarity->between = labelled && between_pairs > 0
                              ? (square(labelled, width) - squares) / between_pairs
                              : NAN;
    free(labelled);
}

int similarity_measure(const float *vectors, size_t count, size_t width, const uint32_t *classes,
                       uint32_t class_count, struct similarity *similarity)
{
    double *sums = calloc(((size_t)class_count + 1) * width + 1, sizeof(*sums));
    uint64_t *counts = calloc((size_t)class_count + 1, sizeof(*counts));
    if (!sums || !counts) {
        free(sums);
        free(counts);
        return XY_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const float *row = vectors + i * width;
        double scale = scale_of(row, width);
        if (scale == 0)
            continue;
        counts[class_count]++;
        double *all = sums + class_count * width;
        for (size_t j = 0; j < width; j++)
            all[j] += scale * (double)row[j];
        if (!classes || classes[i] >= class_count)
            continue;
        counts[classes[i]]++;
        double *own = sums + classes[i] * width;
        for (size_t j = 0; j < width; j++)
            own[j] += scale * (double)row[j];
    }
    finish(sums, counts, width, class_count, similarity);
    free(sums);
    free(counts);
    return XY_OK;
}
