/* SPDX-License-Identifier: Apache-2.0 */
/* vote-k, and the plain ways to choose. Scores are whole numbers, in units of 10^-MOST_DISCOUNT
 * of a vote, so that they are exact and ties are ties. */
#include <math.h>
#include <stdlib.h>

#include "select_methods.h"

enum { MOST_DISCOUNT = 12 };

struct votes {
    struct group *group;
    size_t each;          /* how many votes a row has */
    uint32_t *for_whom;   /* count x each: whom row i votes for, the nearest first */
    size_t *starts;       /* count + 1: where in `voters` each row's begin */
    uint32_t *voters;     /* count x each: who votes for a row */
    uint8_t *discounts;   /* how many chosen rows a voter voted for, at most MOST_DISCOUNT + 1 */
    uint64_t *scores;
    bool *inside;         /* rows that may be chosen now */
};

/* A voter's weight. */
static uint64_t weight(uint8_t discount)
{
    uint64_t value = discount > MOST_DISCOUNT ? 0 : 1;
    for (int i = discount; i < MOST_DISCOUNT; i++)
        value *= 10;
    return value;
}

/* The nearest others of one row: those before are at most as near as those after are far. */
static void find_neighbours(struct votes *votes, size_t row, float *nearness)
{
    const struct group *group = votes->group;
    uint32_t *nearest = votes->for_whom + row * votes->each;
    size_t found = 0;
    for (size_t other = 0; other < group->count; other++) {
        if (other == row)
            continue;
        float near = select_cosine(group, row, other);
        size_t at = found;
        if (at == votes->each && near <= nearness[at - 1])
            continue;
        if (at < votes->each)
            found++;
        else
            at--;
        for (; at > 0 && near > nearness[at - 1]; at--) {
            nearness[at] = nearness[at - 1];
            nearest[at] = nearest[at - 1];
        }
        nearness[at] = near;
        nearest[at] = (uint32_t)other;
    }
}

static int hold_vote(struct votes *votes)
{
    struct group *group = votes->group;
    float *nearness = calloc(votes->each + 1, sizeof(*nearness));
    size_t *filled = calloc(group->count + 1, sizeof(*filled));
    int code = nearness && filled ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < group->count && code == XY_OK; i++) {
        if (group->job->api->cancelled(group->job))
            code = XY_ECANCELED;
        else
            find_neighbours(votes, i, nearness);
    }
    size_t ballots = group->count * votes->each;
    for (size_t i = 0; i < ballots && code == XY_OK; i++)
        votes->starts[votes->for_whom[i] + 1]++;
    for (size_t i = 0; i < group->count; i++)
        votes->starts[i + 1] += votes->starts[i];
    for (size_t i = 0; i < ballots && code == XY_OK; i++) {
        uint32_t whom = votes->for_whom[i];
        votes->voters[votes->starts[whom] + filled[whom]++] = (uint32_t)(i / votes->each);
    }
    free(nearness);
    free(filled);
    return code;
}

/* The voter's weight falls to what it is at `discount`, or to nothing: for all it voted for. */
static void weaken(struct votes *votes, size_t voter, uint64_t before, uint64_t after)
{
    const uint32_t *whom = votes->for_whom + voter * votes->each;
    for (size_t i = 0; i < votes->each; i++)
        votes->scores[whom[i]] -= before - after;
}

/* A chosen row's own votes count no more. */
static void silence(struct votes *votes, size_t row)
{
    weaken(votes, row, weight(votes->discounts[row]), 0);
}

/* Those of the rows that voted for it count less. */
static void discount_voters(struct votes *votes, size_t row)
{
    const bool *taken = votes->group->taken;
    for (size_t i = votes->starts[row]; i < votes->starts[row + 1]; i++) {
        uint32_t voter = votes->voters[i];
        uint64_t before = weight(votes->discounts[voter]);
        if (votes->discounts[voter] <= MOST_DISCOUNT)
            votes->discounts[voter]++;
        if (!taken[voter])
            weaken(votes, voter, before, weight(votes->discounts[voter]));
    }
}

/* Takes the highest score of the rows inside; of equal ones the row with more voters, then the
 * earlier. */
static bool take_best(struct votes *votes)
{
    struct group *group = votes->group;
    size_t best = SIZE_MAX, best_voters = 0;
    for (size_t i = 0; i < group->count; i++) {
        size_t voters = votes->starts[i + 1] - votes->starts[i];
        if (group->taken[i] || !votes->inside[i])
            continue;
        if (best == SIZE_MAX || votes->scores[i] > votes->scores[best] ||
            (votes->scores[i] == votes->scores[best] && voters > best_voters)) {
            best = i;
            best_voters = voters;
        }
    }
    if (best == SIZE_MAX)
        return false;
    silence(votes, best);
    group_choose(group, best);
    discount_voters(votes, best);
    return true;
}

struct ranked {
    double value;
    uint32_t row;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    bool no_left = isnan(left->value), no_right = isnan(right->value);
    if (no_left != no_right)
        return no_left ? 1 : -1;
    if (!no_left && (left->value < right->value || left->value > right->value))
        return left->value < right->value ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

/* Rows that are not taken, from the least confident on; those without a confidence last. The
 * caller's to free; NULL when memory is short. */
static struct ranked *rank_by_confidence(const struct group *group, size_t *count)
{
    struct ranked *ranked = calloc(group->count + 1, sizeof(*ranked));
    *count = 0;
    for (size_t i = 0; ranked && i < group->count; i++)
        if (!group->taken[i])
            ranked[(*count)++] = (struct ranked){group->confidences[i], (uint32_t)i};
    if (ranked)
        qsort(ranked, *count, sizeof(*ranked), by_value);
    return ranked;
}

/* One of each band; the width is that of the reference code, by the size of the whole group. */
static int choose_in_bands(struct votes *votes)
{
    struct group *group = votes->group;
    size_t count, width = (size_t)(0.9 * (double)group->count / (double)group->wanted);
    struct ranked *ranked = rank_by_confidence(group, &count);
    if (!ranked)
        return XY_ENOMEM;
    width = width ? width : 1;
    for (size_t band = 0; band < group->wanted && band * width < count; band++) {
        size_t end = (band + 1) * width < count ? (band + 1) * width : count;
        memset(votes->inside, 0, group->count * sizeof(*votes->inside));
        for (size_t i = band * width; i < end; i++)
            votes->inside[ranked[i].row] = true;
        take_best(votes);
    }
    free(ranked);
    return XY_OK;
}

static int choose(struct votes *votes)
{
    struct group *group = votes->group;
    int code = hold_vote(votes);
    if (code < 0)
        return code;
    for (size_t i = 0; i < group->count; i++)
        votes->scores[i] = (votes->starts[i + 1] - votes->starts[i]) * weight(0);
    for (size_t i = 0; i < group->count; i++)
        if (group->taken[i])
            silence(votes, i);
    for (size_t i = 0; i < group->count; i++)
        if (group->taken[i])
            discount_voters(votes, i);
    if (group->confidences)
        code = choose_in_bands(votes);
    memset(votes->inside, 1, group->count * sizeof(*votes->inside));
    while (code == XY_OK && group->found < group->wanted && take_best(votes))
        if (group->job->api->cancelled(group->job))
            code = XY_ECANCELED;
    return code;
}

int select_vote_k(struct group *group)
{
    size_t count = group->count, most = count > 0 ? count - 1 : 0;
    struct votes votes = {.group = group,
                          .each = group->neighbours < most ? group->neighbours : most};
    if (group->wanted == 0)
        return XY_OK;
    votes.for_whom = calloc(count * votes.each + 1, sizeof(*votes.for_whom));
    votes.voters = calloc(count * votes.each + 1, sizeof(*votes.voters));
    votes.starts = calloc(count + 2, sizeof(*votes.starts));
    votes.discounts = calloc(count + 1, sizeof(*votes.discounts));
    votes.scores = calloc(count + 1, sizeof(*votes.scores));
    votes.inside = calloc(count + 1, sizeof(*votes.inside));
    bool room = votes.for_whom && votes.voters && votes.starts && votes.discounts &&
                votes.scores && votes.inside;
    int code = room ? choose(&votes) : XY_ENOMEM;
    free(votes.for_whom);
    free(votes.voters);
    free(votes.starts);
    free(votes.discounts);
    free(votes.scores);
    free(votes.inside);
    return code;
}

/* ---- the plain ways -------------------------------------------------------------------------- */

int select_least_confidence(struct group *group)
{
    size_t count;
    struct ranked *ranked = rank_by_confidence(group, &count);
    if (!ranked)
        return XY_ENOMEM;
    for (size_t i = 0; i < count && group->found < group->wanted && !isnan(ranked[i].value); i++)
        group_choose(group, ranked[i].row);
    free(ranked);
    return XY_OK;
}

int select_random(struct group *group)
{
    uint32_t *left = calloc(group->count + 1, sizeof(*left));
    size_t count = 0;
    if (!left)
        return XY_ENOMEM;
    for (size_t i = 0; i < group->count; i++)
        if (!group->taken[i])
            left[count++] = (uint32_t)i;
    while (group->found < group->wanted && count > 0) {
        size_t at = (size_t)xy_random_below(&group->random, count);
        group_choose(group, left[at]);
        left[at] = left[--count];
    }
    free(left);
    return XY_OK;
}
