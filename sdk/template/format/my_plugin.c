/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - one record for each line of a text file. */
#include <errno.h>
#include <stdlib.h>
#include <xylem/plugin.h>

struct state {
    const char *field;
};

static const xy_option options[] = {
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "text", 0, 0, 0, NULL,
     "The field that holds the line."},
    {0},
};

struct reader {
    FILE *file;
    char *line;
    size_t capacity;
    uint64_t number;
};

static int read_open(const void *data, xy_job *job, const char *path, void **cursor)
{
    (void)data;
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return XY_ENOMEM;
    reader->file = fopen(path, "rb");
    if (!reader->file) {
        free(reader);
        return xy_fail(job, XY_EIO, "cannot open `%s`: %s", path, strerror(errno));
    }
    *cursor = reader;
    return XY_OK;
}

/* The line without its end, which is "\n" or "\r\n". */
static xy_str without_end(const char *line, size_t length)
{
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    return (xy_str){line, length};
}

static int read_next(const void *data, xy_job *job, void *cursor, xy_record *out)
{
    const struct state *state = data;
    struct reader *reader = cursor;
    ssize_t length = getline(&reader->line, &reader->capacity, reader->file);
    if (length < 0)
        return feof(reader->file) ? XY_END : xy_fail(job, XY_EIO, "cannot read on");
    reader->number++;
    xy_str text = without_end(reader->line, (size_t)length);
    if (xy_record_set_text(out, state->field, text) < 0)
        return xy_fail(job, XY_EINVAL, "line %llu is not UTF-8",
                       (unsigned long long)reader->number);
    return XY_OK;
}

static void read_close(const void *data, void *cursor)
{
    (void)data;
    struct reader *reader = cursor;
    fclose(reader->file);
    free(reader->line);
    free(reader);
}

/* Nothing is kept between two records but where they go. */
static int write_open(const void *data, xy_job *job, const char *const *fields, xy_output *output,
                      void **cursor)
{
    (void)data, (void)job, (void)fields;
    *cursor = output;
    return XY_OK;
}

static int write_next(const void *data, xy_job *job, void *cursor, const xy_record *record)
{
    const struct state *state = data;
    xy_output *output = cursor;
    xy_str text = xy_record_text(record, state->field);
    if (text.len > 0 && memchr(text.ptr, '\n', text.len))
        return xy_fail(job, XY_EINVAL, "the field `%s` has more than one line", state->field);
    int code = output->api->append(output, text.len ? text.ptr : "", text.len);
    return code < 0 ? code : output->api->append(output, "\n", 1);
}

static int write_close(const void *data, xy_job *job, void *cursor)
{
    (void)data, (void)job, (void)cursor;
    return XY_OK;
}

static const xy_format format = {
    .size = sizeof(format), .endings = ".lines",
    .read_open = read_open, .read_next = read_next, .read_close = read_close,
    .write_open = write_open, .write_next = write_next, .write_close = write_close,
};

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FORMAT, .id = "my_plugin", .state_size = sizeof(struct state),
    .summary = "One record for each line of a text file.", .options = options, .format = &format,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
