/* SPDX-License-Identifier: Apache-2.0 */
/* learner_features.h - from texts, or from ready vectors, to rows of features.
 *
 * Texts: counts of hashed n-grams (Weinberger et al. 2009, without signs), times the smoothed
 * inverse document frequency ln((1 + n) / (1 + df)) + 1, each row then of unit length. Only buckets
 * that a training text fell into become columns: the others' weights would be 0 all the same. A
 * text may have a vector beside it: its numbers, as they are, are the first columns. */
#ifndef XYLEM_PLUGINS_COMMON_LEARNER_FEATURES_H
#define XYLEM_PLUGINS_COMMON_LEARNER_FEATURES_H

#include "learner_matrix.h"
#include "learner_words.h"

enum feature_kind { FEATURE_WORDS, FEATURE_CHARACTERS, FEATURE_VECTORS };

struct features { /* filled by features_fit(), then read-only */
    enum feature_kind kind;
    int ngrams;
    uint32_t buckets;
    uint32_t *columns; /* of each bucket: column + 1, or 0 */
    float *idf;        /* of each column */
    size_t dimension;  /* of vectors; 0: there are none */
};

/* What one pass over texts needs; zeroed before the first. */
struct features_pass {
    struct words words;
    size_t *places; /* of each column: where its entry stands in the matrix, + 1; else stale */
};

/* Reads the training rows into `rows`; rows of weight 0 stay empty and count for nothing.
 * `features` has kind, ngrams and buckets set. 0, XY_ENOMEM, or XY_ECANCELED. [worker] */
int features_fit(struct features *features, xy_job *job, const xy_examples *examples,
                 const float *vectors, struct matrix *rows);
/* Appends the row of one text, of one vector or of both to `row`. 0 or XY_ENOMEM. */
int features_row(const struct features *features, struct features_pass *pass, xy_str text,
                 const float *vector, struct matrix *row);
void features_pass_free(struct features_pass *pass);
void features_free(struct features *features);

#endif
