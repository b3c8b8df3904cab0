/* SPDX-License-Identifier: Apache-2.0 */
/* dataset_internal.h - what dataset.c and dataset_view.c share. */
#ifndef XYLEM_CORE_DATASET_INTERNAL_H
#define XYLEM_CORE_DATASET_INTERNAL_H

#include "dataset.h"

/* The encoded record `index` of a sealed dataset, in the mapped file; {NULL, 0} past the end. */
xy_str dataset_bytes(const struct dataset *dataset, uint64_t index);

#endif
