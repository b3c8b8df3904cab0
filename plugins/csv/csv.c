/* SPDX-License-Identifier: Apache-2.0 */
/* csv - records as comma-separated values (RFC 4180), and with other delimiters. */
#include "csv.h"

#include <stdbool.h>

static const xy_option options[] = {
    {.name = "delimiter", .type = XY_OPT_TEXT, .offset = offsetof(struct csv, delimiter),
     .def = ",", .help = "The one character between values; `tab` for a tabulator."},
    {.name = "types", .type = XY_OPT_TEXT, .offset = offsetof(struct csv, types), .def = "text",
     .choices = "text|guess",
     .help = "How unquoted values are read: as text, or as numbers, true and false where they look "
             "like one, and as absent where they are empty."},
    {.name = "columns", .type = XY_OPT_LIST, .offset = offsetof(struct csv, columns),
     .help = "The columns' names, of a file whose first line is no header; none is written then."},
    {.name = "newline", .type = XY_OPT_TEXT, .offset = offsetof(struct csv, newline),
     .def = "crlf", .choices = "crlf|lf",
     .help = "How written lines end: as RFC 4180 has it, or by a line feed alone. Both are read."},
    {.name = "id", .type = XY_OPT_BOOL, .offset = offsetof(struct csv, with_id), .def = "false",
     .help = "Writes each record's id as a first column `_id`, for `xylem why`."},
    {.name = "weight", .type = XY_OPT_BOOL, .offset = offsetof(struct csv, with_weight),
     .def = "false",
     .help = "Writes each record's weight as a last column `_weight`, and reads it back."},
    {0},
};

char csv_delimiter(const struct csv *csv)
{
    if (strcmp(csv->delimiter, "tab") == 0)
        return '\t';
    char c = csv->delimiter[0];
    bool usable = c > 0 && !strchr("\"\r\n", c) && csv->delimiter[1] == '\0';
    return usable ? c : '\0';
}

static int open_csv(void *state, const xy_host *host)
{
    const struct csv *csv = state;
    if (!csv_delimiter(csv)) {
        xy_log_line(host, XY_LOG_ERROR, "`delimiter` is `%s`; expected one ASCII character other "
                    "than a quote or a line's end, or `tab`", csv->delimiter);
        return XY_EINVAL;
    }
    if (csv->columns && !csv->columns[0]) {
        xy_log_line(host, XY_LOG_ERROR, "`columns` is an empty list; name every column");
        return XY_EINVAL;
    }
    return XY_OK;
}

static const xy_format format = {
    .size = sizeof(xy_format),
    .endings = ".csv",
    .read_open = csv_read_open,
    .read_next = csv_read_next,
    .read_close = csv_read_close,
    .write_open = csv_write_open,
    .write_next = csv_write_next,
    .write_close = csv_write_close,
};

static const xy_stage csv_stage = {
    XY_STAGE_INIT,
    .kind = XY_FORMAT,
    .state_size = sizeof(struct csv),
    .id = "csv",
    .version = "1.0.0",
    .summary = "Reads and writes comma-separated values with a header line",
    .options = options,
    .open = open_csv,
    .format = &format,
};

XY_PLUGIN("csv", "1.0.0", "Apache-2.0", &csv_stage)
