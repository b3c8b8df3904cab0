/* SPDX-License-Identifier: Apache-2.0 */
/* vote_groups.h - the ballots of a data set by group, and who won in one. One thread at a time. */
#ifndef XYLEM_PLUGINS_VOTE_VOTE_GROUPS_H
#define XYLEM_PLUGINS_VOTE_VOTE_GROUPS_H

#include "names.h"

struct ballots {
    struct names groups, labels;
    uint32_t *group;  /* of each ballot */
    uint32_t *label;  /* of each ballot; NAMES_NONE: it does not vote */
    double *weight;   /* of each ballot, at least 0 */
    size_t *members;  /* ballots, group by group, in order within each */
    size_t *starts;   /* of each group in `members`; groups.count + 1 */
    size_t count;     /* ballots: `each` of a record's, then the next record's */
    size_t each;
};

struct outcome {
    uint32_t label;    /* NAMES_NONE: nobody voted */
    size_t first;      /* the first ballot for it */
    size_t votes;      /* how many ballots voted at all */
    double equal;      /* pairs of votes with one label, of votes * (votes - 1) / 2 pairs */
    double share;      /* of the weight of all votes; 0 when that is 0 */
    double entropy;    /* of the shares, in bits */
};

/* What a label has got in the group that is being counted. */
struct tally {
    double weight, votes;
};

/* Room for `each` ballots of each of `records`; XY_OK or XY_ENOMEM. */
int ballots_init(struct ballots *ballots, size_t records, size_t each);
/* Sorts the ballots by group once group[] is filled. XY_OK or XY_ENOMEM. */
int ballots_sort(struct ballots *ballots);
/* Counts one group. `tallies` is zeroed, labels.count long, and zeroed again afterwards. A tie goes
 * to the label that comes first in the group. */
struct outcome ballots_count(const struct ballots *ballots, uint32_t group,
                             struct tally *tallies);
void ballots_free(struct ballots *ballots);

#endif
