/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XYLEM_PLUGINS_BENCHMARK_BENCHMARK_OVERLAP_H
#define XYLEM_PLUGINS_BENCHMARK_BENCHMARK_OVERLAP_H

#include "labelled.h"

/* How many rows of `test` have a text that `train` has too, after composition, case folding and
 * with runs of white space as one blank. XY_OK or XY_ENOMEM. */
int overlap_count(const struct labelled *train, const struct labelled *test, uint64_t *overlap);

#endif
