/* SPDX-License-Identifier: Apache-2.0 */
/* coverage_tally.h - how many records have each value of a condition, also of those that none has.
 * One thread at a time. */
#ifndef XYLEM_PLUGINS_COVERAGE_COVERAGE_TALLY_H
#define XYLEM_PLUGINS_COVERAGE_COVERAGE_TALLY_H

#include "names.h"
#include "text.h"

struct tally {
    const char *field;   /* borrowed */
    struct names values; /* the expected ones first, in the order of the option */
    uint64_t *counts;    /* of each value; room for `room` */
    size_t room, expected;
    uint64_t records, without, total; /* records; those without a value; values counted */
};

struct tallies { /* zeroed: empty */
    struct tally *items;
    size_t count;
};

/* One tally for each of `fields` (NULL-terminated, borrowed), with the values that `expected`, a
 * JSON object of lists or NULL, gives for it. XY_OK; XY_ENOMEM; XY_EINVAL with what is wrong in
 * `error`. tallies_free() in any case. */
int tallies_init(struct tallies *tallies, const char *const *fields, const char *expected,
                 char *error, size_t error_size);
/* Counts one record; a field that holds a list counts once for each different item. XY_OK or
 * XY_ENOMEM. */
int tallies_add(struct tallies *tallies, const xy_record *record);
/* All records of a data set. XY_OK, XY_ENOMEM or XY_ECANCELED. */
int tallies_read(struct tallies *tallies, xy_job *job, xy_dataset *dataset);
void tallies_free(struct tallies *tallies);

/* The numbers of the values, the rarest first, in the order of first sight where two are equal, for
 * free(); NULL when memory is short. */
uint32_t *tally_rarest(const struct tally *tally);
/* Entropy of the counts in bits; NaN when nothing was counted. */
double tally_entropy(const struct tally *tally);

#endif
