/* SPDX-License-Identifier: Apache-2.0 */
/* influence_rows.h - records as rows that a small classifier learns, and what each does to its loss
 * on others. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_INFLUENCE_INFLUENCE_ROWS_H
#define XYLEM_PLUGINS_INFLUENCE_INFLUENCE_ROWS_H

#include "folds.h"
#include "influence.h"

/* Where a data set's rows lie: its own vectors, its columns, or the embeddings of its texts. */
struct influence_set { /* zeroed: empty */
    struct labelled rows;
    const float *embedded; /* of rows with a text, in order; of the job */
    size_t *places;        /* of each row in `embedded` */
    size_t dimension;
};

struct influence_source {
    const struct labelled_fields *fields;
    const xy_model_service *models;
    const xy_model *embed; /* NULL: the fields have vectors or columns */
};

/* XY_OK, or what reading or embedding failed with, explained. */
int influence_set_read(struct influence_set *set, xy_job *job, xy_dataset *dataset,
                       const struct influence_source *source, struct names *classes);
const float *influence_set_row(const struct influence_set *set, size_t row);
void influence_set_free(struct influence_set *set);

struct influence_work {
    xy_job *job;
    const struct names *classes;
    const struct influence_set *set, *validation; /* validation NULL: the set, in folds */
    uint64_t seed;
    int folds;
    double c;
    bool reverse;
};

/* scores: of each record, summed over the validation rows, in nats; NaN for a record without label
 * or vector. *accuracy: the classifier's on these rows. XY_OK, XY_ENOMEM, XY_ECANCELED, or
 * XY_EINVAL with the reason. */
int influence_score(const struct influence_work *work, double *scores, double *accuracy);

#endif
