/* SPDX-License-Identifier: Apache-2.0 */
/* conformance.h - does a plugin keep the rules of the header? What `xylem test-plugin` runs.
 *
 * Each stage is run in a process of its own, so that one that crashes or hangs is named like one
 * that breaks any other rule. The host there is a mock: no network, no model, no file but the kit's
 * own.
 */
#ifndef XYLEM_CORE_CONFORMANCE_H
#define XYLEM_CORE_CONFORMANCE_H

#include "memory.h"

/* What the stage's extension() may answer to this id: `const char *`, YAML text of a map with
 * options under which it can be tried. Without it the kit makes up values for the required ones. */
#define CONFORMANCE_EXAMPLE "xylem.example/1"

/* Tries every stage of the file and appends a report, one line for each broken rule ("FAIL"), for
 * what could not be tried ("note"), with `verbose` also for what was kept ("ok"), and a sum at the
 * end. Returns how many rules were broken, or XY_E* when the file could not be loaded, which the
 * report then explains. Forks: call it before any other thread is started. */
int conformance_run(const char *path, bool verbose, struct buffer *report);

#endif
