/* SPDX-License-Identifier: Apache-2.0 */
/* What training promises, checked on what it predicts, and on what it tells of its passes. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

enum { ROWS = 200, WIDTH = 4 };

/* Rows whose class follows the sign of the first feature; some labels are turned. */
struct sample {
    float vectors[ROWS * WIDTH], weights[ROWS], soft[ROWS * 2];
    int32_t labels[ROWS], truth[ROWS];
    xy_examples examples;
};

static void fill(struct sample *sample, uint64_t state, double turned)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            sample->vectors[i * WIDTH + j] = (float)(xy_random_unit(&state) * 2 - 1);
        sample->truth[i] = sample->vectors[i * WIDTH] > 0;
        sample->labels[i] = (xy_random_unit(&state) < turned) != sample->truth[i];
        sample->weights[i] = (float)(i % 3);
        sample->soft[i * 2 + 1] = (float)xy_random_unit(&state);
        sample->soft[i * 2] = 1 - sample->soft[i * 2 + 1];
    }
    sample->examples = (xy_examples){.size = sizeof(xy_examples), .classes = 2, .count = ROWS,
                                     .labels = sample->labels, .vectors = sample->vectors,
                                     .dimension = WIDTH};
}

struct lesson {
    int code;
    char why[256];
    uint32_t passes;
    float *trace;                    /* passes x ROWS x 2; freed by the next lesson */
    float probabilities[ROWS * 2];
};

static struct lesson lesson;

/* Trains with a trace of `watched` and predicts the same rows. */
static void learn(const char *options, const xy_examples *train, const xy_examples *watched,
                  uint64_t seed)
{
    struct instance *instance = stage_host_open(&host, XY_LEARNER, "softmax", options);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_learner *learner = &instance_type(instance)->learner;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host.cancelled;
    const float *trace = NULL;
    void *fitted = NULL;
    free(lesson.trace);
    lesson = (struct lesson){.code = 0};
    lesson.code = learner->trace(instance_state(instance), &job->base, train, watched, seed, &trace,
                                 &lesson.passes, &fitted);
    snprintf(lesson.why, sizeof(lesson.why), "%s", job->why ? job->why : "");
    if (lesson.code == XY_OK) {
        size_t size = lesson.passes * watched->count * 2 * sizeof(float);
        lesson.trace = malloc(size + 1);
        memcpy(lesson.trace, trace, size);
        CU_ASSERT_EQUAL(learner->predict(instance_state(instance), &job->base, fitted, watched,
                                         lesson.probabilities), XY_OK);
        learner->release(instance_state(instance), fitted);
    }
    job_destroy(job);
    instance_close(instance);
}

static double accuracy(const struct sample *sample)
{
    size_t right = 0;
    for (size_t i = 0; i < ROWS; i++)
        right += (lesson.probabilities[i * 2 + 1] > 0.5f) == sample->truth[i];
    return (double)right / ROWS;
}

/* At the optimum of (1/sum w) sum w_i CE_i + decay/2 |W|^2 the difference D of the two classes'
 * weights is -2 / (decay sum w) sum w_i (p_i - t_i) x_i, and sum w_i (p_i - t_i) is 0. So
 * log(p / (1 - p)) - D.x is the intercept, the same for every row. */
static void check_optimum(const struct sample *sample, double decay)
{
    double d[WIDTH] = {0}, balance = 0, cost = 0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < ROWS; i++) {
        double weight = sample->examples.weights ? (double)sample->weights[i] : 1;
        double target = sample->examples.soft ? (double)sample->soft[i * 2 + 1] : sample->labels[i];
        double error = weight * ((double)lesson.probabilities[i * 2 + 1] - target);
        cost += weight;
        balance += error;
        for (size_t j = 0; j < WIDTH; j++)
            d[j] -= 2 * error * (double)sample->vectors[i * WIDTH + j] / decay;
    }
    for (size_t i = 0; i < ROWS; i++) {
        double p = (double)lesson.probabilities[i * 2 + 1], z = log(p / (1 - p));
        for (size_t j = 0; j < WIDTH; j++)
            z -= d[j] / cost * (double)sample->vectors[i * WIDTH + j];
        low = fmin(low, z);
        high = fmax(high, z);
    }
    CU_ASSERT_DOUBLE_EQUAL(balance / cost, 0, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(high - low, 0, 0.02);
}

static void reaches_the_optimum(void)
{
    struct sample sample;
    fill(&sample, 1, 0.1);
    static const char options[] = "{passes: 5000, batch: 1000, decay: 0.05, rate: 0.5}";
    learn(options, &sample.examples, &sample.examples, 1);
    check_optimum(&sample, 0.05);
    sample.examples.weights = sample.weights;
    learn(options, &sample.examples, &sample.examples, 1);
    check_optimum(&sample, 0.05);
    sample.examples.soft = sample.soft;
    learn(options, &sample.examples, &sample.examples, 1);
    check_optimum(&sample, 0.05);
}

static void tells_its_passes(void)
{
    struct sample sample, other;
    fill(&sample, 2, 0);
    fill(&other, 3, 0);
    learn("{passes: 7}", &sample.examples, &other.examples, 1);
    CU_ASSERT_EQUAL_FATAL(lesson.passes, 7);
    const float *last = lesson.trace + 6 * ROWS * 2;
    for (size_t i = 0; i < (size_t)ROWS * 2; i++)
        CU_ASSERT_EQUAL(last[i], lesson.probabilities[i]);
    double loss[7] = {0};
    for (size_t pass = 0; pass < 7; pass++) {
        for (size_t i = 0; i < ROWS; i++)
            loss[pass] -= log((double)lesson.trace[(pass * ROWS + i) * 2 + (size_t)other.truth[i]]);
    }
    for (size_t pass = 1; pass < 7; pass++)
        CU_ASSERT_TRUE(loss[pass] < loss[pass - 1]);
    CU_ASSERT_TRUE(accuracy(&other) > 0.9);
}

static void noise_tolerant_losses_pass_over_wrong_labels(void)
{
    static const char *const losses[] = {"cross_entropy", "reverse", "symmetric"};
    double wrong[3] = {0}, right[3] = {0};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sample sample;
        fill(&sample, 10 + seed, 0.3);
        for (size_t l = 0; l < 3; l++) {
            char options[96];
            snprintf(options, sizeof(options), "{passes: 60, loss: %s}", losses[l]);
            learn(options, &sample.examples, &sample.examples, seed);
            right[l] += accuracy(&sample) / 5;
            for (size_t i = 0; i < ROWS; i++) {
                if (sample.labels[i] != sample.truth[i])
                    wrong[l] += (double)lesson.probabilities[i * 2 + (size_t)sample.labels[i]];
            }
        }
    }
    /* They believe a wrong label less, and are right about as often at least. */
    CU_ASSERT_TRUE(wrong[1] < wrong[0] && wrong[2] < wrong[0]);
    CU_ASSERT_TRUE(right[1] > right[0] - 0.02 && right[2] > right[0] - 0.02);
    CU_ASSERT_TRUE(right[1] > 0.85);
}

/* Class 1's probability by weights of two classes, the intercepts last. */
static double second(const double *w, const float *x)
{
    double margin = w[2 * WIDTH + 1] - w[WIDTH];
    for (size_t j = 0; j < WIDTH; j++)
        margin += (w[WIDTH + 1 + j] - w[j]) * (double)x[j];
    return 1 / (1 + exp(-margin));
}

/* Five passes of one batch each, by plain AdaGrad on the loss and the pull of the ensemble. */
static void temporal_ensemble(void)
{
    struct sample sample;
    double w[2 * WIDTH + 2] = {0}, squares[2 * WIDTH + 2] = {0}, kept[ROWS] = {0}, away = 0;
    fill(&sample, 5, 0.2);
    for (int pass = 0; pass < 5; pass++) {
        double gradient[2 * WIDTH + 2] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            const float *x = sample.vectors + i * WIDTH;
            double p = second(w, x), pull = pass / 10.0 * 8;
            double z = pass ? kept[i] / (1 - pow(0.8, pass)) : 0;
            double slope = p - sample.labels[i] + pull * (p - z);
            for (size_t j = 0; j <= WIDTH; j++) {
                gradient[WIDTH + 1 + j] += slope * (j < WIDTH ? (double)x[j] : 1) / ROWS;
                gradient[j] -= slope * (j < WIDTH ? (double)x[j] : 1) / ROWS;
            }
        }
        for (size_t j = 0; j < 2 * WIDTH + 2; j++) {
            squares[j] += gradient[j] * gradient[j];
            w[j] -= 0.1 * gradient[j] / (sqrt(squares[j]) + 1e-8);
        }
        for (size_t i = 0; i < ROWS; i++)
            kept[i] = 0.8 * kept[i] + 0.2 * second(w, sample.vectors + i * WIDTH);
    }
    learn("{passes: 5, batch: 1000, decay: 0, ensemble: 8}", &sample.examples, &sample.examples, 1);
    for (size_t i = 0; i < ROWS; i++)
        CU_ASSERT_DOUBLE_EQUAL((double)lesson.probabilities[i * 2 + 1],
                               second(w, sample.vectors + i * WIDTH), 1e-6);
    learn("{passes: 5, batch: 1000, decay: 0}", &sample.examples, &sample.examples, 1);
    for (size_t i = 0; i < ROWS; i++)
        away = fmax(away, fabs((double)lesson.probabilities[i * 2 + 1] -
                               second(w, sample.vectors + i * WIDTH)));
    CU_ASSERT(away > 1e-3); /* that it was not for nothing */
}

static void same_seed_same_bits(void)
{
    struct sample sample;
    float first[ROWS * 2];
    fill(&sample, 4, 0.2);
    learn("{passes: 3}", &sample.examples, &sample.examples, 9);
    memcpy(first, lesson.probabilities, sizeof(first));
    learn("{passes: 3}", &sample.examples, &sample.examples, 9);
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the same bytes are promised. */
    CU_ASSERT_EQUAL(memcmp(first, lesson.probabilities, sizeof(first)), 0);
    learn("{passes: 3}", &sample.examples, &sample.examples, 10);
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): other bytes are expected. */
    CU_ASSERT_NOT_EQUAL(memcmp(first, lesson.probabilities, sizeof(first)), 0);
}

static void a_weight_of_zero_is_no_example(void)
{
    struct sample sample;
    float all[ROWS * 2];
    fill(&sample, 5, 0.2);
    for (size_t i = 0; i < ROWS; i++)
        sample.weights[i] = i < 100;
    sample.examples.weights = sample.weights;
    learn("{passes: 5}", &sample.examples, &sample.examples, 1);
    memcpy(all, lesson.probabilities, sizeof(all));
    xy_examples half = sample.examples, whole = sample.examples;
    half.count = 100;
    learn("{passes: 5}", &half, &whole, 1);
    for (size_t i = 0; i < (size_t)ROWS * 2; i++)
        CU_ASSERT_EQUAL(all[i], lesson.probabilities[i]);
}

static void stops_early(void)
{
    struct sample sample;
    fill(&sample, 6, 0.35);
    learn("{passes: 400, rate: 0.5, hold_out: 0.3, patience: 3}", &sample.examples,
          &sample.examples, 1);
    CU_ASSERT_TRUE(lesson.passes < 400);
    uint32_t best = lesson.passes - 4;
    const float *kept = lesson.trace + (size_t)best * ROWS * 2;
    for (size_t i = 0; i < (size_t)ROWS * 2; i++)
        CU_ASSERT_EQUAL(kept[i], lesson.probabilities[i]);
    learn("{passes: 10, hold_out: 0.3, patience: 0}", &sample.examples, &sample.examples, 1);
    CU_ASSERT_EQUAL(lesson.passes, 10);
}

static void learns_from_words(void)
{
    static const xy_str texts[] = {STR("a fine film"), STR("a dull film"), STR("fine acting"),
                                   STR("dull acting")};
    static const int32_t labels[] = {1, 0, 1, 0};
    xy_examples examples = {.size = sizeof(examples), .classes = 2, .count = 4, .texts = texts,
                            .labels = labels};
    learn("{}", &examples, &examples, 1);
    CU_ASSERT_EQUAL_FATAL(lesson.code, XY_OK);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_TRUE(lesson.probabilities[i * 2 + (size_t)labels[i]] > 0.6f);
}

static void refuses_one_class(void)
{
    struct sample sample;
    fill(&sample, 7, 0);
    memset(sample.labels, 0, sizeof(sample.labels));
    learn("{}", &sample.examples, &sample.examples, 1);
    CU_ASSERT_EQUAL(lesson.code, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(lesson.why, "all 200 examples are of class 0"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_LEARNER, "softmax", "{features: embedding}"));
}

int main(void)
{
    static const struct check checks[] = {
        {"the optimum: weights and soft labels", reaches_the_optimum},
        {"what each pass left", tells_its_passes},
        {"noise-tolerant losses", noise_tolerant_losses_pass_over_wrong_labels},
        {"temporal ensemble", temporal_ensemble},
        {"the same seed", same_seed_same_bits},
        {"a weight of 0", a_weight_of_zero_is_no_example},
        {"early stopping", stops_early},
        {"words", learns_from_words},
        {"one class", refuses_one_class},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "softmax");
    int failed = check_main("softmax", checks);
    free(lesson.trace);
    stage_host_free(&host);
    return failed;
}
