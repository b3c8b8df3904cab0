/* SPDX-License-Identifier: Apache-2.0 */
/* triples.h - the stages of the plugin triples. */
#ifndef XYLEM_PLUGINS_TRIPLES_TRIPLES_H
#define XYLEM_PLUGINS_TRIPLES_TRIPLES_H

#include "graph.h"

enum { TRIPLES_AT_ONCE = 64 }; /* records that a source makes in one call */

extern const xy_stage triples_walk, triples_sample, triples_neighbours, triples_topics,
    triples_coverage;

/* The numbers [*from, *to) of the records that this call makes, of `count` in all. True: the last
 * of them are among these. */
bool triples_span(xy_job *job, int64_t count, uint64_t *from, uint64_t *to);

#endif
