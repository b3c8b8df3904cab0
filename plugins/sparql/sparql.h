/* SPDX-License-Identifier: Apache-2.0 */
/* sparql.h - what the files of this plugin share.
 *
 *   sparql_generator.c  a SPARQL endpoint as a model: one request, one answer
 *   sparql_condition.c  the rows of a query as records
 *   sparql_query.c      where a query takes its LIMIT and OFFSET
 *   sparql_rows.c       rows as fields, or as JSON
 */
#ifndef XYLEM_PLUGINS_SPARQL_SPARQL_H
#define XYLEM_PLUGINS_SPARQL_SPARQL_H

#include "json_reader.h"
#include "text.h"

extern const xy_stage sparql_generator, sparql_condition;

/* ---- sparql_query.c -------------------------------------------------------------------------- */

enum sparql_form { SPARQL_SELECT = 1, SPARQL_ASK, SPARQL_OTHER };

struct sparql_query {
    enum sparql_form form;
    bool limited, ordered;  /* has a LIMIT or OFFSET, an ORDER BY, outside of its braces */
    size_t end;             /* where solution modifiers go: before a VALUES at its end */
};

/* Reads over strings, comments and IRIs; does not check the query, which the endpoint does. */
struct sparql_query sparql_read(xy_str query);
/* The query with LIMIT and, when not 0, OFFSET; limit 0: as it is. */
void sparql_page(xy_str query, const struct sparql_query *read, uint64_t limit, uint64_t offset,
                 struct text *out);

/* ---- sparql_rows.c --------------------------------------------------------------------------- */

/* Is the checked JSON an answer to SELECT or to ASK? */
bool sparql_is_answer(xy_str answer);
/* Its rows, an array of bindings; absent for ASK. */
xy_str sparql_bindings(xy_str answer);
/* The answer to ASK as the row of one variable, `boolean`. */
#define SPARQL_BOOLEAN_ROW(value)                                                                 \
    "{\"boolean\":{\"type\":\"literal\",\"value\":\"" value "\","                                  \
    "\"datatype\":\"http://www.w3.org/2001/XMLSchema#boolean\"}}"
#define SPARQL_TRUE_ROW SPARQL_BOOLEAN_ROW("true")
#define SPARQL_FALSE_ROW SPARQL_BOOLEAN_ROW("false")
/* Sets a field for each variable that the row binds: typed literals as numbers and booleans, the
 * rest as text. XY_OK, or what the record answered. */
int sparql_set_row(xy_job *job, xy_record *record, xy_str row);
/* Appends the row as a JSON object with the same values. False when memory is short. */
bool sparql_add_row(xy_job *job, xy_str row, struct text *out);

#endif
