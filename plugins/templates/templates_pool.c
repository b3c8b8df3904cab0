/* SPDX-License-Identifier: Apache-2.0 */
#include "templates_pool.h"

#include <math.h>
#include <stdlib.h>

int templates_pool_add(struct templates_pool *pool, xy_str source, xy_str group, double weight,
                      uint64_t index, char *error, size_t error_size)
{
    if (!(weight >= 0) || isinf(weight)) {
        snprintf(error, error_size, "its weight is no number of at least 0");
        return XY_EINVAL;
    }
    if (pool->count == pool->room) {
        size_t room = pool->room ? pool->room * 2 : 16;
        struct template_entry *entries = realloc(pool->entries, room * sizeof(*entries));
        if (!entries)
            return XY_ENOMEM;
        pool->entries = entries;
        pool->room = room;
    }
    uint32_t number = names_add(&pool->groups, group);
    if (number == NAMES_NONE)
        return XY_ENOMEM;
    void *compiled = pool->language->compile(source, error, error_size);
    if (!compiled)
        return XY_EINVAL;
    pool->entries[pool->count++] = (struct template_entry){
        .compiled = compiled, .index = index, .group = number, .weight = weight};
    return XY_OK;
}

static int by_group(const void *a, const void *b)
{
    const struct template_entry *first = a, *second = b;
    if (first->group != second->group)
        return first->group < second->group ? -1 : 1;
    return (first->index > second->index) - (first->index < second->index);
}

int templates_pool_seal(struct templates_pool *pool)
{
    pool->firsts = calloc((size_t)pool->groups.count + 1, sizeof(*pool->firsts));
    if (!pool->firsts)
        return XY_ENOMEM;
    if (pool->count)
        qsort(pool->entries, pool->count, sizeof(*pool->entries), by_group);
    for (size_t i = 0; i < pool->count; i++)
        pool->firsts[pool->entries[i].group + 1] = i + 1;
    return XY_OK;
}

struct template_entry *templates_pool_draw(const struct templates_pool *pool, xy_str group,
                                          uint64_t *random)
{
    uint32_t number = names_find(&pool->groups, group);
    if (number == NAMES_NONE)
        return NULL;
    double sum = 0;
    for (size_t i = pool->firsts[number]; i < pool->firsts[number + 1]; i++)
        sum += pool->entries[i].weight;
    double at = xy_random_unit(random) * sum;
    struct template_entry *last = NULL;
    for (size_t i = pool->firsts[number]; i < pool->firsts[number + 1]; i++) {
        struct template_entry *entry = &pool->entries[i];
        last = entry->weight > 0 ? entry : last;
        at -= entry->weight;
        if (at < 0 && last)
            break; /* else rounding left nothing to take off: the last one */
    }
    return last;
}

void templates_pool_free(struct templates_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        pool->language->release(pool->entries[i].compiled);
    free(pool->entries);
    free(pool->firsts);
    names_free(&pool->groups);
    *pool = (struct templates_pool){.language = pool->language};
}
