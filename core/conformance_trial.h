/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_trial.h - the child's side of the conformance kit. */
#ifndef XYLEM_CORE_CONFORMANCE_TRIAL_H
#define XYLEM_CORE_CONFORMANCE_TRIAL_H

#include "conformance_internal.h"

/* Tries one stage and writes what happens to `out`, line by line. In a process of its own. */
void conformance_trial(const struct registry *registry, const struct stage_type *type,
                       const char *folder, uint32_t job_ms, int out);
/* conformance_run() with another patience than KIT_JOB_MS. */
int conformance_run_within(const char *path, bool verbose, uint32_t job_ms, struct buffer *report);
/* Removes the kit's own files and their folder. */
void conformance_clean(const char *folder);

#endif
