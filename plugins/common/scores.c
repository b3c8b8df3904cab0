/* SPDX-License-Identifier: Apache-2.0 */
#include "scores.h"

#include <math.h>

enum { NAME_SIZE = 128 };

static const char *full_name(const struct score_sink *sink, const char *name,
                             char full[NAME_SIZE])
{
    if (!sink->prefix || !*sink->prefix)
        return name;
    snprintf(full, NAME_SIZE, "%s_%s", sink->prefix, name);
    return full;
}

void scores_estimate(const struct score_sink *sink, const char *name, struct estimate estimate,
                     const char *unit, uint64_t n, const char *help)
{
    if (isnan(estimate.value))
        return;
    char full[NAME_SIZE];
    xy_score score = {.size = sizeof(score), .name = full_name(sink, name, full),
                      .value = estimate.value, .low = estimate.low, .high = estimate.high,
                      .unit = unit, .n = n, .help = help};
    sink->report->score(sink->job, &score);
}

void scores_value(const struct score_sink *sink, const char *name, double value, const char *unit,
                  uint64_t n, const char *help)
{
    scores_estimate(sink, name, (struct estimate){value, NAN, NAN}, unit, n, help);
}

static void give_detail(const struct score_sink *sink, const char *name, struct text *json)
{
    char full[NAME_SIZE];
    if (!json->failed)
        sink->report->detail(sink->job, full_name(sink, name, full),
                             (xy_str){json->bytes, json->length});
}

int scores_confusion(const struct score_sink *sink, const struct confusion *confusion,
                     const struct names *names)
{
    scores_estimate(sink, "accuracy", confusion_accuracy(confusion), "share", confusion->total,
                    "share of records with the right label, with Wilson's 95 % interval");
    scores_value(sink, "macro_f1", confusion_macro_f1(confusion), "share", confusion->total,
                 "mean of F1 over the classes that occur");
    struct text classes = {0}, matrix = {0};
    confusion_write_classes(confusion, names, &classes);
    confusion_write_matrix(confusion, names, &matrix);
    give_detail(sink, "classes", &classes);
    give_detail(sink, "confusion", &matrix);
    bool failed = classes.failed || matrix.failed;
    text_free(&classes);
    text_free(&matrix);
    return failed ? XY_ENOMEM : XY_OK;
}
