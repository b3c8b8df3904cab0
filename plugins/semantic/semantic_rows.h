/* SPDX-License-Identifier: Apache-2.0 */
/* semantic_rows.h - the records of two data sets as vectors: those of `against` first, then those
 * of the input. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_SEMANTIC_SEMANTIC_ROWS_H
#define XYLEM_PLUGINS_SEMANTIC_SEMANTIC_ROWS_H

#include <stdbool.h>

#include <xylem/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rows_options {
    const char *field, *vector, *prefer;
    const xy_model *embed;
    const xy_model_service *models;
    xy_dataset *against;      /* NULL: none */
};

struct rows {                 /* zeroed: empty */
    size_t count, known, dimension; /* known: of `against` */
    const float **vectors;    /* of each row; NULL where there is nothing to compare */
    double *scales;           /* 1 / length of each */
    double *prefers;          /* minus infinity where the field is no number */
    uint64_t *ids;
    size_t empty;             /* rows of the input without a vector that has a direction */
};

/* XY_OK, or an error with its text on the job. The vectors live as long as the job. */
int rows_read(struct rows *rows, xy_job *job, xy_dataset *input,
              const struct rows_options *options);
void rows_free(struct rows *rows);

/* The cosine of two rows that have vectors. */
double rows_cosine(const struct rows *rows, size_t a, size_t b);

#ifdef __cplusplus
}
#endif
#endif
