/* SPDX-License-Identifier: Apache-2.0 */
/* vote_groups.h - the ballots of a data set by group, and who won in one. One thread at a time. */
#ifndef XYLEM_PLUGINS_VOTE_VOTE_GROUPS_H
#define XYLEM_PLUGINS_VOTE_VOTE_GROUPS_H

#include "names.h"

struct ballots {
    struct names groups, labels;
    uint32_t *group;  /* of each record */
    uint32_t *label;  /* of each record; NAMES_NONE: it does not vote */
    double *weight;   /* of each record's vote, at least 0 */
    size_t *members;  /* record numbers, group by group, in order within each */
    size_t *starts;   /* of each group in `members`; groups.count + 1 */
    size_t count;
};

struct outcome {
    uint32_t label;    /* NAMES_NONE: nobody voted */
    size_t first;      /* the first record that voted for it */
    size_t votes;      /* how many records voted at all */
    double share;      /* of the weight of all votes; 0 when that is 0 */
    double entropy;    /* of the shares, in bits */
};

/* Room for `count` records; XY_OK or XY_ENOMEM. */
int ballots_init(struct ballots *ballots, size_t count);
/* Sorts the records by group once group[] is filled. XY_OK or XY_ENOMEM. */
int ballots_sort(struct ballots *ballots);
/* Counts one group. `totals` is zeroed, labels.count long, and zeroed again afterwards. A tie goes
 * to the label that comes first in the group. */
struct outcome ballots_count(const struct ballots *ballots, uint32_t group, double *totals);
void ballots_free(struct ballots *ballots);

#endif
