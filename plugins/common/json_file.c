/* SPDX-License-Identifier: Apache-2.0 */
#include "json_file.h"

#include <errno.h>
#include <stdlib.h>

#include "json_value.h"

enum { LARGEST = 1 << 30 };

static int cannot(xy_job *job, const char *path)
{
    return xy_fail(job, XY_EIO, "cannot read `%s`: %s", path, strerror(errno));
}

static int read_whole(struct json_file *file, xy_job *job)
{
    FILE *stream = fopen(file->path, "re");
    size_t room = 0;
    if (!stream)
        return cannot(job, file->path);
    int code = XY_OK;
    for (;;) {
        if (file->length + 1 >= room) {
            room = room ? 2 * room : 1 << 16;
            char *larger = room <= 2 * (size_t)LARGEST ? realloc(file->bytes, room) : NULL;
            if (!larger) {
                code = xy_fail(job, XY_EINVAL, "`%s` does not fit into memory", file->path);
                break;
            }
            file->bytes = larger;
        }
        size_t got = fread(file->bytes + file->length, 1, room - 1 - file->length, stream);
        file->length += got;
        if (got == 0)
            break;
    }
    if (code == XY_OK && ferror(stream))
        code = cannot(job, file->path);
    fclose(stream);
    if (file->bytes)
        file->bytes[file->length] = '\0';
    return code;
}

/* Spaces, and the mark that some editors put before UTF-8. */
static const char *first_sign(const struct json_file *file)
{
    const char *at = file->bytes;
    if (file->length >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    return at + strspn(at, " \t\r\n");
}

int json_file_open(struct json_file *file, xy_job *job, const char *path)
{
    *file = (struct json_file){.path = strdup(path)};
    int code = file->path ? read_whole(file, job) : xy_fail(job, XY_ENOMEM, "out of memory");
    if (code == XY_OK) {
        file->scratch = malloc(file->length + 1);
        code = file->scratch ? XY_OK : xy_fail(job, XY_ENOMEM, "out of memory");
    }
    if (code == XY_OK) {
        file->rest = file->item_start = first_sign(file);
        if (*file->rest == '[') {
            size_t left = file->length - (size_t)(file->rest - file->bytes);
            file->array = json_check((xy_str){file->rest, left});
            if (!file->array.ptr)
                code = json_file_fail(file, job, "the list that begins here is no JSON, or not "
                                      "UTF-8: is the file cut off?");
        }
    }
    if (code < 0)
        json_file_free(file);
    return code;
}

int json_file_fail(const struct json_file *file, xy_job *job, const char *what)
{
    size_t line = 1;
    for (const char *at = file->bytes; at < file->item_start; at++)
        line += *at == '\n';
    return xy_fail(job, XY_EINVAL, "%s:%zu: %s", file->path, line, what);
}

static int next_line(struct json_file *file, xy_job *job, xy_str *object)
{
    file->rest += strspn(file->rest, " \t\r\n");
    file->item_start = file->rest;
    if (!*file->rest)
        return file->rest == file->bytes + file->length
                   ? XY_END : json_file_fail(file, job, "a byte 0: is this a text file?");
    size_t length = strcspn(file->rest, "\n");
    *object = json_check((xy_str){file->rest, length});
    file->rest += length;
    return object->ptr ? XY_OK
                       : json_file_fail(file, job, "expected a list of JSON objects, or one JSON "
                                        "object a line; found neither");
}

int json_file_next(struct json_file *file, xy_job *job, xy_str *object)
{
    xy_str key;
    if (!file->array.ptr) {
        int code = next_line(file, job, object);
        if (code != XY_OK)
            return code;
    } else if (!json_next(file->array, &file->at, &key, object)) {
        return XY_END;
    }
    file->item_start = object->ptr;
    return json_kind(*object) == '{' ? XY_OK : json_file_fail(file, job, "expected an object");
}

void json_file_free(struct json_file *file)
{
    free(file->path);
    free(file->bytes);
    free(file->scratch);
    *file = (struct json_file){0};
}

int json_file_set(xy_record *record, xy_str key, xy_str value, char *scratch)
{
    char name[800]; /* 127 bytes, each of which may be an escape */
    xy_str quoted = {key.ptr - 1, key.len + 2};
    xy_value field;
    if (quoted.len >= sizeof(name) || json_decode(quoted, name) > 127)
        return XY_EINVAL;
    json_value_read(value, scratch, &field);
    if (field.type == XY_NULL)
        return XY_OK;
    return record->api->set(record, name, &field);
}

int json_file_set_named(xy_record *record, const char *name, xy_str value, char *scratch)
{
    char quoted[130];
    snprintf(quoted, sizeof(quoted), "\"%.127s\"", name);
    return json_file_set(record, (xy_str){quoted + 1, strlen(quoted) - 2}, value, scratch);
}
