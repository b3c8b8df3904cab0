/* SPDX-License-Identifier: Apache-2.0 */
/* confident_learning - finds labels that are wrong (Northcutt et al. 2021). */
#include <math.h>
#include <stdlib.h>

#include "confident_learning.h"
#include "scores.h"

#define AT(member) offsetof(struct confident, member)

static const xy_option options[] = {
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = AT(learner),
     .help = "What learns the labels; or give `probabilities`."},
    {.name = "probabilities", .type = XY_OPT_FIELD, .offset = AT(probabilities),
     .help = "A field with the probability of each label, a map, in place of a learner; the "
             "record's own label must have had no part in them."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field with the label; a record without one is let through."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(vector),
     .help = "A field with vectors to learn from in place of the text."},
    {.name = "features", .type = XY_OPT_LIST, .offset = AT(features),
     .help = "Or fields that are numbers or categories: the columns of a table."},
    {.name = "folds", .type = XY_OPT_INT, .offset = AT(folds), .def = "5", .low = 2, .high = 100,
     .help = "Each part of the records is judged by a learner of the other parts."},
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "by_noise_rate",
     .choices = "by_noise_rate|by_class|both|joint|predicted|self_confidence|normalized_margin",
     .help = "How wrong labels are told: as many as the estimated noise of each pair of labels, or "
             "of each label, or what both say; those off the joint's diagonal; those less likely "
             "than another; or as many as these, by a score."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = AT(share), .def = "1", .low = 0, .high = 1,
     .help = "Which share of the estimated noise is to be found, for the first three methods."},
    {.name = "least", .type = XY_OPT_INT, .offset = AT(least), .def = "1", .low = 0, .high = 1e12,
     .help = "How many records each label keeps at least, for the first three methods."},
    {.name = "rank", .type = XY_OPT_TEXT, .offset = AT(rank), .def = "self_confidence",
     .choices = "self_confidence|normalized_margin",
     .help = "By which score the wrong labels are numbered, the worst first."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = AT(action), .def = "drop",
     .choices = "drop|annotate", .help = "What becomes of a record whose label is wrong."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "label",
     .help = "What the names of the fields that are set begin with."},
    {0},
};

static int open_confident(void *state, const xy_host *host)
{
    struct confident *confident = state;
    confident->host = host;
    confident->service = host->service(host, XY_LEARNER_SERVICE);
    confident->rng = host->service(host, XY_RNG);
    confident->report = host->service(host, XY_REPORT);
    if ((confident->learner != NULL) == (confident->probabilities != NULL)) {
        xy_log_line(host, XY_LOG_ERROR, "give either `learner` or `probabilities`: where the "
                    "probabilities of the labels come from");
        return XY_EINVAL;
    }
    int code = labelled_check_source(host, confident->vector, confident->features);
    if (code < 0)
        return code;
    return confident->service && confident->rng ? XY_OK : XY_EUNSUPPORTED;
}

/* ---- where probabilities come from ----------------------------------------------------------- */

static int learn(const struct confident *confident, xy_job *job, struct audit *audit)
{
    const struct school school = {
        .service = confident->service, .learner = confident->learner, .job = job,
        .seed = confident->rng->stream(job, NULL, 0), .classes = &audit->classes};
    size_t count = audit->set.count, classes = audit->classes.count;
    uint32_t *fold_of = calloc(count + 1, sizeof(*fold_of));
    struct judgements judgements = {.classes = calloc(count + 1, sizeof(uint32_t)),
                                    .confidences = calloc(count + 1, sizeof(float)),
                                    .probabilities = audit->probabilities};
    int code = fold_of && judgements.classes && judgements.confidences ? XY_OK : XY_ENOMEM;
    int folds = code == XY_OK ? folds_split(&school, &audit->set, (int)confident->folds, fold_of)
                              : code;
    code = folds < 0 ? folds : folds_judge(&school, &audit->set, folds, fold_of, &judgements);
    for (size_t i = 0; i < count && code == XY_OK; i++) {
        const float *p = audit->probabilities + i * classes;
        bool finite = true;
        for (size_t k = 0; k < classes; k++)
            finite = finite && isfinite(p[k]);
        if (!labelled_is_row(&audit->set, i) || !finite)
            continue;
        /* Rows close ranks: the matrix holds the judged ones only. */
        memmove(audit->probabilities + audit->rows.count * classes, p, classes * sizeof(*p));
        confident_maps_keep(audit, i);
    }
    free(fold_of);
    free(judgements.classes);
    free(judgements.confidences);
    return code;
}

static int find_probabilities(const struct confident *confident, xy_job *job, xy_dataset *input,
                              struct audit *audit)
{
    audit->columns.names = confident->features;
    audit->columns.host = confident->host;
    const struct labelled_fields fields = {confident->text, confident->label, confident->vector,
                                           confident->features ? &audit->columns : NULL};
    int code = labelled_read(&audit->set, job, input, &fields, &audit->classes);
    if (code == XY_OK && confident->probabilities)
        code = confident_maps_classes(confident, job, input, audit);
    if (code < 0)
        return code;
    size_t count = audit->set.count, classes = audit->classes.count;
    audit->which = calloc(count + 1, sizeof(*audit->which));
    audit->labels = calloc(count + 1, sizeof(*audit->labels));
    audit->issues = calloc(count + 1, sizeof(*audit->issues));
    audit->ranks = calloc(count + 1, sizeof(*audit->ranks));
    audit->probabilities = calloc(count * classes + 1, sizeof(float));
    if (!audit->which || !audit->labels || !audit->issues || !audit->ranks ||
        !audit->probabilities)
        return XY_ENOMEM;
    code = confident->learner ? learn(confident, job, audit)
                              : confident_maps_read(confident, input, audit);
    audit->rows.probabilities = audit->probabilities;
    audit->rows.labels = audit->labels;
    audit->rows.classes = audit->classes.count;
    if (code == XY_OK && classes < 2)
        code = xy_fail(job, XY_EINVAL, "there is %s: a label can be wrong only where there are two "
                       "at least", classes ? "one label only" : "no label");
    return code;
}

/* ---- issues ---------------------------------------------------------------------------------- */

static enum confident_method method_of(const char *name)
{
    static const char *const names[] = {"by_noise_rate", "by_class", "both", "joint", "predicted",
                                        "self_confidence"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(name, names[i]) == 0)
            return (enum confident_method)i;
    return METHOD_NORMALIZED_MARGIN;
}

struct place {
    double score;
    size_t row;
};

static int by_score(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    if (left->score != right->score)
        return left->score < right->score ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

static int rank_issues(const struct confident *confident, struct audit *audit)
{
    struct place *places = calloc(audit->rows.count + 1, sizeof(*places));
    if (!places)
        return XY_ENOMEM;
    for (size_t i = 0; i < audit->rows.count; i++) {
        uint32_t other;
        if (!audit->issues[i])
            continue;
        double margin = confident_issues_margin(&audit->rows, i, &other);
        double own = (double)audit->probabilities[i * audit->rows.classes + audit->labels[i]];
        places[audit->found++] = (struct place){confident->rank[0] == 's' ? own : margin, i};
    }
    qsort(places, audit->found, sizeof(*places), by_score);
    for (size_t i = 0; i < audit->found; i++)
        audit->ranks[places[i].row] = (uint32_t)i + 1;
    free(places);
    return XY_OK;
}

static int find_issues(const struct confident *confident, struct audit *audit)
{
    const struct confident_task task = {
        .rows = &audit->rows, .joint = &audit->joint, .method = method_of(confident->method),
        .share = confident->share, .least = confident->least};
    int code = confident_joint_fill(&audit->joint, &audit->rows);
    if (code == XY_OK)
        code = confident_issues_find(&task, audit->issues);
    return code == XY_OK ? rank_issues(confident, audit) : code;
}

static int set_fields(const struct confident *confident, xy_record *record, double own,
                      double margin, xy_str other, const uint32_t *rank)
{
    char names[4][160];
    static const char *const endings[] = {"confidence", "margin", "likelier", "issue"};
    for (size_t i = 0; i < 4; i++)
        snprintf(names[i], sizeof(names[i]), "%s_%s", confident->into, endings[i]);
    int code = xy_record_set_number(record, names[0], own);
    if (code >= 0)
        code = xy_record_set_number(record, names[1], margin);
    if (code >= 0 && margin < 0.5)
        code = xy_record_set_text(record, names[2], other);
    return code < 0 || *rank == 0 ? code : xy_record_set_int(record, names[3], *rank);
}

static int apply_one(const struct confident *confident, xy_dataset *input, size_t i,
                     struct audit *audit)
{
    uint32_t classes = audit->rows.classes, label = audit->labels[i], other;
    double margin = confident_issues_margin(&audit->rows, i, &other);
    double own = (double)audit->probabilities[i * classes + label];
    xy_str name = names_at(&audit->classes, label), likelier = names_at(&audit->classes, other);
    int code = set_fields(confident, input->api->edit(input, audit->which[i]), own, margin,
                          likelier, &audit->ranks[i]);
    if (code < 0 || !audit->ranks[i] || confident->action[0] != 'd')
        return code;
    char why[512];
    snprintf(why, sizeof(why), "\"%.*s\" is likelier than the label \"%.*s\": %.4f against %.4f, "
             "normalized margin %.4f; place %u of %zu; of this label %lld in %llu are estimated to "
             "be that", likelier.len < 80 ? (int)likelier.len : 80, likelier.ptr,
             name.len < 80 ? (int)name.len : 80, name.ptr,
             (double)audit->probabilities[i * classes + other], own, margin, audit->ranks[i],
             audit->found, (long long)audit->joint.counts[(size_t)label * classes + other],
             (unsigned long long)audit->joint.given[label]);
    return input->api->verdict(input, audit->which[i], XY_DROP, why);
}

/* ---- the report ------------------------------------------------------------------------------ */

/* {"labels": [...], "counts": [[...]]}: row given label, column true label. */
static void report_joint(const struct confident *confident, xy_job *job,
                         const struct audit *audit)
{
    struct text out = {0};
    uint32_t classes = audit->rows.classes;
    text_add_literal(&out, "{\"labels\":[");
    for (uint32_t k = 0; k < classes; k++) {
        text_add_literal(&out, k ? "," : "");
        text_add_json(&out, names_at(&audit->classes, k));
    }
    text_add_literal(&out, "],\"counts\":[");
    for (uint32_t i = 0; i < classes; i++) {
        for (uint32_t j = 0; j < classes; j++) {
            text_add_literal(&out, j ? "," : i ? ",[" : "[");
            text_add_number(&out, (double)audit->joint.counts[(size_t)i * classes + j]);
        }
        text_add_literal(&out, "]");
    }
    text_add_literal(&out, "]}");
    if (!out.failed)
        confident->report->detail(job, "joint", (xy_str){out.bytes, out.length});
    text_free(&out);
}

static void report_audit(const struct confident *confident, xy_job *job,
                         const struct audit *audit)
{
    size_t unjudged = audit->set.count - audit->rows.count, judged = audit->rows.count;
    if (unjudged)
        xy_log_line(confident->host, XY_LOG_WARNING, "%zu of %zu records were let through without "
                    "a judgement: they have no label or no probabilities", unjudged,
                    audit->set.count);
    if (audit->found && audit->found == audit->set.count && confident->action[0] == 'd')
        xy_log_line(confident->host, XY_LOG_WARNING, "all %zu records were dropped", audit->found);
    if (!confident->report)
        return;
    const struct score_sink sink = {confident->report, job, NULL};
    double right = 0;
    for (uint32_t k = 0; k < audit->rows.classes && judged; k++)
        right += (double)audit->joint.counts[(size_t)k * audit->rows.classes + k];
    scores_value(&sink, "noise", judged ? 1 - right / (double)judged : NAN, "share", judged,
                 "labels that are wrong by the calibrated joint");
    scores_value(&sink, "issues", (double)audit->found, "records", judged,
                 "labels told to be wrong by `method`");
    scores_value(&sink, "unjudged", (double)unjudged, "records", audit->set.count,
                 "records let through without a judgement");
    if (judged)
        report_joint(confident, job, audit);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct confident *confident = state;
    struct audit audit = {.found = 0};
    int code = XY_OK;
    if (input->api->count(input) > 0) {
        code = find_probabilities(confident, job, input, &audit);
        if (code == XY_OK)
            code = find_issues(confident, &audit);
    }
    for (size_t i = 0; i < audit.rows.count && code >= 0; i++)
        code = apply_one(confident, input, i, &audit);
    if (code >= 0)
        report_audit(confident, job, &audit);
    labelled_free(&audit.set);
    names_free(&audit.classes);
    columns_free(&audit.columns);
    confident_joint_free(&audit.joint);
    free(audit.which);
    free(audit.labels);
    free(audit.issues);
    free(audit.ranks);
    free(audit.probabilities);
    return code < 0 ? code : XY_OK;
}

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{probabilities: scores}" : NULL;
}

static const char *const needs[] = {XY_LEARNER_SERVICE, XY_RNG, NULL};

static const xy_stage confident_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct confident),
    .id = "confident_learning",
    .version = "1.0.0",
    .summary = "Drops records whose label is wrong by the joint of given and true labels",
    .needs = needs,
    .options = options,
    .open = open_confident,
    .run = run,
    .extension = extension,
    .fields = "reads `text`, `label`, `vector`, `features` or `probabilities`, and each record's "
              "weight; sets `into`_confidence, _margin, and where they are so _likelier and _issue",
};

XY_PLUGIN("confident_learning", "1.0.0", "Apache-2.0", &confident_stage)
