/* SPDX-License-Identifier: Apache-2.0 */
/* Trees small enough to be grown by hand, and what the stages tell. recipes/boosting_test.py
 * compares larger ones with scikit-learn's. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

struct lesson {
    int code;
    char why[256];
    uint32_t passes;
    float trace[4096], probabilities[64];
};

static struct lesson lesson;

/* Trains with a trace of `watched`, and predicts the same rows. */
static void learn(const char *options, const xy_examples *train, const xy_examples *watched)
{
    struct instance *instance = stage_host_open(&host, XY_LEARNER, "boosting", options);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_learner *learner = &instance_type(instance)->learner;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host.cancelled;
    const float *trace = NULL;
    void *fitted = NULL;
    lesson = (struct lesson){.code = 0};
    lesson.code = learner->trace(instance_state(instance), &job->base, train, watched, 1, &trace,
                                 &lesson.passes, &fitted);
    snprintf(lesson.why, sizeof(lesson.why), "%s", job->why ? job->why : "");
    if (lesson.code == XY_OK) {
        size_t cells = lesson.passes * watched->count * train->classes;
        CU_ASSERT_FATAL(cells <= sizeof(lesson.trace) / sizeof(float));
        memcpy(lesson.trace, trace, cells * sizeof(float));
        CU_ASSERT_EQUAL(learner->predict(instance_state(instance), &job->base, fitted, watched,
                                         lesson.probabilities), XY_OK);
        learner->release(instance_state(instance), fitted);
    }
    job_destroy(job);
    instance_close(instance);
}

static xy_examples rows(const float *vectors, const int32_t *labels, size_t count, size_t width,
                        uint32_t classes)
{
    return (xy_examples){.size = sizeof(xy_examples), .classes = classes, .count = count,
                         .labels = labels, .vectors = vectors, .dimension = width};
}

static double sigmoid(double margin)
{
    return 1 / (1 + exp(-margin));
}

/* Two rows a side at p = 1/2: first derivatives sum to 1, second to 1/2. A leaf is 1 / (1/2 +
 * lambda) times the rate. */
static void one_split_by_hand(void)
{
    static const float x[] = {1, 2, 7, 9};
    static const int32_t y[] = {0, 0, 1, 1};
    xy_examples train = rows(x, y, 4, 1, 2);
    static const float at[] = {4.4f, 4.6f, NAN, INFINITY};
    xy_examples asked = rows(at, NULL, 4, 1, 2);
    learn("{stages: 1, depth: 1, rate: 1, least_weight: 0}", &train, &asked);
    CU_ASSERT_EQUAL_FATAL(lesson.code, XY_OK);
    double up = sigmoid(1 / 1.5);
    CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[1], 1 - up, 1e-6); /* the cut is at 4.5 */
    CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[3], up, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[5], 1 - up, 1e-6); /* missing is below all */
    CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[7], up, 1e-6);
    /* The second stage starts there: p = up on the right, so a leaf of 2 (1 - up) / (2 up (1 - up)
     * + 1), at half the rate. */
    learn("{stages: 2, depth: 1, rate: 0.5, least_weight: 0}", &train, &asked);
    double first = 0.5 / 1.5, p = sigmoid(first);
    double second = 0.5 * 2 * (1 - p) / (2 * p * (1 - p) + 1);
    CU_ASSERT_EQUAL(lesson.passes, 2);
    CU_ASSERT_DOUBLE_EQUAL(lesson.trace[3], p, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(lesson.trace[8 + 3], sigmoid(first + second), 1e-6);
    CU_ASSERT_EQUAL(lesson.trace[8 + 3], lesson.probabilities[3]);
}

/* With least_weight 1 no leaf of fewer than four undecided rows is made: four rows stay
 * together. */
static void limits_of_leaves(void)
{
    static const float x[] = {1, 2, 7, 9};
    static const int32_t y[] = {0, 0, 0, 1};
    xy_examples train = rows(x, y, 4, 1, 2);
    learn("{stages: 5}", &train, &train);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[2 * i + 1], 0.25, 1e-6);
    learn("{stages: 5, least_weight: 0, least_gain: 100}", &train, &train);
    CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[1], 0.25, 1e-6);
    learn("{stages: 50, least_weight: 0}", &train, &train);
    CU_ASSERT_TRUE(lesson.probabilities[7] > 0.5f && lesson.probabilities[5] < 0.25f);
}

static void weights_and_soft_labels(void)
{
    static const float x[] = {1, 2, 2, 3, 4, 5, 5}, y_vectors[] = {1, 2, 3, 4, 5, 9};
    static const int32_t y[] = {0, 1, 1, 0, 1, 1, 1}, y_once[] = {0, 1, 0, 1, 1, 0};
    static const float weights[] = {1, 2, 1, 1, 2, 0};
    xy_examples twice = rows(x, y, 7, 1, 2), once = rows(y_vectors, y_once, 6, 1, 2);
    once.weights = weights;
    float first[14];
    learn("{stages: 9, least_weight: 0.1}", &twice, &twice);
    memcpy(first, lesson.probabilities, sizeof(first));
    learn("{stages: 9, least_weight: 0.1}", &once, &twice);
    for (size_t i = 0; i < 14; i++)
        CU_ASSERT_DOUBLE_EQUAL(first[i], lesson.probabilities[i], 1e-6);
    static const float soft[] = {1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1};
    xy_examples soft_rows = twice;
    soft_rows.labels = NULL;
    soft_rows.soft = soft;
    learn("{stages: 9, least_weight: 0.1}", &soft_rows, &twice);
    for (size_t i = 0; i < 14; i++)
        CU_ASSERT_DOUBLE_EQUAL(first[i], lesson.probabilities[i], 1e-6);
}

static void classes_that_are_absent(void)
{
    static const float x[] = {1, 5, 2, 5, 3, 5, 4, 5, 5, 5, 6, 5}; /* the second tells nothing */
    static const int32_t y[] = {0, 0, 2, 2, 3, 3};
    xy_examples train = rows(x, y, 6, 2, 5);
    learn("{stages: 30, least_weight: 0.01}", &train, &train);
    CU_ASSERT_EQUAL_FATAL(lesson.code, XY_OK);
    for (size_t i = 0; i < 6; i++) {
        float sum = 0;
        for (size_t k = 0; k < 5; k++)
            sum += lesson.probabilities[5 * i + k];
        CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-6);
        CU_ASSERT_EQUAL(lesson.probabilities[5 * i + 1], 0);
        CU_ASSERT_EQUAL(lesson.probabilities[5 * i + 4], 0);
        CU_ASSERT_TRUE(lesson.probabilities[5 * i + (size_t)y[i]] > 0.8f);
    }
    static const float same[] = {3, 3, 3, 3};
    static const int32_t mixed[] = {0, 1, 1, 1};
    xy_examples constant = rows(same, mixed, 4, 1, 2);
    learn("{stages: 10, least_weight: 0}", &constant, &constant);
    CU_ASSERT_DOUBLE_EQUAL(lesson.probabilities[1], 0.75, 1e-6);
}

/* More different values than bins: cuts by rank still find a step to within a bin. */
static void many_values(void)
{
    enum { COUNT = 2000 };
    float *x = malloc(COUNT * sizeof(*x));
    int32_t *y = malloc(COUNT * sizeof(*y));
    uint64_t state = 1;
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = (float)xy_random_unit(&state);
        y[i] = x[i] > 0.3f;
    }
    xy_examples train = rows(x, y, COUNT, 1, 2);
    static const float at[] = {0.29f, 0.31f, 0.1f, 0.9f};
    xy_examples asked = rows(at, NULL, 4, 1, 2);
    learn("{stages: 30}", &train, &asked);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_TRUE(lesson.probabilities[2 * i + (at[i] > 0.3f)] > 0.95f);
    free(x);
    free(y);
}

static void refuses(void)
{
    static const float x[] = {1, 2};
    static const int32_t y[] = {0, 0};
    static const xy_str texts[] = {STR("a"), STR("b")};
    xy_examples train = rows(x, y, 2, 1, 2);
    learn("{}", &train, &train);
    CU_ASSERT_EQUAL(lesson.code, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(lesson.why, "all 2 examples are of class 0"));
    static const int32_t both[] = {0, 1};
    train = rows(NULL, both, 2, 0, 2);
    train.texts = texts;
    learn("{}", &train, &train);
    CU_ASSERT_EQUAL(lesson.code, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(lesson.why, "learns from numbers and got texts"));
    train = rows(x, both, 2, 1, 2);
    xy_examples wide = rows(x, both, 1, 2, 2);
    learn("{}", &train, &wide);
    CU_ASSERT_EQUAL(lesson.code, XY_EINVAL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_LEARNER, "boosting", "{stages: 0}"));
}

int main(void)
{
    static const struct check checks[] = {
        {"one split by hand", one_split_by_hand},
        {"limits of leaves", limits_of_leaves},
        {"weights and soft labels", weights_and_soft_labels},
        {"absent classes, constant features", classes_that_are_absent},
        {"many values", many_values},
        {"what it refuses", refuses},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "boosting");
    int failed = check_main("boosting", checks);
    stage_host_free(&host);
    return failed;
}
