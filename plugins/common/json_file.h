/* SPDX-License-Identifier: Apache-2.0 */
/* json_file.h - a file of JSON objects, as labelling tools exchange them: one array of objects, or
 * one object a line, read into memory as a whole. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_JSON_FILE_H
#define XYLEM_PLUGINS_COMMON_JSON_FILE_H

#include "json_reader.h"

struct json_file { /* zeroed: empty */
    char *path, *bytes;
    size_t length;
    char *scratch;          /* length + 1 bytes, to decode strings into; the caller's */
    xy_str array;           /* {NULL, 0} when each line is an object */
    struct json_cursor at;
    const char *rest;       /* of the lines */
    const char *item_start; /* where the object lies that came last */
};

/* XY_OK, or an error, explained, with the line of a text that is no JSON. At most 1 GiB. */
int json_file_open(struct json_file *file, xy_job *job, const char *path);
/* XY_OK with the next object, XY_END, or XY_EINVAL, explained. */
int json_file_next(struct json_file *file, xy_job *job, xy_str *object);
/* Explains "PATH:LINE: what" with the line of the last object, and returns XY_EINVAL. */
int json_file_fail(const struct json_file *file, xy_job *job, const char *what);
void json_file_free(struct json_file *file);

/* Sets a record's field to what the JSON value means; null and absent ones are left out. Decodes
 * into `scratch`. `name` and `length`: the key as json_next() gives it, escapes and all. XY_OK, or
 * XY_EINVAL when the name is longer than 127 bytes or the value cannot be kept. */
int json_file_set(xy_record *record, xy_str key, xy_str value, char *scratch);
/* The same for a field whose name the plugin knows. */
int json_file_set_named(xy_record *record, const char *name, xy_str value, char *scratch);

#endif
