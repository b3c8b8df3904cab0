/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.files/1: reading and making files of records through whichever format plugin knows
 * them. */
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "files.h"
#include "instance.h"
#include "job.h"

struct xy_reader {
    struct instance *instance;
    void *cursor;
};

static bool has_ending(const char *path, const char *endings)
{
    size_t path_length = strlen(path);
    for (const char *at = endings; *at;) {
        size_t length = strcspn(at, " ");
        if (length && path_length > length &&
            memcmp(path + path_length - length, at, length) == 0)
            return true;
        at += length + strspn(at + length, " ");
    }
    return false;
}

const struct stage_type *files_format(const struct registry *registry, const char *path,
                                      const char *name, struct error *error)
{
    if (name) {
        const struct stage_type *type = registry_find(registry, XY_FORMAT, name);
        if (type)
            return type;
        error_set(error, XY_EINVAL, "there is no format `%s`", name);
        const char *near = registry_nearest(registry, XY_FORMAT, name);
        if (near)
            error_hint(error, "did you mean `%s`?", near);
        return NULL;
    }
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
        for (size_t i = 0; i < plugin->stage_count; i++) {
            const struct stage_type *type = &plugin->stages[i];
            if (type->stage.kind == XY_FORMAT && type->format.endings &&
                has_ending(path, type->format.endings))
                return type;
        }
    }
    error_set(error, XY_EINVAL, "no format is known by the ending of `%s`", path);
    error_hint(error, "name one: `xylem plugins` lists them");
    return NULL;
}

/* An instance of the format, or NULL with the reason on the job. */
static struct instance *open_format(xy_job *base, const char *path, const char *format,
                                    const char *options, bool to_read)
{
    struct job *job = (struct job *)base;
    struct services *services = instance_services(job->instance);
    struct error error = {0};
    const struct stage_type *type = files_format(services->registry, path, format, &error);
    struct instance *instance = NULL;
    if (type && !(to_read ? (bool)type->format.read_open : (bool)type->format.write_open)) {
        error_set(&error, XY_EUNSUPPORTED, "the format `%s` can only %s", type->stage.id,
                  to_read ? "write" : "read");
    } else if (type) {
        /* JSON is YAML: the options take the way that those of a pipeline file take. */
        struct node *with =
            options ? node_read_text(&job->arena, "options", str_of(options), &error) : NULL;
        if (!options || with)
            instance = instance_create(services, type, type->stage.id, with, with, NULL, NULL, NULL,
                                       &error);
    }
    if (!instance)
        xy_say(base, XY_EINVAL, "%s%s%s%s", error.text, error.hint[0] ? " (" : "", error.hint,
               error.hint[0] ? ")" : "");
    return instance;
}

static xy_reader *open_reader(xy_job *base, const char *path, const char *format,
                              const char *options)
{
    struct instance *instance = open_format(base, path, format, options, true);
    if (!instance)
        return NULL;
    xy_reader *reader = memory_zeroed(1, sizeof(*reader));
    reader->instance = instance;
    const xy_format *reads = &instance_type(instance)->format;
    if (reads->read_open(instance_state(instance), base, path, &reader->cursor) < 0) {
        instance_close(instance);
        free(reader);
        return NULL;
    }
    return reader;
}

static int next_record(xy_job *job, xy_reader *reader, xy_record *out)
{
    const xy_format *format = &instance_type(reader->instance)->format;
    return format->read_next(instance_state(reader->instance), job, reader->cursor, out);
}

static void close_reader(xy_reader *reader)
{
    if (!reader)
        return;
    const xy_format *format = &instance_type(reader->instance)->format;
    format->read_close(instance_state(reader->instance), reader->cursor);
    instance_close(reader->instance);
    free(reader);
}

/* ---- making a file --------------------------------------------------------------------------- */

struct xy_writer {
    xy_output base;
    struct instance *instance;
    struct file_writer *file;
    struct error error;
    void *cursor;
};

static int append(xy_output *base, const void *bytes, size_t length)
{
    struct xy_writer *writer = (struct xy_writer *)base;
    return file_writer_append(writer->file, bytes, length, &writer->error);
}

static const xy_output_api output_api = {.size = sizeof(xy_output_api), .append = append};

static int end_writer(xy_job *job, xy_writer *writer, int code, bool keep)
{
    if (file_writer_close(writer->file, keep && code >= 0, &writer->error) < 0 && code >= 0)
        code = writer->error.code;
    if (writer->error.code)
        job->api->explain(job, writer->error.text);
    instance_close(writer->instance);
    free(writer);
    return code < 0 ? code : XY_OK;
}

static xy_writer *create_writer(xy_job *job, const char *path, const char *format,
                                const char *options, const char *const *fields)
{
    struct instance *instance = open_format(job, path, format, options, false);
    struct error error = {0};
    struct file_writer *file = instance ? file_writer_open(path, &error) : NULL;
    if (!file) {
        if (instance)
            job->api->explain(job, error.text);
        instance_close(instance);
        return NULL;
    }
    xy_writer *writer = memory_zeroed(1, sizeof(*writer));
    *writer = (struct xy_writer){.base = {&output_api}, .instance = instance, .file = file};
    const xy_format *writes = &instance_type(instance)->format;
    int code = writes->write_open(instance_state(instance), job, fields, &writer->base,
                                  &writer->cursor);
    if (code < 0) {
        end_writer(job, writer, code, false);
        return NULL;
    }
    return writer;
}

static int write_record(xy_job *job, xy_writer *writer, const xy_record *record)
{
    const xy_format *format = &instance_type(writer->instance)->format;
    return format->write_next(instance_state(writer->instance), job, writer->cursor, record);
}

static int finish_writer(xy_job *job, xy_writer *writer, int keep)
{
    const xy_format *format = &instance_type(writer->instance)->format;
    int code = format->write_close(instance_state(writer->instance), job, writer->cursor);
    return end_writer(job, writer, code, keep);
}

const xy_files service_files = {
    .size = sizeof(xy_files), .open = open_reader, .next = next_record, .close = close_reader,
    .create = create_writer, .write = write_record, .finish = finish_writer};
