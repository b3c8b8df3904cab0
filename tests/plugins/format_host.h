/* SPDX-License-Identifier: Apache-2.0 */
/* format_host.h - what tests of formats share: records written to a text, a text read as
 * records. */
#ifndef XYLEM_TESTS_PLUGINS_FORMAT_HOST_H
#define XYLEM_TESTS_PLUGINS_FORMAT_HOST_H

#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "stage_host.h"

struct format_output {
    xy_output base;
    struct buffer bytes;
};

static inline int format_append(xy_output *base, const void *bytes, size_t length)
{
    return buffer_append(&((struct format_output *)base)->bytes, bytes, length) ? XY_OK : XY_EIO;
}

/* What the format wrote of the JSON lines, or "error: " and what it said; the host's arena has
 * it. */
static inline const char *format_write(struct stage_host *host, const char *id, const char *yaml,
                                       const char *const *fields, const char *lines)
{
    static const xy_output_api api = {.size = sizeof(api), .append = format_append};
    struct instance *instance = stage_host_open(host, XY_FORMAT, id, yaml);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_format *format = &instance_type(instance)->format;
    struct job *job = job_create(instance, NULL, 0);
    struct format_output output = {.base.api = &api};
    buffer_init(&output.bytes, 1 << 20);
    void *cursor = NULL;
    const void *state = instance_state(instance);
    int code = format->write_open(state, &job->base, fields, &output.base, &cursor);
    CU_ASSERT_FATAL(code == XY_OK);
    for (uint64_t number = 1000; code == XY_OK && *lines; number++) {
        size_t length = strcspn(lines, "\n");
        char *line = arena_copy(&host->arena, lines, length);
        struct record *record = stage_host_record(line, number);
        code = format->write_next(state, &job->base, cursor, &record->base);
        record_destroy(record);
        lines += length + (lines[length] == '\n');
    }
    CU_ASSERT_EQUAL(format->write_close(state, &job->base, cursor), XY_OK);
    const char *text = code == XY_OK
                           ? arena_copy(&host->arena, output.bytes.bytes ? output.bytes.bytes : "",
                                        output.bytes.length)
                           : arena_printf(&host->arena, "error: %s", job->why ? job->why : "none");
    buffer_free(&output.bytes);
    job_destroy(job);
    instance_close(instance);
    return text;
}

/* The records of a file with these bytes, each as a JSON line, then "error: " and what was said
 * when reading failed; "FILE" stands there for the file's path. */
static inline const char *format_read_bytes(struct stage_host *host, const char *id,
                                            const char *yaml, const char *bytes, size_t length)
{
    char path[64];
    snprintf(path, sizeof(path), P_tmpdir "/format-%ld", (long)getpid());
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL && fwrite(bytes, 1, length, file) == length);
    fclose(file);
    struct instance *instance = stage_host_open(host, XY_FORMAT, id, yaml);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_format *format = &instance_type(instance)->format;
    struct job *job = job_create(instance, NULL, 0);
    struct buffer out;
    buffer_init(&out, 1 << 24);
    void *cursor = NULL;
    const void *state = instance_state(instance);
    int code = format->read_open(state, &job->base, path, &cursor);
    bool open = code == XY_OK;
    while (code == XY_OK) {
        struct record *record = record_create(1);
        code = format->read_next(state, &job->base, cursor, &record->base);
        if (code == XY_OK) {
            record_write_json(record, NULL, true, &out);
            buffer_append_char(&out, '\n');
        }
        record_destroy(record);
    }
    if (open)
        format->read_close(state, cursor);
    if (code < 0) {
        const char *why = job->why ? job->why : "none", *at = strstr(why, path);
        buffer_printf(&out, "error: %.*s%s%s", (int)(at ? at - why : 0), why, at ? "FILE" : "",
                      at ? at + strlen(path) : why);
    }
    const char *text = arena_copy(&host->arena, out.bytes ? out.bytes : "", out.length);
    buffer_free(&out);
    job_destroy(job);
    instance_close(instance);
    unlink(path);
    return text;
}

/* The weight that the first record of a file with this text comes with. */
static inline double format_read_weight(struct stage_host *host, const char *id, const char *yaml,
                                        const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), P_tmpdir "/format-%ld", (long)getpid());
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL && fputs(text, file) >= 0);
    fclose(file);
    struct instance *instance = stage_host_open(host, XY_FORMAT, id, yaml);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_format *format = &instance_type(instance)->format;
    struct job *job = job_create(instance, NULL, 0);
    struct record *record = record_create(1);
    void *cursor = NULL;
    const void *state = instance_state(instance);
    CU_ASSERT_EQUAL_FATAL(format->read_open(state, &job->base, path, &cursor), XY_OK);
    CU_ASSERT_EQUAL(format->read_next(state, &job->base, cursor, &record->base), XY_OK);
    format->read_close(state, cursor);
    double weight = record->weight;
    record_destroy(record);
    job_destroy(job);
    instance_close(instance);
    unlink(path);
    return weight;
}

static inline const char *format_read(struct stage_host *host, const char *id, const char *yaml,
                                      const char *text)
{
    return format_read_bytes(host, id, yaml, text, strlen(text));
}

#endif
