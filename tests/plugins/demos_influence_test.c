/* SPDX-License-Identifier: Apache-2.0 */
/* demos.influence: its scores beside training anew without each row, and on film reviews of which a
 * fifth has a wrong label. */
#include "check.h"
#include "json.h"
#include "stage_host.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "demos");
}

/* The scores of the kept rows, by the numbers that their ids begin at 1000 with; NaN elsewhere. */
static void read_scores(double *scores, size_t count)
{
    for (size_t i = 0; i < count; i++)
        scores[i] = NAN;
    const char *kept = stage_host_detail(&host, "demos.influence", "kept");
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    for (const char *at = kept; (at = strstr(at, "[\"")) != NULL; at++) {
        char *end;
        size_t row = (size_t)strtoull(at + 2, &end, 16) - 1000;
        CU_ASSERT_FATAL(row < count);
        scores[row] = strtod(end + 2, NULL);
    }
}

/* ---- beside training anew -------------------------------------------------------------------- */

enum { ROWS = 200, OTHERS = 60, WIDTH = 5, PLACES = WIDTH + 1 };

struct row {
    double x[PLACES]; /* the last is 1 */
    int label;
};

static struct row train[ROWS], others[OTHERS];

/* Two overlapping clouds, so that rows of either label help and harm. */
static void make_rows(struct row *rows, size_t count, uint64_t seed, struct buffer *lines)
{
    uint64_t random = seed;
    buffer_init(lines, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        rows[i].label = xy_random_unit(&random) < 0.5;
        buffer_printf(lines, "{\"label\":\"%s\",\"#v\":[", rows[i].label ? "good" : "bad");
        for (size_t j = 0; j < WIDTH; j++) {
            double noise = 0;
            for (int k = 0; k < 4; k++)
                noise += xy_random_unit(&random) - 0.5;
            double value = (double)(float)(0.3 * (rows[i].label ? 1 : -1) + noise);
            rows[i].x[j] = value;
            buffer_printf(lines, "%s%.9g", j ? "," : "", value);
        }
        rows[i].x[WIDTH] = 1;
        buffer_printf(lines, "]}\n");
    }
}

static double margin(const double *w, const struct row *row)
{
    double sum = 0;
    for (size_t i = 0; i < PLACES; i++)
        sum += w[i] * row->x[i];
    return row->label ? sum : -sum;
}

/* Solves a small system by elimination; `a` is symmetric and positive definite. */
static void eliminate(double a[PLACES][PLACES + 1], double *x)
{
    for (size_t i = 0; i < PLACES; i++)
        for (size_t j = i + 1; j < PLACES; j++) {
            double factor = a[j][i] / a[i][i];
            for (size_t k = i; k <= PLACES; k++)
                a[j][k] -= factor * a[i][k];
        }
    for (size_t i = PLACES; i-- > 0;) {
        x[i] = a[i][PLACES];
        for (size_t k = i + 1; k < PLACES; k++)
            x[i] -= a[i][k] * x[k];
        x[i] /= a[i][i];
    }
}

/* Binary logistic regression by Newton's method. Two classes' weights with the penalty |W|^2 /
 * (2 c) are +w/2 and -w/2 at the optimum, which is the penalty |w|^2 / (4 c). */
static void fit(double *w, size_t without, double c)
{
    memset(w, 0, PLACES * sizeof(*w));
    for (int step = 0; step < 50; step++) {
        double a[PLACES][PLACES + 1] = {{0}}, move[PLACES];
        for (size_t i = 0; i < PLACES; i++) {
            a[i][i] = 1 / (2 * c);
            a[i][PLACES] = w[i] / (2 * c);
        }
        for (size_t row = 0; row < ROWS; row++) {
            if (row == without)
                continue;
            double p = 1 / (1 + exp(margin(w, &train[row]))), sign = train[row].label ? 1 : -1;
            for (size_t i = 0; i < PLACES; i++) {
                a[i][PLACES] -= p * sign * train[row].x[i];
                for (size_t j = 0; j < PLACES; j++)
                    a[i][j] += p * (1 - p) * train[row].x[i] * train[row].x[j];
            }
        }
        eliminate(a, move);
        for (size_t i = 0; i < PLACES; i++)
            w[i] -= move[i];
    }
}

static double loss(const double *w, bool reverse)
{
    double sum = 0;
    for (size_t i = 0; i < OTHERS; i++) {
        double m = margin(w, &others[i]);
        sum += reverse ? 1 / (1 + exp(m)) : log1p(exp(-m));
    }
    return sum;
}

static void rank(const double *values, double *ranks)
{
    for (size_t i = 0; i < ROWS; i++) {
        ranks[i] = 0;
        for (size_t j = 0; j < ROWS; j++)
            ranks[i] += values[j] < values[i];
    }
}

/* No two values tie, so the rank correlation is 1 - 6 sum d^2 / (n (n^2 - 1)). */
static double rank_correlation(const double *a, const double *b)
{
    double left[ROWS], right[ROWS], sum = 0;
    rank(a, left);
    rank(b, right);
    for (size_t i = 0; i < ROWS; i++)
        sum += (left[i] - right[i]) * (left[i] - right[i]);
    return 1 - 6 * sum / (ROWS * ((double)ROWS * ROWS - 1));
}

static void compare_with_retraining(bool reverse)
{
    struct buffer lines, other_lines;
    double scores[ROWS], changes[ROWS], w[PLACES];
    start();
    make_rows(train, ROWS, 11, &lines);
    make_rows(others, OTHERS, 12, &other_lines);
    stage_host_add_dataset(&host, "pool", lines.bytes);
    stage_host_add_dataset(&host, "others", other_lines.bytes);
    struct instance *demos = stage_host_open(
        &host, XY_CONDITION, "demos.influence",
        reverse ? "{pool: pool, validation: others, vector: v, keep: 1000, c: 2, loss: rce}"
                : "{pool: pool, validation: others, vector: v, keep: 1000, c: 2, loss: ce}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(demos);
    read_scores(scores, ROWS);
    fit(w, SIZE_MAX, 2);
    double whole = loss(w, reverse), error = 0, size = 0;
    for (size_t i = 0; i < ROWS; i++) {
        fit(w, i, 2);
        changes[i] = whole - loss(w, reverse); /* what adding the row does */
        error += (changes[i] - scores[i]) * (changes[i] - scores[i]);
        size += changes[i] * changes[i];
    }
    double correlation = rank_correlation(scores, changes);
    printf("\n    %s: rank correlation with retraining %.4f, relative error %.3f ",
           reverse ? "rce" : "ce", correlation, sqrt(error / size));
    CU_ASSERT_TRUE(correlation > 0.95);
    CU_ASSERT_TRUE(sqrt(error / size) < 0.15); /* first order: not only the ranks agree */
    instance_close(demos);
    buffer_free(&lines);
    buffer_free(&other_lines);
    stage_host_free(&host);
}

static void cross_entropy_as_retraining(void)
{
    compare_with_retraining(false);
}

static void reverse_cross_entropy_as_retraining(void)
{
    compare_with_retraining(true);
}

/* ---- wrong labels among film reviews --------------------------------------------------------- */

enum { REVIEWS = 8000, BUCKETS = 2048 };

static bool flipped[REVIEWS];
static float vectors[REVIEWS][BUCKETS];

/* The buckets of the text's words, each counted once. */
static void hash_words(const char *text, float *vector)
{
    while (*text) {
        uint64_t hash = UINT64_C(14695981039346656037);
        while (*text && !isalnum((unsigned char)*text))
            text++;
        bool any = false;
        for (; isalnum((unsigned char)*text); text++, any = true)
            hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
        if (any)
            vector[(hash >> 20) % BUCKETS] = 1;
    }
}

/* Weighs each bucket by how few reviews have it, and brings each review to unit length. */
static void weigh_words(void)
{
    static double weights[BUCKETS];
    for (size_t j = 0; j < BUCKETS; j++) {
        double having = 0;
        for (size_t i = 0; i < REVIEWS; i++)
            having += (double)vectors[i][j];
        weights[j] = log((1 + REVIEWS) / (1 + having)) + 1;
    }
    for (size_t i = 0; i < REVIEWS; i++) {
        double square = 0;
        for (size_t j = 0; j < BUCKETS; j++)
            square += (double)vectors[i][j] * weights[j] * weights[j];
        for (size_t j = 0; j < BUCKETS && square > 0; j++)
            vectors[i][j] = (float)((double)vectors[i][j] * weights[j] / sqrt(square));
    }
}

/* The next line as a record; its label wrong for every fifth, at random. */
static struct record *read_review(const char **at, size_t i, uint64_t *random)
{
    const char *end = strchr(*at, '\n');
    char *line = strndup(*at, (size_t)(end - *at));
    struct record *record = stage_host_record(line, 1000 + i);
    free(line);
    *at = end + 1;
    hash_words(stage_text(record, "text"), vectors[i]);
    int gold = stage_number(record, "gold") > 0;
    flipped[i] = xy_random_unit(random) < 0.2;
    xy_record_set_int(&record->base, "label", flipped[i] ? 1 - gold : gold);
    return record;
}

/* The chance that a flipped row has a higher score, so a more harmful one, than another. */
static double harmful_flips(const char *options, size_t *scored)
{
    static double scores[REVIEWS];
    struct instance *demos = stage_host_open(&host, XY_CONDITION, "demos.influence", options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(demos);
    read_scores(scores, REVIEWS);
    double above = 0, pairs = 0;
    *scored = 0;
    for (size_t i = 0; i < REVIEWS; i++) {
        *scored += !isnan(scores[i]);
        for (size_t j = 0; j < REVIEWS && flipped[i]; j++) {
            if (flipped[j] || isnan(scores[i]) || isnan(scores[j]))
                continue;
            pairs++;
            above += scores[i] > scores[j];
        }
    }
    instance_close(demos);
    return above / pairs;
}

static void finds_wrong_labels(void)
{
    static struct record *records[REVIEWS];
    size_t scored, again;
    uint64_t random = 5;
    start();
    const char *at = stage_host_reference(&host, "freeal-mr/train.jsonl.gz");
    if (!at) {
        stage_host_free(&host);
        return;
    }
    for (size_t i = 0; i < REVIEWS; i++)
        records[i] = read_review(&at, i, &random);
    weigh_words();
    for (size_t i = 0; i < REVIEWS; i++) {
        xy_value value = {.type = XY_VECTOR, .length = BUCKETS, .vector = vectors[i]};
        records[i]->base.api->set(&records[i]->base, "v", &value);
    }
    stage_host_add_records(&host, "reviews", records, REVIEWS);
    double rce = harmful_flips("{pool: reviews, vector: v, keep: 100000, c: 1}", &scored);
    double ce = harmful_flips("{pool: reviews, vector: v, keep: 100000, c: 1, loss: ce}", &again);
    printf("\n    flipped rows more harmful: rce %.4f, ce %.4f (AUROC over %zu rows) ", rce, ce,
           scored);
    CU_ASSERT_TRUE(scored > REVIEWS / 2 - 3 && scored < REVIEWS / 2 + 3); /* half of each label */
    CU_ASSERT_EQUAL(again, scored);
    CU_ASSERT_TRUE(rce > 0.65); /* what bags of words can tell; by chance 0.5, +- 0.01 */
    CU_ASSERT_TRUE(rce > ce + 0.05);
    for (size_t i = 0; i < REVIEWS; i++)
        record_destroy(records[i]);
    stage_host_free(&host);
}

/* ---- the choice ------------------------------------------------------------------------------ */

/* On a line: rows of "n" left, of "p" right, but for one "p" far left, which harms. Only the two
 * most helpful of each label are shown. */
static void keeps_the_helpful(void)
{
    start();
    stage_host_add_dataset(&host, "pool",
                           "{\"label\":\"p\",\"#v\":[1,0.1]}\n{\"label\":\"p\",\"#v\":[1,0.2]}\n"
                           "{\"label\":\"p\",\"#v\":[-1,0.3]}\n{\"label\":\"n\",\"#v\":[-1,0]}\n"
                           "{\"label\":\"n\",\"#v\":[-1,0.1]}\n{\"label\":\"n\",\"#v\":[-1,0.4]}\n"
                           "{\"#v\":[5,5]}\n");
    stage_host_add_dataset(&host, "others", "{\"label\":\"p\",\"#v\":[1,0]}\n"
                                            "{\"label\":\"n\",\"#v\":[-1,0]}\n"
                                            "{\"label\":\"x\",\"#v\":[-1,0]}\n");
    struct instance *demos =
        stage_host_open(&host, XY_CONDITION, "demos.influence",
                        "{pool: pool, validation: others, vector: v, keep: 2, k: 2, match: label}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(demos);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct stage_result result = {0};
        host.services.seed = seed;
        stage_host_process(&host, demos, "{\"label\":\"p\",\"@parent\":1}", &result);
        const char *ids = stage_text(result.input, "demo_ids");
        CU_ASSERT_PTR_NOT_NULL(strstr(ids, "03e8"));
        CU_ASSERT_PTR_NOT_NULL(strstr(ids, "03e9"));
        stage_result_free(&result);
    }
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "helpful").value, 5. / 6, 1e-9);
    CU_ASSERT_EQUAL(stage_host_score(&host, "student_accuracy").value, 1);
    instance_close(demos);
    stage_host_free(&host);
}

static void refuse(const char *pool, const char *options, const char *why)
{
    start();
    stage_host_add_dataset(&host, "pool", pool);
    stage_host_add_dataset(&host, "empty", "");
    stage_host_add_dataset(&host, "strange", "{\"label\":\"x\",\"#v\":[1,0]}\n");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "demos.influence", options));
    if (!strstr(host.error.text, why))
        printf("\n    got: %s ", host.error.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, why));
    stage_host_free(&host);
}

static void refuses_bad_pools(void)
{
    const char *two = "{\"label\":\"p\",\"#v\":[1,0]}\n{\"label\":\"n\",\"#v\":[0,1]}\n";
    refuse("", "{pool: pool, vector: v}", "`pool` is empty");
    refuse("{\"label\":\"p\",\"#v\":[1,0]}\n", "{pool: pool, vector: v}", "one label only");
    refuse("{\"text\":\"p\",\"#v\":[1,0]}\n", "{pool: pool, vector: v}", "no label in `label`");
    refuse(two, "{pool: pool, vector: v}", "needs two rows of some label");
    refuse(two, "{pool: pool, vector: v, validation: empty}", "`validation` is empty");
    refuse(two, "{pool: pool, vector: v, validation: strange}", "no label of `validation`");
    refuse(two, "{pool: pool, vector: w}", "no record of the `pool` has a vector in `w`");
    refuse("{\"label\":\"p\",\"#v\":[1,0]}\n{\"label\":\"n\"}\n", "{pool: pool, vector: v}",
           "record 1 of the `pool` has no vector");
    refuse(two, "{pool: pool}", "give `embed`");
    refuse(two, "{pool: pool, vector: v, loss: mse}", "`mse`");
}

static const struct check checks[] = {
    {"cross-entropy beside retraining", cross_entropy_as_retraining},
    {"reverse cross-entropy beside retraining", reverse_cross_entropy_as_retraining},
    {"wrong labels among film reviews", finds_wrong_labels},
    {"keeps the helpful of each label", keeps_the_helpful},
    {"bad input", refuses_bad_pools},
    {0},
};

int main(void)
{
    return check_main("demos.influence", checks);
}
