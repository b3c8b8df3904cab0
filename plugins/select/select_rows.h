/* SPDX-License-Identifier: Apache-2.0 */
/* select_rows.h - a data set's records as rows to choose from. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_SELECT_SELECT_ROWS_H
#define XYLEM_PLUGINS_SELECT_SELECT_ROWS_H

#include "names.h"

/* What makes a record worth asking about. */
enum doubt {
    DOUBT_NONE,
    DOUBT_CONFIDENCE,   /* a low number in `confidence` */
    DOUBT_DISAGREEMENT, /* a high number in `disagreement` */
    DOUBT_ENTROPY,      /* of the mean of the probabilities */
    DOUBT_MARGIN,       /* a small one between the two likeliest classes of that mean */
    DOUBT_INFORMATION   /* BALD: between the label and what made the draws */
};

struct rows_options {
    const char *field, *vector, *per, *confidence, *disagreement;
    const char *const *probabilities;
    enum doubt doubt;
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

/* The doubt about a record as a confidence, which is its negative; NaN when the fields do not hold
 * what it needs: each field a list of at least two numbers that are no less than 0 and not all 0
 * (a vector, a JSON list, the values of a JSON object), or a list of such lists, all of one length.
 * Natural logarithms. Houlsby et al. 2011, "Bayesian Active Learning for Classification and
 * Preference Learning", section 2, for the mutual information. */
double rows_confidence(xy_job *job, const xy_record *record, const struct rows_options *options);

#endif
