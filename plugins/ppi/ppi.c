/* SPDX-License-Identifier: Apache-2.0 */
/* ppi - how good are all records, when a judge has seen all and people a few (ARES). */
#include <math.h>
#include <stdlib.h>

#include "names.h"
#include "ppi_estimate.h"
#include "scores.h"

enum { POLL = 4096, SYSTEMS_MAX = 10000 };

struct stage {
    const char *judge, *gold, *by;
    const char *const *positive;
    xy_dataset *labelled;
    double level;
    int32_t tune;
    const xy_host *host;
    const xy_report *report;
};

#define AT(member) offsetof(struct stage, member)

static const xy_option options[] = {
    {.name = "judge", .type = XY_OPT_FIELD, .offset = AT(judge), .def = "judge",
     .help = "What the judge says: a number, true or false, or a text, see `positive`."},
    {.name = "gold", .type = XY_OPT_FIELD, .offset = AT(gold), .def = "gold",
     .help = "What people say, of the same kind, in the records that they have seen."},
    {.name = "positive", .type = XY_OPT_LIST, .offset = AT(positive),
     .help = "The texts that count as 1, such as `Yes`; every other text counts as 0."},
    {.name = "labelled", .type = XY_OPT_DATASET, .offset = AT(labelled),
     .help = "The records that people have seen, where they are a data set of their own; then all "
             "records of the input count as unseen."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = AT(by),
     .help = "A field such as the system that made the record: an estimate for each of its values, "
             "corrected by all labelled records."},
    {.name = "level", .type = XY_OPT_NUMBER, .offset = AT(level), .def = "0.95", .low = 0.01,
     .high = 0.9999, .help = "The confidence level of the intervals."},
    {.name = "tune", .type = XY_OPT_BOOL, .offset = AT(tune), .def = "false",
     .help = "Relies on the judge as far as that narrows the interval (PPI++), and no further."},
    {0},
};

/* What one run gathers. */
struct gathered {
    struct names systems;
    struct ppi_sums all;
    struct ppi_sums *each; /* of each system: its unlabelled records */
    uint32_t room;
    uint64_t unusable;     /* records without what the judge says, or with no finite number */
};

static int open_stage(void *state, const xy_host *host)
{
    struct stage *stage = state;
    stage->host = host;
    stage->report = host->service(host, XY_REPORT);
    return stage->report ? XY_OK : XY_EUNSUPPORTED;
}

/* XY_OK with a number or with NaN where the field is absent or is no number; XY_EINVAL for a text
 * that nobody said how to count. */
static int read_value(const struct stage *stage, xy_job *job, const xy_record *record,
                      const char *field, double *number)
{
    *number = names_number(record, field, NAN);
    if (isinf(*number))
        *number = NAN;
    xy_str text = xy_record_text(record, field);
    if (!text.len)
        return XY_OK;
    if (!stage->positive || !stage->positive[0])
        return xy_fail(job, XY_EINVAL, "`%s` is \"%.*s\", a text: `positive` must say which texts "
                       "count as 1", field, (int)(text.len < 60 ? text.len : 60), text.ptr);
    *number = 0;
    for (size_t i = 0; stage->positive[i]; i++)
        if (strlen(stage->positive[i]) == text.len &&
            memcmp(stage->positive[i], text.ptr, text.len) == 0)
            *number = 1;
    return XY_OK;
}

/* The sums of the record's system; NULL when memory is short. */
static struct ppi_sums *system_of(const struct stage *stage, struct gathered *gathered,
                                  const xy_record *record)
{
    char scratch[NAMES_SCRATCH];
    xy_str name = names_label(record, stage->by, scratch);
    uint32_t number = names_add(&gathered->systems, name.ptr ? name : xy_text("(none)"));
    if (number == NAMES_NONE)
        return NULL;
    if (number >= gathered->room) {
        uint32_t room = gathered->room ? gathered->room * 2 : 16;
        struct ppi_sums *each = realloc(gathered->each, room * sizeof(*each));
        if (!each)
            return NULL;
        memset(each + gathered->room, 0, (room - gathered->room) * sizeof(*each));
        gathered->each = each;
        gathered->room = room;
    }
    return &gathered->each[number];
}

/* One record. `may_teach`: with gold it counts as labelled; `must_teach`: without, it does not
 * count at all. */
static int read_record(const struct stage *stage, xy_job *job, const xy_record *record,
                       bool may_teach, bool must_teach, struct gathered *gathered)
{
    double judge, gold = NAN;
    int code = read_value(stage, job, record, stage->judge, &judge);
    if (code == XY_OK && may_teach)
        code = read_value(stage, job, record, stage->gold, &gold);
    if (code < 0)
        return code;
    if (isnan(judge) || (must_teach && isnan(gold))) {
        gathered->unusable++;
        return XY_OK;
    }
    if (!isnan(gold)) {
        ppi_add_labelled(&gathered->all, judge, gold);
        return XY_OK;
    }
    ppi_add_unlabelled(&gathered->all, judge);
    if (!stage->by)
        return XY_OK;
    struct ppi_sums *system = system_of(stage, gathered, record);
    if (!system)
        return XY_ENOMEM;
    ppi_add_unlabelled(system, judge);
    return gathered->systems.count <= SYSTEMS_MAX ? XY_OK :
        xy_fail(job, XY_EINVAL, "`%s` has more than %d different values", stage->by, SYSTEMS_MAX);
}

static int read_all(const struct stage *stage, xy_job *job, xy_dataset *dataset, bool may_teach,
                    bool must_teach, struct gathered *gathered)
{
    uint64_t count = dataset->api->count(dataset);
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        int code = read_record(stage, job, dataset->api->at(dataset, i), may_teach, must_teach,
                               gathered);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static void add_member(struct text *json, const char *name, double number)
{
    text_add_literal(json, name);
    if (isnan(number))
        text_add_literal(json, "null");
    else
        text_add_number(json, number);
}

/* [{"system", "estimate", "low", "high", "judge", "n"}], best first. */
static int report_systems(const struct stage *stage, xy_job *job, struct gathered *gathered)
{
    uint32_t count = gathered->systems.count;
    struct text json = {0};
    struct ppi_result *results = calloc((size_t)count + 1, sizeof(*results));
    bool *told = calloc((size_t)count + 1, sizeof(*told));
    for (uint32_t i = 0; i < count && results; i++) {
        struct ppi_sums sums = gathered->all; /* the labelled ones are everybody's */
        sums.unlabelled = gathered->each[i].unlabelled;
        sums.judge = gathered->each[i].judge;
        sums.judge_squared = gathered->each[i].judge_squared;
        results[i] = ppi_estimate(&sums, stage->level, stage->tune);
    }
    text_add_literal(&json, "[");
    for (uint32_t i = 0; i < count && results && told; i++) {
        uint32_t best = NAMES_NONE;
        for (uint32_t j = 0; j < count; j++)
            if (!told[j] && (best == NAMES_NONE ||
                             results[j].powered.value > results[best].powered.value))
                best = j;
        told[best] = true;
        text_add_literal(&json, i ? ",{\"system\":" : "{\"system\":");
        text_add_json(&json, names_at(&gathered->systems, best));
        add_member(&json, ",\"estimate\":", results[best].powered.value);
        add_member(&json, ",\"low\":", results[best].powered.low);
        add_member(&json, ",\"high\":", results[best].powered.high);
        add_member(&json, ",\"judge\":", results[best].judge);
        add_member(&json, ",\"n\":", (double)gathered->each[best].unlabelled);
        text_add_literal(&json, "}");
    }
    text_add_literal(&json, "]");
    bool failed = json.failed || !results || !told;
    if (!failed)
        stage->report->detail(job, "systems", (xy_str){json.bytes, json.length});
    text_free(&json);
    free(results);
    free(told);
    return failed ? XY_ENOMEM : XY_OK;
}

static void report(const struct stage *stage, xy_job *job, const struct gathered *gathered)
{
    const struct score_sink sink = {.report = stage->report, .job = job};
    const struct ppi_sums *all = &gathered->all;
    struct ppi_result result = ppi_estimate(all, stage->level, stage->tune);
    scores_estimate(&sink, "estimate", result.powered, "", all->unlabelled,
                    "mean of what people would say of the unlabelled records, by the judge and "
                    "corrected by what people said");
    scores_estimate(&sink, "labelled_only", result.labelled, "", all->labelled,
                    "mean of what people said, without the judge");
    scores_value(&sink, "judge_only", result.judge, "", all->unlabelled,
                 "mean of what the judge says of the unlabelled records, as it is");
    scores_value(&sink, "rectifier", result.rectifier, "", all->labelled,
                 "mean of judge less people, where both have spoken");
    scores_value(&sink, "judge_accuracy", result.accuracy, "share", all->labelled,
                 "share of the labelled records on which judge and people say the same");
    double width = result.labelled.high - result.labelled.low;
    scores_value(&sink, "narrowing",
                 width > 0 ? (result.powered.high - result.powered.low) / width : NAN, "share",
                 all->labelled,
                 "width of the interval, of that of the labelled records alone");
    if (stage->tune)
        scores_value(&sink, "tuning", result.tuning, "", all->labelled,
                     "how far the judge is relied upon: 0 not, 1 wholly");
    scores_value(&sink, "labelled", (double)all->labelled, "", 0, "records that people have seen");
    scores_value(&sink, "unlabelled", (double)all->unlabelled, "", 0, "records that they have not");
    scores_value(&sink, "unusable", (double)gathered->unusable, "", 0,
                 "records without a finite number where one was needed");
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct stage *stage = state;
    struct gathered gathered = {.room = 0};
    bool apart = stage->labelled != NULL;
    int code = read_all(stage, job, input, !apart, false, &gathered);
    if (code == XY_OK && apart)
        code = read_all(stage, job, stage->labelled, true, true, &gathered);
    if (code == XY_OK && (gathered.all.labelled < 2 || gathered.all.unlabelled < 1))
        xy_log_line(stage->host, XY_LOG_WARNING, "%llu labelled records (`%s` and `%s`) and %llu "
                    "with `%s` alone: an estimate needs 2 and 1",
                    (unsigned long long)gathered.all.labelled, stage->judge, stage->gold,
                    (unsigned long long)gathered.all.unlabelled, stage->judge);
    if (code == XY_OK)
        report(stage, job, &gathered);
    if (code == XY_OK && stage->by)
        code = report_systems(stage, job, &gathered);
    names_free(&gathered.systems);
    free(gathered.each);
    return code;
}

static const char *const needs[] = {XY_REPORT, NULL};

static const xy_stage ppi_stage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct stage),
    .id = "ppi",
    .version = "1.0.0",
    .summary = "What people would say on average, from a judge on all records and people on a few",
    .needs = needs,
    .options = options,
    .open = open_stage,
    .run = run,
    .fields = "reads `judge`, `gold` and `by`",
};

XY_PLUGIN("ppi", "1.0.0", "Apache-2.0", &ppi_stage)
