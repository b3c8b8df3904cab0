/* SPDX-License-Identifier: Apache-2.0 */
/* What passes say of records: figures beside plain formulas on the learner's own trace, the groups,
 * the temporal ensemble, and what is let through. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "dynamics");
    stage_host_load(&host, "boosting");
    stage_host_load(&host, "softmax");
    stage_host_load(&host, "linear");
}

enum { COUNT = 60, STAGES = 12 };

/* Two numbers that tell the class; every tenth label of the stream is wrong. */
static bool is_wrong(size_t i)
{
    return i % 20 == 7 || i % 20 == 16;
}

static void make_rows(struct buffer *lines, bool noisy, float *vectors, int32_t *labels)
{
    uint64_t state = noisy ? 5 : 6;
    buffer_init(lines, SIZE_MAX);
    for (size_t i = 0; i < COUNT; i++) {
        int truth = i % 2, label = noisy && is_wrong(i) ? !truth : truth;
        float x = (float)(truth + xy_random_unit(&state) * 0.9 - 0.4);
        float y = (float)(xy_random_unit(&state) * 10);
        if (vectors) {
            vectors[2 * i] = x;
            vectors[2 * i + 1] = y;
            labels[i] = label;
        }
        buffer_printf(lines, "{\"x\":%.9g,\"y\":%.9g,\"#v\":[%.9g,%.9g],\"label\":\"%s\"}\n",
                      (double)x, (double)y, (double)x, (double)y, label ? "one" : "zero");
    }
}

static void run(const char *options, const char *lines, struct stage_result *result)
{
    stage_host_run_filter(&host, "dynamics", options, lines, result);
}

/* The trace of the same learner on the same rows, asked directly. */
static float *trace_of(const float *train, const int32_t *labels, const float *watched)
{
    struct instance *instance =
        stage_host_open(&host, XY_LEARNER, "boosting", "{stages: 12, least_weight: 0.1}");
    const xy_learner *learner = &instance_type(instance)->learner;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host.cancelled;
    xy_examples taught = {.size = sizeof(taught), .classes = 2, .count = COUNT, .labels = labels,
                          .vectors = train, .dimension = 2};
    xy_examples asked = {.size = sizeof(asked), .classes = 2, .count = COUNT, .vectors = watched,
                         .dimension = 2};
    const float *trace;
    uint32_t passes;
    void *fitted;
    CU_ASSERT_EQUAL_FATAL(learner->trace(instance_state(instance), &job->base, &taught, &asked, 1,
                                         &trace, &passes, &fitted), XY_OK);
    CU_ASSERT_EQUAL_FATAL(passes, STAGES);
    float *copy = malloc(STAGES * COUNT * 2 * sizeof(*copy));
    memcpy(copy, trace, STAGES * COUNT * 2 * sizeof(*copy));
    learner->release(instance_state(instance), fitted);
    job_destroy(job);
    instance_close(instance);
    return copy;
}

static float train_vectors[COUNT * 2], stream_vectors[COUNT * 2];
static int32_t train_labels[COUNT], stream_labels[COUNT];

static void figures_follow_their_formulas(void)
{
    start();
    struct buffer real, stream;
    struct stage_result result;
    make_rows(&real, false, train_vectors, train_labels);
    make_rows(&stream, true, stream_vectors, stream_labels);
    stage_host_add_dataset(&host, "real", real.bytes);
    run("{learner: {use: boosting, stages: 12, least_weight: 0.1}, vector: v, train: real, "
        "method: annotate, into: d}", stream.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    float *trace = trace_of(train_vectors, train_labels, stream_vectors);
    for (size_t i = 0; i < COUNT; i++) {
        double sum = 0, squares = 0, aleatoric = 0, loss = 0, hits = 0, z = 0;
        for (size_t e = 0; e < STAGES; e++) {
            double p = (double)trace[(e * COUNT + i) * 2 + (size_t)stream_labels[i]];
            sum += p;
            squares += p * p;
            aleatoric += p * (1 - p);
            loss -= log(p);
            hits += p > 0.5;
            z = 0.8 * z + 0.2 * p;
        }
        const struct record *record = result.records[i];
        double mean = sum / STAGES, spread = sqrt(fmax(squares / STAGES - mean * mean, 0));
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_confidence"), mean, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_variability"), spread, 1e-4);
        /* Of two classes both deviate alike. */
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_max_variability"), spread, 1e-4);
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_aleatoric"), aleatoric / STAGES, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_loss"), loss / STAGES, 1e-5);
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_correctness"), hits / STAGES, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "d_ensemble"), z / (1 - pow(0.8, STAGES)),
                               1e-6);
        CU_ASSERT_EQUAL(result.verdicts[i], XY_OK);
    }
    free(trace);
    stage_result_free(&result);
    buffer_free(&real);
    buffer_free(&stream);
    stage_host_free(&host);
}

/* Fields as columns: the wrong labels are those that real rows contradict. */
static const char *group_of(const struct record *record, double kappa)
{
    double confidence = stage_number(record, "dynamics_confidence");
    bool certain = stage_number(record, "dynamics_aleatoric") <= kappa;
    return certain && confidence <= 0.2   ? "hard"
           : certain && confidence >= 0.8 ? "easy" : "ambiguous";
}

static void wrong_labels_are_hard(void)
{
    start();
    struct buffer real, stream;
    struct stage_result result;
    make_rows(&real, false, NULL, NULL);
    make_rows(&stream, true, NULL, NULL);
    stage_host_add_dataset(&host, "real", real.bytes);
    run("{learner: boosting, features: [x, y], train: real}", stream.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_TEXT(stage_text(result.records[i], "dynamics_group"),
                   group_of(result.records[i], 0.2));
        CU_ASSERT_EQUAL(result.verdicts[i], is_wrong(i) ? XY_DROP : XY_OK);
    }
    CU_ASSERT_EQUAL(stage_host_score(&host, "hard").value, COUNT / 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result.reasons[7]);
    CU_ASSERT(strncmp(result.reasons[7], "hard: confidence in \"zero\" 0.", 29) == 0);
    stage_result_free(&result);

    /* Thresholds by quantile: a quarter at each end. */
    run("{learner: softmax, features: [x, y], train: real, tau_quantile: 0.25, kappa_quantile: 1, "
        "drop: [hard, easy]}", stream.bytes, &result);
    double hardest = -INFINITY, others = INFINITY;
    for (size_t i = 0; i < COUNT; i++) {
        double confidence = stage_number(result.records[i], "dynamics_confidence");
        const char *group = stage_text(result.records[i], "dynamics_group");
        if (strcmp(group, "hard") == 0)
            hardest = fmax(hardest, confidence);
        else
            others = fmin(others, confidence);
        CU_ASSERT_EQUAL(result.verdicts[i], group[0] == 'a' ? XY_OK : XY_DROP);
    }
    CU_ASSERT(stage_host_score(&host, "hard").value == COUNT / 4);
    CU_ASSERT(stage_host_score(&host, "easy").value == COUNT / 4);
    CU_ASSERT(hardest < others);
    stage_result_free(&result);
    /* The adaptive kappa: 0.75 of the range of aleatoric uncertainty. */
    run("{learner: boosting, features: [x, y], train: real, kappa: 0}", stream.bytes, &result);
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < COUNT; i++) {
        low = fmin(low, stage_number(result.records[i], "dynamics_aleatoric"));
        high = fmax(high, stage_number(result.records[i], "dynamics_aleatoric"));
    }
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_TEXT(stage_text(result.records[i], "dynamics_group"),
                   group_of(result.records[i], 0.75 * (high - low)));
    }
    stage_result_free(&result);
    buffer_free(&real);
    buffer_free(&stream);
    stage_host_free(&host);
}

/* In cross-validation nobody judges a label that it learnt. */
static void records_watch_one_another(void)
{
    start();
    struct buffer stream;
    struct stage_result result;
    make_rows(&stream, true, NULL, NULL);
    double own[COUNT], found = 0;
    run("{learner: {use: boosting, least_weight: 0.1}, features: [x, y], method: annotate}",
        stream.bytes, &result);
    for (size_t i = 0; i < COUNT; i++)
        own[i] = stage_number(result.records[i], "dynamics_confidence");
    stage_result_free(&result);
    run("{learner: {use: boosting, least_weight: 0.1}, features: [x, y], folds: 6, "
        "method: ensemble, threshold: 0.5}", stream.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < COUNT; i++) {
        if (!is_wrong(i))
            continue;
        CU_ASSERT(stage_number(result.records[i], "dynamics_confidence") < own[i]);
        CU_ASSERT_EQUAL(result.verdicts[i], XY_DROP);
        found += result.reasons[i] &&
                 strstr(result.reasons[i], ", and another label more (at least 0.5)");
    }
    CU_ASSERT_EQUAL(found, COUNT / 10);
    stage_result_free(&result);
    /* A threshold that nobody reaches falls to each class's median: half of each is kept. */
    run("{learner: {use: softmax, passes: 4, rate: 0.01}, features: [x, y], method: ensemble, "
        "threshold: 1}", stream.bytes, &result);
    size_t kept[2] = {0, 0};
    for (size_t i = 0; i < COUNT; i++)
        kept[stage_text(result.records[i], "label")[0] == 'o'] += result.verdicts[i] == XY_OK;
    CU_ASSERT_EQUAL(kept[0], COUNT / 4);
    CU_ASSERT_EQUAL(kept[1], COUNT / 4);
    stage_result_free(&result);
    buffer_free(&stream);
    stage_host_free(&host);
}

static void what_cannot_be_judged_is_let_through(void)
{
    start();
    struct stage_result result;
    stage_host_add_dataset(&host, "real",
                           "{\"c\":\"red\",\"label\":\"warm\"}\n"
                           "{\"c\":\"blue\",\"label\":\"cold\"}\n"
                           "{\"c\":\"red\",\"label\":\"warm\"}\n"
                           "{\"c\":\"blue\",\"label\":\"cold\"}\n");
    run("{learner: {use: boosting, least_weight: 0}, features: [c], train: real}",
        "{\"c\":\"red\",\"label\":\"cold\"}\n{\"c\":\"red\"}\n{\"label\":\"warm\"}\n"
        "{\"c\":\"red\",\"label\":\"never seen\"}\n", &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[0], XY_DROP);
    CU_ASSERT_EQUAL(result.verdicts[1], XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[2], XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[3], XY_DROP); /* a label that cannot be, by all that is known */
    CU_ASSERT_EQUAL(stage_host_score(&host, "unjudged").value, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 of 4 records were let through without a judgement"));
    stage_result_free(&result);
    run("{learner: {use: boosting, least_weight: 0}, features: [c], train: real}",
        "{\"c\":\"red\",\"label\":\"cold\"}\n", &result);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "all 1 records were dropped"));
    stage_result_free(&result);
    run("{learner: boosting, features: [c], train: real}", "", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    stage_result_free(&result);
    stage_host_free(&host);
}

static void check_refusal(const char *options, const char *lines, const char *why)
{
    stage_host_check_refusal(&host, "dynamics", options, lines, why);
}

static void refuses(void)
{
    start();
    static const char one[] = "{\"x\":1,\"label\":\"a\"}\n{\"x\":2,\"label\":\"a\"}\n";
    check_refusal("{learner: boosting, features: [x]}", one, "have the label `a`");
    check_refusal("{learner: boosting, features: [x, z]}", one, "has a number or a text in `z`");
    check_refusal("{learner: boosting}", "{\"text\":\"p\",\"label\":\"a\"}\n"
                  "{\"text\":\"q\",\"label\":\"b\"}\n", "learns from numbers and got texts");
    struct stage_result result;
    /* One text makes a column of numbers a category, and the log says so. */
    run("{learner: boosting, features: [x]}", "{\"x\":1,\"label\":\"a\"}\n"
        "{\"x\":2,\"label\":\"b\"}\n{\"x\":\"nan\",\"label\":\"b\"}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`x` holds 2 numbers and 1 texts, the first in record "
                                            "3: each value of it is taken as a category"));
    stage_result_free(&result);
    run("{learner: boosting, features: [x]}", "{\"x\":\"1.5\",\"label\":\"a\"}\n"
        "{\"x\":\"2\",\"label\":\"b\"}\n{\"x\":3,\"label\":\"b\"}\n", &result);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`x` holds numbers that are texts"));
    stage_result_free(&result);
    check_refusal("{learner: boosting, features: [x]}",
                  "{\"x\":1,\"label\":\"a\",\"@weight\":0}\n"
                  "{\"x\":2,\"label\":\"b\",\"@weight\":0}\n", "have the weight 0");
    run("{learner: linear}", "{\"text\":\"p\",\"label\":\"a\"}\n{\"text\":\"q\",\"label\":\"b\"}\n",
        &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EUNSUPPORTED); /* it has no passes */
    stage_result_free(&result);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "dynamics",
                                       "{learner: boosting, drop: [difficult]}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "dynamics",
                                       "{learner: boosting, vector: v, features: [x]}"));
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"figures", figures_follow_their_formulas},
        {"CLLM's groups", wrong_labels_are_hard},
        {"cross-validation, ensembles", records_watch_one_another},
        {"what is let through", what_cannot_be_judged_is_let_through},
        {"what it refuses", refuses},
        {0},
    };
    return check_main("dynamics", checks);
}
