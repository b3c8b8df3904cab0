/* SPDX-License-Identifier: Apache-2.0 */
/* columns.h - fields of records as rows of floats: the features of a table, for a learner that has
 * no text to read. One thread at a time; [worker].
 *
 * A field of numbers (or true and false) is one float, less the mean and over the standard
 * deviation of the records that were learnt from. A field that holds text in any of these is one
 * float for each of its values there, 1 where the record has it. A value that was not there is all
 * zeros. */
#ifndef XYLEM_PLUGINS_COMMON_COLUMNS_H
#define XYLEM_PLUGINS_COMMON_COLUMNS_H

#include "names.h"

struct columns_field {
    struct names values; /* of a field with text */
    double mean, scale;  /* of a field of numbers */
    bool is_text;
    size_t start, width; /* of its floats in a row */
};

struct columns { /* zeroed but for `names` and `host`: empty */
    const char *const *names; /* the fields, NULL-terminated */
    const xy_host *host;      /* told of a field that holds numbers and texts; NULL: nobody */
    struct columns_field *fields;
    size_t dimension;
};

/* Learns values, means and deviations. XY_OK, XY_ENOMEM, XY_ECANCELED, or XY_EINVAL with the
 * reason: a field that no record has, or with more than 256 different texts. */
int columns_learn(struct columns *columns, xy_job *job, xy_dataset *dataset);
/* *rows: count x dimension, in the job's arena. A record without a field, or with another type or
 * no finite number in a field of numbers, is a row of NaN. XY_OK, XY_ENOMEM or XY_ECANCELED. */
int columns_read(const struct columns *columns, xy_job *job, xy_dataset *dataset,
                 const float **rows);
void columns_free(struct columns *columns);

#endif
