/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "csv.h"
#include "json_value.h"

/* A file with a quote that never closes ends here, and not when memory does. */
enum { LONGEST_ROW = 256 << 20, MOST_COLUMNS = 65536 };

struct cell {
    size_t start;       /* in the row's text, where a NUL ends it */
    bool quoted;
};

struct reader {
    const struct csv *csv;
    FILE *file;
    char *path;
    char delimiter;
    struct text row;
    struct cell *cells;
    size_t cell_count, cell_room;
    char **names;
    size_t name_count;
    uint64_t line;      /* of the byte read last, from 1 */
    uint64_t row_line;  /* where the row began */
    const char *broken; /* what is wrong with the row */
};

/* ---- rows ------------------------------------------------------------------------------------ */

static bool begin_cell(struct reader *reader, bool quoted)
{
    if (reader->cell_count == reader->cell_room) {
        size_t room = reader->cell_room ? reader->cell_room * 2 : 16;
        struct cell *larger = room <= MOST_COLUMNS
                                  ? realloc(reader->cells, room * sizeof(*larger)) : NULL;
        if (!larger) {
            reader->broken = "this row has more than 65,536 values";
            return false;
        }
        reader->cells = larger;
        reader->cell_room = room;
    }
    reader->cells[reader->cell_count++] = (struct cell){reader->row.length, quoted};
    return true;
}

/* The next byte; a lone CR or CRLF counts as one line feed outside of quotes. */
static int next_byte(struct reader *reader, bool inside)
{
    int c = getc_unlocked(reader->file);
    if (c == '\r' && !inside) {
        int after = getc_unlocked(reader->file);
        if (after != '\n' && after != EOF)
            ungetc(after, reader->file);
        c = '\n';
    }
    reader->line += c == '\n';
    return c;
}

static void add_byte(struct reader *reader, int c)
{
    char byte = (char)c;
    text_add(&reader->row, &byte, 1);
}

/* After the opening quote. The byte behind the closing one, or -2 when something is broken. */
static int read_quoted(struct reader *reader)
{
    for (;;) {
        int c = next_byte(reader, true);
        if (c == '"') {
            c = next_byte(reader, false);
            if (c != '"')
                return c;
        } else if (c == EOF || reader->row.length > LONGEST_ROW) {
            reader->broken = "a quote that opens in this row is never closed";
            return -2;
        }
        add_byte(reader, c);
    }
}

/* One value, from its first byte on; the byte behind it, or -2. */
static int read_cell(struct reader *reader, int c)
{
    bool quoted = c == '"';
    if (!begin_cell(reader, quoted))
        return -2;
    if (quoted) {
        c = read_quoted(reader);
        if (c >= 0 && c != reader->delimiter && c != '\n') {
            reader->broken = "something other than a delimiter follows a closing quote; a quote "
                             "within a quoted value is written twice";
            return -2;
        }
    } else {
        for (; c != EOF && c != reader->delimiter && c != '\n'; c = next_byte(reader, false)) {
            if (c == '"') {
                reader->broken = "a quote stands within an unquoted value; such a value is put in "
                                 "quotes, and the quote written twice";
                return -2;
            }
            add_byte(reader, c);
        }
    }
    text_add(&reader->row, "", 1);
    return c;
}

/* 1 with a row, 0 at the end of the file, -1 with `broken`. Empty lines are passed over. */
static int read_row(struct reader *reader)
{
    int c = next_byte(reader, false);
    while (c == '\n')
        c = next_byte(reader, false);
    reader->row_line = reader->line;
    reader->cell_count = 0;
    text_clear(&reader->row);
    if (c == EOF)
        return 0;
    for (;;) {
        c = read_cell(reader, c);
        if (c == -2)
            return -1;
        if (c != reader->delimiter)
            break;
        c = next_byte(reader, false);
    }
    if (reader->row.failed)
        reader->broken = "out of memory";
    return reader->row.failed ? -1 : 1;
}

static int bad_row(xy_job *job, const struct reader *reader, const char *what)
{
    return xy_fail(job, XY_EINVAL, "%s:%llu: %s", reader->path,
                   (unsigned long long)reader->row_line, what);
}

/* ---- the header ------------------------------------------------------------------------------ */

static int add_name(struct reader *reader, xy_job *job, const char *name)
{
    for (size_t i = 0; i < reader->name_count; i++)
        if (strcmp(reader->names[i], name) == 0)
            return xy_fail(job, XY_EINVAL, "%s: two columns are named `%.100s`", reader->path,
                           name);
    if (!*name || strlen(name) > 127)
        return xy_fail(job, XY_EINVAL, "%s: column %zu has no name, or one longer than 127 bytes",
                       reader->path, reader->name_count + 1);
    reader->names[reader->name_count] = strdup(name);
    if (!reader->names[reader->name_count])
        return xy_fail(job, XY_ENOMEM, "out of memory");
    reader->name_count++;
    return XY_OK;
}

static int read_header(struct reader *reader, xy_job *job)
{
    const char *const *given = reader->csv->columns;
    size_t count = 0;
    if (given) {
        while (given[count])
            count++;
    } else {
        int got = read_row(reader);
        if (got < 0)
            return bad_row(job, reader, reader->broken);
        count = reader->cell_count; /* an empty file has no columns and no records */
    }
    reader->names = calloc(count + 1, sizeof(*reader->names));
    if (!reader->names)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const char *name = given ? given[i] : reader->row.bytes + reader->cells[i].start;
        int code = add_name(reader, job, name);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static void skip_byte_order_mark(struct reader *reader)
{
    unsigned char mark[3];
    if (fread(mark, 1, 3, reader->file) != 3 || memcmp(mark, "\xef\xbb\xbf", 3) != 0)
        rewind(reader->file);
}

int csv_read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *reader = (struct reader){.csv = state, .delimiter = csv_delimiter(state), .line = 1};
    reader->path = strdup(path);
    reader->file = fopen(path, "re");
    int code = XY_OK;
    if (!reader->path || !reader->file)
        code = xy_fail(job, XY_EIO, "cannot read `%s`: %s", path, strerror(errno));
    if (code == XY_OK) {
        skip_byte_order_mark(reader);
        code = read_header(reader, job);
    }
    if (code < 0) {
        csv_read_close(state, reader);
        return code;
    }
    *cursor = reader;
    return XY_OK;
}

void csv_read_close(const void *state, void *cursor)
{
    struct reader *reader = cursor;
    (void)state;
    if (!reader)
        return;
    if (reader->file)
        fclose(reader->file);
    for (size_t i = 0; i < reader->name_count; i++)
        free(reader->names[i]);
    free(reader->names);
    free(reader->cells);
    free(reader->path);
    text_free(&reader->row);
    free(reader);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* A number as JSON writes it, `true` or `false`; else text. "007", "+1" and integers of more than
 * 64 bits stay text. */
static void guess(xy_str text, xy_value *value)
{
    xy_str json = json_check(text);
    char kind = json_kind(json);
    *value = (xy_value){.type = text.len ? XY_TEXT : XY_NULL, .text = text};
    if (json.len == text.len && (kind == '0' || kind == 't' || kind == 'f'))
        json_value_read(json, NULL, value);
    bool long_integer = value->type == XY_NUMBER && !memchr(text.ptr, '.', text.len) &&
                        !memchr(text.ptr, 'e', text.len) && !memchr(text.ptr, 'E', text.len);
    if (long_integer)
        *value = (xy_value){.type = XY_TEXT, .text = text};
}

/* An empty cell leaves the weight at 1. */
static int set_weight(xy_record *out, xy_str text)
{
    double weight = json_number(json_check(text), text.len ? -1 : 1);
    return out->api->set_weight(out, weight);
}

int csv_read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    const struct csv *csv = state;
    struct reader *reader = cursor;
    int got = read_row(reader);
    if (got < 0)
        return bad_row(job, reader, reader->broken);
    if (got == 0)
        return ferror(reader->file) ? bad_row(job, reader, strerror(errno)) : XY_END;
    if (reader->cell_count != reader->name_count)
        return xy_fail(job, XY_EINVAL, "%s:%llu: %zu values, expected %zu as the header has",
                       reader->path, (unsigned long long)reader->row_line, reader->cell_count,
                       reader->name_count);
    for (size_t i = 0; i < reader->cell_count; i++) {
        const struct cell *cell = &reader->cells[i];
        size_t end = i + 1 < reader->cell_count ? cell[1].start : reader->row.length;
        xy_value value = {.type = XY_TEXT,
                          .text = {reader->row.bytes + cell->start, end - cell->start - 1}};
        if (strcmp(reader->names[i], "_id") == 0)
            continue; /* a record's id comes from where it was read, not from the file */
        if (csv->with_weight && strcmp(reader->names[i], "_weight") == 0) {
            if (set_weight(out, value.text) == XY_OK)
                continue;
            return xy_fail(job, XY_EINVAL, "%s:%llu: `_weight` is no finite number of at least 0",
                           reader->path, (unsigned long long)reader->row_line);
        }
        if (csv->types[0] == 'g' && !cell->quoted)
            guess(value.text, &value);
        if (out->api->set(out, reader->names[i], &value) < 0)
            return xy_fail(job, XY_EINVAL, "%s:%llu: the value of `%s` is not UTF-8; convert the "
                           "file first", reader->path, (unsigned long long)reader->row_line,
                           reader->names[i]);
    }
    return XY_OK;
}
