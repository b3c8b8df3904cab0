/* SPDX-License-Identifier: Apache-2.0 */
/* label_model_write.c - what the label model found: in the records, and in the report. */
#include <math.h>
#include <stdlib.h>

#include "label_model.h"
#include "scores.h"

/* Each label's value with its type, which a name has lost: copied from the first vote for it. */
static int copy_values(const struct label_model *model, const struct label_output *output,
                       xy_job *job, xy_dataset *input, xy_value *values)
{
    const struct panel *panel = model->panel;
    for (size_t v = 0; v < panel->count; v++) {
        const struct panel_vote *vote = &panel->votes[v];
        xy_value *value = &values[vote->label];
        if (value->type != XY_NULL)
            continue;
        bool several = output->fields && output->fields[0];
        const xy_record *record = input->api->at(input, vote->record);
        record->api->get(record, several ? output->fields[vote->field] : output->field, value);
        if (value->type != XY_TEXT)
            continue;
        char *copy = job->api->alloc(job, value->text.len + 1);
        if (!copy)
            return XY_ENOMEM;
        memcpy(copy, value->text.ptr, value->text.len);
        value->text.ptr = copy;
    }
    for (uint32_t j = 0; j < model->classes; j++) {
        if (values[j].type != XY_NULL)
            continue; /* a label of `gold` alone, or of `labels`, which nobody voted for */
        values[j].type = XY_TEXT;
        values[j].text = names_at(&panel->labels, j);
    }
    return XY_OK;
}

static void add_row(const struct label_model *model, const double *row, struct text *json)
{
    for (uint32_t j = 0; j < model->classes; j++) {
        text_add_literal(json, j ? "," : "{");
        text_add_json(json, names_at(&model->panel->labels, j));
        text_add_literal(json, ":");
        text_add_number(json, row[j]);
    }
    text_add_literal(json, "}");
}

static int write_record(const struct label_model *model, const struct label_output *output,
                        xy_record *record, size_t item, const xy_value *value, uint32_t label)
{
    const double *row = model->truth + item * model->classes;
    struct text json = {0};
    add_row(model, row, &json);
    int code = json.failed ? XY_ENOMEM : record->api->set(record, output->field, value);
    if (code >= 0)
        code = xy_record_set_number(record, output->confidence, row[label]);
    if (code >= 0)
        code = xy_record_set_json(record, output->probabilities, (xy_str){json.bytes, json.length});
    text_free(&json);
    return code;
}

/* The record that stays for each item: the first that voted for its class, else its first. */
static void choose_records(const struct label_model *model, const uint32_t *labels, size_t records,
                           size_t *stays)
{
    const struct panel *panel = model->panel;
    for (size_t r = records; r-- > 0;)
        stays[panel->record_items[r]] = r;
    for (size_t i = 0; i < panel->items.count; i++)
        for (size_t v = panel->starts[i + 1]; v-- > panel->starts[i];)
            if (panel->votes[v].label == labels[i])
                stays[i] = panel->votes[v].record;
}

static int drop(const struct label_model *model, xy_dataset *input, size_t record, uint32_t label)
{
    char why[200];
    if (label == NAMES_NONE)
        snprintf(why, sizeof(why), "no annotator has a vote for it");
    else
        snprintf(why, sizeof(why), "another record stands for its item, which is \"%.100s\"",
                 names_at(&model->panel->labels, label).ptr);
    return input->api->verdict(input, record, XY_DROP, why);
}

static int write_all(const struct label_model *model, const struct label_output *output,
                     xy_dataset *input, const xy_value *values, const uint32_t *labels,
                     const size_t *stays)
{
    size_t records = input->api->count(input);
    for (size_t r = 0; r < records; r++) {
        size_t item = model->panel->record_items[r];
        uint32_t label = labels[item];
        int code = XY_OK;
        if (output->one && (label == NAMES_NONE || stays[item] != r))
            code = drop(model, input, r, label);
        else if (label != NAMES_NONE)
            code = write_record(model, output, input->api->edit(input, r), item, &values[label],
                                label);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

int label_model_write(const struct label_model *model, const struct label_output *output,
                      xy_job *job, xy_dataset *input)
{
    size_t items = model->panel->items.count, records = input->api->count(input);
    xy_value *values = calloc((size_t)model->classes + 1, sizeof(*values));
    uint32_t *labels = calloc(items + 1, sizeof(*labels));
    size_t *stays = calloc(items + 1, sizeof(*stays));
    int code = values && labels && stays ? XY_OK : XY_ENOMEM;
    if (code == XY_OK) {
        for (size_t i = 0; i < items; i++)
            labels[i] = label_model_class(model, i);
        choose_records(model, labels, records, stays);
        code = copy_values(model, output, job, input, values);
    }
    if (code == XY_OK)
        code = write_all(model, output, input, values, labels, stays);
    free(values);
    free(labels);
    free(stays);
    return code;
}

/* ---- the report ------------------------------------------------------------------------------ */

/* The label that most votes of the item are for; a tie goes to the one that comes first. */
static uint32_t majority(const struct panel *panel, size_t item)
{
    uint32_t best = NAMES_NONE;
    size_t most = 0;
    for (size_t v = panel->starts[item]; v < panel->starts[item + 1]; v++) {
        size_t votes = 0;
        for (size_t w = panel->starts[item]; w < panel->starts[item + 1]; w++)
            votes += panel->votes[w].label == panel->votes[v].label;
        if (votes > most)
            best = panel->votes[v].label;
        most = votes > most ? votes : most;
    }
    return best;
}

static void report_items(const struct label_model *model, const struct score_sink *sink)
{
    const struct panel *panel = model->panel;
    uint64_t decided = 0, changed = 0;
    double confidence = 0;
    for (size_t i = 0; i < panel->items.count; i++) {
        uint32_t label = label_model_class(model, i);
        if (label == NAMES_NONE)
            continue;
        decided++;
        changed += label != majority(panel, i);
        confidence += model->truth[i * model->classes + label];
    }
    double n = (double)decided, items = (double)panel->items.count;
    scores_value(sink, "items", items, "", 0, "items that were to be labelled");
    scores_value(sink, "undecided", items - n, "", 0, "items without any vote");
    scores_value(sink, "abstained", (double)panel->abstained, "", 0,
                 "votes that were not there, or abstentions");
    scores_value(sink, "changed", decided ? (double)changed / n : NAN, "share", decided,
                 "share of the items whose label is not that of the plain majority");
    scores_value(sink, "mean_confidence", decided ? confidence / n : NAN, "share", decided,
                 "mean probability of the label that an item got");
}

static void report_annotators(const struct label_model *model, const struct score_sink *sink)
{
    double least = INFINITY, sum = 0, count = 0;
    for (uint32_t k = 0; k < model->annotators; k++) {
        if (!(model->votes[k] > 0))
            continue;
        double share = model->right[k] / model->votes[k];
        least = fmin(least, share);
        sum += share;
        count++;
    }
    scores_value(sink, "annotators", count, "", 0, "annotators that voted at all");
    scores_value(sink, "mean_accuracy", count > 0 ? sum / count : NAN, "share", (uint64_t)count,
                 "mean over annotators: the expected share of its votes that are right");
    scores_value(sink, "least_accuracy", count > 0 ? least : NAN, "share", (uint64_t)count,
                 "the same of the worst annotator");
}

static void add_annotator(const struct label_model *model, uint32_t k, struct text *json)
{
    text_add_literal(json, k ? ",{\"annotator\":" : "{\"annotator\":");
    text_add_json(json, names_at(&model->panel->annotators, k));
    text_add_literal(json, ",\"votes\":");
    text_add_number(json, model->votes[k]);
    text_add_literal(json, ",\"accuracy\":");
    if (model->votes[k] > 0)
        text_add_number(json, model->right[k] / model->votes[k]);
    else
        text_add_literal(json, "null");
    text_add_literal(json, ",\"weight\":");
    text_add_number(json, model->weights[k]);
    bool tables = model->tables && model->classes;
    size_t cells = (size_t)model->classes * model->classes;
    const double *cell = tables ? model->tables + k * cells : NULL;
    for (uint32_t j = 0; tables && j < model->classes; j++)
        for (uint32_t l = 0; l < model->classes; l++, cell++) {
            text_add_literal(json, l ? "," : j ? "],[" : ",\"confusion\":[[");
            text_add_number(json, *cell);
        }
    text_add_literal(json, tables ? "]]}" : "}");
}

static void add_classes(const struct label_model *model, struct text *json)
{
    double decided = 0;
    for (size_t i = 0; i < model->panel->items.count; i++)
        decided += label_model_class(model, i) != NAMES_NONE;
    text_add_literal(json, "[");
    for (uint32_t j = 0; j < model->classes; j++) {
        double sum = 0;
        for (size_t i = 0; i < model->panel->items.count; i++)
            sum += model->truth[i * model->classes + j];
        text_add_literal(json, j ? ",{\"class\":" : "{\"class\":");
        text_add_json(json, names_at(&model->panel->labels, j));
        text_add_literal(json, ",\"share\":");
        text_add_number(json, decided > 0 ? sum / decided : 0);
        text_add_literal(json, "}");
    }
    text_add_literal(json, "]");
}

int label_model_report(const struct label_model *model, const struct label_output *output,
                       xy_job *job)
{
    if (!output->report)
        return XY_OK;
    const struct score_sink sink = {.report = output->report, .job = job};
    report_items(model, &sink);
    report_annotators(model, &sink);
    bool estimated = !isnan(model->likelihood);
    if (estimated) {
        scores_value(&sink, "iterations", (double)model->iterations, "", 0,
                     "passes of expectation-maximisation");
        scores_value(&sink, "converged", model->converged, "", 0,
                     "1: the last pass moved no probability by `tolerance`");
        scores_value(&sink, "log_likelihood", model->likelihood, "nats", 0,
                     "of all votes, under the estimated classes and errors");
    }
    struct text annotators = {0}, classes = {0};
    text_add_literal(&annotators, "[");
    for (uint32_t k = 0; k < model->annotators; k++)
        add_annotator(model, k, &annotators);
    text_add_literal(&annotators, "]");
    add_classes(model, &classes);
    bool failed = annotators.failed || classes.failed;
    if (!failed) {
        output->report->detail(job, "annotators", (xy_str){annotators.bytes, annotators.length});
        output->report->detail(job, "classes", (xy_str){classes.bytes, classes.length});
    }
    text_free(&annotators);
    text_free(&classes);
    return failed ? XY_ENOMEM : XY_OK;
}
