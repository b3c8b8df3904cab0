/* SPDX-License-Identifier: Apache-2.0 */
/* kg_support.h - what one record claims, and what it was given, in comparable form.
 *
 *   kg_support.c         options, verdicts
 *   kg_support_claims.c  triples and names out of a record's fields
 */
#ifndef XYLEM_PLUGINS_KG_SUPPORT_KG_SUPPORT_H
#define XYLEM_PLUGINS_KG_SUPPORT_KG_SUPPORT_H

#include "graph.h"

enum { CLAIM_PARTS = 3 }; /* subject, relation, object */

/* A triple or, in the first part alone, a name: as written, and as it can be compared. */
struct claim {
    xy_str parts[CLAIM_PARTS];
    xy_str folded[CLAIM_PARTS];
};

struct claims { /* zeroed: empty; what it points to is the job's */
    struct claim *items;
    size_t count;
};

/* The triples of a field: a list of {subject, relation, object} or of [s, r, o], or lines
 * `(s; r; o)` or `s | r | o`. XY_OK; XY_DROP, explained, for a field that is none of these;
 * XY_ENOMEM. `claims` stays empty for a field that is not there. */
int claims_read(struct claims *claims, xy_job *job, const xy_record *record, const char *field);
/* The names of a field: a text, or a list of texts. Answers as claims_read(). */
int claims_read_names(struct claims *claims, xy_job *job, const xy_record *record,
                      const char *field);
/* The text folded as names are, in the job's memory; {NULL, 0} when memory is short. */
xy_str claims_fold(xy_job *job, xy_str text);

#endif
