/* SPDX-License-Identifier: Apache-2.0 */
/* label_model - one label from several annotators, who are not equally good: Dawid and Skene's
 * model (1979), one accuracy for each, or given weights. */
#include <math.h>
#include <stdlib.h>

#include "json_reader.h"
#include "label_model.h"

struct stage {
    const char *method, *keep, *weights, *gold;
    const char *const *fields, *const *abstain, *const *labels;
    const char *field, *by, *annotator;
    struct label_settings settings;
    struct label_output output;
    const xy_host *host;
};

#define AT(member) offsetof(struct stage, member)

static const xy_option options[] = {
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "dawid_skene",
     .choices = "majority|weighted|dawid_skene|one_coin",
     .help = "`dawid_skene`: classes and a table of errors for each annotator are estimated "
             "together; `one_coin`: with one accuracy for each; `weighted`: by `weights`, or by "
             "the accuracy on `gold`; `majority`: each vote counts 1."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = AT(fields),
     .help = "Several fields of a record, each the vote of an annotator, who is named so."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "label",
     .help = "The field that takes the label and, without `fields`, holds a record's one vote."},
    {.name = "annotator", .type = XY_OPT_FIELD, .offset = AT(annotator),
     .help = "Without `fields`: the field that names whose vote a record holds."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = AT(by),
     .help = "Records with the same value of this are votes for one item; otherwise those that "
             "were made from one record are, or, with `fields`, each record is an item."},
    {.name = "abstain", .type = XY_OPT_LIST, .offset = AT(abstain),
     .help = "Values that are no votes, such as `unknown`."},
    {.name = "labels", .type = XY_OPT_LIST, .offset = AT(labels),
     .help = "All classes, where some may have no vote; more come from the votes."},
    {.name = "gold", .type = XY_OPT_FIELD, .offset = AT(gold),
     .help = "A field with the right label, where it is known: it teaches how good the annotators "
             "are, and does not become the item's label."},
    {.name = "weights", .type = XY_OPT_JSON, .offset = AT(weights),
     .help = "For `weighted`: what a vote of each annotator counts, `{NAME: NUMBER}`."},
    {.name = "iterations", .type = XY_OPT_INT, .offset = AT(settings.iterations), .def = "200",
     .low = 1, .high = 100000, .help = "Passes of expectation-maximisation, at most."},
    {.name = "tolerance", .type = XY_OPT_NUMBER, .offset = AT(settings.tolerance), .def = "1e-6",
     .low = 0, .high = 1, .help = "It ends once no probability moves by this much."},
    {.name = "smoothing", .type = XY_OPT_NUMBER, .offset = AT(settings.smoothing), .def = "0.01",
     .low = 0, .high = 1000,
     .help = "Votes that are added to each count, so that nothing unseen is impossible; 0: none, "
             "as in the paper."},
    {.name = "keep", .type = XY_OPT_TEXT, .offset = AT(keep), .def = "one", .choices = "one|all",
     .help = "`one`: of each item the first record that voted for its label stays, and items "
             "without votes are dropped; `all`: every record stays."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = AT(output.confidence),
     .def = "confidence", .help = "The field that takes the label's probability."},
    {.name = "probabilities", .type = XY_OPT_FIELD, .offset = AT(output.probabilities),
     .def = "probabilities", .help = "The field that takes the probability of each class."},
    {0},
};

static enum label_method method_of(const char *name)
{
    static const char *const names[] = {"majority", "weighted", "dawid_skene", "one_coin"};
    size_t method = 0;
    while (method < LABEL_ONE_COIN && strcmp(names[method], name) != 0)
        method++;
    return (enum label_method)method;
}

static int open_stage(void *state, const xy_host *host)
{
    struct stage *stage = state;
    stage->host = host;
    stage->settings.method = method_of(stage->method);
    stage->output.field = stage->field;
    stage->output.fields = stage->fields;
    stage->output.one = strcmp(stage->keep, "one") == 0;
    stage->output.report = host->service(host, XY_REPORT); /* may be absent: a courtesy */
    return XY_OK;
}

static struct panel_source source_of(const struct stage *stage)
{
    return (struct panel_source){.fields = stage->fields, .field = stage->field, .by = stage->by,
                                 .annotator = stage->annotator, .abstain = stage->abstain};
}

/* A map from annotators to weights: at least one above 0, none below. */
static int check_weights(const struct stage *stage, xy_job *job)
{
    xy_str weights = json_check(xy_text(stage->weights)), key, value;
    struct json_cursor cursor = {0};
    double sum = 0;
    if (json_kind(weights) != '{')
        return xy_fail(job, XY_EINVAL, "`weights` is no map of annotators to numbers, such as "
                       "`{large: 2, small: 1}`");
    while (json_next(weights, &cursor, &key, &value)) {
        double weight = json_number(value, NAN);
        if (!(weight >= 0) || isinf(weight))
            return xy_fail(job, XY_EINVAL, "the weight of `%.*s` is %.*s; it must be a number "
                           "from 0 on", (int)key.len, key.ptr, (int)value.len, value.ptr);
        sum += weight;
    }
    return sum > 0 ? XY_OK : xy_fail(job, XY_EINVAL, "all `weights` are 0");
}

static int prepare(void *state, xy_job *job)
{
    const struct stage *stage = state;
    const struct panel_source source = source_of(stage);
    enum label_method method = stage->settings.method;
    int code = panel_check(&source, job);
    if (code < 0)
        return code;
    if (method == LABEL_WEIGHTED && !stage->weights && !stage->gold)
        return xy_fail(job, XY_EINVAL, "`weighted` needs `weights`, or `gold` to find them by");
    if (stage->weights && (method != LABEL_WEIGHTED || stage->gold))
        return xy_fail(job, XY_EINVAL, "`weights` go with `method: weighted` and without `gold`");
    if (method == LABEL_MAJORITY && stage->gold)
        return xy_fail(job, XY_EINVAL, "`gold` teaches nothing to `method: majority`");
    if (method >= LABEL_DAWID_SKENE && stage->fields && stage->fields[0] && !stage->fields[1])
        return xy_fail(job, XY_EINVAL, "`fields` names one annotator: how often it errs shows only "
                       "beside others");
    return stage->weights ? check_weights(stage, job) : XY_OK;
}

/* The weight of each annotator that voted, from `weights`. */
static int give_weights(const struct stage *stage, xy_job *job, struct label_model *model)
{
    xy_str weights = json_check(xy_text(stage->weights)), key, value;
    for (uint32_t k = 0; k < model->annotators; k++)
        model->weights[k] = NAN;
    struct json_cursor cursor = {0};
    while (json_next(weights, &cursor, &key, &value)) {
        uint32_t annotator = names_find(&model->panel->annotators, key);
        if (annotator == NAMES_NONE)
            xy_log_line(stage->host, XY_LOG_WARNING, "`weights` has `%.*s`, who is no annotator",
                        (int)key.len, key.ptr);
        else
            model->weights[annotator] = json_number(value, NAN);
    }
    for (uint32_t k = 0; k < model->annotators; k++)
        if (isnan(model->weights[k]))
            return xy_fail(job, XY_EINVAL, "`weights` has no weight for the annotator `%s`",
                           names_at(&model->panel->annotators, k).ptr);
    return XY_OK;
}

/* The gold label of each item; two of one item that differ are an error. Runs before the model has
 * its size, since a gold label may be one that nobody voted for. */
static int read_gold(const struct stage *stage, xy_job *job, xy_dataset *input, struct panel *panel,
                     uint32_t *gold)
{
    size_t records = input->api->count(input);
    for (size_t i = 0; i < panel->items.count; i++)
        gold[i] = NAMES_NONE;
    for (size_t r = 0; r < records && stage->gold; r++) {
        char scratch[NAMES_SCRATCH];
        xy_str label = names_label(input->api->at(input, r), stage->gold, scratch);
        uint32_t *known = &gold[panel->record_items[r]];
        uint32_t number = label.ptr ? names_add(&panel->labels, label) : *known;
        if (label.ptr && number == NAMES_NONE)
            return XY_ENOMEM;
        if (*known != NAMES_NONE && *known != number)
            return xy_fail(job, XY_EINVAL, "one item has two labels in `%s`: `%.80s` and `%.80s`",
                           stage->gold, names_at(&panel->labels, *known).ptr,
                           names_at(&panel->labels, number).ptr);
        *known = number;
    }
    return XY_OK;
}

static void warn(const struct stage *stage, const struct label_model *model)
{
    uint32_t voting = 0;
    for (uint32_t k = 0; k < model->annotators; k++)
        voting += model->votes[k] > 0;
    if (model->panel->items.count > 0 && voting == 0)
        xy_log_line(stage->host, XY_LOG_WARNING, "no item has a vote: nothing is labelled");
    if (stage->settings.method < LABEL_DAWID_SKENE || voting == 0)
        return;
    if (voting < 3)
        xy_log_line(stage->host, XY_LOG_WARNING, "only %u of the annotators voted: with fewer than "
                    "three the votes do not tell who errs", voting);
    uint32_t first, one_sided = label_model_one_sided(model, &first);
    if (one_sided && model->classes > 1 && stage->settings.method == LABEL_DAWID_SKENE)
        xy_log_line(stage->host, XY_LOG_WARNING, "%u of the annotators, such as `%s`, say one "
                    "label wherever they vote, which tells `dawid_skene` nothing; for such "
                    "labelling functions take `one_coin`", one_sided,
                    names_at(&model->panel->annotators, first).ptr);
    if (!model->converged)
        xy_log_line(stage->host, XY_LOG_WARNING, "not converged after %lld iterations; raise "
                    "`iterations` or `tolerance`", (long long)model->iterations);
}

static int label(const struct stage *stage, xy_job *job, xy_dataset *input, struct panel *panel,
                 uint32_t *gold)
{
    struct label_model model;
    int code = label_model_init(&model, panel, &stage->settings, job);
    if (code == XY_OK)
        memcpy(model.gold, gold, panel->items.count * sizeof(*gold));
    if (code == XY_OK && stage->weights)
        code = give_weights(stage, job, &model);
    bool weigh = stage->settings.method == LABEL_WEIGHTED && stage->gold && panel->items.count;
    if (code == XY_OK && weigh)
        code = label_model_weigh(&model, job);
    if (code == XY_OK)
        code = label_model_estimate(&model, &stage->settings, job);
    if (code == XY_OK)
        code = label_model_write(&model, &stage->output, job, input);
    if (code == XY_OK) {
        label_model_judge(&model);
        warn(stage, &model);
        code = label_model_report(&model, &stage->output, job);
    }
    label_model_free(&model);
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct stage *stage = state;
    const struct panel_source source = source_of(stage);
    struct panel panel = {.count = 0};
    int code = XY_OK;
    for (size_t i = 0; stage->labels && stage->labels[i]; i++)
        if (names_add(&panel.labels, xy_text(stage->labels[i])) == NAMES_NONE)
            code = XY_ENOMEM;
    if (code == XY_OK)
        code = panel_read(&panel, &source, job, input);
    uint32_t *gold = code == XY_OK ? calloc((size_t)panel.items.count + 1, sizeof(*gold)) : NULL;
    if (code == XY_OK)
        code = gold ? read_gold(stage, job, input, &panel, gold) : XY_ENOMEM;
    if (code == XY_OK)
        code = label(stage, job, input, &panel, gold);
    free(gold);
    panel_free(&panel);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{fields: [a, b, c]}" : NULL;
}

static const xy_stage label_model_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct stage),
    .id = "label_model",
    .version = "1.0.0",
    .summary = "One label from several annotators, weighing each by how good it is",
    .options = options,
    .open = open_stage,
    .prepare = prepare,
    .run = run,
    .extension = extension,
    .fields = "reads `fields` or `field` and `annotator`, `by` and `gold`; sets `field`, "
              "`confidence` and `probabilities`",
};

XY_PLUGIN("label_model", "1.0.0", "Apache-2.0", &label_model_stage)
