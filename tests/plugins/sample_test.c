/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

static void open_sample(const char *yaml)
{
    instance_close(instance);
    instance = stage_host_open(&host, XY_CONDITION, "sample", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
}

static void draw(const char *json)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
}

enum { DRAWS = 20000 };

/* DRAWS numbers of the field `x`, made from one record. */
static double *draw_numbers(const char *yaml)
{
    double *numbers = calloc(DRAWS, sizeof(*numbers));
    open_sample(yaml);
    draw("{}");
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL_FATAL(result.count, DRAWS);
    for (size_t i = 0; i < DRAWS; i++)
        numbers[i] = stage_number(result.records[i], "x");
    return numbers;
}

static size_t count_text(const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < result.count; i++)
        count += strcmp(stage_text(result.records[i], "x"), text) == 0;
    return count;
}

/* Within five standard deviations of a binomial count. */
static bool near_share(size_t count, double share)
{
    return fabs((double)count - DRAWS * share) < 5 * sqrt(DRAWS * share * (1 - share));
}

static void draws_categories(void)
{
    free(draw_numbers("{count: 20000, x: {categorical: {a: 1, b: 2, c: 0, d: 5}}}"));
    CU_ASSERT_TRUE(near_share(count_text("a"), 0.125));
    CU_ASSERT_TRUE(near_share(count_text("b"), 0.25));
    CU_ASSERT_EQUAL(count_text("c"), 0);
    CU_ASSERT_EQUAL(count_text("a") + count_text("b") + count_text("d"), DRAWS);
    free(draw_numbers("{count: 20000, x: [one, 2, true, {k: [1]}]}"));
    CU_ASSERT_TRUE(near_share(count_text("one"), 0.25));
    CU_ASSERT_TRUE(near_share(count_text("{\"k\":[1]}"), 0.25));
    size_t types[8] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        xy_value value;
        types[record_get(result.records[i], "x", &value)]++;
    }
    CU_ASSERT_TRUE(types[XY_TEXT] && types[XY_INT] && types[XY_BOOL] && types[XY_JSON]);
    CU_ASSERT_EQUAL(types[XY_TEXT] + types[XY_INT] + types[XY_BOOL] + types[XY_JSON], DRAWS);
}

static void moments(const double *numbers, double *mean, double *deviation, double *low,
                    double *high)
{
    double sum = 0, square = 0;
    *low = *high = numbers[0];
    for (size_t i = 0; i < DRAWS; i++) {
        sum += numbers[i];
        square += numbers[i] * numbers[i];
        *low = fmin(*low, numbers[i]);
        *high = fmax(*high, numbers[i]);
    }
    *mean = sum / DRAWS;
    *deviation = sqrt(square / DRAWS - *mean * *mean);
}

static void draws_uniform(void)
{
    double mean, deviation, low, high;
    double *numbers = draw_numbers("{count: 20000, x: {uniform: [-2, 4]}}");
    moments(numbers, &mean, &deviation, &low, &high);
    free(numbers);
    CU_ASSERT_TRUE(low >= -2 && low < -1.99 && high < 4 && high > 3.99);
    CU_ASSERT_TRUE(fabs(mean - 1) < 5 * sqrt(3.0 / DRAWS)); /* variance 6^2 / 12 */
    numbers = draw_numbers("{count: 20000, x: {uniform: [1, 5], integer: true}}");
    size_t counts[6] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        CU_ASSERT_FATAL(numbers[i] >= 1 && numbers[i] <= 5);
        counts[(size_t)numbers[i]]++;
    }
    free(numbers);
    for (size_t i = 1; i <= 5; i++)
        CU_ASSERT_TRUE(near_share(counts[i], 0.2));
}

static void draws_normal(void)
{
    double mean, deviation, low, high;
    double *numbers = draw_numbers("{count: 20000, x: {normal: [100, 15]}}");
    moments(numbers, &mean, &deviation, &low, &high);
    CU_ASSERT_TRUE(fabs(mean - 100) < 5 * 15 / sqrt(DRAWS));
    CU_ASSERT_TRUE(fabs(deviation - 15) < 5 * 15 / sqrt(2.0 * DRAWS));
    size_t within = 0;
    for (size_t i = 0; i < DRAWS; i++)
        within += fabs(numbers[i] - 100) < 15;
    free(numbers);
    CU_ASSERT_TRUE(near_share(within, 0.6826895)); /* one standard deviation to each side */
    numbers = draw_numbers("{count: 20000, x: {normal: [0, 1], min: 0, max: 3, integer: true}}");
    moments(numbers, &mean, &deviation, &low, &high);
    CU_ASSERT_EQUAL(low, 0);
    CU_ASSERT_EQUAL(high, 3);
    free(numbers);
}

static void draws_dates(void)
{
    free(draw_numbers("{count: 20000, x: {date: [2024-02-28, 2024-03-01]}}"));
    CU_ASSERT_TRUE(near_share(count_text("2024-02-28"), 1.0 / 3));
    CU_ASSERT_TRUE(near_share(count_text("2024-02-29"), 1.0 / 3));
    CU_ASSERT_TRUE(near_share(count_text("2024-03-01"), 1.0 / 3));
    open_sample("{x: {date: [1900-03-01, 1900-03-01], format: '%A %d %B %Y'}}");
    draw("{}");
    CHECK_TEXT(stage_text(result.input, "x"), "Thursday 01 March 1900");
    open_sample("{x: {date: [2000-12-31, 2000-12-31], format: '%j'}}");
    draw("{}");
    CHECK_TEXT(stage_text(result.input, "x"), "366");
    open_sample("{x: {date: [2026-01-01, 2026-01-01], format: '%H'}}");
    size_t differing = 0;
    char first[8] = "";
    for (host.services.seed = 1; host.services.seed <= 20; host.services.seed++) {
        draw("{}");
        if (!first[0])
            snprintf(first, sizeof(first), "%s", stage_text(result.input, "x"));
        differing += strcmp(first, stage_text(result.input, "x")) != 0;
    }
    host.services.seed = 7;
    CU_ASSERT_TRUE(differing > 10);
}

static void draws_from_a_file(void)
{
    char path[64], yaml[160];
    snprintf(path, sizeof(path), P_tmpdir "/sample-%ld.jsonl", (long)getpid());
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("{\"name\":\"tea\",\"n\":1}\n{\"n\":2}\n{\"name\":7}\n{\"name\":\"caf\\u00e9\"}\n", file);
    fclose(file);
    snprintf(yaml, sizeof(yaml), "{count: 20000, x: {file: %s, column: name}}", path);
    free(draw_numbers(yaml));
    CU_ASSERT_TRUE(near_share(count_text("tea"), 1.0 / 3));
    CU_ASSERT_TRUE(near_share(count_text("caf\xc3\xa9"), 1.0 / 3));
    CU_ASSERT_TRUE(near_share(count_text("7"), 1.0 / 3));
    snprintf(yaml, sizeof(yaml), "{x: {file: %s, column: nobody}}", path);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sample", yaml));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "has a field `nobody`"));
    unlink(path);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sample", yaml));
}

static void keeps_streams_apart(void)
{
    char x[32], y[32];
    open_sample("{x: {uniform: [0, 1]}, y: {uniform: [0, 1]}}");
    draw("{\"kept\":1}");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, "kept"), "1");
    snprintf(x, sizeof(x), "%s", stage_text(result.input, "x"));
    snprintf(y, sizeof(y), "%s", stage_text(result.input, "y"));
    CU_ASSERT_STRING_NOT_EQUAL(x, y);
    draw("{}");
    CHECK_TEXT(stage_text(result.input, "x"), x);
    open_sample("{z: [1, 2], y: {uniform: [0, 1]}}"); /* another neighbour, the same draw */
    draw("{}");
    CHECK_TEXT(stage_text(result.input, "y"), y);
}

static void makes_records(void)
{
    open_sample("{count: 3, x: {uniform: [0, 1]}}");
    draw(NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CU_ASSERT_EQUAL_FATAL(result.count, 3);
    CU_ASSERT_NOT_EQUAL(stage_number(result.records[0], "x"),
                        stage_number(result.records[1], "x"));
    open_sample("{count: 100, x: [1]}");
    draw(NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    open_sample("{x: [1]}");
    draw(NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "give `count`"));
}

static void refuses(void)
{
    static const struct {
        const char *yaml, *said;
    } cases[] = {
        {"{}", "name at least one field"},
        {"x: 5", "`x`: a sampler is"},
        {"x: {gauss: [1, 2]}", "`x`: a sampler is"},
        {"x: []", "list of values"},
        {"x: {categorical: {a: -1}}", "at least 0"},
        {"x: {categorical: {a: 0}}", "all 0"},
        {"x: {uniform: [2, 1]}", "[LOWEST, HIGHEST]"},
        {"x: {uniform: [1]}", "[LOWEST, HIGHEST]"},
        {"x: {uniform: [0.2, 0.8], integer: true}", "no integer"},
        {"x: {uniform: [1, 2], min: 3}", "belongs to no sampler"},
        {"x: {normal: [1, 0]}", "above 0"},
        {"x: {normal: [0, 1], min: 9}", "1 in 10,000"},
        {"x: {date: [2023-02-29, 2024-01-01]}", "2026-01-31"},
        {"x: {date: [2024-02-29, 2024-01-01]}", "2026-01-31"},
        {"x: {file: a.csv}", "`column`"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sample", cases[i].yaml));
        bool said = strstr(host.error.text, cases[i].said) != NULL;
        CU_ASSERT_TRUE(said);
        if (!said)
            printf("\n    %s: %s ", cases[i].yaml, host.error.text);
    }
}

static const struct check checks[] = {
    {"categories", draws_categories},
    {"uniform", draws_uniform},
    {"normal", draws_normal},
    {"dates", draws_dates},
    {"a file's column", draws_from_a_file},
    {"a stream for each field", keeps_streams_apart},
    {"records out of nothing", makes_records},
    {"samplers that cannot be meant", refuses},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "sample");
    stage_host_load(&host, "jsonl");
    int failed = check_main("sample", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
