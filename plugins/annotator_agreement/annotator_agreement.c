/* SPDX-License-Identifier: Apache-2.0 */
/* annotator_agreement - how far annotators agree beyond chance, and whether those who were shown a
 * suggestion agree more. */
#include <math.h>
#include <stdlib.h>

#include "agreement_sheet.h"
#include "scores.h"

enum { VIEW_ALL, VIEW_SHOWN, VIEW_UNSEEN, VIEWS };
enum { SEEN_UNKNOWN = 2 };

struct stage {
    const char *const *fields, *const *abstain, *const *order;
    const char *field, *by, *annotator, *level, *shown, *suggestion;
    int64_t bootstrap;
    double confidence;
    const xy_host *host;
    const xy_report *report;
    const xy_rng *rng;
};

#define AT(member) offsetof(struct stage, member)

static const xy_option options[] = {
    {.name = "fields", .type = XY_OPT_LIST, .offset = AT(fields),
     .help = "Several fields of a record, each the label of an annotator, who is named so."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "label",
     .help = "Without `fields`: the field that holds a record's one label."},
    {.name = "annotator", .type = XY_OPT_FIELD, .offset = AT(annotator),
     .help = "Without `fields`: the field that names whose label a record holds."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = AT(by),
     .help = "Records with the same value of this are one item; otherwise those that were made "
             "from one record are, or, with `fields`, each record."},
    {.name = "abstain", .type = XY_OPT_LIST, .offset = AT(abstain),
     .help = "Values that are no labels, such as `unknown`."},
    {.name = "level", .type = XY_OPT_TEXT, .offset = AT(level), .def = "nominal",
     .choices = "nominal|ordinal|interval",
     .help = "How far apart labels are, for alpha: all alike, by their ranks, or by their values."},
    {.name = "order", .type = XY_OPT_LIST, .offset = AT(order),
     .help = "All labels from the lowest to the highest, where they are no numbers; for `interval` "
             "one step apart."},
    {.name = "shown", .type = XY_OPT_FIELD, .offset = AT(shown),
     .help = "A field that says whether the annotator saw the model's suggestion (true or false, 1 "
             "or 0): agreement is then reported with and without it too."},
    {.name = "suggestion", .type = XY_OPT_FIELD, .offset = AT(suggestion),
     .help = "The field with the model's suggestion: how often labels follow it."},
    {.name = "bootstrap", .type = XY_OPT_INT, .offset = AT(bootstrap), .def = "1000", .low = 0,
     .high = 1e6, .help = "Draws of items, with replacement, for the intervals; 0: no intervals."},
    {.name = "confidence", .type = XY_OPT_NUMBER, .offset = AT(confidence), .def = "0.95",
     .low = 0.01, .high = 0.9999, .help = "The confidence level of the bootstrap's intervals."},
    {0},
};

/* What one run works on. */
struct work {
    struct panel panel;
    struct scale scale;
    struct sheet sheets[VIEWS];
    bool *wanted[VIEWS];       /* of each vote; NULL for VIEW_ALL */
    uint32_t *suggestions;     /* of each record; NAMES_NONE without */
    uint8_t *seen;             /* of each record: 0, 1, SEEN_UNKNOWN */
    double values[VIEWS][SHEET_COEFFICIENTS];
    double *draws;             /* bootstrap x (VIEWS x SHEET_COEFFICIENTS + 1) */
    uint32_t *times;           /* of each item, in the draw */
    size_t views;
};

static int open_stage(void *state, const xy_host *host)
{
    struct stage *stage = state;
    stage->host = host;
    stage->report = host->service(host, XY_REPORT);
    stage->rng = host->service(host, XY_RNG);
    return stage->report && stage->rng ? XY_OK : XY_EUNSUPPORTED;
}

static struct panel_source source_of(const struct stage *stage)
{
    return (struct panel_source){.fields = stage->fields, .field = stage->field, .by = stage->by,
                                 .annotator = stage->annotator, .abstain = stage->abstain};
}

static enum agreement_level level_of(const struct stage *stage)
{
    return *stage->level == 'n' ? LEVEL_NOMINAL : *stage->level == 'o' ? LEVEL_ORDINAL
                                                                      : LEVEL_INTERVAL;
}

static int prepare(void *state, xy_job *job)
{
    const struct stage *stage = state;
    const struct panel_source source = source_of(stage);
    int code = panel_check(&source, job);
    if (code < 0)
        return code;
    if (stage->fields && stage->fields[0] && !stage->fields[1])
        return xy_fail(job, XY_EINVAL, "`fields` names one annotator, who agrees with nobody");
    if (stage->order && stage->order[0] && level_of(stage) == LEVEL_NOMINAL)
        return xy_fail(job, XY_EINVAL, "`order` needs `level: ordinal` or `interval`");
    return XY_OK;
}

static int read_shown(const struct stage *stage, xy_job *job, const xy_record *record,
                      size_t index, uint8_t *seen)
{
    xy_str text = xy_record_text(record, stage->shown);
    double shown = names_number(record, stage->shown, NAN);
    bool good = isnan(shown) || shown == 0 || shown == 1;
    if (text.len || !good)
        return xy_fail(job, XY_EINVAL, "`%s` of record %zu is neither true nor false",
                       stage->shown, index);
    if (!isnan(shown))
        *seen = shown == 1;
    return XY_OK;
}

/* Who saw what: `shown` and `suggestion` of each record. */
static int read_records(const struct stage *stage, xy_job *job, xy_dataset *input,
                        struct work *work)
{
    size_t count = input->api->count(input);
    work->seen = calloc(count + 1, sizeof(*work->seen));
    work->suggestions = calloc(count + 1, sizeof(*work->suggestions));
    if (!work->seen || !work->suggestions)
        return XY_ENOMEM;
    for (size_t r = 0; r < count && (stage->shown || stage->suggestion); r++) {
        const xy_record *record = input->api->at(input, r);
        char scratch[NAMES_SCRATCH];
        work->seen[r] = SEEN_UNKNOWN;
        int code = stage->shown ? read_shown(stage, job, record, r, &work->seen[r]) : XY_OK;
        if (code < 0)
            return code;
        xy_str label = {NULL, 0};
        if (stage->suggestion)
            label = names_label(record, stage->suggestion, scratch);
        /* A suggestion that no annotator followed is no label of the panel, and matches none. */
        work->suggestions[r] = label.ptr ? names_find(&work->panel.labels, label) : NAMES_NONE;
        if (label.ptr && work->suggestions[r] == NAMES_NONE)
            work->suggestions[r] = NAMES_NONE - 1;
    }
    return XY_OK;
}

static int make_sheets(const struct stage *stage, struct work *work)
{
    const struct panel *panel = &work->panel;
    work->views = stage->shown ? VIEWS : 1;
    for (size_t v = 0; v < work->views; v++) {
        bool *wanted = v == VIEW_ALL ? NULL : calloc(panel->count + 1, sizeof(*wanted));
        if (v != VIEW_ALL && !wanted)
            return XY_ENOMEM;
        work->wanted[v] = wanted;
        for (size_t i = 0; wanted && i < panel->count; i++)
            wanted[i] = work->seen[panel->votes[i].record] == (v == VIEW_SHOWN ? 1 : 0);
        if (sheet_init(&work->sheets[v], panel, wanted, &work->scale) < 0)
            return XY_ENOMEM;
    }
    return XY_OK;
}

enum { COLUMNS = VIEWS * SHEET_COEFFICIENTS + 1 };

/* Draws items with replacement, all views from the same draw, so that the difference between them
 * is drawn too. */
static int draw_all(const struct stage *stage, xy_job *job, struct work *work)
{
    size_t items = work->panel.items.count;
    work->draws = calloc((size_t)stage->bootstrap * COLUMNS + 1, sizeof(*work->draws));
    work->times = calloc(items + 1, sizeof(*work->times));
    if (!work->draws || !work->times)
        return XY_ENOMEM;
    uint64_t random = stage->rng->stream(job, NULL, 0);
    for (int64_t d = 0; d < stage->bootstrap && items > 0; d++) {
        double(*out)[SHEET_COEFFICIENTS] =
            (double(*)[SHEET_COEFFICIENTS])(work->draws + d * COLUMNS);
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        memset(work->times, 0, items * sizeof(*work->times));
        for (size_t i = 0; i < items; i++)
            work->times[xy_random_below(&random, items)]++;
        /* What `work` holds is freed by its owner, run().
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        for (size_t v = 0; v < work->views; v++)
            sheet_measure(&work->sheets[v], work->times, out[v]);
        work->draws[d * COLUMNS + COLUMNS - 1] =
            work->views > 1 ? out[VIEW_SHOWN][SHEET_ALPHA] - out[VIEW_UNSEEN][SHEET_ALPHA] : NAN;
    }
    return XY_OK;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double quantile(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1), below = floor(place);
    size_t i = (size_t)below;
    return i + 1 < count ? sorted[i] + (place - below) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/* The percentile interval of one column; none when half of the draws do not define it. */
static struct estimate interval_of(const struct stage *stage, const struct work *work, double value,
                                   size_t column)
{
    struct estimate estimate = {value, NAN, NAN};
    size_t draws = (size_t)stage->bootstrap, count = 0;
    double *sorted = calloc(draws + 1, sizeof(*sorted));
    if (isnan(value) || !sorted) {
        free(sorted);
        return estimate;
    }
    for (size_t d = 0; d < draws; d++)
        if (!isnan(work->draws[d * COLUMNS + column]))
            sorted[count++] = work->draws[d * COLUMNS + column];
    qsort(sorted, count, sizeof(*sorted), by_value);
    if (count > 0 && 2 * count > draws) {
        estimate.low = quantile(sorted, count, (1 - stage->confidence) / 2);
        estimate.high = quantile(sorted, count, (1 + stage->confidence) / 2);
    }
    free(sorted);
    return estimate;
}

static void report_views(const struct stage *stage, xy_job *job, const struct work *work)
{
    static const struct {
        const char *name, *help;
    } told[SHEET_COEFFICIENTS] = {
        {"observed", "mean over items of the share of pairs of annotators that agree"},
        {"alpha", "Krippendorff's alpha: 1 less observed over expected disagreement"},
        {"fleiss", "Fleiss' kappa: agreement beyond chance, every annotator alike"},
        {"cohen", "mean of Cohen's kappa over pairs of annotators"},
    };
    static const char *const prefixes[VIEWS] = {"", "shown", "unseen"};
    for (size_t v = 0; v < work->views; v++) {
        const struct score_sink sink = {.report = stage->report, .job = job,
                                        .prefix = prefixes[v]};
        uint64_t items = sheet_comparable(&work->sheets[v]);
        for (size_t c = 0; c < SHEET_COEFFICIENTS; c++)
            scores_estimate(&sink, told[c].name,
                            interval_of(stage, work, work->values[v][c],
                                        v * SHEET_COEFFICIENTS + c),
                            "", items, told[c].help);
        scores_value(&sink, "items", (double)items, "", 0, "items with two labels or more");
    }
    const struct score_sink sink = {.report = stage->report, .job = job};
    double difference = work->values[VIEW_SHOWN][SHEET_ALPHA] -
                        work->values[VIEW_UNSEEN][SHEET_ALPHA];
    if (work->views > 1)
        scores_estimate(&sink, "alpha_difference",
                        interval_of(stage, work, difference, COLUMNS - 1), "", 0,
                        "alpha of those who saw the suggestion less that of the others");
    scores_value(&sink, "annotators", work->panel.annotators.count, "", 0, "");
    scores_value(&sink, "missing", (double)work->panel.abstained, "", 0,
                 "labels that were not there, or abstentions");
    scores_value(&sink, "repeated", (double)work->sheets[VIEW_ALL].repeated, "", 0,
                 "labels left out: an annotator's second and later ones for an item");
}

/* The interval of a difference of two shares, from their own (Newcombe 1998, method 10). */
static struct estimate difference_of(struct estimate a, struct estimate b)
{
    double value = a.value - b.value;
    return (struct estimate){value, value - hypot(a.value - a.low, b.high - b.value),
                             value + hypot(a.high - a.value, b.value - b.low)};
}

static void report_following(const struct stage *stage, xy_job *job, const struct work *work)
{
    static const char *const names[VIEWS] = {"follows", "shown_follows", "unseen_follows"};
    const struct score_sink sink = {.report = stage->report, .job = job};
    struct estimate shares[VIEWS];
    for (size_t v = 0; v < work->views; v++) {
        uint64_t followed = 0, n = 0;
        for (size_t i = 0; i < work->panel.count; i++) {
            const struct panel_vote *vote = &work->panel.votes[i];
            uint32_t suggestion = work->suggestions[vote->record];
            if (suggestion == NAMES_NONE || (work->wanted[v] && !work->wanted[v][i]))
                continue;
            n++;
            followed += suggestion == vote->label;
        }
        shares[v] = confusion_wilson(followed, n);
        scores_estimate(&sink, names[v], shares[v], "share", n,
                        "share of the labels that are the suggestion, with Wilson's 95 % interval");
    }
    if (work->views > 1)
        scores_estimate(&sink, "pull", difference_of(shares[VIEW_SHOWN], shares[VIEW_UNSEEN]), "",
                        0,
                        "how much oftener the suggestion is followed when it was shown");
}

static int report_pairs(const struct stage *stage, xy_job *job, struct work *work)
{
    struct sheet *sheet = &work->sheets[VIEW_ALL];
    if (!sheet->both) {
        xy_log_line(stage->host, XY_LOG_WARNING, "%u annotators and %u labels are too many for "
                    "Cohen's kappa of each pair: it is left out", sheet->annotators,
                    sheet->classes);
        return XY_OK;
    }
    struct text json = {0};
    sheet_write_pairs(sheet, &work->panel.annotators, &json);
    bool failed = json.failed;
    if (!failed)
        stage->report->detail(job, "pairs", (xy_str){json.bytes, json.length});
    text_free(&json);
    return failed ? XY_ENOMEM : XY_OK;
}

static int measure(const struct stage *stage, xy_job *job, struct work *work)
{
    int code = make_sheets(stage, work);
    if (code == XY_OK)
        code = draw_all(stage, job, work);
    for (size_t v = 0; v < work->views && code == XY_OK; v++)
        sheet_measure(&work->sheets[v], NULL, work->values[v]);
    if (code < 0)
        return code;
    if (sheet_comparable(&work->sheets[VIEW_ALL]) == 0)
        xy_log_line(stage->host, XY_LOG_WARNING, "no item has labels of two annotators: there is "
                    "no agreement to tell");
    report_views(stage, job, work);
    if (stage->suggestion)
        report_following(stage, job, work);
    return report_pairs(stage, job, work);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct stage *stage = state;
    const struct panel_source source = source_of(stage);
    struct work work = {.views = 0};
    int code = panel_read(&work.panel, &source, job, input);
    if (code == XY_OK)
        code = scale_init(&work.scale, level_of(stage), stage->order, &work.panel.labels, job);
    if (code == XY_OK)
        code = read_records(stage, job, input, &work);
    if (code == XY_OK)
        code = measure(stage, job, &work);
    for (size_t v = 0; v < VIEWS; v++) {
        sheet_free(&work.sheets[v]);
        free(work.wanted[v]);
    }
    scale_free(&work.scale);
    panel_free(&work.panel);
    free(work.seen);
    free(work.suggestions);
    free(work.draws);
    free(work.times);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{fields: [a, b, c]}" : NULL;
}

static const char *const needs[] = {XY_REPORT, XY_RNG, NULL};

static const xy_stage annotator_agreement_stage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct stage),
    .id = "annotator_agreement",
    .version = "1.0.0",
    .summary = "Krippendorff's alpha, Fleiss' and Cohen's kappa, with and without suggestions",
    .needs = needs,
    .options = options,
    .open = open_stage,
    .prepare = prepare,
    .run = run,
    .extension = extension,
    .fields = "reads `fields` or `field` and `annotator`, `by`, `shown` and `suggestion`",
};

XY_PLUGIN("annotator_agreement", "1.0.0", "Apache-2.0", &annotator_agreement_stage)
