/* SPDX-License-Identifier: Apache-2.0 */
/* freeal_demos.h - the records of the right list that stand for the others: of each class one for
 * each of its clusters (Xiao et al. 2023, section 3.3). [worker] */
#ifndef XYLEM_PLUGINS_FREEAL_FREEAL_DEMOS_H
#define XYLEM_PLUGINS_FREEAL_FREEAL_DEMOS_H

#include "names.h"

struct demos_task {
    xy_job *job;
    const float *places;    /* count x dimension; a record without is NaN, and is none */
    size_t dimension, count;
    const uint32_t *labels; /* count */
    const bool *right;      /* count */
    uint32_t classes;
    size_t wanted;          /* of all classes: each has wanted / classes clusters, one at least */
    uint64_t random;
};

/* Sets chosen[row], and counts[class], for the record nearest to the mean of each cluster; ties go
 * to the earlier one. XY_OK, XY_ENOMEM or XY_ECANCELED. */
int demos_choose(struct demos_task *task, bool *chosen, size_t *counts);

#endif
