/* SPDX-License-Identifier: Apache-2.0 */
/* labelled.h - the texts, labels and weights of a data set in memory, and parts of it as what a
 * learner takes. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_LABELLED_H
#define XYLEM_PLUGINS_COMMON_LABELLED_H

#include "columns.h"

struct labelled_fields {
    const char *text, *label;
    const char *vector; /* a field with ready features; NULL: the learner makes its own */
    struct columns *columns; /* or fields that are features; NULL: none. The first data set that is
                              * read with them is the one that they are learnt from. */
};

struct labelled { /* zeroed: empty */
    struct names texts;     /* each distinct text once */
    uint32_t *text_numbers; /* count; NAMES_NONE where a record has no text */
    uint32_t *classes;      /* count; NAMES_NONE where a record has no label */
    float *weights;         /* count: the records' own */
    const float *vectors;   /* count x dimension, the job's; NULL without `vector` or `columns` */
    const float *soft;      /* count x classes, whoever sets it keeps it: what stands in place of
                             * `classes` in training; NULL: nothing does */
    size_t count, dimension;
};

/* [loop] For open(): XY_EINVAL, logged, where both `vector` and `features` (names of columns, NULL:
 * none) say what to learn from; else XY_OK. */
int labelled_check_source(const xy_host *host, const char *vector, const char *const *features);
/* Reads all records; labels are numbered in `class_names`, which may know some already. XY_OK,
 * XY_ENOMEM, XY_ECANCELED, or XY_EINVAL with the reason: more than 4,096 labels, vectors that are
 * missing or of several lengths. */
int labelled_read(struct labelled *set, xy_job *job, xy_dataset *dataset,
                  const struct labelled_fields *fields, struct names *class_names);
/* Can the record be learnt from: does it have a text, or a vector, and a label? Be asked about? */
bool labelled_is_row(const struct labelled *set, size_t index);
/* The numbers of all such rows: *rows, to be freed, and *count. XY_OK or XY_ENOMEM. */
int labelled_rows(const struct labelled *set, size_t **rows, size_t *count);
bool labelled_has_text(const struct labelled *set, size_t index);
void labelled_free(struct labelled *set);

/* Some rows of a data set as a learner takes them. */
struct labelled_part { /* zeroed: empty */
    xy_examples examples;
    xy_str *texts;
    int32_t *labels;
    float *weights, *vectors, *soft;
};

/* The rows at `indices`, in that order; with labels and weights when `train`. XY_OK or
 * XY_ENOMEM. */
int labelled_take(const struct labelled *set, const size_t *indices, size_t count,
                  uint32_t classes, bool train, struct labelled_part *part);
void labelled_part_free(struct labelled_part *part);

#endif
