/* SPDX-License-Identifier: Apache-2.0 */
/* read - a source that reads records from a file, through whichever format knows it. */
#include <xylem/plugin.h>

enum { AT_ONCE = 512 };

struct read {
    const char *path;
    const char *format, *format_options;
    int64_t limit, skip;
    const xy_files *files;
    xy_reader *reader;
    int64_t seen;
};

static const xy_option options[] = {
    {.name = "path", .type = XY_OPT_PATH, .offset = offsetof(struct read, path),
     .flags = XY_OPT_REQUIRED, .help = "The file to read."},
    {.name = "format", .type = XY_OPT_TEXT, .offset = offsetof(struct read, format),
     .help = "The format's name, where the file's ending does not tell it."},
    {.name = "with", .type = XY_OPT_JSON, .offset = offsetof(struct read, format_options),
     .help = "Options of the format, as in `with: { delimiter: \";\" }` for csv."},
    {.name = "limit", .type = XY_OPT_INT, .offset = offsetof(struct read, limit), .def = "0",
     .low = 0, .high = 1e15, .help = "Reads at most so many records; 0 reads all."},
    {.name = "skip", .type = XY_OPT_INT, .offset = offsetof(struct read, skip), .def = "0",
     .low = 0, .high = 1e15, .help = "Passes over so many records first."},
    {0},
};

static int open_read(void *state, const xy_host *host)
{
    struct read *read = state;
    read->files = host->service(host, XY_FILES);
    return read->files ? XY_OK : XY_EUNSUPPORTED;
}

static int prepare(void *state, xy_job *job)
{
    struct read *read = state;
    /* A file has its records once: when sources are asked again, it has nothing more to say. */
    if (job->api->round(job) > 0)
        return XY_OK;
    read->reader = read->files->open(job, read->path, read->format, read->format_options);
    return read->reader ? XY_OK : XY_EINVAL;
}

static void close_read(void *state)
{
    struct read *read = state;
    if (read->reader)
        read->files->close(read->reader);
}

static int process(void *state, xy_job *job)
{
    struct read *read = state;
    if (!read->reader)
        return XY_END;
    for (int i = 0; i < AT_ONCE; i++) {
        if (read->limit > 0 && read->seen == read->skip + read->limit)
            return XY_END;
        xy_record *record = job->api->new_record(job, NULL);
        int code = read->files->next(job, read->reader, record);
        if (code != XY_OK)
            return code;
        read->seen++;
        if (read->seen > read->skip)
            job->api->emit(job, record);
    }
    return XY_CONSUMED;
}

static const char *const needs[] = {XY_FILES, NULL};

static const xy_stage read_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_SOURCE | XY_STAGE_NO_INPUT,
    .state_size = sizeof(struct read),
    .id = "read",
    .version = "1.0.0",
    .summary = "Reads records from a file: seeds, gold labels, a corpus to annotate",
    .needs = needs,
    .options = options,
    .open = open_read,
    .prepare = prepare,
    .close = close_read,
    .process = process,
    .fields = "sets whatever the file has",
};

XY_PLUGIN("read", "1.0.0", "Apache-2.0", &read_stage)
