/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs through format plugins, and the rejects, each as a whole or not at all. */
#include <sys/stat.h>

#include "engine_internal.h"
#include "file.h"
#include "job.h"
#include "json.h"

/* The host's side of xy_output. */
struct sink {
    xy_output base;
    struct file_writer *file;
    struct error *error;
};

static int sink_append(xy_output *base, const void *bytes, size_t length)
{
    struct sink *sink = (struct sink *)base;
    return file_writer_append(sink->file, bytes, length, sink->error);
}

static const xy_output_api sink_api = {.size = sizeof(xy_output_api), .append = sink_append};

struct opening {
    struct engine *engine;
    const struct write_spec *spec;
    struct instance *instance;
};

struct instance *output_format_open(struct services *services, const struct pipeline *pipeline,
                                   const struct write_spec *spec, struct error *error)
{
    static const char *const ignore[] = {"path", "format", "from", "fields", "rejects", NULL};
    struct instance *instance =
        instance_create(services, spec->format, spec->format->stage.id, spec->format_node,
                        spec->format_node, pipeline->folder, ignore, NULL, error);
    if (instance)
        instance_open(instance, error);
    return instance;
}

static void open_format(void *data)
{
    struct opening *opening = data;
    struct engine *engine = opening->engine;
    opening->instance = output_format_open(&engine->services, engine->pipeline, opening->spec,
                                          &engine->error);
}

static void close_format(void *data)
{
    instance_close(((struct opening *)data)->instance);
}

static int write_output(struct engine *engine, const struct write_spec *spec)
{
    struct dataset *data = output_all(output_find(engine, spec->from));
    struct opening opening = {.engine = engine, .spec = spec};
    struct sink sink = {.base = {&sink_api}, .error = &engine->error};
    engine_on_loop(engine, open_format, &opening);
    if (!engine->error.code)
        sink.file = file_writer_open(spec->path, &engine->error);
    if (sink.file) {
        bool good = engine_write_records(engine, opening.instance, spec, data, &sink.base) == XY_OK;
        file_writer_close(sink.file, good, &engine->error);
    }
    engine_on_loop(engine, close_format, &opening);
    dataset_destroy(data);
    return engine->error.code;
}

/* One line for each reject: its id, its fields, and its trail, whose last event has step and
 * reason. */
static int write_rejects(struct engine *engine, const char *path)
{
    struct file_writer *file = path ? file_writer_open(path, &engine->error) : NULL;
    struct buffer line;
    buffer_init(&line, (size_t)64 << 20);
    int code = path && !file ? engine->error.code : XY_OK;
    for (size_t i = 0; i < engine->output_count && code >= 0; i++) {
        const struct output *output = &engine->outputs[i];
        for (size_t k = 0; k < output->reject_count && code >= 0; k++) {
            uint64_t count = dataset_count(output->rejects[k]);
            engine->result->rejected += count;
            for (uint64_t at = 0; file && at < count && code >= 0; at++) {
                struct record *record = dataset_read(output->rejects[k], at);
                char id[17];
                record_id_text(record->id, id);
                buffer_clear(&line);
                buffer_printf(&line, "{\"id\":\"%s\",\"fields\":", id);
                record_write_json(record, NULL, false, &line);
                buffer_append_text(&line, ",\"trail\":[");
                buffer_append_str(&line, buffer_str(&record->trail));
                buffer_append_text(&line, "]}\n");
                code = file_writer_append(file, line.bytes, line.length, &engine->error);
                record_destroy(record);
            }
        }
    }
    if (file)
        file_writer_close(file, code >= 0, &engine->error);
    buffer_free(&line);
    return engine->error.code;
}

static int check_path(const char *path, struct error *error)
{
    struct stat there;
    if (path && stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return error_set(error, XY_EIO, "cannot write `%s`: it is a folder", path);
    struct file_writer *file = path ? file_writer_open(path, error) : NULL;
    if (file)
        file_writer_close(file, false, error);
    return error->code;
}

int outputs_check(struct engine *engine)
{
    const struct pipeline *pipeline = engine->pipeline;
    for (size_t i = 0; i < pipeline->write_count && !engine->error.code; i++) {
        check_path(pipeline->writes[i].path, &engine->error);
        if (!engine->error.code)
            check_path(pipeline->writes[i].rejects, &engine->error);
    }
    return engine->error.code;
}

/* Records that are written in two forms are accepted once. */
static void count_accepted(struct engine *engine)
{
    const struct pipeline *pipeline = engine->pipeline;
    for (size_t i = 0; i < pipeline->write_count; i++) {
        const char *from = pipeline->writes[i].from;
        bool counted = false;
        for (size_t k = 0; k < i; k++)
            counted = counted || strcmp(pipeline->writes[k].from, from) == 0;
        if (counted)
            continue;
        struct dataset *data = output_all(output_find(engine, from));
        engine->result->accepted += dataset_count(data);
        dataset_destroy(data);
    }
}

int outputs_write(struct engine *engine)
{
    const struct pipeline *pipeline = engine->pipeline;
    const char *rejects = NULL;
    for (size_t i = 0; i < pipeline->write_count; i++) {
        if (write_output(engine, &pipeline->writes[i]) < 0)
            return engine->error.code;
        if (pipeline->writes[i].rejects)
            rejects = pipeline->writes[i].rejects;
    }
    count_accepted(engine);
    return write_rejects(engine, rejects);
}
