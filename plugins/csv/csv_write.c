/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "csv.h"
#include "json_value.h"

struct writer {
    xy_output *output;
    char **columns; /* in the order they are written */
    size_t count;
    FILE *rows;     /* while the columns are not known: a row after each `struct row` */
    bool begun;
    char delimiter;
    struct text line, json;
};

/* Columns are only ever added at the end: a row that is short of some lacks just delimiters. */
struct row {
    double weight;
    uint32_t length, columns;
};

static bool needs_quotes(xy_str text, char delimiter)
{
    if (text.len == 0)
        return false;
    if (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ')
        return true; /* some programs trim what is not quoted */
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == delimiter || text.ptr[i] == '"' || text.ptr[i] == '\n' ||
            text.ptr[i] == '\r')
            return true;
    return false;
}

static void add_cell(struct writer *writer, xy_str text)
{
    if (!needs_quotes(text, writer->delimiter)) {
        text_add_str(&writer->line, text);
        return;
    }
    text_add_literal(&writer->line, "\"");
    for (size_t from = 0; from < text.len;) {
        const char *quote = memchr(text.ptr + from, '"', text.len - from);
        size_t to = quote ? (size_t)(quote - text.ptr) + 1 : text.len;
        text_add(&writer->line, text.ptr + from, to - from);
        text_add_literal(&writer->line, quote ? "\"" : "");
        from = to;
    }
    text_add_literal(&writer->line, "\"");
}

static void add_value(struct writer *writer, const xy_value *value)
{
    if (value->type == XY_TEXT || value->type == XY_NULL) {
        add_cell(writer, value->text);
        return;
    }
    text_clear(&writer->json);
    json_value_add(&writer->json, value);
    add_cell(writer, (xy_str){writer->json.bytes, writer->json.length});
    writer->line.failed = writer->line.failed || writer->json.failed;
}

static int add_column(struct writer *writer, const char *name)
{
    char **larger = realloc(writer->columns, (writer->count + 1) * sizeof(*larger));
    if (!larger)
        return XY_ENOMEM;
    writer->columns = larger;
    writer->columns[writer->count] = strdup(name);
    if (!writer->columns[writer->count])
        return XY_ENOMEM;
    writer->count++;
    return XY_OK;
}

static void free_writer(struct writer *writer)
{
    for (size_t i = 0; i < writer->count; i++)
        free(writer->columns[i]);
    free(writer->columns);
    if (writer->rows)
        fclose(writer->rows);
    text_free(&writer->line);
    text_free(&writer->json);
    free(writer);
}

int csv_write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                   void **cursor)
{
    const struct csv *csv = state;
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *writer = (struct writer){.output = output, .delimiter = csv_delimiter(csv)};
    const char *const *columns = fields ? fields : csv->columns;
    for (size_t i = 0; columns && columns[i]; i++) {
        if (add_column(writer, columns[i]) < 0) {
            free_writer(writer);
            return xy_fail(job, XY_ENOMEM, "out of memory");
        }
    }
    writer->rows = columns ? NULL : tmpfile();
    if (!columns && !writer->rows) {
        free_writer(writer);
        return xy_fail(job, XY_EIO, "no temporary file for rows whose columns are not known yet: "
                       "%s; or name the `fields` to write", strerror(errno));
    }
    *cursor = writer;
    return XY_OK;
}

static void add_delimiter(struct writer *writer, bool first)
{
    if (!first)
        text_add(&writer->line, &writer->delimiter, 1);
}

static int append_line(const struct csv *csv, struct writer *writer, xy_job *job)
{
    text_add_literal(&writer->line, csv->newline[0] == 'c' ? "\r\n" : "\n");
    if (writer->line.failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return writer->output->api->append(writer->output, writer->line.bytes, writer->line.length);
}

static int write_header(const struct csv *csv, struct writer *writer, xy_job *job)
{
    text_clear(&writer->line);
    writer->begun = true;
    if (csv->columns)
        return XY_OK;
    text_add_literal(&writer->line, csv->with_id ? "_id" : "");
    for (size_t i = 0; i < writer->count; i++) {
        add_delimiter(writer, i == 0 && !csv->with_id);
        add_cell(writer, xy_text(writer->columns[i]));
    }
    if (csv->with_weight) {
        add_delimiter(writer, writer->count == 0 && !csv->with_id);
        text_add_literal(&writer->line, "_weight");
    }
    return append_line(csv, writer, job);
}

/* Fields that no record before this one had become columns, after those that there are. */
static int add_columns(struct writer *writer, const xy_record *record)
{
    for (size_t i = 0; record->api->field(record, i); i++) {
        const char *name = record->api->field(record, i);
        bool found = false;
        for (size_t c = 0; c < writer->count && !found; c++)
            found = strcmp(writer->columns[c], name) == 0;
        if (!found && add_column(writer, name) < 0)
            return XY_ENOMEM;
    }
    return XY_OK;
}

static void add_cells(const struct csv *csv, struct writer *writer, const xy_record *record)
{
    text_clear(&writer->line);
    if (csv->with_id) {
        char id[20];
        snprintf(id, sizeof(id), "%016llx", (unsigned long long)record->api->id(record));
        text_add_literal(&writer->line, id);
    }
    for (size_t i = 0; i < writer->count; i++) {
        xy_value value = {.type = XY_NULL};
        add_delimiter(writer, i == 0 && !csv->with_id);
        record->api->get(record, writer->columns[i], &value);
        add_value(writer, &value);
    }
}

/* Writes the line, which has the cells of the first `columns`. */
static int write_row(const struct csv *csv, struct writer *writer, xy_job *job, uint32_t columns,
                     double weight)
{
    for (size_t i = columns; i < writer->count; i++)
        add_delimiter(writer, i == 0 && !csv->with_id);
    if (csv->with_weight) {
        add_delimiter(writer, writer->count == 0 && !csv->with_id);
        text_add_number(&writer->line, weight);
    }
    if (writer->line.length == 0)
        text_add_literal(&writer->line, "\"\""); /* else the line is empty, and passed over */
    return append_line(csv, writer, job);
}

int csv_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    const struct csv *csv = state;
    struct writer *writer = cursor;
    double weight = record->api->weight(record);
    if (writer->rows && add_columns(writer, record) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (!writer->rows && !writer->begun) {
        int code = write_header(csv, writer, job);
        if (code < 0)
            return code;
    }
    add_cells(csv, writer, record);
    if (writer->line.failed || writer->line.length > UINT32_MAX)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (!writer->rows)
        return write_row(csv, writer, job, (uint32_t)writer->count, weight);
    struct row row = {weight, (uint32_t)writer->line.length, (uint32_t)writer->count};
    writer->begun = true;
    if (fwrite(&row, sizeof(row), 1, writer->rows) != 1 ||
        (row.length > 0 &&
         fwrite(writer->line.bytes, 1, row.length, writer->rows) != row.length))
        return xy_fail(job, XY_EIO, "a temporary file could not be written: %s", strerror(errno));
    return XY_OK;
}

static bool read_cells(struct writer *writer, size_t length)
{
    char bytes[4096];
    text_clear(&writer->line);
    while (length > 0) {
        size_t part = length < sizeof(bytes) ? length : sizeof(bytes);
        if (fread(bytes, 1, part, writer->rows) != part)
            return false;
        text_add(&writer->line, bytes, part);
        length -= part;
    }
    return true;
}

/* All columns are known: the header, and the rows with what they lack. */
static int write_rows(const struct csv *csv, struct writer *writer, xy_job *job)
{
    struct row row;
    if (fflush(writer->rows) != 0)
        return xy_fail(job, XY_EIO, "a temporary file could not be written: %s", strerror(errno));
    rewind(writer->rows);
    int code = write_header(csv, writer, job);
    while (code == XY_OK && fread(&row, sizeof(row), 1, writer->rows) == 1) {
        if (!read_cells(writer, row.length))
            break;
        code = write_row(csv, writer, job, row.columns, row.weight);
    }
    if (code == XY_OK && !feof(writer->rows))
        return xy_fail(job, XY_EIO, "a temporary file could not be read: %s", strerror(errno));
    return code;
}

int csv_write_close(const void *state, xy_job *job, void *cursor)
{
    struct writer *writer = cursor;
    int code = writer->rows && writer->begun ? write_rows(state, writer, job) : XY_OK;
    free_writer(writer);
    return code;
}
