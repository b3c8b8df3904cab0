/* SPDX-License-Identifier: Apache-2.0 */
/* pair_groups.h - the answers of a data set by what they answer, each group from best to worst, and
 * the pairs of a group. One thread at a time. */
#ifndef XYLEM_PLUGINS_PAIR_PAIR_GROUPS_H
#define XYLEM_PLUGINS_PAIR_PAIR_GROUPS_H

#include "names.h"

struct answer {
    size_t record;
    uint32_t group, text; /* numbers of names; `text` NAMES_NONE: the record has none */
    double score;         /* NaN: none */
};

struct answers {
    struct names groups, texts;
    struct answer *list; /* after answers_rank(): by group, then the best first; a tie in the order
                            of the records; without a score or a text last */
    size_t count;
};

/* Room for `count` answers; XY_OK or XY_ENOMEM. */
int answers_init(struct answers *answers, size_t count);
void answers_rank(struct answers *answers);
void answers_free(struct answers *answers);
/* Can it be compared: has it a text and a score? */
bool answer_counts(const struct answer *answer);

enum pair_method { PAIR_BEST_WORST, PAIR_ADJACENT, PAIR_ALL };

/* The pairs of `count` ranked answers, one after another: start with *first = *second = 0; true
 * with the next two ranks, *first < *second. */
bool pair_next(enum pair_method method, size_t count, size_t *first, size_t *second);

#endif
