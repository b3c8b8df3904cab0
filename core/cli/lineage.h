/* SPDX-License-Identifier: Apache-2.0 */
/* lineage.h - which steps a record went through without leaving a note in its trail.
 *
 * A step that keeps a record writes no event: at a million records and ten steps that would be as
 * many notes as there are fields. What it did is told from the run's summary: how the steps hang
 * together, and which fields each of them set.
 */
#ifndef XYLEM_CORE_CLI_LINEAGE_H
#define XYLEM_CORE_CLI_LINEAGE_H

#include "record.h"

enum { LINEAGE_STEPS = 256 };

/* The steps of one run. */
struct lineage {
    struct arena arena;
    struct value summary;
    const struct value *steps;  /* a list, or NULL: no summary, or one of an older version */
    const char *folder;
};

/* Reads FOLDER/summary.json; never fails. */
void lineage_read(struct lineage *lineage, const char *folder);
void lineage_free(struct lineage *lineage);
/* The place of a step in the file's order, from 1; 0 where it is not known. */
size_t lineage_place(const struct lineage *lineage, xy_str step);

/* The steps on the way to `last`, the first one first; with `kept`, also those behind it that only
 * judged and left no copy. Returns how many. */
size_t lineage_path(struct lineage *lineage, xy_str last, bool kept,
                    const struct value *path[LINEAGE_STEPS]);
/* "kept" for a filter, "set" for a step that set fields of this record, "passed" for others. */
const char *lineage_verdict(const struct value *step, const struct record *record);
/* Does the step ask only the records that its `when` picks? */
bool lineage_conditional(const struct value *step);
/* Is this a field of `record` that the step set? */
bool lineage_sets(const struct value *step, const char *field);

/* The step whose data a file NAME is: STEP.ROUND.PART.records, in `arena`. */
xy_str lineage_step_of_file(struct arena *arena, const char *name);

#endif
