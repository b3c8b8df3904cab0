/* SPDX-License-Identifier: Apache-2.0 */
/* templates_pool.h - the compiled templates to draw from, by group and in the order they were
 * given. Filled once; then only what was said about them changes. */
#ifndef XYLEM_PLUGINS_TEMPLATES_TEMPLATES_POOL_H
#define XYLEM_PLUGINS_TEMPLATES_TEMPLATES_POOL_H

#include "names.h"

struct template_entry {
    void *compiled;
    uint64_t index;     /* its place in the list, or in the data set, from 0 */
    uint32_t group;     /* of the field to match; 0 without one */
    double weight;      /* at least 0 */
    bool said;          /* that it could not be rendered */
};

struct templates_pool { /* zeroed but for `language`: empty */
    const xy_template *language;
    struct template_entry *entries; /* ordered by group, then by index, once it was sealed */
    size_t count, room;
    struct names groups;
    size_t *firsts;                 /* of each group in `entries`; groups + 1 of them */
};

/* Compiles and adds. XY_EINVAL: what is wrong with it stands in `error`. XY_ENOMEM. */
int templates_pool_add(struct templates_pool *pool, xy_str source, xy_str group, double weight,
                      uint64_t index, char *error, size_t error_size);
/* After the last one. XY_OK or XY_ENOMEM. */
int templates_pool_seal(struct templates_pool *pool);
/* One of the group's, in proportion to the weights, by the stream `random`; NULL when the group has
 * none, or only of weight 0. [any] */
struct template_entry *templates_pool_draw(const struct templates_pool *pool, xy_str group,
                                          uint64_t *random);
void templates_pool_free(struct templates_pool *pool);

#endif
