/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_format.c - a format writes any record, reads back what it wrote, and survives any
 * file. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance_internal.h"

enum { OUTPUT_LIMIT = 64 << 20, READ_LIMIT = 1000 };

/* Where the format writes; refuses everything past `ceiling`, as a full disk does. */
struct output {
    xy_output base;
    struct buffer bytes;
};

static int append(xy_output *base, const void *bytes, size_t length)
{
    struct output *output = (struct output *)base;
    return buffer_append(&output->bytes, bytes, length) ? XY_OK : XY_EIO;
}

static const xy_output_api output_api = {.size = sizeof(output_api), .append = append};

/* One pass of writing or reading, on a worker. */
struct passage {
    struct kit *kit;
    struct instance *instance;
    struct job *job;
    struct output output;
    enum kit_record what;
    const char *path;
    int code;      /* of the first call that failed */
    size_t records;
};

static void write_records(void *data)
{
    struct passage *passage = data;
    const xy_format *format = &passage->kit->type->format;
    const void *state = instance_state(passage->instance);
    xy_job *job = &passage->job->base;
    void *cursor = NULL;
    passage->code = format->write_open(state, job, NULL, &passage->output.base, &cursor);
    if (passage->code < 0)
        return;
    for (uint64_t i = 0; i < KIT_RECORDS && passage->code >= 0; i++) {
        struct record *record = record_create(i + 1);
        kit_fill(passage->kit, &record->base, passage->what, i);
        passage->code = format->write_next(state, job, cursor, &record->base);
        passage->records += passage->code >= 0;
        record_destroy(record);
    }
    int closed = format->write_close(state, job, cursor);
    if (passage->code >= 0)
        passage->code = closed;
}

static void read_records(void *data)
{
    struct passage *passage = data;
    const xy_format *format = &passage->kit->type->format;
    const void *state = instance_state(passage->instance);
    xy_job *job = &passage->job->base;
    void *cursor = NULL;
    passage->code = format->read_open(state, job, passage->path, &cursor);
    if (passage->code < 0)
        return;
    while (passage->code >= 0 && passage->code != XY_END && passage->records < READ_LIMIT) {
        struct record *record = record_create(passage->records + 1);
        passage->code = format->read_next(state, job, cursor, &record->base);
        passage->records += passage->code == XY_OK;
        record_destroy(record);
        if (passage->code > 0 && passage->code != XY_END) {
            kit_fail(passage->kit, "read_next() answered %d: XY_OK, XY_END or an error",
                     passage->code);
            break;
        }
    }
    format->read_close(state, cursor);
}

static void run_passage(struct passage *passage, loop_fn fn)
{
    passage->records = 0;
    passage->job = job_create(passage->instance, NULL, 0);
    passage->job->cancelled = &passage->kit->cancelled;
    kit_do(passage->kit, true, fn, passage);
    if (passage->code < 0 && (!passage->job->why || !*passage->job->why))
        kit_fail(passage->kit, "it answered %d without a reason: call explain()", passage->code);
    job_destroy(passage->job);
}

static void save(struct kit *kit, const char *path, xy_str bytes)
{
    FILE *file = fopen(path, "wb");
    bool saved = file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
    if (file && fclose(file) != 0)
        saved = false;
    if (!saved)
        kit_fail(kit, "the kit cannot write its own file `%s`", path);
}

static bool try_writing(struct passage *passage)
{
    struct kit *kit = passage->kit;
    const xy_format *format = &kit->type->format;
    for (enum kit_record what = RECORD_PLAIN; what < RECORD_KINDS; what++) {
        kit_begin(kit, kit_record_names[what]);
        passage->what = what;
        buffer_init(&passage->output.bytes, OUTPUT_LIMIT);
        run_passage(passage, write_records);
        bool written = passage->code >= 0;
        size_t count = passage->records;
        if (written && format->read_open) {
            save(kit, passage->path, buffer_str(&passage->output.bytes));
            run_passage(passage, read_records);
            if (what == RECORD_PLAIN && (passage->code < 0 || passage->records != count))
                kit_fail(kit, "%zu records were written, and %zu read back", count,
                         passage->records);
        }
        buffer_free(&passage->output.bytes);
    }
    kit_begin(kit, "a full disk");
    passage->what = RECORD_PLAIN;
    buffer_init(&passage->output.bytes, 1);
    passage->job = job_create(passage->instance, NULL, 0);
    kit_do(kit, true, write_records, passage);
    if (passage->code >= 0)
        kit_fail(kit, "append() failed, and nobody was told");
    job_destroy(passage->job);
    buffer_free(&passage->output.bytes);
    return true;
}

static void try_reading(struct passage *passage)
{
    struct kit *kit = passage->kit;
    const char *path = passage->path;
    kit_begin(kit, "a file that is not there");
    unlink(path);
    run_passage(passage, read_records);
    if (passage->code >= 0)
        kit_fail(kit, "reading a file that is not there is no error");
    static const struct {
        const char *rule;
        xy_str bytes;
    } files[] = {
        {"an empty file", {"", 0}},
        {"a file that is not UTF-8", {"\xff\xfe\x80\n\xc0\xaf,\"\xed\xa0\x80\n", 13}},
        {"a file that was cut off", {"{\"text\": \"a\", \"b\": [1, \"", 24}},
        {"a file of NUL bytes", {"\0\0\0\0\0\n\0", 7}},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        kit_begin(kit, files[i].rule);
        save(kit, path, files[i].bytes);
        run_passage(passage, read_records);
    }
    kit_begin(kit, "a line of a mebibyte");
    char *line = arena_alloc(&kit->arena, KIT_HUGE);
    memset(line, 'x', KIT_HUGE);
    save(kit, path, (xy_str){line, KIT_HUGE});
    run_passage(passage, read_records);
    if (passage->records == READ_LIMIT)
        kit_fail(kit, "one line gave %d records and no end", READ_LIMIT);
}

void kit_try_format(struct kit *kit)
{
    struct error error = {0};
    struct passage *passage = arena_alloc(&kit->arena, sizeof(*passage));
    *passage = (struct passage){.kit = kit, .output.base.api = &output_api};
    passage->path = arena_printf(&kit->arena, "%s/format.data", kit->folder);
    passage->instance = kit_open(kit, &error);
    if (!passage->instance) {
        kit_fail(kit, "it could be opened before, and now: %s", error.text);
        return;
    }
    if (kit->type->format.write_open)
        try_writing(passage);
    if (kit->type->format.read_open)
        try_reading(passage);
    kit_close(kit, passage->instance);
    kit_begin(kit, "missing services");
    kit->bare = true;
    passage->instance = kit_open(kit, &error);
    if (passage->instance)
        kit_close(kit, passage->instance);
    else if (error.code != XY_EUNSUPPORTED)
        kit_fail(kit, "without a service it opens with \"%s\": answer XY_EUNSUPPORTED or work",
                 error.text);
}
