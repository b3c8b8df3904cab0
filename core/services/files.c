/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.files/1: reading records through whichever format plugin knows the file. */
#include <stdlib.h>
#include <string.h>

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

static xy_reader *open_reader(xy_job *base, const char *path, const char *format,
                              const char *options)
{
    struct job *job = (struct job *)base;
    struct services *services = instance_services(job->instance);
    struct error error = {0};
    const struct stage_type *type = files_format(services->registry, path, format, &error);
    struct instance *instance = NULL;
    if (type && !type->format.read_open) {
        error_set(&error, XY_EUNSUPPORTED, "the format `%s` can only write", type->stage.id);
    } else if (type) {
        /* JSON is YAML: the options take the way that those of a pipeline file take. */
        struct node *with =
            options ? node_read_text(&job->arena, "options", str_of(options), &error) : NULL;
        if (!options || with)
            instance = instance_create(services, type, type->stage.id, with, with, NULL, NULL, NULL,
                                       &error);
    }
    if (!instance) {
        xy_say(base, XY_EINVAL, "%s", error.text);
        return NULL;
    }
    xy_reader *reader = memory_zeroed(1, sizeof(*reader));
    reader->instance = instance;
    const void *state = instance_state(instance);
    if (type->format.read_open(state, base, path, &reader->cursor) < 0) {
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

const xy_files service_files = {
    .size = sizeof(xy_files), .open = open_reader, .next = next_record, .close = close_reader};
