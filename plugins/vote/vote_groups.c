/* SPDX-License-Identifier: Apache-2.0 */
#include "vote_groups.h"

#include <math.h>
#include <stdlib.h>

int ballots_init(struct ballots *ballots, size_t records, size_t each)
{
    memset(ballots, 0, sizeof(*ballots));
    size_t count = records * each;
    ballots->count = count;
    ballots->each = each;
    ballots->group = calloc(count + 1, sizeof(*ballots->group));
    ballots->label = calloc(count + 1, sizeof(*ballots->label));
    ballots->weight = calloc(count + 1, sizeof(*ballots->weight));
    ballots->members = calloc(count + 1, sizeof(*ballots->members));
    bool good = ballots->group && ballots->label && ballots->weight && ballots->members;
    return good ? XY_OK : XY_ENOMEM;
}

int ballots_sort(struct ballots *ballots)
{
    size_t groups = ballots->groups.count;
    ballots->starts = calloc(groups + 2, sizeof(*ballots->starts));
    if (!ballots->starts)
        return XY_ENOMEM;
    for (size_t i = 0; i < ballots->count; i++)
        ballots->starts[ballots->group[i] + 2]++;
    for (size_t g = 2; g < groups + 2; g++)
        ballots->starts[g] += ballots->starts[g - 1];
    /* starts[g + 1] moves from the group's start to its end, which is the next one's start. */
    for (size_t i = 0; i < ballots->count; i++)
        ballots->members[ballots->starts[ballots->group[i] + 1]++] = i;
    return XY_OK;
}

static double spread(double part, double sum)
{
    return part > 0 ? -part / sum * log2(part / sum) : 0;
}

/* The weight of all votes; the tallies are zeroed before. */
static double add_up(const struct ballots *ballots, size_t from, size_t end, struct tally *tallies,
                     struct outcome *outcome)
{
    double sum = 0;
    for (size_t i = from; i < end; i++) {
        size_t ballot = ballots->members[i];
        if (ballots->label[ballot] == NAMES_NONE)
            continue;
        tallies[ballots->label[ballot]].weight += ballots->weight[ballot];
        tallies[ballots->label[ballot]].votes++;
        sum += ballots->weight[ballot];
        outcome->votes++;
    }
    return sum;
}

struct outcome ballots_count(const struct ballots *ballots, uint32_t group, struct tally *tallies)
{
    struct outcome outcome = {.label = NAMES_NONE};
    size_t from = ballots->starts[group], end = ballots->starts[group + 1];
    double sum = add_up(ballots, from, end, tallies, &outcome);
    for (size_t i = from; i < end; i++) {
        uint32_t label = ballots->label[ballots->members[i]];
        if (label == NAMES_NONE)
            continue;
        if (outcome.label != NAMES_NONE && tallies[label].weight <= tallies[outcome.label].weight)
            continue;
        outcome.label = label;
        outcome.first = ballots->members[i];
    }
    if (sum > 0)
        outcome.share = tallies[outcome.label].weight / sum;
    for (size_t i = from; i < end; i++) {
        uint32_t label = ballots->label[ballots->members[i]];
        if (label == NAMES_NONE)
            continue;
        struct tally *tally = &tallies[label];
        outcome.entropy += spread(tally->weight, sum);
        outcome.equal += tally->votes * (tally->votes - 1) / 2;
        *tally = (struct tally){0, 0}; /* counted once, and clean for the next group */
    }
    return outcome;
}

void ballots_free(struct ballots *ballots)
{
    names_free(&ballots->groups);
    names_free(&ballots->labels);
    free(ballots->group);
    free(ballots->label);
    free(ballots->weight);
    free(ballots->members);
    free(ballots->starts);
    memset(ballots, 0, sizeof(*ballots));
}
