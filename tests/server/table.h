/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - a SPARQL endpoint that knows one table of 25 rows: ?n from 1 to 25, ?name "row N". */
#ifndef XYLEM_TESTS_SERVER_TABLE_H
#define XYLEM_TESTS_SERVER_TABLE_H

#include "out.h"
#include "request.h"

/* Answers the form `query=...` in SPARQL results JSON, within the query's LIMIT and OFFSET, and
 * ASK with true. A query with the word WRONG gets 400, one with SLOWLY 500 as from a server that
 * gave it up. Returns the HTTP status. */
int table_answer(struct out *out, const struct request *request);

#endif
