/* SPDX-License-Identifier: Apache-2.0 */
/* demos_draw.h - demonstrations drawn at random from a pool, or from what a stage kept of it: what
 * demos.random, demos.influence and demos.dissimilar do for each record. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_DRAW_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_DRAW_H

#include "demos_options.h"

struct drawing {
    const xy_host *host;
    const xy_rng *rng;
    struct pool pool;
    double share; /* of records that get demonstrations; the others get an empty list */
};

#define SHARE_OPTION(state)                                                                       \
    {.name = "share", .type = XY_OPT_NUMBER, .offset = offsetof(state, drawing.share),            \
     .def = "1", .low = 0, .high = 1,                                                             \
     .help = "The share of records, drawn at random, that get demonstrations; the others get "    \
             "none, so that a set does not follow its examples too closely."}

/* [loop] Of open(). */
int drawing_open(struct drawing *drawing, const xy_host *host);

/* [worker] One record: draws and sets. What process() answers. */
int drawing_process(struct drawing *drawing, xy_job *job, const struct pool_options *options);

/* [worker] Keeps, for each value of a grouping, the `most` demos with the lowest score (ties: the
 * earlier one); those whose score is NaN are none. `groups` and `scores` are by row. XY_OK or
 * XY_ENOMEM. */
int drawing_keep_lowest(struct drawing *drawing, const double *scores, const uint32_t *groups,
                        size_t most);

#endif
