/* SPDX-License-Identifier: Apache-2.0 */
/* counts - tells a record which values of the conditions a data set has, and how often: what a
 * model must see that plans what to write next. */
#include "coverage.h"

#include <stdlib.h>

#include "coverage_tally.h"

struct counts {
    xy_dataset *pool;
    const char *const *fields;
    const char *expected, *into;
    int64_t rarest;
    struct text json;
};

static const xy_option options[] = {
    {.name = "pool", .type = XY_OPT_DATASET, .offset = offsetof(struct counts, pool),
     .flags = XY_OPT_REQUIRED, .help = "The data set, or the file, to count in."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = offsetof(struct counts, fields),
     .flags = XY_OPT_REQUIRED,
     .help = "The pool's fields with condition values; one that holds a list counts each item."},
    {.name = "expected", .type = XY_OPT_JSON, .offset = offsetof(struct counts, expected),
     .help = "For some of the fields values that are told also when no record has them."},
    {.name = "rarest", .type = XY_OPT_INT, .offset = offsetof(struct counts, rarest), .def = "0",
     .low = 0, .high = 1e15, .help = "Tells only so many values of each field; 0: all."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct counts, into),
     .def = "counts",
     .help = "The field set to a map from each field to its list of {value, count}, the rarest "
             "first."},
    {0},
};

static int open_counts(void *state, const xy_host *host)
{
    struct counts *counts = state;
    struct tallies tallies;
    char error[256];
    int code = tallies_init(&tallies, counts->fields, counts->expected, error, sizeof(error));
    if (code == XY_EINVAL)
        xy_log_line(host, XY_LOG_ERROR, "%s", error);
    tallies_free(&tallies);
    return code;
}

static int write_tally(struct counts *counts, const struct tally *tally)
{
    struct text *json = &counts->json;
    uint32_t *rarest = tally_rarest(tally);
    size_t most = counts->rarest ? (size_t)counts->rarest : SIZE_MAX;
    if (!rarest)
        return XY_ENOMEM;
    text_add_json(json, xy_text(tally->field));
    text_add_literal(json, ":[");
    for (size_t i = 0; i < tally->values.count && i < most; i++) {
        text_add_literal(json, i ? ",{\"value\":" : "{\"value\":");
        text_add_json(json, names_at(&tally->values, rarest[i]));
        text_add_literal(json, ",\"count\":");
        text_add_integer(json, tally->counts[rarest[i]]);
        text_add_literal(json, "}");
    }
    text_add_literal(json, "]");
    free(rarest);
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct counts *counts = state;
    struct tallies tallies;
    char error[256];
    int code = tallies_init(&tallies, counts->fields, counts->expected, error, sizeof(error));
    if (code == XY_OK)
        code = tallies_read(&tallies, job, counts->pool);
    text_add_literal(&counts->json, "{");
    for (size_t i = 0; i < tallies.count && code == XY_OK; i++) {
        text_add_literal(&counts->json, i ? "," : "");
        code = write_tally(counts, &tallies.items[i]);
    }
    text_add_literal(&counts->json, "}");
    tallies_free(&tallies);
    return code == XY_OK && counts->json.failed ? XY_ENOMEM : code;
}

static int process(void *state, xy_job *job)
{
    const struct counts *counts = state;
    xy_str json = {counts->json.bytes, counts->json.length};
    int code = xy_record_set_json(job->api->input(job, 0), counts->into, json);
    return code < 0 ? code : XY_OK;
}

static void close_counts(void *state)
{
    struct counts *counts = state;
    text_free(&counts->json);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ fields: [text, label], pool: pool }" : NULL;
}

const xy_stage counts_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct counts),
    .id = "counts",
    .version = "1.0.0",
    .summary = "Tells a record how often a data set has each value of the conditions",
    .options = options,
    .open = open_counts,
    .prepare = prepare,
    .close = close_counts,
    .process = process,
    .extension = extension,
    .fields = "reads the pool's `fields`; sets `into`",
};
