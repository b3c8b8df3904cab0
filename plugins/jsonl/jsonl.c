/* SPDX-License-Identifier: Apache-2.0 */
/* jsonl - records as JSON lines: one object a line, its members the record's fields. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <xylem/plugin.h>

#include "json_value.h"

struct jsonl {
    int32_t with_id;
    int32_t with_weight;
};

static const xy_option options[] = {
    {.name = "id", .type = XY_OPT_BOOL, .offset = offsetof(struct jsonl, with_id), .def = "false",
     .help = "Writes each record's id as `_id`, for `xylem why`."},
    {.name = "weight", .type = XY_OPT_BOOL, .offset = offsetof(struct jsonl, with_weight),
     .def = "false", .help = "Writes each record's weight as `_weight`, and reads it back."},
    {0},
};

enum { BUFFERED = 256 << 10 };

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    FILE *file;
    char *line;
    size_t capacity;
    char *path, *scratch, *buffer;
    size_t scratch_size;
    uint64_t number;
};

static void read_close(const void *state, void *cursor)
{
    struct reader *reader = cursor;
    (void)state;
    if (!reader)
        return;
    if (reader->file)
        fclose(reader->file);
    free(reader->buffer);
    free(reader->line);
    free(reader->path);
    free(reader->scratch);
    free(reader);
}

static int read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    reader->path = strdup(path);
    reader->file = fopen(path, "re");
    if (!reader->path || !reader->file) {
        int code = xy_fail(job, XY_EIO, "cannot read `%s`: %s", path, strerror(errno));
        read_close(state, reader);
        return code;
    }
    /* 4 KiB, otherwise. */
    reader->buffer = malloc(BUFFERED);
    if (reader->buffer)
        setvbuf(reader->file, reader->buffer, _IOFBF, BUFFERED);
    *cursor = reader;
    return XY_OK;
}

static int bad_line(xy_job *job, const struct reader *reader, const char *what)
{
    return xy_fail(job, XY_EINVAL, "%s:%llu: %s", reader->path,
                   (unsigned long long)reader->number, what);
}

/* Room for the longest string of a line of that length. */
static bool make_room(struct reader *reader, size_t length)
{
    if (length + 1 <= reader->scratch_size)
        return true;
    char *larger = realloc(reader->scratch, length * 2 + 64);
    if (!larger)
        return false;
    reader->scratch = larger;
    reader->scratch_size = length * 2 + 64;
    return true;
}

/* Python's json module writes what JSON does not know; who finds it here should be told so. */
static int bad_json(xy_job *job, const struct reader *reader)
{
    bool python = strstr(reader->line, "NaN") || strstr(reader->line, "Infinity");
    return bad_line(job, reader,
                    python ? "this line is not valid JSON (one object a line): NaN and Infinity "
                             "are no JSON; write null, or leave the field out"
                           : "this line is not valid JSON (one object a line)");
}

static int bad_member(xy_job *job, const struct reader *reader, xy_str key)
{
    char why[256];
    snprintf(why, sizeof(why), "the field `%.*s`: its name is empty or longer than 127 bytes, or "
             "its value cannot be kept (a number past 1.8e308, half a pair of surrogates)",
             (int)(key.len < 80 ? key.len : 80), key.ptr);
    return bad_line(job, reader, why);
}

static int set_member(const struct jsonl *format, struct reader *reader, xy_record *out, xy_str key,
                      xy_str value)
{
    char name[128];
    xy_str quoted = {key.ptr - 1, key.len + 2};
    if (key.len + 1 > sizeof(name))
        return XY_EINVAL;
    size_t length = json_decode(quoted, name);
    if (strlen(name) != length)
        return XY_EINVAL; /* a NUL within: names are C strings */
    if (strcmp(name, "_id") == 0)
        return XY_OK; /* a record's id comes from where it was read, not from the file */
    if (strcmp(name, "_weight") == 0 && format->with_weight)
        return out->api->set_weight(out, json_number(value, 1));
    xy_value field;
    json_value_read(value, reader->scratch, &field);
    if (field.type == XY_NUMBER && !isfinite(field.number))
        return XY_EINVAL;
    return field.type == XY_NULL ? XY_OK /* null is a field that is not there */
                                 : out->api->set(out, name, &field);
}

static int read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    struct reader *reader = cursor;
    ssize_t length;
    xy_str object = {NULL, 0};
    do {
        length = getline(&reader->line, &reader->capacity, reader->file);
        reader->number++;
        if (length < 0)
            return ferror(reader->file) ? bad_line(job, reader, strerror(errno)) : XY_END;
        object = (xy_str){reader->line, (size_t)length};
        if (reader->number == 1 && length >= 3 && memcmp(object.ptr, "\xef\xbb\xbf", 3) == 0)
            object = (xy_str){object.ptr + 3, object.len - 3};
    } while (strspn(object.ptr, " \t\r\n") == object.len);
    object = json_check(object);
    if (!object.ptr)
        return bad_json(job, reader);
    if (json_kind(object) != '{')
        return bad_line(job, reader, "expected a JSON object, found another JSON value");
    if (!make_room(reader, object.len))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    while (json_next(object, &at, &key, &value)) {
        if (set_member(state, reader, out, key, value) < 0)
            return bad_member(job, reader, key);
    }
    return XY_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct writer {
    xy_output *output;
    const char *const *fields;
    struct text line;
};

static int write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                      void **cursor)
{
    (void)state;
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    writer->output = output;
    writer->fields = fields;
    *cursor = writer;
    return XY_OK;
}

static void add_field(struct writer *writer, const xy_record *record, const char *name)
{
    xy_value value = {.type = XY_NULL};
    if (!record->api->get(record, name, &value) && !writer->fields)
        return;
    text_add_literal(&writer->line, writer->line.length > 1 ? "," : "");
    text_add_json(&writer->line, xy_text(name));
    text_add_literal(&writer->line, ":");
    json_value_add(&writer->line, &value);
}

static int write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    const struct jsonl *format = state;
    struct writer *writer = cursor;
    text_clear(&writer->line);
    text_add_literal(&writer->line, "{");
    if (format->with_id) {
        char id[40];
        snprintf(id, sizeof(id), "\"_id\":\"%016llx\"",
                 (unsigned long long)record->api->id(record));
        text_add_literal(&writer->line, id);
    }
    for (size_t i = 0; writer->fields && writer->fields[i]; i++)
        add_field(writer, record, writer->fields[i]);
    for (size_t i = 0; !writer->fields && record->api->field(record, i); i++)
        add_field(writer, record, record->api->field(record, i));
    if (format->with_weight) {
        text_add_literal(&writer->line, writer->line.length > 1 ? ",\"_weight\":" : "\"_weight\":");
        text_add_number(&writer->line, record->api->weight(record));
    }
    text_add_literal(&writer->line, "}\n");
    if (writer->line.failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return writer->output->api->append(writer->output, writer->line.bytes, writer->line.length);
}

static int write_close(const void *state, xy_job *job, void *cursor)
{
    struct writer *writer = cursor;
    (void)state;
    (void)job;
    text_free(&writer->line);
    free(writer);
    return XY_OK;
}

static const xy_format format = {
    .size = sizeof(xy_format),
    .endings = ".jsonl .ndjson .jsonlines",
    .read_open = read_open,
    .read_next = read_next,
    .read_close = read_close,
    .write_open = write_open,
    .write_next = write_next,
    .write_close = write_close,
};

static const xy_stage jsonl = {
    XY_STAGE_INIT,
    .kind = XY_FORMAT,
    .state_size = sizeof(struct jsonl),
    .id = "jsonl",
    .version = "1.0.0",
    .summary = "Reads and writes JSON lines, one object a line",
    .options = options,
    .format = &format,
};

XY_PLUGIN("jsonl", "1.0.0", "Apache-2.0", &jsonl)
