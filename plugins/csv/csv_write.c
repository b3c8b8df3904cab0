/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "csv.h"
#include "json_value.h"

struct writer {
    xy_output *output;
    char **columns;         /* in the order they are written */
    size_t count;
    bool fixed;             /* the pipeline named them: a record may have others */
    bool begun;
    char delimiter;
    struct text line, json;
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

int csv_write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                   void **cursor)
{
    const struct csv *csv = state;
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *writer = (struct writer){.output = output, .delimiter = csv_delimiter(csv)};
    const char *const *columns = fields ? fields : csv->columns;
    writer->fixed = columns != NULL;
    for (size_t i = 0; columns && columns[i]; i++) {
        if (add_column(writer, columns[i]) < 0) {
            csv_write_close(state, job, writer);
            return xy_fail(job, XY_ENOMEM, "out of memory");
        }
    }
    *cursor = writer;
    return XY_OK;
}

static void end_line(const struct csv *csv, struct writer *writer)
{
    text_add_literal(&writer->line, csv->newline[0] == 'c' ? "\r\n" : "\n");
}

/* Without names from the pipeline the first record's fields are the columns. */
static int begin(const struct csv *csv, struct writer *writer, const xy_record *record)
{
    writer->begun = true;
    for (size_t i = 0; !writer->fixed && record->api->field(record, i); i++)
        if (add_column(writer, record->api->field(record, i)) < 0)
            return XY_ENOMEM;
    if (csv->columns)
        return XY_OK;
    text_add_literal(&writer->line, csv->with_id ? "_id" : "");
    for (size_t i = 0; i < writer->count; i++) {
        if (i > 0 || csv->with_id)
            text_add(&writer->line, &writer->delimiter, 1);
        add_cell(writer, xy_text(writer->columns[i]));
    }
    if (csv->with_weight) {
        if (writer->count > 0 || csv->with_id)
            text_add(&writer->line, &writer->delimiter, 1);
        text_add_literal(&writer->line, "_weight");
    }
    end_line(csv, writer);
    return XY_OK;
}

/* A field that has no column would be lost: NULL, or its name. */
static const char *find_homeless(const struct writer *writer, const xy_record *record)
{
    for (size_t i = 0; !writer->fixed && record->api->field(record, i); i++) {
        const char *name = record->api->field(record, i);
        bool found = false;
        for (size_t c = 0; c < writer->count && !found; c++)
            found = strcmp(writer->columns[c], name) == 0;
        if (!found)
            return name;
    }
    return NULL;
}

int csv_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    const struct csv *csv = state;
    struct writer *writer = cursor;
    text_clear(&writer->line);
    if (!writer->begun && begin(csv, writer, record) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    const char *homeless = find_homeless(writer, record);
    if (homeless)
        return xy_fail(job, XY_EINVAL, "record %016llx has a field `%.100s` that the first record "
                       "does not have, so that there is no column for it: name the `fields` to "
                       "write",
                       (unsigned long long)record->api->id(record), homeless);
    if (csv->with_id) {
        char id[20];
        snprintf(id, sizeof(id), "%016llx", (unsigned long long)record->api->id(record));
        text_add_literal(&writer->line, id);
    }
    size_t start = writer->line.length;
    for (size_t i = 0; i < writer->count; i++) {
        xy_value value = {.type = XY_NULL};
        if (i > 0 || csv->with_id)
            text_add(&writer->line, &writer->delimiter, 1);
        record->api->get(record, writer->columns[i], &value);
        add_value(writer, &value);
    }
    if (csv->with_weight) {
        if (writer->count > 0 || csv->with_id)
            text_add(&writer->line, &writer->delimiter, 1);
        text_add_number(&writer->line, record->api->weight(record));
    }
    if (writer->line.length == start && !csv->with_id)
        text_add_literal(&writer->line, "\"\""); /* else the line is empty, and passed over */
    end_line(csv, writer);
    if (writer->line.failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return writer->output->api->append(writer->output, writer->line.bytes, writer->line.length);
}

int csv_write_close(const void *state, xy_job *job, void *cursor)
{
    struct writer *writer = cursor;
    (void)state;
    (void)job;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->columns[i]);
    free(writer->columns);
    text_free(&writer->line);
    text_free(&writer->json);
    free(writer);
    return XY_OK;
}
