/* SPDX-License-Identifier: Apache-2.0 */
/* scores.h - the common way for an evaluator to say a figure through xylem.report/1. [any] */
#ifndef XYLEM_PLUGINS_COMMON_SCORES_H
#define XYLEM_PLUGINS_COMMON_SCORES_H

#include "confusion.h"

struct score_sink {
    const xy_report *report;
    xy_job *job;
    const char *prefix; /* before each name, with a '_' between; NULL or "": none */
};

/* A figure without and with an interval; `n` is how many records it is over. A value that is not
 * defined (NaN) is not reported. */
void scores_value(const struct score_sink *sink, const char *name, double value, const char *unit,
                  uint64_t n, const char *help);
void scores_estimate(const struct score_sink *sink, const char *name, struct estimate estimate,
                     const char *unit, uint64_t n, const char *help);
/* accuracy, macro_f1, and the details `classes` and `confusion`. 0 or XY_ENOMEM. */
int scores_confusion(const struct score_sink *sink, const struct confusion *confusion,
                     const struct names *names);

#endif
