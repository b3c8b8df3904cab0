/* SPDX-License-Identifier: Apache-2.0 */
/* Three columns: subject, relation, object. CSV as RFC 4180 has it; in TSV quotes mean nothing, as
 * in the files that graph embeddings are trained on. */
#include <stdlib.h>

#include "graph.h"
#include "utf8.h"

enum { COLUMNS = 3, POLL = 4096, LONGEST_ROW = 16 << 20 };

struct rows {
    struct graph *graph;
    FILE *file;
    char delimiter;
    struct text row;            /* the row's values, one after another */
    size_t ends[COLUMNS];
    unsigned line, row_line;    /* of the byte read last, and where the row began */
    unsigned columns;
};

static int refuse(struct rows *rows, const char *what)
{
    snprintf(rows->graph->error, sizeof(rows->graph->error), "%s:%u: %s",
             rows->graph->options->path, rows->row_line, what);
    return XY_EINVAL;
}

static void end_value(struct rows *rows)
{
    if (rows->columns < COLUMNS)
        rows->ends[rows->columns] = rows->row.length;
    rows->columns++;
}

/* The next byte of the value, or -1 at its end, which `*end` then has: the delimiter, a line feed,
 * or EOF. `*quoted` is true between quotes, where all but a lone quote belongs to the value. */
static int next_byte(struct rows *rows, bool *quoted, int *end)
{
    int c = getc_unlocked(rows->file);
    rows->line += c == '\n';
    if (*quoted && c == '"') {
        c = getc_unlocked(rows->file);
        rows->line += c == '\n';
        *quoted = c == '"'; /* two are one that is meant */
    }
    if (!*quoted && c == '\r') {
        c = getc_unlocked(rows->file);
        rows->line += c == '\n';
    }
    bool ends = c == EOF || (!*quoted && (c == rows->delimiter || c == '\n'));
    *end = ends ? c : *end;
    return ends ? -1 : c;
}

/* One value; what ends it, or -2 for a quote that never closes, or a row without end. */
static int read_value(struct rows *rows)
{
    int end = EOF, c = getc_unlocked(rows->file);
    bool quoted = c == '"' && rows->delimiter == ',';
    if (!quoted && c != EOF)
        ungetc(c, rows->file);
    for (c = next_byte(rows, &quoted, &end); c >= 0; c = next_byte(rows, &quoted, &end)) {
        char byte = (char)c;
        text_add(&rows->row, &byte, 1);
        if (rows->row.length >= LONGEST_ROW)
            return -2;
    }
    end_value(rows);
    return quoted ? -2 : end;
}

/* XY_OK with the row's values, XY_END, or an error. Empty lines and those of # are passed over. */
static int read_row(struct rows *rows)
{
    int end;
    do {
        text_clear(&rows->row);
        rows->columns = 0;
        rows->row_line = rows->line;
        do {
            end = read_value(rows);
        } while (end == (unsigned char)rows->delimiter);
        if (end == -2)
            return refuse(rows, "a quote is opened and never closed, or a row has 16 MiB");
        if (end == EOF && rows->columns == 1 && rows->row.length == 0)
            return XY_END;
    } while (rows->columns == 1 && (rows->row.length == 0 || rows->row.bytes[0] == '#'));
    return rows->row.failed ? XY_ENOMEM : XY_OK;
}

static xy_str value_at(const struct rows *rows, unsigned column)
{
    size_t from = column ? rows->ends[column - 1] : 0;
    return (xy_str){rows->row.bytes + from, rows->ends[column] - from};
}

static bool is_header(const struct rows *rows)
{
    static const char *const names[COLUMNS][5] = {{"subject", "head", "s", "h", NULL},
                                                  {"relation", "predicate", "r", "p", NULL},
                                                  {"object", "tail", "o", "t", NULL}};
    for (unsigned i = 0; i < COLUMNS; i++) {
        bool found = false;
        xy_str value = value_at(rows, i);
        for (size_t j = 0; names[i][j]; j++)
            found = found || (value.len == strlen(names[i][j]) &&
                              strncasecmp(value.ptr, names[i][j], value.len) == 0);
        if (!found)
            return false;
    }
    return true;
}

static int add_row(struct rows *rows)
{
    uint32_t terms[COLUMNS];
    if (rows->columns != COLUMNS) {
        char what[96];
        snprintf(what, sizeof(what),
                 "a triple is subject, relation, object, and this row has %u value%s",
                 rows->columns, rows->columns == 1 ? "" : "s");
        return refuse(rows, what);
    }
    for (unsigned i = 0; i < COLUMNS; i++) {
        xy_str value = value_at(rows, i);
        if (value.len == 0)
            return refuse(rows, i == 0   ? "the triple's subject is empty"
                                : i == 1 ? "the triple's relation is empty"
                                         : "the triple's object is empty");
        if (utf8_check(value) != value.len || memchr(value.ptr, 0, value.len))
            return refuse(rows, "this row is not UTF-8, or has a NUL byte in it");
        terms[i] = graph_term(rows->graph, '<', value, (xy_str){NULL, 0});
    }
    struct graph_triple triple = {terms[0], terms[1], terms[2]};
    bool good = triple.subject != GRAPH_NONE && triple.relation != GRAPH_NONE &&
                triple.object != GRAPH_NONE && graph_add(rows->graph, triple);
    return good ? XY_OK : XY_ENOMEM;
}

int graph_read_rows(struct graph *graph, xy_job *job, FILE *file, char delimiter)
{
    struct rows rows = {.graph = graph, .file = file, .delimiter = delimiter, .line = 1};
    int code = read_row(&rows);
    if (code == XY_OK && rows.columns == COLUMNS && is_header(&rows))
        code = read_row(&rows);
    for (unsigned count = 1; code == XY_OK; count++) {
        code = add_row(&rows);
        if (code == XY_OK)
            code = count % POLL == 0 && job->api->cancelled(job) ? XY_ECANCELED : read_row(&rows);
    }
    text_free(&rows.row);
    return code == XY_END ? XY_OK : code;
}
