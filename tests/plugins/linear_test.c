/* SPDX-License-Identifier: Apache-2.0 */
/* What training promises, checked on what it predicts: a logistic regression is at its optimum when
 * its own errors give back its weights, whatever solver found them. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

/* fit() and predict() on the same or on other rows. Returns fit()'s code, `why` in *why. */
static int learn(const char *options, const xy_examples *train, const xy_examples *ask,
                 float *probabilities, char why[256])
{
    struct instance *instance = stage_host_open(&host, XY_LEARNER, "linear", options);
    CU_ASSERT_FATAL(instance != NULL);
    const xy_learner *learner = &instance_type(instance)->learner;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host.cancelled;
    void *fitted = NULL;
    int code = learner->fit(instance_state(instance), &job->base, train, 1, &fitted);
    if (code == XY_OK) {
        CU_ASSERT_EQUAL(learner->predict(instance_state(instance), &job->base, fitted, ask,
                                         probabilities), XY_OK);
        learner->release(instance_state(instance), fitted);
    }
    if (why)
        snprintf(why, 256, "%s", job->why ? job->why : "");
    job_destroy(job);
    instance_close(instance);
    return code;
}

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "linear");
}

enum { ROWS = 60, WIDTH = 5 };

/* Rows whose class depends on the first feature, but not always; weights from 0 to 3. */
struct sample {
    float vectors[ROWS * WIDTH], weights[ROWS], soft[ROWS * 2];
    int32_t labels[ROWS];
    xy_examples examples;
};

static void fill(struct sample *sample)
{
    uint64_t state = 99;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            sample->vectors[i * WIDTH + j] = (float)(xy_random_unit(&state) * 2 - 1);
        sample->labels[i] =
            (double)sample->vectors[i * WIDTH] + xy_random_unit(&state) - 0.5 > 0.2;
        sample->weights[i] = (float)(i % 4);
        sample->soft[i * 2 + 1] = (float)xy_random_unit(&state);
        sample->soft[i * 2] = 1 - sample->soft[i * 2 + 1];
    }
    sample->examples = (xy_examples){.size = sizeof(xy_examples), .classes = 2, .count = ROWS,
                                     .labels = sample->labels, .weights = sample->weights,
                                     .vectors = sample->vectors, .dimension = WIDTH};
}

/* At the optimum w = C sum_i weight_i (t_i - p_i) x_i and sum_i weight_i (t_i - p_i) = 0, so that
 * log(p_i / (1 - p_i)) - w.x_i is the intercept, the same for every row. */
static void check_optimum(const struct sample *sample, const float *probabilities, double c,
                          bool soft)
{
    double w[WIDTH] = {0}, balance = 0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < ROWS; i++) {
        double target = soft ? (double)sample->soft[i * 2 + 1] : sample->labels[i];
        double error = (double)sample->weights[i] * (target - (double)probabilities[i * 2 + 1]);
        balance += error;
        for (size_t j = 0; j < WIDTH; j++)
            w[j] += c * error * (double)sample->vectors[i * WIDTH + j];
    }
    for (size_t i = 0; i < ROWS; i++) {
        double p = (double)probabilities[i * 2 + 1], z = log(p / (1 - p));
        for (size_t j = 0; j < WIDTH; j++)
            z -= w[j] * (double)sample->vectors[i * WIDTH + j];
        low = fmin(low, z);
        high = fmax(high, z);
    }
    CU_ASSERT(fabs(balance) < 1e-3);
    CU_ASSERT(high - low < 1e-3);
    if (high - low >= 1e-3)
        printf("\n    the intercept runs from %g to %g, errors sum to %g\n", low, high, balance);
}

static void optimum(void)
{
    start();
    struct sample sample;
    float probabilities[ROWS * 2];
    fill(&sample);
    static const char *const options[] = {"{c: 0.1}", "{c: 1}", "{c: 10}"};
    static const double c[] = {0.1, 1, 10};
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(learn(options[i], &sample.examples, &sample.examples, probabilities, NULL),
                        XY_OK);
        check_optimum(&sample, probabilities, c[i], false);
    }
    sample.examples.soft = sample.soft;
    CU_ASSERT_EQUAL(learn("{c: 1}", &sample.examples, &sample.examples, probabilities, NULL),
                    XY_OK);
    check_optimum(&sample, probabilities, 1, true);
    stage_host_free(&host);
}

/* Rows of which most is zero have a solver of their own first, which leaves what it is slow at to
 * the other: little regularisation over few features, as with c: 10, and little to be learnt about
 * the intercept, as with c: 0.001. */
static void optimum_of_sparse_rows(void)
{
    start();
    struct sample sample;
    float probabilities[ROWS * 2];
    fill(&sample);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < WIDTH; j++)
            if ((i + j) % WIDTH > 1)
                sample.vectors[i * WIDTH + j] = 0;
    static const char *const options[] = {"{c: 0.001}", "{c: 0.1}", "{c: 10}"};
    static const double c[] = {0.001, 0.1, 10};
    for (size_t i = 0; i < 6; i++) {
        sample.examples.soft = i < 3 ? NULL : sample.soft;
        CU_ASSERT_EQUAL(learn(options[i % 3], &sample.examples, &sample.examples, probabilities,
                              NULL), XY_OK);
        check_optimum(&sample, probabilities, c[i % 3], i >= 3);
    }
    stage_host_free(&host);
}

/* Features that one row alone has are solved away: the conditions of the optimum must hold for them
 * like for any other, and a feature that no row has must weigh nothing. */
static void features_of_one_row(void)
{
    enum { OWN = WIDTH, UNUSED = WIDTH + 2 * ROWS, WIDE = UNUSED + 1 };
    start();
    struct sample sample;
    fill(&sample);
    static float wide[ROWS * WIDE], p[ROWS * 2], asked[3 * WIDE], answers[3 * 2];
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(wide + i * WIDE, sample.vectors + i * WIDTH, WIDTH * sizeof(float));
        wide[i * WIDE + OWN + 2 * i] = 0.5f;
        if (i % 3 == 0)
            wide[i * WIDE + OWN + 2 * i + 1] = -1.5f;
    }
    xy_examples train = sample.examples, ask = {.size = sizeof(ask), .classes = 2, .count = 3,
                                                .vectors = asked, .dimension = WIDE};
    train.vectors = wide;
    train.dimension = WIDE;
    asked[WIDE + UNUSED] = 9;        /* after a row of zeros, which shows the intercept */
    asked[2 * WIDE + OWN + 7] = 2;   /* row 3's second own feature */
    CU_ASSERT_EQUAL(learn("{c: 2}", &train, &train, p, NULL), XY_OK);
    CU_ASSERT_EQUAL(learn("{c: 2}", &train, &ask, answers, NULL), XY_OK);
    double w[WIDE] = {0}, intercept = log((double)answers[1] / (double)answers[0]);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < WIDE; j++)
            w[j] += 2 * (double)sample.weights[i] *
                    (sample.labels[i] - (double)p[i * 2 + 1]) * (double)wide[i * WIDE + j];
    for (size_t i = 0; i < ROWS; i++) {
        double z = intercept;
        for (size_t j = 0; j < WIDE; j++)
            z += w[j] * (double)wide[i * WIDE + j];
        CU_ASSERT(fabs(1 / (1 + exp(-z)) - (double)p[i * 2 + 1]) < 1e-5);
    }
    CU_ASSERT_EQUAL(answers[2], answers[0]);
    CU_ASSERT(fabs(1 / (1 + exp(-intercept - 2 * w[OWN + 7])) - (double)answers[5]) < 1e-5);
    CU_ASSERT(fabs(w[OWN + 7]) > 0.01);
    stage_host_free(&host);
}

static double distance(const float *a, const float *b, size_t count)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

static void weights_are_copies(void)
{
    start();
    struct sample sample;
    fill(&sample);
    static float vectors[ROWS * 3 * WIDTH], once[ROWS * 2], copied[ROWS * 2];
    static int32_t labels[ROWS * 3];
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        for (int copy = 0; copy < (int)sample.weights[i]; copy++, count++) {
            memcpy(vectors + count * WIDTH, sample.vectors + i * WIDTH, WIDTH * sizeof(float));
            labels[count] = sample.labels[i];
        }
    }
    const xy_examples copies = {.size = sizeof(copies), .classes = 2, .count = count,
                                .labels = labels, .vectors = vectors, .dimension = WIDTH};
    CU_ASSERT_EQUAL(learn("{c: 1}", &sample.examples, &sample.examples, once, NULL), XY_OK);
    CU_ASSERT_EQUAL(learn("{c: 1}", &copies, &sample.examples, copied, NULL), XY_OK);
    CU_ASSERT(distance(once, copied, ROWS * 2) < 1e-4);
    stage_host_free(&host);
}

static void soft_is_one_row_for_each_class(void)
{
    start();
    struct sample sample;
    fill(&sample);
    static float vectors[ROWS * 2 * WIDTH], weights[ROWS * 2], soft[ROWS * 2], hard[ROWS * 2];
    static int32_t labels[ROWS * 2];
    for (size_t i = 0; i < ROWS * 2; i++) {
        memcpy(vectors + i * WIDTH, sample.vectors + i / 2 * WIDTH, WIDTH * sizeof(float));
        labels[i] = (int32_t)(i % 2);
        weights[i] = sample.soft[i] * sample.weights[i / 2];
    }
    const xy_examples rows = {.size = sizeof(rows), .classes = 2, .count = ROWS * 2,
                              .labels = labels, .weights = weights, .vectors = vectors,
                              .dimension = WIDTH};
    sample.examples.soft = sample.soft;
    CU_ASSERT_EQUAL(learn("{c: 1}", &sample.examples, &sample.examples, soft, NULL), XY_OK);
    CU_ASSERT_EQUAL(learn("{c: 1}", &rows, &sample.examples, hard, NULL), XY_OK);
    CU_ASSERT(distance(soft, hard, ROWS * 2) < 1e-4);
    stage_host_free(&host);
}

/* ---- texts and classes ----------------------------------------------------------------------- */

static xy_examples texts_of(const char *const *texts, const int32_t *labels, size_t count,
                            uint32_t classes, xy_str *room)
{
    for (size_t i = 0; i < count; i++)
        room[i] = xy_text(texts[i]);
    return (xy_examples){.size = sizeof(xy_examples), .classes = classes, .count = count,
                         .texts = room, .labels = labels};
}

static const char *const colours[] = {"a red car", "the red house", "red", "a blue car",
                                      "the blue house", "blue", "a green car", "the green house",
                                      "green"};
static const int32_t colour_labels[] = {0, 0, 0, 2, 2, 2, 3, 3, 3};

static void several_classes(void)
{
    start();
    xy_str room[9], asked[4];
    static const char *const questions[] = {"red tree", "BLUE!", "Green green", "nothing known"};
    float p[4 * 5];
    xy_examples train = texts_of(colours, colour_labels, 9, 5, room);
    xy_examples ask = texts_of(questions, NULL, 4, 5, asked);
    CU_ASSERT_EQUAL(learn("{c: 10}", &train, &ask, p, NULL), XY_OK);
    CU_ASSERT(p[0] > 0.5f && p[5 + 2] > 0.5f && p[10 + 3] > 0.5f);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(fabs((double)(p[i * 5] + p[i * 5 + 2] + p[i * 5 + 3]) - 1) < 1e-6);
        CU_ASSERT(p[i * 5 + 1] == 0 && p[i * 5 + 4] == 0); /* never trained on */
    }
    /* No known word, and by symmetry nothing speaks for any of the three. */
    CU_ASSERT(fabs((double)p[15] - 1.0 / 3) < 1e-3 && fabs((double)p[17] - 1.0 / 3) < 1e-3);
    stage_host_free(&host);
}

/* Nine problems, more than go side by side, come to what each comes to by itself. */
static void classes_are_problems_of_their_own(void)
{
    enum { CLASSES = 9 };
    start();
    struct sample sample;
    fill(&sample);
    static float all[ROWS * CLASSES], single[CLASSES][ROWS * 2];
    int32_t labels[ROWS], is_class[ROWS];
    for (int i = 0; i < ROWS; i++)
        labels[i] = (i / 4 + sample.labels[i]) % CLASSES;
    xy_examples train = sample.examples;
    train.classes = CLASSES;
    train.labels = labels;
    CU_ASSERT_EQUAL(learn("{c: 3}", &train, &train, all, NULL), XY_OK);
    train.classes = 2;
    train.labels = is_class;
    for (int k = 0; k < CLASSES; k++) {
        for (int i = 0; i < ROWS; i++)
            is_class[i] = labels[i] == k;
        CU_ASSERT_EQUAL(learn("{c: 3}", &train, &train, single[k], NULL), XY_OK);
    }
    for (size_t i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            sum += (double)single[k][i * 2 + 1];
        for (size_t k = 0; k < CLASSES; k++)
            CU_ASSERT(fabs((double)all[i * CLASSES + k] - (double)single[k][i * 2 + 1] / sum) <
                      1e-6);
    }
    stage_host_free(&host);
}

static void one_class_is_named(void)
{
    start();
    xy_str room[9];
    int32_t labels[9];
    float weights[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0}, p[9 * 5];
    char why[256];
    for (int i = 0; i < 9; i++)
        labels[i] = 3;
    xy_examples train = texts_of(colours, labels, 9, 5, room);
    CU_ASSERT_EQUAL(learn(NULL, &train, &train, p, why), XY_EINVAL);
    CHECK_TEXT(why, "all 9 examples are of class 3 (counted from 0): there must be examples of two "
               "classes at least");
    train.weights = weights;
    CU_ASSERT_EQUAL(learn(NULL, &train, &train, p, why), XY_EINVAL);
    CHECK_TEXT(why, "no example has a weight above 0");
    /* A row of weight 0 is no row: with it, there would be two classes. */
    labels[0] = 1;
    for (int i = 1; i < 9; i++)
        weights[i] = 1;
    CU_ASSERT_EQUAL(learn(NULL, &train, &train, p, why), XY_EINVAL);
    stage_host_free(&host);
}

static void unicode_is_folded(void)
{
    start();
    static const char *const train_texts[] = {"\xc3\xa9t\xc3\xa9", "hiver", "STRASSE", "Weg"};
    static const int32_t labels[] = {0, 1, 0, 1};
    /* The same words: upper case, decomposed, sharp s. */
    static const char *const same[] = {"\xc3\x89T\xc3\x89", "e\xcc\x81te\xcc\x81",
                                       "stra\xc3\x9f" "e", "strasse"};
    xy_str room[4], asked[4];
    float p[8], exact[8];
    xy_examples train = texts_of(train_texts, labels, 4, 2, room);
    xy_examples ask = texts_of(same, NULL, 4, 2, asked);
    static const char *const kinds[] = {"{features: words}", "{features: characters, ngrams: 3}"};
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(learn(kinds[i], &train, &train, exact, NULL), XY_OK);
        CU_ASSERT_EQUAL(learn(kinds[i], &train, &ask, p, NULL), XY_OK);
        CU_ASSERT(exact[0] > 0.5f && p[0] == exact[0] && p[2] == exact[0]);
        CU_ASSERT(p[4] == exact[4] && p[6] == exact[4]);
    }
    stage_host_free(&host);
}

static void pairs_of_words_count(void)
{
    start();
    static const char *const train_texts[] = {"not good", "not bad", "good not", "bad not"};
    static const int32_t labels[] = {0, 1, 1, 0}; /* single words tell nothing */
    xy_str room[4];
    float single[8], pairs[8];
    xy_examples train = texts_of(train_texts, labels, 4, 2, room);
    CU_ASSERT_EQUAL(learn("{ngrams: 1}", &train, &train, single, NULL), XY_OK);
    CU_ASSERT_EQUAL(learn("{ngrams: 2}", &train, &train, pairs, NULL), XY_OK);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(fabs((double)single[i * 2] - 0.5) < 1e-6);
        CU_ASSERT(pairs[i * 2 + labels[i]] > 0.55f);
    }
    stage_host_free(&host);
}

/* A vector that tells only whether the text begins with an upper-case letter. */
static int embed(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    float *vectors = arena_alloc(arena, request->text_count * 2 * sizeof(float));
    for (size_t i = 0; i < request->text_count; i++)
        vectors[i * 2 + (request->texts[i].ptr[0] < 'a')] = 1;
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = 2;
    return XY_OK;
}

static void embeddings(void)
{
    start();
    static const char *const train_texts[] = {"Ab", "Cd", "ab", "cd"}, *const questions[] = {"Xy"};
    static const int32_t labels[] = {0, 0, 1, 1};
    xy_str room[4], asked[1];
    float p[8];
    xy_examples train = texts_of(train_texts, labels, 4, 2, room);
    xy_examples ask = texts_of(questions, NULL, 1, 2, asked);
    host.answer = embed;
    CU_ASSERT_EQUAL(learn("{features: embedding, embed: any}", &train, &ask, p, NULL), XY_OK);
    CU_ASSERT(p[0] > 0.6f);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_LEARNER, "linear", "{features: embedding}"));
    CU_ASSERT(strstr(host.error.text, "needs `embed`") != NULL);
    stage_host_free(&host);
}

/* The case of a letter is in the vector, which letter it is in the word: the label needs both. One
 * word alone has an entry of 1, so that the rows can be written down. */
static void words_and_vectors(void)
{
    start();
    static const char *const texts[] = {"Ab", "ab", "Cd", "cd"};
    static const int32_t labels[] = {1, 0, 0, 0};
    static const float written[] = {0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1};
    static const float cases[] = {0, 1, 1, 0, 0, 1, 1, 0};
    static const char both[] = "{features: words_and_embedding, embed: any}";
    static const char handed[] = "{features: words_and_embedding}";
    xy_str room[4];
    float expected[8], p[8];
    char why[256];
    xy_examples rows = texts_of(texts, labels, 4, 2, room);
    host.answer = embed;
    rows.vectors = written;
    rows.dimension = 4;
    CU_ASSERT_EQUAL(learn("{c: 10}", &rows, &rows, expected, NULL), XY_OK);
    CU_ASSERT(expected[1] > 0.5f && expected[2] > 0.5f && expected[4] > 0.5f);
    rows.vectors = NULL;
    CU_ASSERT_EQUAL(learn(both, &rows, &rows, p, NULL), XY_OK);
    CU_ASSERT(distance(p, expected, 8) < 1e-6);
    CU_ASSERT_EQUAL(learn(handed, &rows, &rows, p, why), XY_EINVAL);
    CHECK_TEXT(why, "`features: words_and_embedding` needs `embed`, the alias of a model, where no "
               "vectors are handed over");
    rows.vectors = cases;
    rows.dimension = 2;
    CU_ASSERT_EQUAL(learn(handed, &rows, &rows, p, NULL), XY_OK);
    CU_ASSERT(distance(p, expected, 8) < 1e-6);
    rows.texts = NULL;
    CU_ASSERT_EQUAL(learn(handed, &rows, &rows, p, why), XY_EINVAL);
    CHECK_TEXT(why, "`features: words_and_embedding` needs texts, and there are none");
    stage_host_free(&host);
}

/* ---- size ------------------------------------------------------------------------------------ */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 10,000 texts of 15 words out of 20,000, the frequent ones more often, some of them telling. */
static void ten_thousand(void)
{
    start();
    enum { COUNT = 10000, LENGTH = 15 };
    xy_str *texts = memory_zeroed(COUNT, sizeof(*texts));
    int32_t *labels = memory_zeroed(COUNT, sizeof(*labels));
    float *first = memory_zeroed(COUNT * 2, sizeof(float));
    float *second = memory_zeroed(COUNT * 2, sizeof(float));
    uint64_t state = 5;
    for (size_t i = 0; i < COUNT; i++) {
        char text[LENGTH * 8];
        size_t used = 0;
        labels[i] = (int32_t)xy_random_below(&state, 2);
        for (int j = 0; j < LENGTH; j++) {
            double u = xy_random_unit(&state);
            unsigned word = (unsigned)(20000 * u * u * u);
            if (j == 0)
                word = word / 2 * 2 + (unsigned)labels[i];
            used += (size_t)snprintf(text + used, sizeof(text) - used, "w%u ", word);
        }
        texts[i] = (xy_str){arena_copy(&host.arena, text, used), used};
    }
    const xy_examples examples = {.size = sizeof(examples), .classes = 2, .count = COUNT,
                                  .texts = texts, .labels = labels};
    double before = seconds();
    CU_ASSERT_EQUAL(learn(NULL, &examples, &examples, first, NULL), XY_OK);
    double taken = seconds() - before;
    printf("(trained and predicted in %.2f s) ", taken);
    CU_ASSERT_EQUAL(learn(NULL, &examples, &examples, second, NULL), XY_OK);
    CU_ASSERT_EQUAL(memcmp(first, second, COUNT * 2 * sizeof(float)), 0);
    size_t right = 0;
    for (size_t i = 0; i < COUNT; i++)
        right += first[i * 2 + (size_t)labels[i]] > 0.5f;
    CU_ASSERT(right > COUNT * 6 / 10);
    CU_ASSERT(taken < 10); /* a second by far, but tests also run under sanitizers */
    free(texts);
    free(labels);
    free(first);
    free(second);
    stage_host_free(&host);
}

static void cancelled(void)
{
    start();
    struct sample sample;
    float probabilities[ROWS * 2];
    fill(&sample);
    atomic_store(&host.cancelled, 1);
    CU_ASSERT_EQUAL(learn("{c: 1}", &sample.examples, &sample.examples, probabilities, NULL),
                    XY_ECANCELED);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"the optimum is reached", optimum},
        {"the optimum is reached over sparse rows", optimum_of_sparse_rows},
        {"features of one row", features_of_one_row},
        {"weights are copies", weights_are_copies},
        {"soft is one row for each class", soft_is_one_row_for_each_class},
        {"several classes", several_classes},
        {"classes are problems of their own", classes_are_problems_of_their_own},
        {"one class is named", one_class_is_named},
        {"unicode is folded", unicode_is_folded},
        {"pairs of words count", pairs_of_words_count},
        {"embeddings", embeddings},
        {"words and vectors", words_and_vectors},
        {"ten thousand texts", ten_thousand},
        {"cancelled", cancelled},
        {NULL, NULL},
    };
    return check_main("linear", checks);
}
