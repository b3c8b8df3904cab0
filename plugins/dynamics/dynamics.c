/* SPDX-License-Identifier: Apache-2.0 */
/* dynamics - drops records by the way in which a learner learns them. */
#include "dynamics.h"

#include <math.h>
#include <stdlib.h>

#include "scores.h"

struct dynamics {
    const char *text, *label, *vector, *method, *into;
    const char *const *features, *const *drop;
    const xy_student *learner;
    xy_dataset *train;
    int64_t folds;
    struct dynamics_rule rule;
    double decay, threshold;
    const xy_host *host;
    const xy_learner_service *service;
    const xy_rng *rng;
    const xy_report *report;
};

#define AT(member) offsetof(struct dynamics, member)

static const xy_option options[] = {
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = AT(learner), .flags = XY_OPT_REQUIRED,
     .help = "What learns; it must tell its passes, as `boosting` and `softmax` do."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field with the label; a record without one is let through."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(vector),
     .help = "A field with vectors to learn from in place of the text."},
    {.name = "features", .type = XY_OPT_LIST, .offset = AT(features),
     .help = "Or fields that are numbers or categories: the columns of a table."},
    {.name = "train", .type = XY_OPT_DATASET, .offset = AT(train),
     .help = "What to learn from, such as real records; the records themselves when not given."},
    {.name = "folds", .type = XY_OPT_INT, .offset = AT(folds), .def = "0", .low = 0, .high = 100,
     .help = "Without `train`: records are watched in so many parts, while the other parts are "
             "learnt; 0: each is watched while it is itself learnt."},
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "cllm",
     .choices = "cllm|ensemble|annotate",
     .help = "What is dropped: `cllm`: groups named in `drop`; `ensemble`: what the temporal "
             "ensemble does not confirm; `annotate`: nothing."},
    {.name = "drop", .type = XY_OPT_LIST, .offset = AT(drop), .def = "hard",
     .help = "For `cllm`: the groups to drop, any of hard, ambiguous, easy."},
    {.name = "tau", .type = XY_OPT_NUMBER, .offset = AT(rule.tau), .def = "0.2", .low = 0,
     .high = 0.5,
     .help = "A record is hard when its confidence is at most this, easy at 1 less this."},
    {.name = "kappa", .type = XY_OPT_NUMBER, .offset = AT(rule.kappa), .def = "0.2", .low = 0,
     .high = 0.25,
     .help = "And only when its aleatoric uncertainty is at most this; 0: 0.75 of the range that "
             "the records have."},
    {.name = "tau_quantile", .type = XY_OPT_NUMBER, .offset = AT(rule.tau_quantile), .def = "0",
     .low = 0, .high = 0.5,
     .help = "Above 0, in place of `tau`: this quantile of the confidences, from both ends."},
    {.name = "kappa_quantile", .type = XY_OPT_NUMBER, .offset = AT(rule.kappa_quantile),
     .def = "0", .low = 0, .high = 1,
     .help = "Above 0, in place of `kappa`: this quantile of the aleatoric uncertainties."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = AT(threshold), .def = "0.8", .low = 0,
     .high = 1,
     .help = "For `ensemble`: the least probability of the label; a class of which fewer than half "
             "reach it takes its median."},
    {.name = "decay", .type = XY_OPT_NUMBER, .offset = AT(decay), .def = "0.8", .low = 0,
     .high = 0.9999, .help = "For `ensemble`: how much of it each pass leaves."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "dynamics",
     .help = "What the names of the fields that are set begin with."},
    {0},
};

static const char *const group_names[] = {"", "easy", "ambiguous", "hard"};

/* One run. */
struct course {
    struct labelled set, train;
    struct names classes;
    struct columns columns;
    struct dynamics_measure *measures;
    struct dynamics_limits limits;
    double *ensemble_limits; /* of each class */
    uint32_t passes;
    uint64_t groups[4], dropped;
    double confidence;       /* summed */
};

static int open_dynamics(void *state, const xy_host *host)
{
    struct dynamics *dynamics = state;
    dynamics->host = host;
    dynamics->service = host->service(host, XY_LEARNER_SERVICE);
    dynamics->rng = host->service(host, XY_RNG);
    dynamics->report = host->service(host, XY_REPORT);
    if (!dynamics->service || !dynamics->rng ||
        !XY_HAS(dynamics->service, xy_learner_service, trace))
        return XY_EUNSUPPORTED;
    for (size_t i = 0; dynamics->drop[i]; i++) {
        size_t group = GROUP_EASY;
        while (group <= GROUP_HARD && strcmp(dynamics->drop[i], group_names[group]) != 0)
            group++;
        if (group <= GROUP_HARD)
            continue;
        xy_log_line(host, XY_LOG_ERROR, "`drop` has `%s`; the groups are hard, ambiguous and easy",
                    dynamics->drop[i]);
        return XY_EINVAL;
    }
    return labelled_check_source(host, dynamics->vector, dynamics->features);
}

static int measure(const struct dynamics *dynamics, xy_job *job, xy_dataset *input,
                   struct course *course)
{
    course->columns.names = dynamics->features;
    course->columns.host = dynamics->host;
    const struct labelled_fields fields = {dynamics->text, dynamics->label, dynamics->vector,
                                           dynamics->features ? &course->columns : NULL};
    const struct school school = {
        .service = dynamics->service, .learner = dynamics->learner, .job = job,
        .seed = dynamics->rng->stream(job, NULL, 0), .classes = &course->classes};
    int code = XY_OK;
    if (dynamics->train) /* first: from it the columns are learnt */
        code = labelled_read(&course->train, job, dynamics->train, &fields, &course->classes);
    if (code == XY_OK)
        code = labelled_read(&course->set, job, input, &fields, &course->classes);
    if (code < 0)
        return code;
    const struct dynamics_task task = {
        .school = &school, .train = dynamics->train ? &course->train : NULL, .set = &course->set,
        .folds = (int)dynamics->folds, .decay = dynamics->decay};
    course->measures = calloc(course->set.count + 1, sizeof(*course->measures));
    course->ensemble_limits = calloc(course->classes.count + 1, sizeof(double));
    code = course->measures && course->ensemble_limits
               ? dynamics_measure(&task, course->measures, &course->passes) : XY_ENOMEM;
    if (code == XY_OK)
        code = dynamics_group(&dynamics->rule, course->measures, course->set.count,
                              &course->limits);
    if (code == XY_OK)
        code = dynamics_ensemble_limits(dynamics->threshold, course->measures, course->set.count,
                                        course->classes.count, course->ensemble_limits);
    return code;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static int set_number(const struct dynamics *dynamics, xy_record *record, const char *name,
                      double number)
{
    char field[160];
    snprintf(field, sizeof(field), "%s_%s", dynamics->into, name);
    return xy_record_set_number(record, field, number);
}

static int set_fields(const struct dynamics *dynamics, xy_record *record,
                      const struct dynamics_measure *measure)
{
    char field[160];
    const struct { const char *name; double value; } numbers[] = {
        {"confidence", measure->confidence}, {"variability", measure->variability},
        {"max_variability", measure->max_variability}, {"aleatoric", measure->aleatoric},
        {"correctness", measure->correctness}, {"loss", measure->loss},
        {"ensemble", measure->ensemble}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        int code = set_number(dynamics, record, numbers[i].name, numbers[i].value);
        if (code < 0)
            return code;
    }
    snprintf(field, sizeof(field), "%s_group", dynamics->into);
    return xy_record_set_text(record, field, xy_text(group_names[measure->group]));
}

static bool is_listed(const char *const *list, const char *name)
{
    for (size_t i = 0; list[i]; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

/* Is the record to go? With the reason. */
static bool condemns(const struct dynamics *dynamics, const struct course *course,
                     const struct dynamics_measure *measure, char *why, size_t size)
{
    xy_str label = names_at(&course->classes, measure->class_index);
    int length = label.len < 80 ? (int)label.len : 80;
    if (dynamics->method[0] == 'c' && is_listed(dynamics->drop, group_names[measure->group])) {
        snprintf(why, size, "%s: confidence in \"%.*s\" %.4f, aleatoric uncertainty %.4f over %u "
                 "passes (hard up to %.4g, easy from %.4g, both up to %.4g)",
                 group_names[measure->group], length, label.ptr, measure->confidence,
                 measure->aleatoric, course->passes, course->limits.low, course->limits.high,
                 course->limits.aleatoric);
        return true;
    }
    if (dynamics->method[0] != 'e' || dynamics_passes(measure, course->ensemble_limits))
        return false;
    snprintf(why, size, "the ensemble of %u passes gives \"%.*s\" %.4f%s (at least %.4g)",
             course->passes, length, label.ptr, measure->ensemble,
             measure->taken ? "" : ", and another label more",
             course->ensemble_limits[measure->class_index]);
    return true;
}

static int apply_one(const struct dynamics *dynamics, xy_dataset *input, size_t index,
                     struct course *course)
{
    const struct dynamics_measure *measure = &course->measures[index];
    char why[512];
    course->groups[measure->group]++;
    if (!measure->judged)
        return XY_OK;
    course->confidence += measure->confidence;
    int code = set_fields(dynamics, input->api->edit(input, index), measure);
    if (code < 0 || !condemns(dynamics, course, measure, why, sizeof(why)))
        return code;
    course->dropped++;
    return input->api->verdict(input, index, XY_DROP, why);
}

static void report_course(const struct dynamics *dynamics, xy_job *job,
                          const struct course *course)
{
    uint64_t count = course->set.count, judged = count - course->groups[GROUP_NONE];
    if (course->groups[GROUP_NONE])
        xy_log_line(dynamics->host, XY_LOG_WARNING, "%llu of %llu records were let through without "
                    "a judgement: they have no label or not all that is learnt from",
                    (unsigned long long)course->groups[GROUP_NONE], (unsigned long long)count);
    if (count && course->dropped == count)
        xy_log_line(dynamics->host, XY_LOG_WARNING, "all %llu records were dropped",
                    (unsigned long long)count);
    if (!dynamics->report)
        return;
    const struct score_sink sink = {dynamics->report, job, NULL};
    for (size_t group = GROUP_EASY; group <= GROUP_HARD && judged; group++)
        scores_value(&sink, group_names[group], (double)course->groups[group], "records", judged,
                     "records of this group by confidence and aleatoric uncertainty");
    scores_value(&sink, "unjudged", (double)course->groups[GROUP_NONE], "records", count,
                 "records let through without a judgement");
    scores_value(&sink, "mean_confidence", judged ? course->confidence / (double)judged : NAN,
                 "probability", judged, "mean probability of the label over passes and records");
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct dynamics *dynamics = state;
    struct course course = {.passes = 0};
    int code = input->api->count(input) > 0 ? measure(dynamics, job, input, &course) : XY_OK;
    for (size_t i = 0; i < course.set.count && code >= 0; i++)
        code = apply_one(dynamics, input, i, &course);
    if (code >= 0)
        report_course(dynamics, job, &course);
    labelled_free(&course.set);
    labelled_free(&course.train);
    names_free(&course.classes);
    columns_free(&course.columns);
    free(course.measures);
    free(course.ensemble_limits);
    return code < 0 ? code : XY_OK;
}

static const char *const needs[] = {XY_LEARNER_SERVICE, XY_RNG, NULL};

static const xy_stage dynamics_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct dynamics),
    .id = "dynamics",
    .version = "1.0.0",
    .summary = "Drops records by how a learner learns them: CLLM, data maps, temporal ensembles",
    .needs = needs,
    .options = options,
    .open = open_dynamics,
    .run = run,
    .fields = "reads `text`, `label`, `vector`, `features` and each record's weight; sets "
              "`into`_confidence, _variability, _max_variability, _aleatoric, _correctness, _loss, "
              "_ensemble and _group",
};

XY_PLUGIN_SINCE(1, "dynamics", "1.0.0", "Apache-2.0", &dynamics_stage)
