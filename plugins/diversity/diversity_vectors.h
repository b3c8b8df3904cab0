/* SPDX-License-Identifier: Apache-2.0 */
/* diversity_vectors.h - how alike the records are, by the cosines of their vectors. */
#ifndef XYLEM_PLUGINS_DIVERSITY_DIVERSITY_VECTORS_H
#define XYLEM_PLUGINS_DIVERSITY_DIVERSITY_VECTORS_H

#include <xylem/plugin.h>

struct similarity {
    double all, within, between; /* mean cosines; NaN where there is no pair */
    uint64_t count;              /* vectors that were used */
};

/* The mean over all pairs, over pairs of one class, and over pairs of two classes, exactly and in
 * one pass: for unit vectors the sum over ordered pairs is |sum v|^2 - n. `vectors` is count x
 * width; rows with a NaN, and rows of zeros, are left out. `classes` is NULL without labels; a row
 * of class UINT32_MAX counts in `all` only. XY_OK or XY_ENOMEM. */
int similarity_measure(const float *vectors, size_t count, size_t width, const uint32_t *classes,
                       uint32_t class_count, struct similarity *similarity);

#endif
