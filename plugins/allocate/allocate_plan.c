/* SPDX-License-Identifier: Apache-2.0 */
#include "allocate.h"

#include <math.h>
#include <stdlib.h>

static int by_index(const struct item *a, const struct item *b)
{
    return (a->index > b->index) - (a->index < b->index);
}

static int by_uncertainty(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    bool a_unknown = isnan(a->uncertainty), b_unknown = isnan(b->uncertainty);
    if (a_unknown != b_unknown)
        return a_unknown ? -1 : 1;
    if (!a_unknown && a->uncertainty != b->uncertainty)
        return a->uncertainty > b->uncertainty ? -1 : 1;
    return by_index(a, b);
}

static int by_draw(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    return a->draw != b->draw ? (a->draw > b->draw ? 1 : -1) : by_index(a, b);
}

void plan_sort(struct item *items, size_t count, bool at_random)
{
    qsort(items, count, sizeof(*items), at_random ? by_draw : by_uncertainty);
}

/* ---- how good the model is ------------------------------------------------------------------- */

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static size_t count_values(const struct item *items, size_t count)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++)
        values += i == 0 || !same(items[i].uncertainty, items[i - 1].uncertainty);
    return values;
}

/* The end of the level that begins at `from`: at least `width` items, equal values together. */
static size_t level_end(const struct item *items, size_t count, size_t from, size_t width)
{
    size_t end = from + width < count ? from + width : count;
    while (end < count && same(items[end].uncertainty, items[end - 1].uncertainty))
        end++;
    /* Unknown uncertainty is a level of its own. */
    for (size_t i = from + 1; i < end; i++)
        if (isnan(items[i - 1].uncertainty) && !isnan(items[i].uncertainty))
            return i;
    return end;
}

size_t plan_levels(struct item *items, size_t count, struct level *levels)
{
    size_t known = 0, hits = 0, found = 0;
    for (size_t i = 0; i < count; i++) {
        known += items[i].hit >= 0;
        hits += items[i].hit > 0;
    }
    if (known == 0)
        return 0;
    double overall = (double)hits / (double)known;
    /* One level fewer, when values are many: the unknown ones may need it. */
    size_t width = count_values(items, count) <= PLAN_LEVELS
                       ? 1 : (count + PLAN_LEVELS - 2) / (PLAN_LEVELS - 1);
    for (size_t from = 0; from < count; found++) {
        size_t end = level_end(items, count, from, width);
        struct level *level = &levels[found];
        *level = (struct level){.low = items[end - 1].uncertainty,
                                .high = items[from].uncertainty, .count = end - from};
        for (size_t i = from; i < end; i++) {
            level->known += items[i].hit >= 0;
            level->hits += items[i].hit > 0;
        }
        level->quality = ((double)level->hits + overall) / ((double)level->known + 1);
        for (; from < end; from++)
            items[from].quality = level->quality;
    }
    return found;
}

/* ---- plans ----------------------------------------------------------------------------------- */

void plan_sum(struct plan *plan)
{
    double cost = 0, quality = 0;
    for (size_t i = 0; i < plan->count; i++) {
        cost += plan->items[i].model_cost;
        quality += plan->items[i].quality;
    }
    for (size_t i = 0;; i++) {
        plan->costs[i] = cost;
        plan->qualities[i] = plan->count ? quality / (double)plan->count : 0;
        if (i == plan->count)
            break;
        cost += plan->items[i].human_cost;
        quality += plan->human_quality - plan->items[i].quality;
    }
}

size_t plan_for_budget(const struct plan *plan, double budget)
{
    size_t people = 0;
    /* Sums of prices such as 0.11 are a little off: a budget that fits exactly is enough. */
    double limit = budget + 1e-9 * (1 + budget);
    if (plan->costs[0] > limit)
        return SIZE_MAX;
    while (people < plan->count && plan->costs[people + 1] <= limit)
        people++;
    return people;
}

size_t plan_for_quality(const struct plan *plan, double quality)
{
    for (size_t people = 0; people <= plan->count; people++)
        if (plan->qualities[people] >= quality - 1e-12)
            return people;
    return SIZE_MAX;
}

size_t plan_front(const struct plan *plan, struct point *front, size_t most)
{
    size_t found = 0, last = SIZE_MAX;
    for (size_t step = 0; step < most; step++) {
        size_t people = most > 1 ? (plan->count * step + (most - 1) / 2) / (most - 1) : 0;
        if (people == last)
            continue;
        last = people;
        struct point point = {people, plan->costs[people], plan->qualities[people]};
        /* Costs rise with each step: a point is beaten by an earlier one that is as good, and beats
         * earlier ones only where it costs the same. */
        while (found && front[found - 1].cost >= point.cost &&
               front[found - 1].quality <= point.quality)
            found--;
        if (!found || front[found - 1].quality < point.quality - 1e-12)
            front[found++] = point;
    }
    return found;
}
