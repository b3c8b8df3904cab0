/* SPDX-License-Identifier: Apache-2.0 */
/* agreement - how far predicted labels agree with gold ones: accuracy, F1, Cohen's kappa. */
#include <math.h>
#include <stdlib.h>

#include "agreement_internal.h"
#include "scores.h"

enum { CLASSES_MAX = 4096, POLL = 4096 };

struct evaluator {
    const char *gold, *predicted, *key;
    xy_dataset *against;
    const xy_host *host;
    const xy_report *report;
};

static const xy_option options[] = {
    {.name = "gold", .type = XY_OPT_FIELD, .offset = offsetof(struct evaluator, gold),
     .def = "gold", .help = "The field with the right label; with `against`, a field of that set."},
    {.name = "predicted", .type = XY_OPT_FIELD, .offset = offsetof(struct evaluator, predicted),
     .def = "label", .help = "The field with the label to judge."},
    {.name = "against", .type = XY_OPT_DATASET, .offset = offsetof(struct evaluator, against),
     .help = "A data set with the gold labels, where the records do not carry them."},
    {.name = "key", .type = XY_OPT_FIELD, .offset = offsetof(struct evaluator, key),
     .help = "The field, in both data sets, that tells which records are the same."},
    {0},
};

/* The pairs of one run, as class numbers; a prediction that is absent is NAMES_NONE. */
struct pairs {
    struct names classes;
    struct names keys;       /* of `against` */
    uint32_t *key_classes;   /* the gold class of each key */
    uint32_t *gold, *predicted;
    size_t count;
    uint64_t without_gold, without_prediction;
};

static int open_evaluator(void *state, const xy_host *host)
{
    struct evaluator *evaluator = state;
    evaluator->host = host;
    evaluator->report = host->service(host, XY_REPORT);
    return evaluator->report ? XY_OK : XY_EUNSUPPORTED;
}

static int prepare(void *state, xy_job *job)
{
    const struct evaluator *evaluator = state;
    if (evaluator->against && !evaluator->key)
        return xy_fail(job, XY_EINVAL, "`against` needs `key`: the field, in both data sets, that "
                       "tells which records are the same");
    return XY_OK;
}

static int add_class(xy_job *job, struct pairs *pairs, xy_str label, uint32_t *class_index)
{
    *class_index = names_add(&pairs->classes, label);
    if (*class_index == NAMES_NONE)
        return XY_ENOMEM;
    if (pairs->classes.count > CLASSES_MAX)
        return xy_fail(job, XY_EINVAL, "more than %d different labels: these fields hold no labels",
                       CLASSES_MAX);
    return XY_OK;
}

static int read_keys(const struct evaluator *evaluator, xy_job *job, struct pairs *pairs)
{
    xy_dataset *against = evaluator->against;
    uint64_t count = against->api->count(against);
    pairs->key_classes = calloc(count + 1, sizeof(*pairs->key_classes));
    if (!pairs->key_classes)
        return XY_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = against->api->at(against, i);
        char scratch[NAMES_SCRATCH];
        xy_str label = names_label(record, evaluator->gold, scratch);
        if (!label.ptr)
            continue;
        uint32_t class_index = 0, before = pairs->keys.count;
        int code = add_class(job, pairs, label, &class_index);
        if (code < 0)
            return code;
        xy_str key = names_label(record, evaluator->key, scratch);
        if (!key.ptr)
            return xy_fail(job, XY_EINVAL, "record %llu of `against` has no `%s`",
                           (unsigned long long)i, evaluator->key);
        uint32_t number = names_add(&pairs->keys, key);
        if (number == NAMES_NONE)
            return XY_ENOMEM;
        if (number < before && pairs->key_classes[number] != class_index)
            return xy_fail(job, XY_EINVAL, "`%.*s` stands twice in `against`, with two labels",
                           (int)(key.len < 80 ? key.len : 80), key.ptr);
        pairs->key_classes[number] = class_index;
    }
    return XY_OK;
}

/* The record's gold class, or NAMES_NONE when it has none. */
static int gold_of(const struct evaluator *evaluator, xy_job *job, struct pairs *pairs,
                   const xy_record *record, uint32_t *class_index)
{
    char scratch[NAMES_SCRATCH];
    *class_index = NAMES_NONE;
    if (!evaluator->against) {
        xy_str label = names_label(record, evaluator->gold, scratch);
        return label.ptr ? add_class(job, pairs, label, class_index) : XY_OK;
    }
    xy_str key = names_label(record, evaluator->key, scratch);
    uint32_t number = key.ptr ? names_find(&pairs->keys, key) : NAMES_NONE;
    if (number != NAMES_NONE)
        *class_index = pairs->key_classes[number];
    return XY_OK;
}

static int read_pairs(const struct evaluator *evaluator, xy_job *job, xy_dataset *input,
                      struct pairs *pairs)
{
    uint64_t count = input->api->count(input);
    pairs->gold = calloc(count + 1, sizeof(uint32_t));
    pairs->predicted = calloc(count + 1, sizeof(uint32_t));
    if (!pairs->gold || !pairs->predicted)
        return XY_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        const xy_record *record = input->api->at(input, i);
        uint32_t gold, predicted = NAMES_NONE;
        int code = gold_of(evaluator, job, pairs, record, &gold);
        if (code < 0)
            return code;
        if (gold == NAMES_NONE) {
            pairs->without_gold++;
            continue;
        }
        char scratch[NAMES_SCRATCH];
        xy_str label = names_label(record, evaluator->predicted, scratch);
        code = label.ptr ? add_class(job, pairs, label, &predicted) : XY_OK;
        if (code < 0)
            return code;
        pairs->without_prediction += predicted == NAMES_NONE;
        pairs->gold[pairs->count] = gold;
        pairs->predicted[pairs->count++] = predicted;
    }
    return XY_OK;
}

/* Counts the pairs. A record without prediction is a miss: it counts as predicted to a class of its
 * own, so that a model cannot gain by staying silent. */
static int count_pairs(struct pairs *pairs, struct confusion *confusion)
{
    uint32_t none = NAMES_NONE;
    if (pairs->without_prediction > 0) {
        none = names_add(&pairs->classes, xy_text("(none)"));
        if (none == NAMES_NONE)
            return XY_ENOMEM;
    }
    if (confusion_init(confusion, pairs->classes.count) < 0)
        return XY_ENOMEM;
    for (size_t i = 0; i < pairs->count; i++)
        confusion_add(confusion, pairs->gold[i],
                      pairs->predicted[i] == NAMES_NONE ? none : pairs->predicted[i]);
    return XY_OK;
}

static int report_pairs(const struct evaluator *evaluator, xy_job *job, const struct pairs *pairs,
                        const struct confusion *confusion)
{
    const struct score_sink sink = {.report = evaluator->report, .job = job};
    int code = scores_confusion(&sink, confusion, &pairs->classes);
    scores_estimate(&sink, "kappa", confusion_kappa(confusion), "", confusion->total,
                    "Cohen's kappa: agreement beyond chance, with its large-sample 95 % interval");
    scores_value(&sink, "without_gold", (double)pairs->without_gold, "records", 0,
                 "records that have no gold label and were left out");
    scores_value(&sink, "without_prediction", (double)pairs->without_prediction, "records", 0,
                 "records that have a gold label and no prediction, counted as wrong");
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct evaluator *evaluator = state;
    struct pairs pairs = {.count = 0};
    struct confusion confusion = {0};
    int code = evaluator->against ? read_keys(evaluator, job, &pairs) : XY_OK;
    if (code == XY_OK)
        code = read_pairs(evaluator, job, input, &pairs);
    if (code == XY_OK && pairs.count == 0)
        xy_log_line(evaluator->host, XY_LOG_WARNING, "no record has a gold label: no scores");
    if (code == XY_OK)
        code = count_pairs(&pairs, &confusion);
    if (code == XY_OK)
        code = report_pairs(evaluator, job, &pairs, &confusion);
    confusion_free(&confusion);
    names_free(&pairs.classes);
    names_free(&pairs.keys);
    free(pairs.key_classes);
    free(pairs.gold);
    free(pairs.predicted);
    return code;
}

static const char *const needs[] = {XY_REPORT, NULL};

static const xy_stage agreement_evaluator = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct evaluator),
    .id = "agreement",
    .version = "1.0.0",
    .summary = "Accuracy, F1 and Cohen's kappa of predicted labels against gold ones",
    .needs = needs,
    .options = options,
    .open = open_evaluator,
    .prepare = prepare,
    .run = run,
    .fields = "reads `gold`, `predicted` and `key`",
};

XY_PLUGIN("agreement", "1.0.0", "Apache-2.0", &agreement_filter, &agreement_evaluator)
