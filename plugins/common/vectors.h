/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - arithmetic on rows of floats (embeddings), in a fixed order of additions, so that the
 * same rows give the same bits on every machine. [any] */
#ifndef XYLEM_PLUGINS_COMMON_VECTORS_H
#define XYLEM_PLUGINS_COMMON_VECTORS_H

#include <stddef.h>

/* The inner product of two rows. */
float vectors_inner(const float *a, const float *b, size_t dimension);
/* The same with a row of doubles: parameters of a model with features. */
double vectors_mixed_inner(const double *a, const float *b, size_t dimension);
/* sums += factor * row. */
void vectors_add(double *sums, double factor, const float *row, size_t dimension);
/* 1 / length, by which an inner product becomes a cosine; 0 for a row of zeros. */
double vectors_scale(const float *row, size_t dimension);

#endif
