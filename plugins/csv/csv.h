/* SPDX-License-Identifier: Apache-2.0 */
/* csv.h - the options of the format, and its two halves; see xy_format for each function. */
#ifndef XYLEM_PLUGINS_CSV_CSV_H
#define XYLEM_PLUGINS_CSV_CSV_H

#include <xylem/plugin.h>

struct csv {
    const char *delimiter, *types, *newline;
    const char *const *columns; /* the names of a file without a header; NULL: it has one */
    int32_t with_id, with_weight;
};

/* The delimiter's byte; "tab" stands for a tabulator. 0 for a text that is no delimiter. */
char csv_delimiter(const struct csv *csv);

int csv_read_open(const void *state, xy_job *job, const char *path, void **cursor);
int csv_read_next(const void *state, xy_job *job, void *cursor, xy_record *out);
void csv_read_close(const void *state, void *cursor);

int csv_write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                   void **cursor);
int csv_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record);
int csv_write_close(const void *state, xy_job *job, void *cursor);

#endif
