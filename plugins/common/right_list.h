/* SPDX-License-Identifier: Apache-2.0 */
/* right_list.h - the labels that are most surely right: of each class, among the rows whose label
 * the student predicts too, the share that it is most confident of (Xiao et al. 2023, "FreeAL",
 * section 3.3). [any] */
#ifndef XYLEM_PLUGINS_COMMON_RIGHT_LIST_H
#define XYLEM_PLUGINS_COMMON_RIGHT_LIST_H

#include "names.h"

struct right_rows {
    const uint32_t *labels, *predicted; /* count; classes, NAMES_NONE where there is none */
    const double *confidences;          /* count; a row without a finite one cannot be ranked */
    size_t count;
    uint32_t classes;
};

struct right_counts { /* of one class */
    size_t agreeing;  /* rows of that label and prediction, with a confidence */
    size_t right;     /* floor(share x agreeing) of them */
};

/* Sets right[row] for each row, and counts[class]. Of equally confident rows the earlier is
 * better. XY_OK or XY_ENOMEM. */
int right_list_choose(const struct right_rows *rows, double share, bool *right,
                      struct right_counts *counts);

#endif
