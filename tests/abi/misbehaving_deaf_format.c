/* SPDX-License-Identifier: Apache-2.0 */
/* A format that does not look whether its file is there, nor whether what it wrote arrived. */
#include <stdlib.h>
#include <xylem/plugin.h>

static int read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    (void)state, (void)job;
    *cursor = fopen(path, "rb");
    return XY_OK;
}

static int read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    (void)state, (void)job;
    if (!cursor || fgetc(cursor) == EOF)
        return XY_END;
    return xy_record_set_int(out, "byte", 1);
}

static void read_close(const void *state, void *cursor)
{
    (void)state;
    if (cursor)
        fclose(cursor);
}

static int write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                      void **cursor)
{
    (void)state, (void)job, (void)fields;
    *cursor = output;
    return XY_OK;
}

static int write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    (void)state, (void)job, (void)record;
    xy_output *output = cursor;
    output->api->append(output, "two", 3);
    return XY_OK;
}

static int write_close(const void *state, xy_job *job, void *cursor)
{
    (void)state, (void)job, (void)cursor;
    return XY_OK;
}

static const xy_format format = {sizeof(format), ".deaf", read_open, read_next, read_close,
                                 write_open, write_next, write_close};
static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FORMAT, .id = "deaf_format", .summary = "Looks at nothing.",
    .format = &format,
};

XY_PLUGIN("deaf_format", "1.0", "MIT", &stage)
