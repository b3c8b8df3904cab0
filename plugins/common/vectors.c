/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <math.h>

/* Sums are kept in lanes, which the vectoriser may keep side by side without changing the order of
 * additions. */
enum { LANES = 16, WIDE_LANES = 8 };

float vectors_inner(const float *a, const float *b, size_t dimension)
{
    float sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= dimension; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    for (; i < dimension; i++)
        sums[i % LANES] += a[i] * b[i];
    for (size_t lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sum;
}

double vectors_mixed_inner(const double *a, const float *b, size_t dimension)
{
    double sums[WIDE_LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + WIDE_LANES <= dimension; i += WIDE_LANES)
        for (size_t lane = 0; lane < WIDE_LANES; lane++)
            sums[lane] += a[i + lane] * (double)b[i + lane];
    for (; i < dimension; i++)
        sums[i % WIDE_LANES] += a[i] * (double)b[i];
    for (size_t lane = 0; lane < WIDE_LANES; lane++)
        sum += sums[lane];
    return sum;
}

void vectors_add(double *sums, double factor, const float *row, size_t dimension)
{
    for (size_t i = 0; i < dimension; i++)
        sums[i] += factor * (double)row[i];
}

double vectors_scale(const float *row, size_t dimension)
{
    double square = (double)vectors_inner(row, row, dimension);
    return square > 0 ? 1 / sqrt(square) : 0;
}
