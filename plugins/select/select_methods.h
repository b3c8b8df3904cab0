/* SPDX-License-Identifier: Apache-2.0 */
/* select_methods.h - the ways to choose a few rows that stand for many. Each takes one group of
 * rows, appends the rows it chooses to `chosen`, best first, and answers XY_OK, XY_ENOMEM or
 * XY_ECANCELED. Ties go to the earlier row. [worker] */
#ifndef XYLEM_PLUGINS_SELECT_SELECT_METHODS_H
#define XYLEM_PLUGINS_SELECT_SELECT_METHODS_H

#include <stdbool.h>

#include <xylem/plugin.h>

struct group {
    xy_job *job;
    const float *const *rows;  /* count rows of `dimension` floats; NULL where none are needed */
    const double *scales;      /* count: 1 / length of each row, 0 for zeros */
    size_t count, dimension;
    const double *confidences; /* count, NaN where a record has none; NULL when not asked for. What
                                * measures doubt: its negative */
    bool *taken;               /* count: rows of `known`, and those chosen */
    size_t known;              /* how many are taken at the start */
    size_t neighbours;         /* votes that each row has */
    uint64_t random;           /* a stream to draw from */
    size_t wanted;             /* how many to choose: at most count - known */
    uint32_t *chosen;          /* room for `wanted` */
    size_t found;
};

/* Su et al. 2023, "Selective Annotation Makes Language Models Better Few-Shot Learners", section
 * 2. Each row votes for its `neighbours` nearest rows. A row's score is the sum of its voters'
 * weights: 10^-t, where t is how many chosen rows the voter voted for, and 0 for a voter that is
 * chosen itself. The highest score is chosen, then the next (fast vote-k). With confidences, 90
 * % of the rows, from the least confident on, are cut into `wanted` bands, and one is chosen in
 * each. */
int select_vote_k(struct group *group);

/* Farthest first (Gonzalez 1985; Sener and Savarese 2018): the next row is the one whose nearest
 * chosen row is farthest. The first, where none is known, is the one nearest to the mean. */
int select_k_center(struct group *group);

/* The row nearest to the mean of each of `wanted` clusters; the largest cluster's first. */
int select_k_means(struct group *group);

/* Greedy maximum of the sum, over all rows, of the cosine with the nearest chosen row (Lin and
 * Bilmes 2009), with upper bounds in place of needless sums (Minoux 1978). */
int select_facility_location(struct group *group);

int select_random(struct group *group);

/* The lowest confidences; records without one are never chosen. */
int select_least_confidence(struct group *group);

/* The cosine of two rows, rounded to a float: what differs by rounding alone is a tie. */
float select_cosine(const struct group *group, size_t a, size_t b);

static inline void group_choose(struct group *group, size_t row)
{
    group->taken[row] = true;
    group->chosen[group->found++] = (uint32_t)row;
}

#endif
