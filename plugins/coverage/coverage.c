/* SPDX-License-Identifier: Apache-2.0 */
/* coverage - which values of the conditions the records have, how evenly, and which none has. */
#include "coverage.h"

#include <math.h>
#include <stdlib.h>

#include "coverage_tally.h"
#include "scores.h"

enum { SHOWN = 1000, NAME = 192 };

struct coverage {
    const char *const *fields;
    const char *expected;
    int64_t min;
    const xy_report *report;
};

static const xy_option options[] = {
    {.name = "fields", .type = XY_OPT_LIST, .offset = offsetof(struct coverage, fields),
     .flags = XY_OPT_REQUIRED,
     .help = "The fields with condition values; one that holds a list counts each item of it."},
    {.name = "expected", .type = XY_OPT_JSON, .offset = offsetof(struct coverage, expected),
     .help = "For some of the fields the list of values that there should be."},
    {.name = "min", .type = XY_OPT_INT, .offset = offsetof(struct coverage, min), .def = "1",
     .low = 1, .high = 1e15, .help = "How many records a value needs to count as covered."},
    {0},
};

static int open_coverage(void *state, const xy_host *host)
{
    struct coverage *coverage = state;
    struct tallies tallies;
    char error[256];
    coverage->report = host->service(host, XY_REPORT);
    if (!coverage->report)
        return XY_EUNSUPPORTED;
    int code = tallies_init(&tallies, coverage->fields, coverage->expected, error, sizeof(error));
    if (code == XY_EINVAL)
        xy_log_line(host, XY_LOG_ERROR, "%s", error);
    tallies_free(&tallies);
    return code;
}

/* "FIELD_covered", with '_' for all but letters and digits: `until:` must be able to name it. */
static const char *score_name(const struct tally *tally, const char *what, char name[NAME])
{
    snprintf(name, NAME, "%.127s_%s", tally->field, what);
    for (char *at = name; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9');
        if (!plain)
            *at = '_';
    }
    return name;
}

static void report_expected(const struct coverage *coverage, const struct score_sink *sink,
                            const struct tally *tally)
{
    char name[NAME];
    uint64_t covered = 0, known = 0, least = UINT64_MAX;
    for (size_t i = 0; i < tally->expected; i++) {
        covered += tally->counts[i] >= (uint64_t)coverage->min;
        known += tally->counts[i];
        least = tally->counts[i] < least ? tally->counts[i] : least;
    }
    scores_value(sink, score_name(tally, "covered", name),
                 (double)covered / (double)tally->expected, "share", tally->expected,
                 "expected values that enough records have");
    scores_value(sink, score_name(tally, "least", name), (double)least, "records",
                 tally->expected, "records with the rarest of the expected values");
    scores_value(sink, score_name(tally, "unexpected", name),
                 tally->total ? (double)(tally->total - known) / (double)tally->total : NAN,
                 "share", tally->total, "values that are none of the expected ones");
}

static void report_tally(const struct coverage *coverage, const struct score_sink *sink,
                         const struct tally *tally)
{
    char name[NAME];
    uint64_t seen = 0;
    for (size_t i = 0; i < tally->values.count; i++)
        seen += tally->counts[i] > 0;
    double bits = tally_entropy(tally), most = log2((double)tally->values.count);
    scores_value(sink, score_name(tally, "values", name), (double)seen, "values", tally->records,
                 "different values");
    scores_value(sink, score_name(tally, "entropy", name), bits, "bits", tally->total,
                 "entropy of the values");
    scores_value(sink, score_name(tally, "evenness", name), most > 0 ? bits / most : NAN, "share",
                 tally->total, "the entropy over that of values which are all equally frequent");
    scores_value(sink, score_name(tally, "without", name),
                 tally->records ? (double)tally->without / (double)tally->records : NAN, "share",
                 tally->records, "records without a value");
    if (tally->expected)
        report_expected(coverage, sink, tally);
}

/* The counts of each value, the rarest first. */
static int detail(const struct coverage *coverage, xy_job *job, const struct tally *tally)
{
    struct text json = {0};
    uint32_t *rarest = tally_rarest(tally);
    if (!rarest)
        return XY_ENOMEM;
    text_add_literal(&json, "{");
    for (size_t i = 0; i < tally->values.count && i < SHOWN; i++) {
        text_add_literal(&json, i ? "," : "");
        text_add_json(&json, names_at(&tally->values, rarest[i]));
        text_add_literal(&json, ":");
        text_add_integer(&json, tally->counts[rarest[i]]);
    }
    text_add_literal(&json, "}");
    if (!json.failed)
        coverage->report->detail(job, tally->field, (xy_str){json.bytes, json.length});
    int code = json.failed ? XY_ENOMEM : XY_OK;
    text_free(&json);
    free(rarest);
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct coverage *coverage = state;
    struct tallies tallies;
    char error[256];
    struct score_sink sink = {.report = coverage->report, .job = job};
    int code = tallies_init(&tallies, coverage->fields, coverage->expected, error, sizeof(error));
    if (code == XY_OK)
        code = tallies_read(&tallies, job, input);
    for (size_t i = 0; i < tallies.count && code == XY_OK; i++) {
        report_tally(coverage, &sink, &tallies.items[i]);
        code = detail(coverage, job, &tallies.items[i]);
    }
    tallies_free(&tallies);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ fields: [text, label] }" : NULL;
}

static const char *const needs[] = {XY_REPORT, NULL};

static const xy_stage coverage_stage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct coverage),
    .id = "coverage",
    .version = "1.0.0",
    .summary = "Which values of the conditions the records have, how evenly, and which none has",
    .needs = needs,
    .options = options,
    .open = open_coverage,
    .run = run,
    .extension = extension,
    .fields = "reads each of `fields`",
};

XY_PLUGIN("coverage", "1.0.0", "Apache-2.0", &coverage_stage, &counts_stage)
