/* SPDX-License-Identifier: Apache-2.0 */
/* demos_query.h - one record's way through a stage that compares it with the pool: its text is
 * embedded (or its vector read), the comparison runs where it does not hold up the loop, and
 * what was chosen is set. What demos.knn and demos.cluster do for each record. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_QUERY_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_QUERY_H

#include "demos_options.h"

struct query;

/* Of the stage's state. */
struct searching {
    const xy_host *host;
    const xy_loop *loop;       /* NULL: searches run where the answer comes */
    const xy_rng *rng;
    const struct pool_options *options;
    struct space *space;
    const char *order;         /* nearest_last, nearest_first or random */
    struct pool pool;
    struct places places;
    /* [any] Sets query->chosen and ->nearness, the nearest first; they have room for `k`. */
    void (*choose)(struct query *query);
    const void *state;         /* the stage's own, for choose() */
};

struct query {
    struct searching *searching;
    xy_job *job;
    const float *vector;       /* the record's */
    struct candidates candidates;
    uint32_t *chosen;
    double *nearness;          /* cosine times the vector's length: the order is the same */
    uint32_t *spare;           /* room for as many again, for choose() */
    double *spare_nearness;
    size_t found;
};

#define ORDER_OPTION(state, default_)                                                             \
    {.name = "order", .type = XY_OPT_TEXT, .offset = offsetof(state, searching.order),            \
     .def = default_, .choices = "nearest_last|nearest_first|random",                             \
     .help = "Where the nearest one stands: beside the query, at the start, or anywhere."}

/* [loop] Of open(): services, and what the options leave out. */
int searching_open(struct searching *searching, struct pool_options *options, struct space *space,
                   const xy_host *host);
/* [worker] Of prepare(): reads the pool and finds its places. */
int searching_prepare(struct searching *searching, xy_job *job);
void searching_free(struct searching *searching);

/* [loop] What process() answers. */
int searching_process(struct searching *searching, xy_job *job);
/* [any] The same for a choice made without the record's own place. */
int searching_give(struct searching *searching, xy_job *job, uint32_t *chosen, size_t count);

/* [any] The cosine between the record and a demonstration, times the record's length; rounded to a
 * float, so that what differs by rounding alone is a tie, and goes to the earlier. */
double query_nearness(const struct query *query, uint32_t demo);

#endif
