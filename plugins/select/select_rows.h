/* SPDX-License-Identifier: Apache-2.0 */
/* select_rows.h - a data set's records as rows to choose from. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_SELECT_SELECT_ROWS_H
#define XYLEM_PLUGINS_SELECT_SELECT_ROWS_H

#include "names.h"

struct rows_options {
    const char *field, *vector, *per, *confidence;
    const xy_model *embed;
    const xy_model_service *models;
    xy_dataset *known;
    bool needs_places;      /* the method compares rows */
};

struct rows {               /* zeroed: empty */
    size_t count, dimension;
    const float **places;   /* of each record; NULL where it has no text to compare by */
    double *scales, *confidences;
    bool *known, *usable;
    uint32_t *groups;       /* numbers of the values of `per`; 0 without */
    struct names group_names;
};

/* XY_OK, or an error with its text on the job. The places live as long as the job. */
int rows_read(struct rows *rows, xy_job *job, xy_dataset *input,
              const struct rows_options *options);
void rows_free(struct rows *rows);

#endif
