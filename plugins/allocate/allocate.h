/* SPDX-License-Identifier: Apache-2.0 */
/* allocate.h - which records people label when money is short. M. Li et al. 2023, "CoAnnotating:
 * Uncertainty-Guided Work Allocation between Human and Large Language Models for Data Annotation".
 * One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_ALLOCATE_ALLOCATE_H
#define XYLEM_PLUGINS_ALLOCATE_ALLOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record as it is planned for. */
struct item {
    uint32_t index;         /* in the data set */
    double uncertainty;     /* NaN: unknown, and then the most uncertain of all */
    uint64_t draw;          /* for the order at random */
    double model_cost, human_cost;
    double quality;         /* the probability that the model's label is right */
    int hit;                /* with a gold label: is the model's right? else -1 */
};

/* A plan: the first `people` items of the order go to people. */
struct point {
    size_t people;
    double cost, quality;   /* money of the whole, expected share of right labels */
};

enum { PLAN_LEVELS = 10 };

/* Records of about equal uncertainty, and how often the model is right about them. */
struct level {
    double low, high;       /* both inclusive; NaN for records whose uncertainty is unknown */
    size_t count, known, hits;
    double quality;
};

/* Puts those that go to people first: the most uncertain, or any at random; ties by index. */
void plan_sort(struct item *items, size_t count, bool at_random);

/* Cuts items, which are sorted by falling uncertainty, into at most PLAN_LEVELS levels (one for
 * each value where there are no more values than that, else of about equal size, equal values
 * together) and gives each item its level's quality: of its `known` records (hits + overall) /
 * (known + 1), where overall is the share of hits of all, so that a level with no known record has
 * the overall quality. Returns the number of levels; 0 when no item is known. */
size_t plan_levels(struct item *items, size_t count, struct level *levels);

/* The plan with the first `people` items at people, given the sums up to there. */
struct plan {
    const struct item *items;
    size_t count;
    double human_quality;
    double *costs, *qualities; /* count + 1 each: of sending the first i to people */
};
void plan_sum(struct plan *plan);
/* The most people that a budget, or the fewest that a quality, asks for; SIZE_MAX when none
 * does. */
size_t plan_for_budget(const struct plan *plan, double budget);
size_t plan_for_quality(const struct plan *plan, double quality);
/* The plans, of at most `most` evenly spread ones, that no other beats in cost and quality, by
 * rising cost. Returns how many; `front` has room for `most`. */
size_t plan_front(const struct plan *plan, struct point *front, size_t most);

#endif
