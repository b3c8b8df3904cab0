/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours beside a plain search, ties, votes, and what is refused. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

enum { ROWS = 300, ASKED = 50, WIDTH = 7, CLASSES = 3 };

static int code_of_last;
static char why[256];

static void learn(const char *options, const xy_examples *train, const xy_examples *asked,
                  float *probabilities)
{
    struct instance *instance = stage_host_open(&host, XY_LEARNER, "knn", options);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_learner *learner = &instance_type(instance)->learner;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host.cancelled;
    void *fitted = NULL;
    code_of_last = learner->fit(instance_state(instance), &job->base, train, 1, &fitted);
    if (code_of_last == XY_OK) {
        code_of_last = learner->predict(instance_state(instance), &job->base, fitted, asked,
                                        probabilities);
        learner->release(instance_state(instance), fitted);
    }
    snprintf(why, sizeof(why), "%s", job->why ? job->why : "");
    job_destroy(job);
    instance_close(instance);
}

static double cosine(const float *a, const float *b)
{
    double inner = 0, left = 0, right = 0;
    for (size_t j = 0; j < WIDTH; j++) {
        inner += (double)a[j] * (double)b[j];
        left += (double)a[j] * (double)a[j];
        right += (double)b[j] * (double)b[j];
    }
    return inner / sqrt(left * right);
}

/* The class shares among the k nearest, found by counting for each row how many are nearer. */
static void search(const float *vectors, const int32_t *labels, const float *weights,
                   const float *row, size_t k, bool by_cosine, double *shares)
{
    double sum = 0;
    memset(shares, 0, CLASSES * sizeof(*shares));
    for (size_t i = 0; i < ROWS; i++) {
        double own = cosine(vectors + i * WIDTH, row);
        size_t nearer = 0;
        if (weights[i] <= 0)
            continue;
        for (size_t j = 0; j < ROWS; j++)
            nearer += weights[j] > 0 && cosine(vectors + j * WIDTH, row) > own;
        if (nearer >= k)
            continue;
        double vote = (double)weights[i] * (by_cosine ? fmax(own, 0) : 1);
        shares[labels[i]] += vote;
        sum += vote;
    }
    for (size_t c = 0; c < CLASSES; c++)
        shares[c] /= sum;
}

static void beside_a_plain_search(void)
{
    static float vectors[ROWS * WIDTH], asked[ASKED * WIDTH], weights[ROWS];
    static int32_t labels[ROWS];
    static float probabilities[ASKED * CLASSES];
    uint64_t state = 3;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            vectors[i * WIDTH + j] = (float)(xy_random_unit(&state) * 2 - 1);
        labels[i] = (int32_t)xy_random_below(&state, CLASSES);
        weights[i] = (float)(i % 4) / 2;
    }
    for (size_t i = 0; i < (size_t)ASKED * WIDTH; i++)
        asked[i] = (float)(xy_random_unit(&state) * 2 - 1);
    xy_examples train = {.size = sizeof(train), .classes = CLASSES, .count = ROWS, .labels = labels,
                         .weights = weights, .vectors = vectors, .dimension = WIDTH};
    xy_examples exam = {.size = sizeof(exam), .classes = CLASSES, .count = ASKED, .vectors = asked,
                        .dimension = WIDTH};
    for (int by_cosine = 0; by_cosine < 2; by_cosine++) {
        learn(by_cosine ? "{k: 9, votes: cosine}" : "{k: 9}", &train, &exam, probabilities);
        CU_ASSERT_EQUAL_FATAL(code_of_last, XY_OK);
        for (size_t i = 0; i < ASKED; i++) {
            double shares[CLASSES];
            search(vectors, labels, weights, asked + i * WIDTH, 9, by_cosine, shares);
            for (size_t c = 0; c < CLASSES; c++)
                CU_ASSERT_DOUBLE_EQUAL(probabilities[i * CLASSES + c], shares[c], 1e-5);
        }
    }
}

/* Four rows in one direction: of equals the first two have the votes. */
static void equals_go_by_index(void)
{
    static const float vectors[] = {1, 0, 2, 0, 3, 0, 4, 0, 0, 1};
    static const int32_t labels[] = {0, 1, 1, 1, 1};
    static const float at[] = {5, 0, 0, 0};
    float p[4];
    xy_examples train = {.size = sizeof(train), .classes = 2, .count = 5, .labels = labels,
                         .vectors = vectors, .dimension = 2};
    xy_examples asked = {.size = sizeof(asked), .classes = 2, .count = 2, .vectors = at,
                         .dimension = 2};
    learn("{k: 2}", &train, &asked, p);
    CU_ASSERT_DOUBLE_EQUAL(p[0], 0.5, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(p[2], 0.2, 1e-6); /* zeros: the classes' shares */
    learn("{k: 1}", &train, &asked, p);
    CU_ASSERT_DOUBLE_EQUAL(p[0], 1, 1e-6);
    learn("{k: 100}", &train, &asked, p);
    CU_ASSERT_DOUBLE_EQUAL(p[0], 0.2, 1e-6);
    static const float soft[] = {0.25f, 0.75f, 1, 0, 0, 1, 0, 1, 0, 1};
    train.labels = NULL;
    train.soft = soft;
    learn("{k: 2}", &train, &asked, p);
    CU_ASSERT_DOUBLE_EQUAL(p[0], 0.625, 1e-6);
}

static void words(void)
{
    static const xy_str texts[] = {STR("a fine film"), STR("a dull film"), STR("fine acting"),
                                   STR("dull acting")};
    static const xy_str others[] = {STR("how fine"), STR("so dull"), STR("unheard of")};
    static const int32_t labels[] = {1, 0, 1, 0};
    float p[6];
    xy_examples train = {.size = sizeof(train), .classes = 2, .count = 4, .texts = texts,
                         .labels = labels};
    xy_examples asked = {.size = sizeof(asked), .classes = 2, .count = 3, .texts = others};
    learn("{k: 2, ngrams: 1}", &train, &asked, p);
    CU_ASSERT_EQUAL_FATAL(code_of_last, XY_OK);
    CU_ASSERT_DOUBLE_EQUAL(p[1], 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(p[2], 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(p[4], 0.5, 1e-6);
}

static void refuses(void)
{
    static const float vectors[] = {1, 2};
    static const int32_t labels[] = {0, 0}, both[] = {0, 1};
    float p[4];
    xy_examples train = {.size = sizeof(train), .classes = 2, .count = 2, .labels = labels,
                         .vectors = vectors, .dimension = 1};
    learn("{}", &train, &train, p);
    CU_ASSERT_EQUAL(code_of_last, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "all 2 examples are of class 0"));
    train.labels = both;
    xy_examples wide = train;
    wide.dimension = 2;
    wide.count = 1;
    learn("{}", &train, &wide, p);
    CU_ASSERT_EQUAL(code_of_last, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "trained on rows of 1 numbers, asked about rows of 2"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_LEARNER, "knn", "{k: 0}"));
}

int main(void)
{
    static const struct check checks[] = {
        {"beside a plain search", beside_a_plain_search},
        {"equals, zeros, soft labels", equals_go_by_index},
        {"words", words},
        {"what it refuses", refuses},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "knn");
    int failed = check_main("knn", checks);
    stage_host_free(&host);
    return failed;
}
