/* SPDX-License-Identifier: Apache-2.0 */
/* errors - keeps the records that a student gets wrong: where its training data is still thin. The
 * error extrapolation of S3 (Wang et al. 2023, Findings of EMNLP). */
#include <math.h>
#include <stdlib.h>

#include "errors_school.h"
#include "scores.h"

struct errors {
    const char *text, *label, *vector, *train_text, *train_label, *predicted, *confidence, *name;
    const xy_student *learner;
    xy_dataset *train;
    int64_t max;
    const xy_host *host;
    const xy_learner_service *service;
    const xy_rng *rng;
    const xy_report *report;
};

static const xy_option options[] = {
    {.name = "train", .type = XY_OPT_DATASET, .offset = offsetof(struct errors, train),
     .flags = XY_OPT_REQUIRED, .help = "The data set that the student learns from."},
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = offsetof(struct errors, learner),
     .flags = XY_OPT_REQUIRED, .help = "The student: a learner's name, or a map with `use:`."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, label),
     .def = "label", .help = "The field with the label, which is trusted."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, vector),
     .help = "A field, in both data sets, with vectors to learn from in place of the text."},
    {.name = "train_text", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, train_text),
     .help = "The field with the text in `train`, where it has another name."},
    {.name = "train_label", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, train_label),
     .help = "The field with the label in `train`, where it has another name."},
    {.name = "max", .type = XY_OPT_INT, .offset = offsetof(struct errors, max), .def = "0",
     .low = 0, .high = 1e9,
     .help = "Keeps at most so many errors, drawn at random; 0: all."},
    {.name = "predicted", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, predicted),
     .def = "predicted", .help = "The field that takes the student's label."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = offsetof(struct errors, confidence),
     .def = "predicted_confidence",
     .help = "The field that takes the student's probability of its label."},
    {.name = "name", .type = XY_OPT_TEXT, .offset = offsetof(struct errors, name),
     .help = "Put before the name of each score."},
    {0},
};

static int open_errors(void *state, const xy_host *host)
{
    struct errors *errors = state;
    errors->host = host;
    errors->service = host->service(host, XY_LEARNER_SERVICE);
    errors->rng = host->service(host, XY_RNG);
    errors->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    return errors->service && errors->rng ? XY_OK : XY_EUNSUPPORTED;
}

static bool is_error(const struct exam *exam, size_t i)
{
    return exam->answers[i] != exam->asked.classes[exam->rows[i]];
}

/* Which errors stay: all, or `max` of them, each as likely (selection sampling, Knuth 2, 3.4.2,
 * algorithm S), in the order of the records. */
static void choose(const struct errors *errors, xy_job *job, const struct exam *exam, size_t wrong,
                   bool *stays)
{
    uint64_t stream = errors->rng->stream(job, NULL, 1);
    size_t wanted = errors->max > 0 && (size_t)errors->max < wrong ? (size_t)errors->max : wrong;
    for (size_t i = 0; i < exam->count; i++) {
        if (!is_error(exam, i))
            continue;
        stays[i] = wanted == wrong || xy_random_below(&stream, wrong) < wanted;
        wanted -= stays[i];
        wrong--;
    }
}

static int keep_error(const struct errors *errors, xy_record *record, xy_str answer,
                      double confidence)
{
    int code = xy_record_set_text(record, errors->predicted, answer);
    return code < 0 ? code : xy_record_set_number(record, errors->confidence, confidence);
}

static int judge_row(const struct errors *errors, xy_dataset *input, const struct exam *exam,
                     size_t i, size_t wrong, bool stays)
{
    size_t index = exam->rows[i];
    xy_str answer = names_at(&exam->classes, exam->answers[i]);
    double confidence = (double)exam->confidences[i];
    if (stays)
        return keep_error(errors, input->api->edit(input, index), answer, confidence);
    char why[256];
    if (is_error(exam, i))
        snprintf(why, sizeof(why), "%lld of %zu errors were drawn, and this is not one of them",
                 (long long)errors->max, wrong);
    else
        snprintf(why, sizeof(why), "the student is right: \"%.100s\" with %.3f", answer.ptr,
                 confidence);
    return input->api->verdict(input, index, XY_DROP, why);
}

/* Records that the student cannot be asked about. */
static int drop_others(const struct errors *errors, xy_dataset *input, const struct exam *exam)
{
    int code = XY_OK;
    for (size_t i = 0; i < exam->asked.count && code >= 0; i++) {
        if (labelled_is_row(&exam->asked, i))
            continue;
        char why[320];
        bool text = labelled_has_text(&exam->asked, i);
        snprintf(why, sizeof(why), "there is no `%.127s`",
                 text ? errors->label : errors->vector ? errors->vector : errors->text);
        code = input->api->verdict(input, i, XY_DROP, why);
    }
    return code;
}

static int apply(const struct errors *errors, xy_job *job, xy_dataset *input,
                 const struct exam *exam)
{
    size_t wrong = exam->count - (size_t)confusion_hits(&exam->confusion);
    bool *stays = calloc(exam->count + 1, sizeof(*stays));
    if (!stays)
        return XY_ENOMEM;
    choose(errors, job, exam, wrong, stays);
    int code = drop_others(errors, input, exam);
    for (size_t i = 0; i < exam->count && code >= 0; i++)
        code = judge_row(errors, input, exam, i, wrong, stays[i]);
    free(stays);
    if (wrong == 0)
        xy_log_line(errors->host, XY_LOG_WARNING, "the student gets all %zu records right: there "
                    "is no error left to learn from", exam->count);
    return code < 0 ? code : XY_OK;
}

static int report_exam(const struct errors *errors, xy_job *job, const struct exam *exam)
{
    if (!errors->report)
        return XY_OK;
    const struct score_sink sink = {errors->report, job, errors->name};
    scores_value(&sink, "errors", (double)(exam->count - confusion_hits(&exam->confusion)),
                 "records", exam->count, "records that the student gets wrong");
    scores_value(&sink, "train_count", (double)exam->train_count, "records", 0,
                 "records that the student learnt from");
    return scores_confusion(&sink, &exam->confusion, &exam->classes);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct errors *errors = state;
    const struct labelled_fields asked = {
        .text = errors->text, .label = errors->label, .vector = errors->vector};
    const struct labelled_fields train = {
        .text = errors->train_text ? errors->train_text : errors->text,
        .label = errors->train_label ? errors->train_label : errors->label,
        .vector = errors->vector};
    const struct school school = {errors->service, errors->learner,
                                  errors->rng->stream(job, NULL, 0)};
    struct exam exam = {.count = 0};
    int code = exam_hold(&exam, &school, job, errors->train, &train, input, &asked);
    if (code == XY_OK)
        code = apply(errors, job, input, &exam);
    if (code == XY_OK)
        code = report_exam(errors, job, &exam);
    exam_free(&exam);
    return code;
}

static const char *const needs[] = {XY_LEARNER_SERVICE, XY_RNG, NULL};

static const xy_stage errors_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct errors),
    .id = "errors",
    .version = "1.0.0",
    .summary = "Keeps the records that a student of another data set gets wrong",
    .needs = needs,
    .options = options,
    .open = open_errors,
    .run = run,
    .fields = "reads `text`, `label` and `vector`; sets `predicted` and `confidence`",
};

XY_PLUGIN("errors", "1.0.0", "Apache-2.0", &errors_stage)
