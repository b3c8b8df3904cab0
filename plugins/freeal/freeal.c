/* SPDX-License-Identifier: Apache-2.0 */
/* freeal - the student's half of a round of FreeAL (Xiao et al. 2023): which of an annotator's
 * labels are right, and which records stand for these. */
#include <math.h>
#include <stdlib.h>

#include "freeal_demos.h"
#include "freeal_student.h"
#include "right_list.h"
#include "text.h"
#include "vector_column.h"

struct freeal {
    const char *text, *label, *vector, *view, *view_vector, *predicted, *confidence, *place;
    const xy_student *learner;
    int64_t warm_up, rounds, mixup, folds, demonstrations;
    double clean, temperature, share;
    const xy_host *host;
    const xy_learner_service *service;
    const xy_rng *rng;
    const xy_report *report;
};

#define AT(member) offsetof(struct freeal, member)

static const xy_option options[] = {
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = AT(learner),
     .help = "The student: a learner's name, or a map with `use:`; without one, `predicted` and "
             "`confidence` hold what a student said before."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field with the annotator's label; a record may be without."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(vector),
     .help = "A field with vectors to learn from in place of the text."},
    {.name = "view", .type = XY_OPT_FIELD, .offset = AT(view),
     .help = "A field with the text said otherwise, such as translated and back; a record may be "
             "without."},
    {.name = "view_vector", .type = XY_OPT_FIELD, .offset = AT(view_vector),
     .help = "With `vector`: the field with the vector of the other view."},
    {.name = "predicted", .type = XY_OPT_FIELD, .offset = AT(predicted), .def = "student_label",
     .help = "The field for the student's label; read where there is no `learner`."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = AT(confidence),
     .def = "student_confidence",
     .help = "The field for its probability; read where there is no `learner`."},
    {.name = "folds", .type = XY_OPT_INT, .offset = AT(folds), .def = "0", .low = 0, .high = 100,
     .help = "Each part of the records is judged by a student of the others; 0 or 1: one student "
             "judges what it learnt, as the paper's does."},
    {.name = "warm_up", .type = XY_OPT_INT, .offset = AT(warm_up), .def = "3", .low = 1,
     .high = 10000, .help = "After so many passes over all labels their losses are compared."},
    {.name = "clean", .type = XY_OPT_NUMBER, .offset = AT(clean), .def = "0.7", .low = 0,
     .high = 1,
     .help = "A label is clean when its loss is of the smaller kind with a probability above "
             "this."},
    {.name = "rounds", .type = XY_OPT_INT, .offset = AT(rounds), .def = "3", .low = 0,
     .high = 100,
     .help = "Trainings after the warm-up; all but clean labels count more from one to the next. "
             "0: the warm-up is all."},
    {.name = "temperature", .type = XY_OPT_NUMBER, .offset = AT(temperature), .def = "0.85",
     .low = 0.01, .high = 1,
     .help = "Sharpens what the student says of rows that are not clean; 1 leaves it."},
    {.name = "mixup", .type = XY_OPT_INT, .offset = AT(mixup), .def = "4", .low = 0, .high = 32,
     .help = "Clean rows are mixed in pairs by a share from Beta(mixup, mixup); 0: not. Only with "
             "`vector`."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = AT(share), .def = "0.2", .low = 0,
     .high = 1,
     .help = "The share of each label's agreeing rows, the most confident ones, that is right."},
    {.name = "place", .type = XY_OPT_FIELD, .offset = AT(place),
     .help = "The field with the embedding by which right rows are clustered; `vector` when not "
             "given."},
    {.name = "demonstrations", .type = XY_OPT_INT, .offset = AT(demonstrations), .def = "100",
     .low = 0, .high = 1000000,
     .help = "How many right rows, of all labels together, become demonstrations; 0: none."},
    {0},
};

/* One run. */
struct round {
    struct labelled set, views;
    struct names classes;
    struct course_result result;
    uint32_t *fold_of;
    double *confidences;
    bool *right, *chosen;
    struct right_counts *counts;
    size_t *chosen_counts;
    uint64_t unranked; /* given judgements without a number */
};

static int open_freeal(void *state, const xy_host *host)
{
    struct freeal *freeal = state;
    freeal->host = host;
    freeal->service = host->service(host, XY_LEARNER_SERVICE);
    freeal->rng = host->service(host, XY_RNG);
    freeal->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    if (!freeal->place)
        freeal->place = freeal->vector;
    if (freeal->demonstrations > 0 && !freeal->place) {
        xy_log_line(host, XY_LOG_ERROR, "demonstrations are chosen by clustering, which needs "
                    "`place`: the field of an `embed` step; or write `demonstrations: 0`");
        return XY_EINVAL;
    }
    if (freeal->view && freeal->vector && !freeal->view_vector) {
        xy_log_line(host, XY_LOG_ERROR, "with `vector`, a `view` is learnt from by its vector too: "
                    "name its field as `view_vector`");
        return XY_EINVAL;
    }
    return freeal->service && freeal->rng ? XY_OK : XY_EUNSUPPORTED;
}

/* ---- the student ----------------------------------------------------------------------------- */

static int read_views(const struct freeal *freeal, xy_job *job, xy_dataset *input,
                      struct round *round)
{
    const char *text = freeal->view ? freeal->view : freeal->text;
    const struct labelled_fields fields = {.text = text, .label = freeal->label,
                                           .vector = freeal->vector ? freeal->view_vector : NULL};
    int code = labelled_read(&round->views, job, input, &fields, &round->classes);
    if (code == XY_OK && fields.vector && round->views.dimension != round->set.dimension)
        return xy_fail(job, XY_EINVAL, "`%s` has %zu dimensions and `%s` has %zu: one model must "
                       "embed both", freeal->vector, round->set.dimension, freeal->view_vector,
                       round->views.dimension);
    return code;
}

static int train(const struct freeal *freeal, xy_job *job, xy_dataset *input, struct round *round)
{
    bool views = freeal->vector ? freeal->view_vector != NULL : freeal->view != NULL;
    const struct school school = {
        .service = freeal->service, .learner = freeal->learner, .job = job,
        .seed = freeal->rng->stream(job, NULL, 0), .classes = &round->classes};
    const struct class_hours hours = {
        .warm_up = (uint32_t)freeal->warm_up, .rounds = (uint32_t)freeal->rounds,
        .mixup = (uint32_t)freeal->mixup, .clean = freeal->clean,
        .temperature = freeal->temperature};
    struct course course = {.school = &school, .hours = &hours, .host = freeal->host,
                            .set = &round->set, .views = views ? &round->views : NULL,
                            .fold_of = round->fold_of, .random = freeal->rng->stream(job, NULL, 1)};
    int code = views ? read_views(freeal, job, input, round) : XY_OK;
    if (code == XY_OK && freeal->folds > 1) {
        course.folds = folds_split(&school, &round->set, (int)freeal->folds, round->fold_of);
        code = course.folds < 0 ? course.folds : XY_OK;
    }
    return code == XY_OK ? course_run(&course, &round->result) : code;
}

/* What a student said before, in fields. */
static int read_judgements(const struct freeal *freeal, xy_dataset *input, struct round *round)
{
    struct judgements *judgements = &round->result.judgements;
    for (size_t i = 0; i < round->set.count; i++) {
        char scratch[NAMES_SCRATCH];
        const xy_record *record = input->api->at(input, i);
        xy_str label = names_label(record, freeal->predicted, scratch);
        double confidence = names_number(record, freeal->confidence, NAN);
        if (!label.ptr)
            continue;
        round->unranked += !isfinite(confidence);
        judgements->confidences[i] = (float)confidence;
        judgements->classes[i] = names_add(&round->classes, label);
        if (judgements->classes[i] == NAMES_NONE)
            return XY_ENOMEM;
    }
    if (round->unranked)
        xy_log_line(freeal->host, XY_LOG_WARNING, "%llu records have a label in `%s` and no number "
                    "in `%s`: they are not right", (unsigned long long)round->unranked,
                    freeal->predicted, freeal->confidence);
    return XY_OK;
}

static int begin(const struct freeal *freeal, xy_job *job, xy_dataset *input, struct round *round)
{
    const struct labelled_fields fields = {.text = freeal->text, .label = freeal->label,
                                           .vector = freeal->learner ? freeal->vector : NULL};
    int code = labelled_read(&round->set, job, input, &fields, &round->classes);
    size_t room = round->set.count + 1;
    struct course_result *result = &round->result;
    round->fold_of = calloc(room, sizeof(*round->fold_of));
    round->confidences = calloc(room, sizeof(*round->confidences));
    round->right = calloc(room, sizeof(*round->right));
    round->chosen = calloc(room, sizeof(*round->chosen));
    result->clean = calloc(room, sizeof(*result->clean));
    result->judgements.classes = malloc(room * sizeof(*result->judgements.classes));
    result->judgements.confidences = calloc(room, sizeof(*result->judgements.confidences));
    if (!round->fold_of || !round->confidences || !round->right || !round->chosen ||
        !result->clean || !result->judgements.classes || !result->judgements.confidences)
        return XY_ENOMEM;
    memset(result->judgements.classes, 0xff, room * sizeof(*result->judgements.classes));
    if (code < 0)
        return code;
    return freeal->learner ? train(freeal, job, input, round)
                           : read_judgements(freeal, input, round);
}

/* ---- what is right, and what stands for it --------------------------------------------------- */

static int choose_right(const struct freeal *freeal, struct round *round)
{
    const struct judgements *judgements = &round->result.judgements;
    const struct right_rows rows = {round->set.classes, judgements->classes, round->confidences,
                                    round->set.count, round->classes.count};
    round->counts = calloc(rows.classes + 1, sizeof(*round->counts));
    round->chosen_counts = calloc(rows.classes + 1, sizeof(*round->chosen_counts));
    if (!round->counts || !round->chosen_counts)
        return XY_ENOMEM;
    for (size_t i = 0; i < rows.count; i++)
        round->confidences[i] = (double)judgements->confidences[i];
    int code = right_list_choose(&rows, freeal->share, round->right, round->counts);
    for (uint32_t k = 0; k < rows.classes && code == XY_OK; k++) {
        xy_str name = names_at(&round->classes, k);
        if (round->counts[k].right == 0 && freeal->share > 0)
            xy_log_line(freeal->host, XY_LOG_WARNING, "label `%.*s`: the student agrees with %zu "
                        "rows, of which a share of %g is none: it has no right row",
                        (int)name.len, name.ptr, round->counts[k].agreeing, freeal->share);
    }
    return code;
}

static int choose_demonstrations(const struct freeal *freeal, xy_job *job, xy_dataset *input,
                                 struct round *round)
{
    uint32_t width = 0;
    if (freeal->demonstrations == 0 || round->classes.count == 0)
        return XY_OK;
    const float *places = vector_column(input, job, freeal->place, "", &width);
    if (!places)
        return XY_EINVAL;
    struct demos_task task = {
        .job = job, .places = places, .dimension = width, .count = round->set.count,
        .labels = round->set.classes, .right = round->right, .classes = round->classes.count,
        .wanted = (size_t)freeal->demonstrations, .random = freeal->rng->stream(job, NULL, 2)};
    return demos_choose(&task, round->chosen, round->chosen_counts);
}

static int set_flag(xy_record *record, const char *field, bool value, bool absent)
{
    const xy_value flag = {.type = absent ? XY_NULL : XY_BOOL, .integer = value};
    return record->api->set(record, field, &flag);
}

static int mark(const struct freeal *freeal, const struct round *round, size_t row,
                xy_record *record)
{
    const struct judgements *judgements = &round->result.judgements;
    int code = XY_OK;
    if (freeal->learner && judgements->classes[row] != NAMES_NONE) {
        code = xy_record_set_text(record, freeal->predicted,
                                  names_at(&round->classes, judgements->classes[row]));
        if (code >= 0)
            code = xy_record_set_number(record, freeal->confidence, round->confidences[row]);
    }
    if (code >= 0 && freeal->learner)
        code = set_flag(record, "clean", round->result.clean[row], false);
    if (code >= 0)
        code = set_flag(record, "right", round->right[row], false);
    return code < 0 ? code : set_flag(record, "demonstration", true, !round->chosen[row]);
}

/* ---- figures --------------------------------------------------------------------------------- */

static void give_score(const struct freeal *freeal, xy_job *job, const char *name, double value,
                       const char *unit, uint64_t n, const char *help)
{
    const xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                            .high = NAN, .unit = unit, .n = n, .help = help};
    freeal->report->score(job, &score);
}

static int report_classes(const struct freeal *freeal, xy_job *job, const struct round *round)
{
    struct text json = {.bytes = NULL};
    text_add_literal(&json, "[");
    for (uint32_t k = 0; k < round->classes.count; k++) {
        char figures[160];
        text_add_literal(&json, k ? ", {\"label\": " : "{\"label\": ");
        text_add_json(&json, names_at(&round->classes, k));
        snprintf(figures, sizeof(figures), ", \"agreeing\": %zu, \"right\": %zu, "
                 "\"demonstrations\": %zu}", round->counts[k].agreeing, round->counts[k].right,
                 round->chosen_counts[k]);
        text_add_literal(&json, figures);
    }
    text_add_literal(&json, "]");
    bool whole = !json.failed;
    if (whole)
        freeal->report->detail(job, "classes", (xy_str){json.bytes, json.length});
    text_free(&json);
    return whole ? XY_OK : XY_ENOMEM;
}

static int report_round(const struct freeal *freeal, xy_job *job, const struct round *round)
{
    size_t agreeing = 0, right = 0, chosen = 0, labelled = 0;
    if (!freeal->report)
        return XY_OK;
    for (size_t i = 0; i < round->set.count; i++)
        labelled += round->set.classes[i] != NAMES_NONE &&
                    round->result.judgements.classes[i] != NAMES_NONE;
    for (uint32_t k = 0; k < round->classes.count; k++) {
        agreeing += round->counts[k].agreeing;
        right += round->counts[k].right;
        chosen += round->chosen_counts[k];
    }
    if (labelled)
        give_score(freeal, job, "student_agreement", (double)agreeing / (double)labelled, "share",
                   labelled, "share of the annotator's labels that the student gives too");
    if (freeal->learner)
        give_score(freeal, job, "clean", (double)round->result.clean_count, "records",
                   round->result.labelled_count, "labels of small loss after the warm-up");
    give_score(freeal, job, "right", (double)right, "records", agreeing,
               "rows whose label student and annotator agree on most surely");
    give_score(freeal, job, "demonstrations", (double)chosen, "records", right,
               "right rows that stand for the others");
    return report_classes(freeal, job, round);
}

static void free_round(struct round *round)
{
    labelled_free(&round->set);
    labelled_free(&round->views);
    names_free(&round->classes);
    free(round->fold_of);
    free(round->confidences);
    free(round->right);
    free(round->chosen);
    free(round->counts);
    free(round->chosen_counts);
    free(round->result.clean);
    free(round->result.judgements.classes);
    free(round->result.judgements.confidences);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct freeal *freeal = state;
    struct round round = {.unranked = 0};
    int code = input->api->count(input) ? begin(freeal, job, input, &round) : XY_OK;
    if (code == XY_OK && round.set.count) {
        code = choose_right(freeal, &round);
        if (code == XY_OK)
            code = choose_demonstrations(freeal, job, input, &round);
    }
    for (size_t i = 0; i < round.set.count && code >= 0; i++)
        code = mark(freeal, &round, i, input->api->edit(input, i));
    if (code >= 0)
        code = report_round(freeal, job, &round);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    free_round(&round);
    return code < 0 ? code : XY_OK;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{learner: l, demonstrations: 0}" : NULL;
}

static const char *const needs[] = {XY_LEARNER_SERVICE, XY_RNG, NULL};

static const xy_stage freeal_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct freeal),
    .id = "freeal",
    .version = "1.0.0",
    .summary = "A student marks an annotator's labels that are right, and those that stand for the "
               "rest",
    .needs = needs,
    .options = options,
    .open = open_freeal,
    .run = run,
    .extension = extension,
    .fields = "reads `text`, `label`, `vector`, `view`, `view_vector`, `place` and each record's "
              "weight; sets `predicted`, `confidence`, clean, right and demonstration (absent "
              "where it is not one)",
};

XY_PLUGIN("freeal", "1.0.0", "Apache-2.0", &freeal_stage)
