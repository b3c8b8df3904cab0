/* SPDX-License-Identifier: Apache-2.0 */
/* sql_internal.h - between sql.c (options and records) and sql_execute.c (one statement). */
#ifndef XYLEM_PLUGINS_SQL_SQL_INTERNAL_H
#define XYLEM_PLUGINS_SQL_SQL_INTERNAL_H

#include "text.h"

struct sql {
    const char *database, *script, *query, *result, *hash;
    int32_t ordered, drop_empty, write;
    int64_t most_rows;
    double timeout;
    /* Of prepare(), with `script` or `write`: the database's bytes, SQLite's memory. */
    unsigned char *image;
    int64_t image_length;
};

/* One statement and what it gave. The caller frees `json`. */
struct outcome {
    const struct sql *sql;
    xy_job *job;
    double deadline;     /* seconds of the monotonic clock */
    bool late;           /* it was stopped at the deadline */
    struct text json;    /* {"columns": [...], "rows": [[...]]} */
    uint64_t hash;       /* of the values, whole numbers as integers; see `ordered` */
    size_t rows;
    char why[400];       /* of XY_DROP */
};

/* [worker] Runs the one statement in `query` on a connection of its own. XY_OK, XY_DROP with `why`,
 * XY_ECANCELED or XY_ENOMEM. */
int sql_execute(struct outcome *outcome, xy_str query);

#endif
