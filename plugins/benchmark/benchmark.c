/* SPDX-License-Identifier: Apache-2.0 */
/* benchmark - how good a student becomes that learns from the data set. */
#include <stdlib.h>

#include "benchmark_overlap.h"
#include "scores.h"

struct benchmark {
    const char *text, *label, *vector, *test_text, *test_label, *name;
    const xy_student *learner;
    xy_dataset *test;
    const xy_learner_service *service;
    const xy_report *report;
    const xy_rng *rng;
};

static const xy_option options[] = {
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = offsetof(struct benchmark, learner),
     .flags = XY_OPT_REQUIRED, .help = "The student: a learner's name, or a map with `use:`."},
    {.name = "test", .type = XY_OPT_DATASET, .offset = offsetof(struct benchmark, test),
     .flags = XY_OPT_REQUIRED, .help = "The data set it is tested on, with labels to be trusted."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = offsetof(struct benchmark, text),
     .def = "text", .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = offsetof(struct benchmark, label),
     .def = "label", .help = "The field with the label."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = offsetof(struct benchmark, vector),
     .help = "A field, in both data sets, with vectors to learn from in place of the text."},
    {.name = "test_text", .type = XY_OPT_FIELD, .offset = offsetof(struct benchmark, test_text),
     .help = "The field with the text in `test`, where it has another name."},
    {.name = "test_label", .type = XY_OPT_FIELD, .offset = offsetof(struct benchmark, test_label),
     .help = "The field with the label in `test`, where it has another name."},
    {.name = "name", .type = XY_OPT_TEXT, .offset = offsetof(struct benchmark, name),
     .help = "Put before the name of each score, to tell several benchmarks apart."},
    {0},
};

/* One run: what is learnt from, what is asked, and the rows of each that can be used. */
struct trial {
    struct labelled train, test;
    struct names classes;
    size_t *train_rows, *test_rows;
    size_t train_count, test_count;
    float *probabilities;
    struct confusion confusion;
};

static int open_benchmark(void *state, const xy_host *host)
{
    struct benchmark *benchmark = state;
    benchmark->service = host->service(host, XY_LEARNER_SERVICE);
    benchmark->report = host->service(host, XY_REPORT);
    benchmark->rng = host->service(host, XY_RNG);
    return benchmark->service && benchmark->report && benchmark->rng ? XY_OK : XY_EUNSUPPORTED;
}

static int read_both(const struct benchmark *benchmark, xy_job *job, xy_dataset *input,
                     struct trial *trial)
{
    const struct labelled_fields train = {
        .text = benchmark->text, .label = benchmark->label, .vector = benchmark->vector};
    const struct labelled_fields test = {
        .text = benchmark->test_text ? benchmark->test_text : benchmark->text,
        .label = benchmark->test_label ? benchmark->test_label : benchmark->label,
        .vector = benchmark->vector};
    int code = labelled_read(&trial->train, job, input, &train, &trial->classes);
    if (code == XY_OK)
        code = labelled_read(&trial->test, job, benchmark->test, &test, &trial->classes);
    if (code == XY_OK)
        code = labelled_rows(&trial->train, &trial->train_rows, &trial->train_count);
    if (code == XY_OK)
        code = labelled_rows(&trial->test, &trial->test_rows, &trial->test_count);
    if (code == XY_OK && trial->test_count == 0)
        return xy_fail(job, XY_EINVAL, "no record of `test` has both a `%s` and a `%s`",
                       test.text, test.label);
    return code;
}

/* A learner knows classes by number only: the name is said here. */
static int check_classes(xy_job *job, const struct trial *trial)
{
    if (trial->train_count == 0)
        return xy_fail(job, XY_EINVAL, "there is no record with text and label to learn from");
    uint32_t first = trial->train.classes[trial->train_rows[0]];
    for (size_t i = 1; i < trial->train_count; i++)
        if (trial->train.classes[trial->train_rows[i]] != first)
            return XY_OK;
    xy_str name = names_at(&trial->classes, first);
    return xy_fail(job, XY_EINVAL, "all %zu records have the label `%.*s`: a student needs two "
                   "labels at least", trial->train_count, (int)name.len, name.ptr);
}

static int learn_and_ask(const struct benchmark *benchmark, xy_job *job, struct trial *trial)
{
    uint32_t classes = trial->classes.count;
    struct labelled_part train = {.texts = NULL}, test = {.texts = NULL};
    void *fitted = NULL;
    trial->probabilities = calloc(trial->test_count * classes + 1, sizeof(float));
    int code = trial->probabilities ? XY_OK : XY_ENOMEM;
    if (code == XY_OK)
        code = labelled_take(&trial->train, trial->train_rows, trial->train_count, classes, true,
                             &train);
    if (code == XY_OK)
        code = labelled_take(&trial->test, trial->test_rows, trial->test_count, classes, false,
                             &test);
    if (code == XY_OK)
        code = benchmark->service->fit(job, benchmark->learner, &train.examples,
                                       benchmark->rng->stream(job, NULL, 0), &fitted);
    if (code == XY_OK)
        code = benchmark->service->predict(job, benchmark->learner, fitted, &test.examples,
                                           trial->probabilities);
    if (fitted)
        benchmark->service->release(benchmark->learner, fitted);
    labelled_part_free(&train);
    labelled_part_free(&test);
    return code;
}

static int compare(struct trial *trial)
{
    uint32_t classes = trial->classes.count;
    if (confusion_init(&trial->confusion, classes) < 0)
        return XY_ENOMEM;
    for (size_t i = 0; i < trial->test_count; i++) {
        const float *row = trial->probabilities + i * classes;
        uint32_t best = 0;
        for (uint32_t k = 1; k < classes; k++)
            best = row[k] > row[best] ? k : best;
        confusion_add(&trial->confusion, trial->test.classes[trial->test_rows[i]], best);
    }
    return XY_OK;
}

static int report_trial(const struct benchmark *benchmark, xy_job *job, const struct trial *trial)
{
    const struct score_sink sink = {benchmark->report, job, benchmark->name};
    uint64_t overlap;
    int code = overlap_count(&trial->train, &trial->test, &overlap);
    if (code < 0)
        return code;
    code = scores_confusion(&sink, &trial->confusion, &trial->classes);
    scores_value(&sink, "train_count", (double)trial->train_count, "records", 0,
                 "records that the student learnt from");
    scores_value(&sink, "test_count", (double)trial->test_count, "records", 0,
                 "records that it was tested on");
    scores_value(&sink, "contamination", (double)overlap, "records", trial->test.count,
                 "test records whose text is also in the training data; should be 0");
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct benchmark *benchmark = state;
    struct trial trial = {.train_count = 0};
    int code = read_both(benchmark, job, input, &trial);
    if (code == XY_OK)
        code = check_classes(job, &trial);
    if (code == XY_OK)
        code = learn_and_ask(benchmark, job, &trial);
    if (code == XY_OK)
        code = compare(&trial);
    if (code == XY_OK)
        code = report_trial(benchmark, job, &trial);
    confusion_free(&trial.confusion);
    labelled_free(&trial.train);
    labelled_free(&trial.test);
    names_free(&trial.classes);
    free(trial.train_rows);
    free(trial.test_rows);
    free(trial.probabilities);
    return code;
}

static const char *const needs[] = {XY_LEARNER_SERVICE, XY_REPORT, XY_RNG, NULL};

static const xy_stage benchmark_stage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct benchmark),
    .id = "benchmark",
    .version = "1.0.0",
    .summary = "Trains a student on the data set and tests it on labels to be trusted",
    .needs = needs,
    .options = options,
    .open = open_benchmark,
    .run = run,
    .fields = "reads `text`, `label` and `vector`, and each record's weight",
};

XY_PLUGIN("benchmark", "1.0.0", "Apache-2.0", &benchmark_stage)
