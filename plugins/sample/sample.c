/* SPDX-License-Identifier: Apache-2.0 */
/* sample - records, or further fields of records, drawn from distributions. */
#include <stdlib.h>

#include "sampler.h"

enum { AT_ONCE = 64 };

struct sample {
    const char *fields, *folder;
    int64_t count;
    const xy_rng *rng;
    const xy_files *files;
    struct samplers samplers;
};

static const xy_option options[] = {
    {.name = "fields", .type = XY_OPT_JSON, .offset = offsetof(struct sample, fields),
     .flags = XY_OPT_REST,
     .help = "Each other key is a field and its sampler: a list of values, or a map with "
             "`categorical`, `uniform`, `normal`, `date` or `file`."},
    {.name = "count", .type = XY_OPT_INT, .offset = offsetof(struct sample, count), .def = "0",
     .low = 0, .high = 1e15,
     .help = "How many records to make, of nothing or of each record that comes in; 0 adds one "
             "draw to each record that comes in."},
    {.name = "folder", .type = XY_OPT_PATH, .offset = offsetof(struct sample, folder), .def = ".",
     .flags = XY_OPT_NEUTRAL, /* where files are, not itself what is read */
     .help = "The folder in which relative paths of `file` begin; the pipeline file's own."},
    {0},
};

/* ---- files ----------------------------------------------------------------------------------- */

/* One row: its JSON goes behind the earlier ones, and where it lies into `*ends`. */
static int keep_row(struct sampler *sampler, const xy_record *row, size_t **ends, size_t *room)
{
    xy_value value = {.type = XY_NULL};
    if (row->api->get(row, sampler->column, &value) == XY_NULL)
        return XY_OK;
    if (sampler->count == *room) {
        *room = *room ? *room * 2 : 256;
        size_t *larger = realloc(*ends, *room * sizeof(*larger));
        if (!larger)
            return XY_ENOMEM;
        *ends = larger;
    }
    json_value_add(&sampler->column_text, &value);
    /* There is room for `*room` ends, and fewer than that are in use.
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    (*ends)[sampler->count++] = sampler->column_text.length;
    return sampler->column_text.failed ? XY_ENOMEM : XY_OK;
}

static int read_rows(const struct sample *sample, xy_job *job, struct sampler *sampler,
                     size_t **ends)
{
    xy_reader *reader = sample->files->open(job, sampler->path, NULL, NULL);
    if (!reader)
        return XY_EINVAL;
    size_t room = 0;
    xy_record *row = job->api->new_record(job, NULL);
    int code = row ? XY_OK : XY_ENOMEM;
    while (code == XY_OK) {
        const xy_value none = {.type = XY_NULL};
        row->api->set(row, sampler->column, &none); /* one record for all rows: forget the last */
        code = sample->files->next(job, reader, row);
        if (code == XY_OK)
            code = keep_row(sampler, row, ends, &room);
        if (code == XY_OK && job->api->cancelled(job))
            code = XY_ECANCELED;
    }
    sample->files->close(reader);
    if (code == XY_ENOMEM)
        job->api->explain(job, "out of memory");
    return code == XY_END ? XY_OK : code;
}

static int load_column(const struct sample *sample, xy_job *job, struct sampler *sampler)
{
    size_t *ends = NULL, start = 0;
    int code = read_rows(sample, job, sampler, &ends);
    if (code == XY_OK && sampler->count == 0)
        code = xy_fail(job, XY_EINVAL, "no record of `%s` has a field `%s`", sampler->path,
                       sampler->column);
    if (code == XY_OK) {
        /* Without a value xy_fail() has set the code.
         * NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI) */
        sampler->values = calloc(sampler->count, sizeof(*sampler->values));
        code = sampler->values ? XY_OK : xy_fail(job, XY_ENOMEM, "out of memory");
    }
    for (size_t i = 0; code == XY_OK && i < sampler->count; i++) {
        /* A value was kept for each end.
         * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        sampler->values[i] = (xy_str){sampler->column_text.bytes + start, ends[i] - start};
        start = ends[i];
    }
    free(ends);
    return code;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_sample(void *state, const xy_host *host)
{
    struct sample *sample = state;
    sample->rng = host->service(host, XY_RNG);
    sample->files = host->service(host, XY_FILES);
    if (!sample->rng)
        return XY_EUNSUPPORTED;
    int code = samplers_read(&sample->samplers, sample->fields, sample->folder);
    for (size_t i = 0; code == XY_OK && i < sample->samplers.count; i++) {
        if (sample->samplers.items[i].kind == SAMPLE_FILE && !sample->files) {
            snprintf(sample->samplers.error, sizeof(sample->samplers.error),
                     "`file` needs the service %s, which this host does not have", XY_FILES);
            code = XY_EUNSUPPORTED;
        }
    }
    if (code < 0) {
        xy_log_line(host, XY_LOG_ERROR, "%s", sample->samplers.error);
        samplers_free(&sample->samplers); /* close() comes only after a good open() */
    }
    return code;
}

static int prepare(void *state, xy_job *job)
{
    struct sample *sample = state;
    int code = XY_OK;
    for (size_t i = 0; code == XY_OK && i < sample->samplers.count; i++)
        if (sample->samplers.items[i].kind == SAMPLE_FILE)
            code = load_column(sample, job, &sample->samplers.items[i]);
    return code;
}

static void close_sample(void *state)
{
    struct sample *sample = state;
    samplers_free(&sample->samplers);
}

static int64_t estimate(const void *state)
{
    const struct sample *sample = state;
    return sample->count ? sample->count : 1;
}

/* FNV-1a: each field has a stream of its own, so that adding one leaves the others as they were. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

static int fill(const struct sample *sample, xy_job *job, const xy_record *origin, uint64_t number,
                xy_record *record)
{
    uint64_t stream = sample->rng->stream(job, origin, number);
    for (size_t i = 0; i < sample->samplers.count; i++) {
        const struct sampler *sampler = &sample->samplers.items[i];
        uint64_t random = stream ^ hash_of(sampler->field);
        int code = sampler_draw(sampler, job, record, &random);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct sample *sample = state;
    xy_record *origin = job->api->input(job, 0);
    uint64_t total = (uint64_t)sample->count, from = 0, to = total;
    if (origin && total == 0)
        return fill(sample, job, origin, 0, origin);
    if (!origin && total == 0)
        return xy_fail(job, XY_EINVAL, "give `count`: no step stands before this one, so it has to "
                       "know how many records to make");
    if (!origin) {
        from = job->api->sequence(job) * AT_ONCE;
        to = total - from < AT_ONCE ? total : from + AT_ONCE;
    }
    for (uint64_t number = from; number < to; number++) {
        xy_record *record = job->api->new_record(job, origin);
        int code = record ? fill(sample, job, origin, number, record) : XY_ENOMEM;
        if (code == XY_OK)
            code = job->api->emit(job, record);
        if (code < 0)
            return code;
    }
    return !origin && to == total ? XY_END : XY_CONSUMED;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    static const char example[] = "{count: 3, label: [a, b], n: {normal: [0, 1]}}";
    return strcmp(id, "xylem.example/1") == 0 ? example : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage sample_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_SOURCE,
    .state_size = sizeof(struct sample),
    .id = "sample",
    .version = "1.0.0",
    .summary = "Draws fields from distributions: categories, numbers, dates, a file's column",
    .needs = needs,
    .options = options,
    .open = open_sample,
    .prepare = prepare,
    .close = close_sample,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "sets one field for each sampler",
};

XY_PLUGIN("sample", "1.0.0", "Apache-2.0", &sample_stage)
