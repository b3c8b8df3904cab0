/* SPDX-License-Identifier: Apache-2.0 */
/* influence - drops, or weighs less, the records that harm a small classifier: ProGen's measure
 * (Ye et al. 2022, section 3.2) as a filter. */
#include <math.h>
#include <stdlib.h>

#include "influence_rows.h"
#include "scores.h"

struct influence_filter {
    const char *text, *label, *vector, *loss, *action, *into;
    const char *const *features;
    const xy_model *embed;
    xy_dataset *validation;
    int64_t folds;
    double share, strength, c;
    const xy_host *host;
    const xy_model_service *models;
    const xy_rng *rng;
    const xy_report *report;
};

#define AT(member) offsetof(struct influence_filter, member)

static const xy_option options[] = {
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The field with the text, for `embed`."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field with the label; a record without one is let through."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(embed),
     .help = "The model that embeds the text; or give `vector` or `features`."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(vector),
     .help = "A field with vectors, in place of `embed`."},
    {.name = "features", .type = XY_OPT_LIST, .offset = AT(features),
     .help = "Fields that are numbers or categories, in place of `embed`: the columns of a table."},
    {.name = "validation", .type = XY_OPT_DATASET, .offset = AT(validation),
     .help = "Rows to measure the loss on; without it the records measure one another, in "
             "`folds`."},
    {.name = "folds", .type = XY_OPT_INT, .offset = AT(folds), .def = "5", .low = 2, .high = 100,
     .help = "Without `validation`: each part in turn measures what the records of the others do."},
    {.name = "loss", .type = XY_OPT_TEXT, .offset = AT(loss), .def = "rce", .choices = "rce|ce",
     .help = "The loss that is measured: reverse cross-entropy, which bears wrong labels, or "
             "cross-entropy, for a `validation` with labels to be trusted."},
    {.name = "c", .type = XY_OPT_NUMBER, .offset = AT(c), .def = "10", .low = 1e-6, .high = 1e6,
     .help = "The classifier's inverse strength of regularisation, as in `linear`."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = AT(action), .def = "drop",
     .choices = "drop|weigh|annotate",
     .help = "`drop`: the most harmful `share` goes; `weigh`: weights by influence; `annotate`: "
             "only the field is set."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = AT(share), .def = "0.1", .low = 0,
     .high = 1, .help = "For `drop`: this share of the records, but none that does no harm."},
    {.name = "strength", .type = XY_OPT_NUMBER, .offset = AT(strength), .def = "10", .low = 0,
     .high = 1000,
     .help = "For `weigh`: a weight is multiplied by 2 / (1 + exp(strength x influence / range))."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "influence",
     .help = "The field for the influence: harmful above 0, helpful below."},
    {0},
};

struct place {
    double score;
    size_t row;
};

/* One run. */
struct trial {
    struct influence_set set, validation;
    struct names classes;
    struct columns columns;
    double *scores;
    struct place *order; /* the scored records, the most harmful first */
    size_t scored, harmful, dropped;
    double accuracy;
};

static int open_influence(void *state, const xy_host *host)
{
    struct influence_filter *filter = state;
    filter->host = host;
    filter->models = host->service(host, XY_MODEL);
    filter->rng = host->service(host, XY_RNG);
    filter->report = host->service(host, XY_REPORT);
    if (!!filter->embed + !!filter->vector + !!filter->features != 1) {
        xy_log_line(host, XY_LOG_ERROR, "give one of `embed`, `vector` and `features`: what the "
                    "classifier sees of a record");
        return XY_EINVAL;
    }
    return filter->rng && (filter->models || !filter->embed) ? XY_OK : XY_EUNSUPPORTED;
}

static int by_harm(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

static int read_sets(const struct influence_filter *filter, xy_job *job, xy_dataset *input,
                     struct trial *trial)
{
    trial->columns.names = filter->features;
    trial->columns.host = filter->host;
    const struct labelled_fields fields = {filter->text, filter->label, filter->vector,
                                           filter->features ? &trial->columns : NULL};
    const struct influence_source source = {&fields, filter->models, filter->embed};
    int code = influence_set_read(&trial->set, job, input, &source, &trial->classes);
    if (code < 0 || !filter->validation)
        return code;
    return influence_set_read(&trial->validation, job, filter->validation, &source,
                              &trial->classes);
}

/* A label that `validation` does not have is judged by the harm its records do to the others. */
static void warn_unmeasured(const struct influence_filter *filter, const struct trial *trial)
{
    for (uint32_t label = 0; filter->validation && label < trial->classes.count; label++) {
        size_t learnt = 0, measured = 0;
        for (size_t i = 0; i < trial->set.rows.count; i++)
            learnt += labelled_is_row(&trial->set.rows, i) &&
                      trial->set.rows.classes[i] == label;
        for (size_t i = 0; i < trial->validation.rows.count; i++)
            measured += labelled_is_row(&trial->validation.rows, i) &&
                        trial->validation.rows.classes[i] == label;
        xy_str name = names_at(&trial->classes, label);
        if (learnt && !measured)
            xy_log_line(filter->host, XY_LOG_WARNING, "`validation` has no row of the label "
                        "`%.*s`: its records are judged only by how they disturb the other labels",
                        (int)name.len, name.ptr);
    }
}

static int measure(const struct influence_filter *filter, xy_job *job, xy_dataset *input,
                   struct trial *trial)
{
    int code = read_sets(filter, job, input, trial);
    if (code < 0)
        return code;
    size_t count = trial->set.rows.count;
    trial->scores = calloc(count + 1, sizeof(*trial->scores));
    trial->order = calloc(count + 1, sizeof(*trial->order));
    if (!trial->scores || !trial->order)
        return XY_ENOMEM;
    const struct influence_work work = {
        .job = job, .classes = &trial->classes, .set = &trial->set,
        .validation = filter->validation ? &trial->validation : NULL,
        .seed = filter->rng->stream(job, NULL, 0), .folds = (int)filter->folds, .c = filter->c,
        .reverse = filter->loss[0] == 'r'};
    code = influence_score(&work, trial->scores, &trial->accuracy);
    if (code == XY_OK)
        warn_unmeasured(filter, trial);
    for (size_t i = 0; i < count && code == XY_OK; i++) {
        if (!isfinite(trial->scores[i]))
            continue;
        trial->order[trial->scored++] = (struct place){trial->scores[i], i};
        trial->harmful += trial->scores[i] > 0;
    }
    qsort(trial->order, trial->scored, sizeof(*trial->order), by_harm);
    return code;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* Of the sigmoid of Wang et al. 2020 ("Less Is Better: Unweighted Data Subsampling via Influence
 * Function", section 4), twice: a record without influence keeps its weight. */
static int weigh(const struct influence_filter *filter, xy_record *record, double score,
                 double range)
{
    double factor = 2 / (1 + exp(filter->strength * (range > 0 ? score / range : 0)));
    return record->api->set_weight(record, record->api->weight(record) * factor);
}

static int drop(const struct influence_filter *filter, xy_dataset *input, struct trial *trial,
                size_t place)
{
    double most = floor(filter->share * (double)trial->scored);
    if ((double)place >= most || !(trial->order[place].score > 0))
        return XY_OK;
    char why[256];
    snprintf(why, sizeof(why), "harmful: it adds %.4g to the %s loss of the others, place %zu of "
             "%zu; %.0f go", trial->order[place].score,
             filter->loss[0] == 'r' ? "reverse cross-entropy" : "cross-entropy", place + 1,
             trial->scored, most);
    trial->dropped++;
    return input->api->verdict(input, trial->order[place].row, XY_DROP, why);
}

static int apply(const struct influence_filter *filter, xy_dataset *input, struct trial *trial)
{
    double range = trial->scored
                       ? trial->order[0].score - trial->order[trial->scored - 1].score : 0;
    for (size_t i = 0; i < trial->scored; i++) {
        xy_record *record = input->api->edit(input, trial->order[i].row);
        int code = xy_record_set_number(record, filter->into, trial->order[i].score);
        if (code >= 0 && filter->action[0] == 'w')
            code = weigh(filter, record, trial->order[i].score, range);
        if (code >= 0 && filter->action[0] == 'd')
            code = drop(filter, input, trial, i);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static void report_trial(const struct influence_filter *filter, xy_job *job,
                         const struct trial *trial)
{
    size_t count = trial->set.rows.count, unjudged = count - trial->scored;
    if (unjudged)
        xy_log_line(filter->host, XY_LOG_WARNING, "%zu of %zu records were let through without a "
                    "judgement: they have no label or not all that is learnt from", unjudged,
                    count);
    if (count && trial->dropped == count)
        xy_log_line(filter->host, XY_LOG_WARNING, "all %zu records were dropped", count);
    if (!filter->report)
        return;
    const struct score_sink sink = {filter->report, job, NULL};
    scores_value(&sink, "harmful", (double)trial->harmful, "records", trial->scored,
                 "records that raise the loss on others");
    scores_value(&sink, "unjudged", (double)unjudged, "records", count,
                 "records let through without a judgement");
    scores_value(&sink, "student_accuracy", trial->scored ? trial->accuracy : NAN, "share",
                 trial->scored, "how often the classifier gives the label that it is measured on");
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct influence_filter *filter = state;
    struct trial trial = {.scored = 0};
    int code = input->api->count(input) > 0 ? measure(filter, job, input, &trial) : XY_OK;
    if (code == XY_OK)
        code = apply(filter, input, &trial);
    if (code == XY_OK)
        report_trial(filter, job, &trial);
    influence_set_free(&trial.set);
    influence_set_free(&trial.validation);
    names_free(&trial.classes);
    columns_free(&trial.columns);
    free(trial.scores);
    free(trial.order);
    return code;
}

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{features: [x]}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage influence_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct influence_filter),
    .id = "influence",
    .version = "1.0.0",
    .summary = "Drops, or weighs less, the records that harm a small classifier",
    .needs = needs,
    .options = options,
    .open = open_influence,
    .run = run,
    .extension = extension,
    .fields = "reads `text`, `label`, `vector`, `features` and each record's weight; sets `into`, "
              "and with `action: weigh` the record's weight",
};

XY_PLUGIN("influence", "1.0.0", "Apache-2.0", &influence_stage)
