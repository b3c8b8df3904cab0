/* SPDX-License-Identifier: Apache-2.0 */
/* Figures by hand, against plain pairwise sums, and of published data sets. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static bool is(const char *score, double expected, double within)
{
    double value = stage_host_score(&host, score).value;
    bool good = fabs(value - expected) <= within || (isnan(value) && isnan(expected));
    if (!good)
        printf("\n    %s is %.12g, expected %.12g\n", score, value, expected);
    return good;
}

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "diversity");
}

static void measure(const char *options, const char *lines)
{
    struct instance *diversity = stage_host_open(&host, XY_EVALUATOR, "diversity", options);
    CU_ASSERT_FATAL(diversity != NULL);
    struct stage_result result;
    stage_host_run(&host, diversity, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    stage_result_free(&result);
    instance_close(diversity);
}

static void words_by_hand(void)
{
    start();
    /* Words a b c A; pairs "a b" twice in one record and once in another, "b a", "b c"; triples
     * "a b a", "b a b", "a b c". The no-break space (U+00A0) is a blank, too. */
    measure("{label: y}", "{\"text\":\"a b a b\",\"y\":1}\n"
            "{\"text\":\" a\\u00a0b  c\\n\",\"y\":1}\n"
            "{\"text\":\"A\",\"y\":2}\n{\"text\":\"A\",\"y\":2}\n{\"y\":3}\n{\"text\":\"\"}\n");
    CU_ASSERT(is("vocabulary", 4, 0));
    CU_ASSERT(is("tokens", 9, 0));
    CU_ASSERT(is("distinct_1", 4.0 / 9, 1e-12));
    CU_ASSERT(is("distinct_2", 3.0 / 5, 1e-12));
    CU_ASSERT(is("distinct_3", 1, 1e-12));
    /* First record: {ab, ba}, ab shared: 1/2. Second: {ab, bc}: 1/2. The others have no pair. */
    CU_ASSERT(is("self_overlap", 0.5, 1e-12));
    CU_ASSERT(is("length_mean", 2.25, 1e-12));
    CU_ASSERT(is("length_sd", 1.5, 1e-12)); /* 4 3 1 1: squares sum to 6.75 about the mean */
    CU_ASSERT(is("duplicates", 1, 0));
    CU_ASSERT(is("vocabulary_class_mean", 4.0 / 3, 1e-12)); /* {a b c}, {A}, {} */
    CU_ASSERT(is("similarity", NAN, 0));
    stage_host_free(&host);
    start();
    measure(NULL, "");
    CU_ASSERT(is("vocabulary", 0, 0));
    CU_ASSERT(is("distinct_1", NAN, 0));
    stage_host_free(&host);
}

enum { POINTS = 30, WIDTH = 4 };

static double cosine(const double *a, const double *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (int j = 0; j < WIDTH; j++) {
        ab += a[j] * b[j];
        aa += a[j] * a[j];
        bb += b[j] * b[j];
    }
    return ab / sqrt(aa * bb);
}

static void similarity_is_that_of_all_pairs(void)
{
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    double points[POINTS][WIDTH], all = 0, within = 0, between = 0;
    uint64_t state = 3;
    int pairs = 0, within_pairs = 0;
    for (int i = 0; i < POINTS; i++) {
        for (int j = 0; j < WIDTH; j++)
            points[i][j] = round((xy_random_unit(&state) - 0.3) * 1000);
        buffer_printf(&lines, "{\"y\":%d,\"#v\":[%g,%g,%g,%g]}\n", i % 3, points[i][0],
                      points[i][1], points[i][2], points[i][3]);
    }
    buffer_append_text(&lines, "{\"y\":1}\n{\"y\":1,\"#v\":[0,0,0,0]}\n"); /* no direction */
    for (int i = 0; i < POINTS; i++) {
        for (int j = 0; j < i; j++) {
            double c = cosine(points[i], points[j]);
            all += c;
            pairs++;
            within += i % 3 == j % 3 ? c : 0;
            within_pairs += i % 3 == j % 3;
        }
    }
    between = (all - within) / (pairs - within_pairs);
    measure("{vector: v, label: y}", lines.bytes);
    CU_ASSERT(is("similarity", all / pairs, 1e-6));
    CU_ASSERT(is("similarity_within", within / within_pairs, 1e-6));
    CU_ASSERT(is("similarity_between", between, 1e-6));
    CU_ASSERT_EQUAL(stage_host_score(&host, "similarity").n, POINTS);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* "x..." points along the first axis, all else along the second. */
static int embed(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    *(size_t *)data += request->text_count;
    float *vectors = arena_alloc(arena, request->text_count * 2 * sizeof(float));
    for (size_t i = 0; i < request->text_count; i++)
        vectors[i * 2 + (request->texts[i].ptr[0] != 'x')] = 1;
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = 2;
    return XY_OK;
}

static void embeds(void)
{
    start();
    size_t asked = 0;
    host.answer = embed;
    host.answer_data = &asked;
    measure("{embed: any}", "{\"text\":\"x\"}\n{\"text\":\"x\"}\n{\"none\":1}\n{\"text\":\"y\"}\n");
    CU_ASSERT_EQUAL(asked, 2); /* the same text once */
    CU_ASSERT(is("similarity", 1.0 / 3, 1e-12)); /* of three pairs, one agrees */
    measure("{embed: any}", "");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_EVALUATOR, "diversity", "{embed: a, vector: v}"));
    CU_ASSERT(strstr(host.error.text, "not both") != NULL);
    struct instance *diversity =
        stage_host_open(&host, XY_EVALUATOR, "diversity", "{vector: absent}");
    struct stage_result result;
    stage_host_run(&host, diversity, "{\"text\":\"x\"}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    stage_result_free(&result);
    instance_close(diversity);
    stage_host_free(&host);
}

/* ---- published data -------------------------------------------------------------------------- */

static void published_data(void)
{
    static const char *const sets[] = {"supergen/SST-2_train_generated",
                                       "fewgen/SST-2_seed13_generated",
                                       "fewgen/SST-2_seed21_generated", "supergen/SST-2_test_gold"};
    for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
        start();
        const char *reference = stage_host_reference(&host, "reference-values.json");
        struct value values;
        struct error error;
        if (reference && json_parse(&host.arena, str_of(reference), &values, &error) == 0) {
            const struct value *figures =
                value_member(value_member(&values, STR("diversity(whitespace tokens)")),
                             str_of(sets[s]));
            const char *path = arena_printf(&host.arena, "%s.jsonl.gz", sets[s]);
            measure(NULL, stage_host_reference(&host, path));
            CU_ASSERT(is("vocabulary", value_member(figures, STR("vocab"))->integer, 0));
            CU_ASSERT(is("tokens", value_member(figures, STR("tokens"))->integer, 0));
            CU_ASSERT(is("duplicates", value_member(figures, STR("exact_duplicates"))->integer, 0));
            CU_ASSERT(is("distinct_2", value_member(figures, STR("distinct_2_ratio"))->number,
                         5.1e-7));
            CU_ASSERT(is("distinct_1", value_member(figures, STR("distinct_1_ratio"))->number,
                         5.1e-7));
        }
        stage_host_free(&host);
    }
}

/* 100,000 texts of 20 words: the figures against what the generator must give, and the time. */
static void hundred_thousand(void)
{
    start();
    enum { COUNT = 100000, LENGTH = 20 };
    struct record **records = memory_zeroed(COUNT, sizeof(*records));
    uint64_t state = 11;
    for (size_t i = 0; i < COUNT; i++) {
        char text[LENGTH * 8];
        size_t used = 0;
        for (int j = 0; j < LENGTH; j++) {
            double u = xy_random_unit(&state);
            used += (size_t)snprintf(text + used, sizeof(text) - used, "w%u ",
                                     (unsigned)(50000 * u * u * u));
        }
        xy_value value = {.type = XY_TEXT, .text = {text, used}};
        records[i] = record_create(i + 1);
        record_set(records[i], "text", &value);
    }
    stage_host_add_records(&host, "many", records, COUNT);
    struct instance *diversity = stage_host_open(&host, XY_EVALUATOR, "diversity", NULL);
    struct stage_result result;
    clock_t before = clock();
    stage_host_run_dataset(&host, diversity, "many", &result);
    printf("(%.2f s of a core) ", (double)(clock() - before) / CLOCKS_PER_SEC);
    CU_ASSERT(is("tokens", COUNT * LENGTH, 0));
    CU_ASSERT(is("length_sd", 0, 0));
    stage_result_free(&result);
    instance_close(diversity);
    for (size_t i = 0; i < COUNT; i++)
        record_destroy(records[i]);
    free(records);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"words by hand", words_by_hand},
        {"similarity is that of all pairs", similarity_is_that_of_all_pairs},
        {"embeds", embeds},
        {"published data", published_data},
        {"a hundred thousand", hundred_thousand},
        {NULL, NULL},
    };
    return check_main("diversity", checks);
}
