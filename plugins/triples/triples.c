/* SPDX-License-Identifier: Apache-2.0 */
/* triples - conditions out of a knowledge graph: sets of triples, neighbourhoods, topics. */
#include "triples.h"

bool triples_span(xy_job *job, int64_t count, uint64_t *from, uint64_t *to)
{
    uint64_t all = (uint64_t)count;
    *from = job->api->sequence(job) * TRIPLES_AT_ONCE;
    *from = *from < all ? *from : all;
    *to = all - *from < TRIPLES_AT_ONCE ? all : *from + TRIPLES_AT_ONCE;
    return *to == all;
}

XY_PLUGIN("triples", "1.0.0", "Apache-2.0", &triples_walk, &triples_sample, &triples_neighbours,
          &triples_topics, &triples_coverage)
