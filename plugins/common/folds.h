/* SPDX-License-Identifier: Apache-2.0 */
/* folds.h - which record is judged by which student, and these judgements. One thread at a time;
 * [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_FOLDS_H
#define XYLEM_PLUGINS_COMMON_FOLDS_H

#include "labelled.h"

struct school {
    const xy_learner_service *service;
    const xy_student *learner;
    xy_job *job;
    uint64_t seed;
    const struct names *classes;
};

/* What the students say of each record: the likeliest class, and its probability. */
struct judgements {
    uint32_t *classes;    /* count; NAMES_NONE for a record without text */
    float *confidences;   /* count */
    float *probabilities; /* count x classes, or NULL: not wanted; a record without text has none,
                           * its row is left as it is */
};

/* Splits the records into `folds` parts of nearly the same size and mix of labels, at random by the
 * seed. Records with the same text are in one part, so that nobody judges a text that it learnt
 * from. Returns how many parts there are (fewer where there are fewer texts), or XY_ENOMEM. */
int folds_split(const struct school *school, const struct labelled *set, int folds,
                uint32_t *fold_of);
/* A learner knows classes by number only. XY_EINVAL, with their names, unless the rows at `rows`
 * have two labels at least. */
int folds_check_classes(const struct school *school, const struct labelled *train,
                        const size_t *rows, size_t count);
/* Judges each part's records by a student of all the other parts. */
int folds_judge(const struct school *school, const struct labelled *set, int folds,
                const uint32_t *fold_of, struct judgements *judgements);
/* Judges all records by one student of `train`. */
int folds_judge_all(const struct school *school, const struct labelled *train,
                    const struct labelled *set, struct judgements *judgements);

#endif
