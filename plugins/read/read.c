/* SPDX-License-Identifier: Apache-2.0 */
/* read - a source that reads records from a file, through whichever format knows it. */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xylem/plugin.h>

enum { AT_ONCE = 512, COUNTED_WHOLE = 64 << 20, COUNTED_PART = 16 << 20, COPIED = 1 << 16 };

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

/* ---- how many records the file has ----------------------------------------------------------- */

/* How many records the file at `path` has, up to all that process() would look at. XY_END, or the
 * error that the reading ended with. */
static int count_records(const struct read *read, xy_job *job, const char *path, int64_t *count)
{
    xy_reader *reader = read->files->open(job, path, read->format, read->format_options);
    xy_record *record = job->api->new_record(job, NULL); /* one for all: it takes their room */
    int code = reader ? XY_OK : XY_EINVAL;
    *count = 0;
    while (code == XY_OK) {
        if (read->limit > 0 && *count == read->skip + read->limit)
            code = XY_END;
        else
            code = read->files->next(job, reader, record);
        *count += code == XY_OK;
    }
    if (reader)
        read->files->close(reader);
    return code;
}

static bool copy_part(const char *from, int to)
{
    FILE *file = fopen(from, "re");
    char *bytes = malloc(COPIED);
    bool good = file && bytes;
    for (size_t left = COUNTED_PART; good && left > 0; left -= COPIED)
        good = fread(bytes, 1, COPIED, file) == COPIED && write(to, bytes, COPIED) == COPIED;
    free(bytes);
    if (file)
        fclose(file);
    return good;
}

/* The records of a long file's first part, which is copied to where the format reads it as it does
 * a file: its last record is cut, and a format that reads a file as one whole finds none. */
static int64_t count_part(const struct read *read, xy_job *job, bool *all)
{
    const char *folder = getenv("TMPDIR"), *base = strrchr(read->path, '/');
    size_t length = strlen(base ? base + 1 : read->path);
    const char *ending = read->path + strlen(read->path) - (length < 100 ? length : 100);
    char copy[4096];
    int64_t count = 0;
    int room = snprintf(copy, sizeof(copy), "%s/xylem-XXXXXX-%s", folder ? folder : "/tmp", ending);
    int file = room < (int)sizeof(copy) ? mkstemps(copy, (int)strlen(ending) + 1) : -1;
    if (file < 0)
        return 0;
    if (copy_part(read->path, file))
        *all = count_records(read, job, copy, &count) == XY_END && read->limit > 0 &&
               count == read->skip + read->limit;
    job->api->explain(job, NULL); /* of the cut record */
    close(file);
    unlink(copy);
    return count;
}

static int64_t estimate_files(void *state, xy_job *job)
{
    const struct read *read = state;
    struct stat status;
    int64_t count = 0;
    bool all = true;
    int code = XY_END;
    if (stat(read->path, &status) != 0 || !S_ISREG(status.st_mode))
        return -1; /* a pipe can be read once */
    if (status.st_size <= COUNTED_WHOLE)
        code = count_records(read, job, read->path, &count);
    else
        count = count_part(read, job, &all);
    if (code < 0 || (status.st_size > COUNTED_WHOLE && count == 0))
        return code < 0 ? code : -1;
    if (!all)
        count = (int64_t)((double)count * (double)status.st_size / COUNTED_PART);
    count = count > read->skip ? count - read->skip : 0;
    return read->limit > 0 && count > read->limit ? read->limit : count;
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
    .estimate_files = estimate_files,
    .fields = "sets whatever the file has",
};

XY_PLUGIN("read", "1.0.0", "Apache-2.0", &read_stage)
