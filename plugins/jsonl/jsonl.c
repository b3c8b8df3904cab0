/* SPDX-License-Identifier: Apache-2.0 */
/* jsonl - records as JSON lines: one object a line, its members the record's fields. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <xylem/plugin.h>

#include "json_value.h"
#include "lines.h"

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

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    struct lines lines;
    char *path, *scratch;
    size_t scratch_size;
};

static void read_close(const void *state, void *cursor)
{
    struct reader *reader = cursor;
    (void)state;
    if (!reader)
        return;
    lines_close(&reader->lines);
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
    int error = lines_open(&reader->lines, path);
    if (!reader->path || error) {
        int code = xy_fail(job, XY_EIO, "cannot read `%s`: %s", path,
                           strerror(error ? error : ENOMEM));
        read_close(state, reader);
        return code;
    }
    *cursor = reader;
    return XY_OK;
}

static int bad_line(xy_job *job, const struct reader *reader, const char *what)
{
    return xy_fail(job, XY_EINVAL, "%s:%llu: %s", reader->path,
                   (unsigned long long)reader->lines.number, what);
}

/* Room for a string of that length. */
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
static int bad_json(xy_job *job, const struct reader *reader, xy_str line)
{
    bool python = memmem(line.ptr, line.len, "NaN", 3) || memmem(line.ptr, line.len, "Infinity", 8);
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

/* The key as a C string in `name`; false when it is too long or has a NUL within. */
static bool read_name(const struct json_walk_member *member, char name[128])
{
    xy_str key = member->key;
    if (key.len >= 128)
        return false;
    if (member->plain_key) {
        memcpy(name, key.ptr, key.len);
        name[key.len] = '\0';
        return true;
    }
    size_t length = json_decode((xy_str){key.ptr - 1, key.len + 2}, name);
    return strlen(name) == length;
}

static int set_member(const struct jsonl *format, struct reader *reader, xy_record *out,
                      const struct json_walk_member *member)
{
    char name[128];
    xy_str value = member->value;
    if (!read_name(member, name))
        return XY_EINVAL;
    if (name[0] == '_') {
        if (strcmp(name, "_id") == 0)
            return XY_OK; /* a record's id comes from where it was read, not from the file */
        if (strcmp(name, "_weight") == 0 && format->with_weight)
            return out->api->set_weight(out, json_number(value, 1));
    }
    if (member->plain_value)
        return xy_record_set_text(out, name, (xy_str){value.ptr + 1, value.len - 2});
    if (!make_room(reader, value.len))
        return XY_ENOMEM;
    xy_value field;
    json_value_read(value, reader->scratch, &field);
    if (field.type == XY_NUMBER && !isfinite(field.number))
        return XY_EINVAL;
    return field.type == XY_NULL ? XY_OK /* null is a field that is not there */
                                 : out->api->set(out, name, &field);
}

/* The next line that is not blank. */
static int next_object(struct reader *reader, xy_str *object)
{
    int code;
    do {
        code = lines_next(&reader->lines, object);
        if (code != XY_OK)
            return code;
        if (reader->lines.number == 1 && object->len >= 3 &&
            memcmp(object->ptr, "\xef\xbb\xbf", 3) == 0)
            *object = (xy_str){object->ptr + 3, object->len - 3};
        while (object->len && object->ptr[0] && strchr(" \t\r", object->ptr[0]))
            *object = (xy_str){object->ptr + 1, object->len - 1};
    } while (object->len == 0);
    return XY_OK;
}

static int read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    struct reader *reader = cursor;
    xy_str object = {NULL, 0};
    int code = next_object(reader, &object);
    if (code != XY_OK)
        return code < 0 ? bad_line(job, reader, strerror(errno)) : code;
    struct json_walk walk = json_walk_begin(object);
    struct json_walk_member member;
    xy_str wrong = {NULL, 0}; /* the first key that cannot be kept, where the line is JSON */
    while (json_walk_next(&walk, &member)) {
        code = set_member(state, reader, out, &member);
        if (code == XY_ENOMEM)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        if (code < 0 && !wrong.ptr)
            wrong = member.key;
    }
    if (json_walk_end(&walk))
        return wrong.ptr ? bad_member(job, reader, wrong) : XY_OK;
    return json_check(object).ptr
               ? bad_line(job, reader, "expected a JSON object, found another JSON value")
               : bad_json(job, reader, object);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* A name as it stands in a line, with its quotes and the colon. The i-th field of a record mostly
 * has the name that the i-th field had in the record before. */
struct written_name {
    char name[128];
    struct text json;
};

enum { NAMES = 32 };

struct writer {
    xy_output *output;
    const char *const *fields;
    struct text line;
    struct written_name names[NAMES];
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

static void add_name(struct writer *writer, size_t place, const char *name)
{
    struct written_name *known = &writer->names[place % NAMES];
    if (!known->json.length || strcmp(known->name, name) != 0) {
        /* At most 127 bytes, as the ABI has it. */
        snprintf(known->name, sizeof(known->name), "%s", name);
        text_clear(&known->json);
        text_add_json(&known->json, xy_text(name));
        text_add(&known->json, ":", 1);
    }
    writer->line.failed = writer->line.failed || known->json.failed;
    text_add(&writer->line, known->json.bytes, known->json.length);
}

static void add_field(struct writer *writer, const xy_record *record, size_t place,
                      const char *name)
{
    xy_value value = {.type = XY_NULL};
    if (!record->api->get(record, name, &value) && !writer->fields)
        return;
    if (writer->line.length > 1)
        text_add(&writer->line, ",", 1);
    add_name(writer, place, name);
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
        add_field(writer, record, i, writer->fields[i]);
    for (size_t i = 0; !writer->fields && record->api->field(record, i); i++)
        add_field(writer, record, i, record->api->field(record, i));
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
    for (size_t i = 0; i < NAMES; i++)
        text_free(&writer->names[i].json);
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
    .write_by_record = 1,
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
