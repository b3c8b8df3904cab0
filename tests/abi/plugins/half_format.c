/* SPDX-License-Identifier: Apache-2.0 */
/* Reads files, but cannot close them. */
#include <xylem/plugin.h>

static int read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    (void)state, (void)job, (void)path, (void)cursor;
    return XY_EIO;
}

static int read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    (void)state, (void)job, (void)cursor, (void)out;
    return XY_END;
}

static const xy_format table = {
    .size = sizeof(table), .endings = ".half", .read_open = read_open, .read_next = read_next,
};

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FORMAT, .id = "stage", .summary = "s", .format = &table,
};

XY_PLUGIN("half_format", "1.0", "MIT", &stage)
