/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate - probabilities that come true as often as they say (Guo et al. 2017; Platt 1999). */
#include <math.h>
#include <stdlib.h>

#include "calibrate_fit.h"
#include "json_reader.h"
#include "names.h"
#include "scores.h"

enum { POLL = 4096, CLASSES_MAX = 4096 };

struct stage {
    const char *of, *method, *probabilities, *confidence, *label, *gold;
    xy_dataset *dev;
    double floor;
    int64_t bins, folds, least_rows;
    const xy_host *host;
    const xy_report *report;
    /* [run] one row at a time: its probabilities and the raw JSON text of its class names. */
    double *values;
    xy_str *keys;
};

#define AT(member) offsetof(struct stage, member)

static const xy_option options[] = {
    {.name = "of", .type = XY_OPT_TEXT, .offset = AT(of), .def = "probabilities",
     .choices = "probabilities|confidence",
     .help = "What is calibrated: the probability of each class, or one number, the confidence in "
             "the label (a share of votes, what a model says of itself)."},
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "temperature",
     .choices = "temperature|platt",
     .help = "`temperature`: one number, for any classes, that moves no class before another; "
             "`platt`: slope and offset of the log-odds of two classes, or of a confidence."},
    {.name = "probabilities", .type = XY_OPT_FIELD, .offset = AT(probabilities),
     .def = "probabilities", .help = "A map from class to probability, such as `score` sets."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = AT(confidence), .def = "confidence",
     .help = "The field that takes the label's probability, and holds it with `of: confidence`."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The record's label, which is not changed."},
    {.name = "gold", .type = XY_OPT_FIELD, .offset = AT(gold), .def = "gold",
     .help = "The right label, in the records to fit on."},
    {.name = "dev", .type = XY_OPT_DATASET, .offset = AT(dev),
     .help = "A data set to fit on, in place of the input's records that have `gold`."},
    {.name = "floor", .type = XY_OPT_NUMBER, .offset = AT(floor), .def = "1e-6", .low = 1e-300,
     .high = 0.4,
     .help = "Probabilities are taken to be at least this, since nothing brings 0 back; shares of "
             "few votes want about 0.01."},
    {.name = "bins", .type = XY_OPT_INT, .offset = AT(bins), .def = "15", .low = 1,
     .high = BINS_MAX, .help = "Bins of the expected calibration error."},
    {.name = "folds", .type = XY_OPT_INT, .offset = AT(folds), .def = "5", .low = 2, .high = 1000,
     .help = "Parts for the error on rows that the fit has not seen."},
    {.name = "least_rows", .type = XY_OPT_INT, .offset = AT(least_rows), .def = "10", .low = 1,
     .high = 1e9, .help = "With fewer rows to fit on it is an error."},
    {0},
};

static int open_stage(void *state, const xy_host *host)
{
    struct stage *stage = state;
    stage->host = host;
    stage->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct stage *stage = state;
    stage->values = job->api->alloc(job, CLASSES_MAX * sizeof(*stage->values));
    stage->keys = job->api->alloc(job, CLASSES_MAX * sizeof(*stage->keys));
    return stage->values && stage->keys ? XY_OK : XY_ENOMEM;
}

static bool is_confidence(const struct stage *stage)
{
    return strcmp(stage->of, "confidence") == 0;
}

static enum calibrate_method method_of(const struct stage *stage)
{
    return strcmp(stage->method, "platt") == 0 ? CALIBRATE_PLATT : CALIBRATE_TEMPERATURE;
}

/* The record's stated probabilities in stage->values; how many, or 0 when there are none to use. */
static size_t read_stated(const struct stage *stage, const xy_record *record)
{
    if (is_confidence(stage)) {
        double confidence = names_number(record, stage->confidence, NAN);
        if (!(confidence >= 0 && confidence <= 1))
            return 0;
        stage->values[0] = confidence;
        stage->values[1] = 1 - confidence;
        return 2;
    }
    xy_str json = xy_record_text(record, stage->probabilities), value;
    struct json_cursor cursor = {0};
    size_t classes = 0;
    double sum = 0;
    json = json_check(json);
    if (json_kind(json) != '{')
        return 0;
    while (json_next(json, &cursor, &stage->keys[classes], &value)) {
        double probability = json_number(value, NAN);
        if (!(probability >= 0) || isinf(probability) || classes + 1 == CLASSES_MAX)
            return 0;
        stage->values[classes++] = probability;
        sum += probability;
    }
    for (size_t j = 0; j < classes && sum > 0; j++)
        stage->values[j] /= sum;
    return sum > 0 && isfinite(sum) && classes > 1 ? classes : 0;
}

/* The class that a label names, `classes` when none does. A key stands as JSON has it. */
static size_t find_class(const struct stage *stage, size_t classes, xy_str label)
{
    struct text json = {0};
    text_add_escaped(&json, label);
    size_t found = 0;
    while (found < classes && (stage->keys[found].len != json.length ||
                               memcmp(stage->keys[found].ptr, json.bytes, json.length) != 0))
        found++;
    text_free(&json);
    return found;
}

/* The two classes of Platt's method in the order of the first row: turns the record's around. */
static void order_classes(const struct stage *stage, size_t classes, xy_str *first)
{
    if (method_of(stage) != CALIBRATE_PLATT || is_confidence(stage) || classes != 2)
        return;
    xy_str *keys = stage->keys;
    if (!first->ptr || (keys[0].len == first->len && !memcmp(keys[0].ptr, first->ptr, first->len)))
        return;
    xy_str key = keys[0];
    double value = stage->values[0];
    keys[0] = keys[1];
    stage->values[0] = stage->values[1];
    keys[1] = key;
    stage->values[1] = value;
}

/* What came of reading the rows to fit on. */
struct found {
    struct rows rows;
    xy_str first;      /* Platt: the first class, as JSON has it, in the job's arena */
    uint64_t unusable; /* with gold, but without probabilities that can be used */
    uint64_t unknown;  /* gold is none of the record's classes */
};

static int remember_first(const struct stage *stage, xy_job *job, struct found *found)
{
    if (found->first.ptr || is_confidence(stage))
        return XY_OK;
    char *copy = job->api->alloc(job, stage->keys[0].len + 1);
    if (!copy)
        return XY_ENOMEM;
    memcpy(copy, stage->keys[0].ptr, stage->keys[0].len);
    found->first = (xy_str){copy, stage->keys[0].len};
    return XY_OK;
}

static int read_row(const struct stage *stage, xy_job *job, const xy_record *record,
                    struct found *found)
{
    char gold_scratch[NAMES_SCRATCH], scratch[NAMES_SCRATCH];
    xy_str gold = names_label(record, stage->gold, gold_scratch);
    if (!gold.ptr)
        return XY_OK;
    size_t classes = read_stated(stage, record), truth;
    xy_str label = names_label(record, stage->label, scratch);
    if (classes == 0 || (is_confidence(stage) && !label.ptr)) {
        found->unusable++;
        return XY_OK;
    }
    if (classes != 2 && method_of(stage) == CALIBRATE_PLATT)
        return xy_fail(job, XY_EINVAL, "`platt` is for two classes and a record has %zu; take "
                       "`temperature`", classes);
    int code = remember_first(stage, job, found);
    if (code < 0)
        return code;
    order_classes(stage, classes, &found->first);
    if (is_confidence(stage))
        truth = label.len == gold.len && memcmp(label.ptr, gold.ptr, gold.len) == 0 ? 0 : 1;
    else
        truth = find_class(stage, classes, gold);
    if (truth == classes) {
        found->unknown++;
        return XY_OK;
    }
    return rows_add(&found->rows, stage->values, classes, (uint32_t)truth, stage->floor);
}

static int read_rows(const struct stage *stage, xy_job *job, xy_dataset *dataset,
                     struct found *found)
{
    uint64_t count = dataset->api->count(dataset);
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        int code = read_row(stage, job, dataset->api->at(dataset, i), found);
        if (code < 0)
            return code;
    }
    if ((int64_t)found->rows.count >= stage->least_rows)
        return XY_OK;
    return xy_fail(job, XY_EINVAL, "only %zu of %llu records can be fitted on, with `%s` and `%s` "
                   "(%llu have gold and no probabilities to use, of %llu gold is none of the "
                   "classes); `least_rows` is %lld", found->rows.count, (unsigned long long)count,
                   stage->gold, is_confidence(stage) ? stage->confidence : stage->probabilities,
                   (unsigned long long)found->unusable, (unsigned long long)found->unknown,
                   (long long)stage->least_rows);
}

/* ---- the report ------------------------------------------------------------------------------ */

/* The rows of one fold (all with folds 0) under a calibration; NULL: as stated. */
static void measure(const struct stage *stage, const struct rows *rows,
                    const struct calibration *calibration, size_t folds, size_t fold,
                    struct measures *measures)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (folds && i % folds != fold)
            continue;
        size_t classes = rows->starts[i + 1] - rows->starts[i];
        const double *probabilities = rows->stated + rows->starts[i];
        if (calibration) {
            calibrate_apply(calibration, rows->logs + rows->starts[i], classes, stage->values);
            probabilities = stage->values;
        }
        measures_add(measures, probabilities, classes, rows->truths[i], is_confidence(stage));
    }
}

static void report_measures(const struct stage *stage, xy_job *job, const char *when,
                            const struct measures *measures)
{
    const struct score_sink sink = {.report = stage->report, .job = job, .prefix = when};
    scores_value(&sink, "error", measures_error(measures), "share", measures->count,
                 "expected calibration error: distance of confidence from accuracy, by bins");
    scores_value(&sink, "likelihood", measures->likelihood, "nats", measures->count,
                 "mean negative log-likelihood of the right class");
    scores_value(&sink, "brier", measures->brier, "", measures->count,
                 "Brier score: mean squared distance of the probabilities from the truth");
    struct text json = {0};
    char name[32];
    snprintf(name, sizeof(name), "%s_bins", when);
    measures_write(measures, &json);
    if (!json.failed)
        stage->report->detail(job, name, (xy_str){json.bytes, json.length});
    text_free(&json);
}

static int report_fit(const struct stage *stage, xy_job *job, const struct found *found,
                      const struct calibration *calibration)
{
    const struct rows *rows = &found->rows;
    struct measures *measures = calloc(3, sizeof(*measures));
    if (!measures)
        return XY_ENOMEM;
    for (size_t i = 0; i < 3; i++) {
        measures[i].bin_count = (size_t)stage->bins;
        measures[i].floor = stage->floor;
    }
    measure(stage, rows, NULL, 0, 0, &measures[0]);
    report_measures(stage, job, "before", &measures[0]);
    measure(stage, rows, calibration, 0, 0, &measures[1]);
    report_measures(stage, job, "after", &measures[1]);
    size_t folds = (size_t)stage->folds;
    for (size_t fold = 0; fold < folds && rows->count >= 2 * folds; fold++) {
        struct calibration part = calibrate_fit(rows, calibration->method, folds, fold);
        measure(stage, rows, &part, folds, fold, &measures[2]);
    }
    if (measures[2].count > 0)
        report_measures(stage, job, "held_out", &measures[2]);
    const struct score_sink sink = {.report = stage->report, .job = job};
    if (calibration->method == CALIBRATE_TEMPERATURE)
        scores_value(&sink, "temperature", 1 / calibration->slope, "", rows->count,
                     "above 1: the probabilities were too sure");
    else {
        scores_value(&sink, "slope", calibration->slope, "", rows->count, "of the log-odds");
        scores_value(&sink, "offset", calibration->offset, "", rows->count, "of the log-odds");
    }
    scores_value(&sink, "accuracy", measures[0].accuracy, "share", rows->count,
                 "share of the rows to fit on whose likeliest class is right");
    scores_value(&sink, "unusable", (double)found->unusable, "", 0,
                 "records with gold, but no probabilities to use");
    scores_value(&sink, "unknown_gold", (double)found->unknown, "", 0,
                 "records whose gold label is none of their classes");
    free(measures);
    return XY_OK;
}

/* ---- the records ----------------------------------------------------------------------------- */

static int write_map(const struct stage *stage, xy_record *record, size_t classes)
{
    struct text json = {0};
    for (size_t j = 0; j < classes; j++) {
        text_add_literal(&json, j ? ",\"" : "{\"");
        text_add_str(&json, stage->keys[j]);
        text_add_literal(&json, "\":");
        text_add_number(&json, stage->values[j]);
    }
    text_add_literal(&json, "}");
    int code = json.failed ? XY_ENOMEM
                           : xy_record_set_json(record, stage->probabilities,
                                                (xy_str){json.bytes, json.length});
    text_free(&json);
    return code;
}

/* Rewrites one record; 1 when there was nothing to rewrite. */
static int rewrite(const struct stage *stage, xy_record *record, struct found *found,
                   const struct calibration *calibration, uint64_t *crossed)
{
    char scratch[NAMES_SCRATCH];
    size_t classes = read_stated(stage, record), best = 0;
    if (classes == 0 || (calibration->method == CALIBRATE_PLATT && classes != 2))
        return 1;
    order_classes(stage, classes, &found->first);
    for (size_t j = 0; j < classes; j++)
        stage->values[j] = log(fmax(stage->values[j], stage->floor));
    calibrate_apply(calibration, stage->values, classes, stage->values);
    if (is_confidence(stage))
        return xy_record_set_number(record, stage->confidence, stage->values[0]);
    for (size_t j = 1; j < classes; j++)
        best = stage->values[j] > stage->values[best] ? j : best;
    xy_str label = names_label(record, stage->label, scratch);
    size_t mine = label.ptr ? find_class(stage, classes, label) : best;
    if (mine == classes)
        mine = best;
    *crossed += stage->values[best] > stage->values[mine];
    double confidence = stage->values[mine];
    int code = write_map(stage, record, classes);
    return code < 0 ? code : xy_record_set_number(record, stage->confidence, confidence);
}

static int rewrite_all(const struct stage *stage, xy_job *job, xy_dataset *input,
                       struct found *found, const struct calibration *calibration)
{
    uint64_t count = input->api->count(input), untouched = 0, crossed = 0;
    for (uint64_t i = 0; i < count; i++) {
        int code = rewrite(stage, input->api->edit(input, i), found, calibration, &crossed);
        if (code < 0)
            return code;
        untouched += code == 1;
    }
    if (untouched)
        xy_log_line(stage->host, XY_LOG_WARNING, "%llu of %llu records have no probabilities to "
                    "use and stay as they are", (unsigned long long)untouched,
                    (unsigned long long)count);
    if (!stage->report)
        return XY_OK;
    const struct score_sink sink = {.report = stage->report, .job = job};
    scores_value(&sink, "untouched", (double)untouched, "", 0, "records that stay as they are");
    scores_value(&sink, "crossed", (double)crossed, "", 0,
                 "records in which another class is likelier than the label");
    return XY_OK;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct stage *stage = state;
    struct found found = {.unusable = 0};
    if (input->api->count(input) == 0)
        return XY_OK;
    int code = read_rows(stage, job, stage->dev ? stage->dev : input, &found);
    if (code == XY_OK) {
        struct calibration calibration = calibrate_fit(&found.rows, method_of(stage), 0, 0);
        if (calibration.bounded)
            xy_log_line(stage->host, XY_LOG_WARNING, "the rows to fit on do not settle the scale: "
                        "it stands at %g", calibration.slope);
        if (stage->report)
            code = report_fit(stage, job, &found, &calibration);
        if (code == XY_OK)
            code = rewrite_all(stage, job, input, &found, &calibration);
    }
    rows_free(&found.rows);
    return code;
}

static const xy_stage calibrate_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct stage),
    .id = "calibrate",
    .version = "1.0.0",
    .summary = "Probabilities that come true as often as they say (temperature, Platt's method)",
    .options = options,
    .open = open_stage,
    .prepare = prepare,
    .run = run,
    .fields = "reads `probabilities` or `confidence`, `label` and `gold`; sets `probabilities` and "
              "`confidence`",
};

XY_PLUGIN("calibrate", "1.0.0", "Apache-2.0", &calibrate_stage)
