/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>

static struct stage_host host;
static struct stage_result result;

/* The records that one call makes, as "ax ay bx by": the fields a and b of each. */
static const char *made(const char *yaml, const char *json)
{
    static char text[8192];
    size_t length = 0;
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "grid", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    text[0] = '\0';
    for (size_t i = 0; i < result.count && length < sizeof(text) - 64; i++) {
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "",
                                   stage_text(result.records[i], "a"));
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s",
                                   stage_text(result.records[i], "b"));
    }
    return text;
}

static void makes_every_combination(void)
{
    CHECK_TEXT(made("{a: [x, y], b: [1, 2, 3]}", NULL), "x1 x2 x3 y1 y2 y3");
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CHECK_TEXT(made("{a: x, b: [true, 2.5, [1, 2]]}", NULL), "xtrue x2.5 x[1,2]");
    CHECK_TEXT(made("{a: [x, y], b: [1, 2], exclude: [{a: y, b: 1}]}", NULL), "x1 x2 y2");
    CHECK_TEXT(made("{a: [x, y], b: [1, 2], exclude: [{a: y}, {a: x, b: 2}]}", NULL), "x1");
    CHECK_TEXT(made("{a: [x, y], b: [1], count: 5}", NULL), "x1 y1 x1 y1 x1");
}

static void keeps_types(void)
{
    made("{a: [7], b: [9007199254740993]}", NULL);
    xy_value value;
    CU_ASSERT_EQUAL(record_get(result.records[0], "a", &value), XY_INT);
    CU_ASSERT_EQUAL(record_get(result.records[0], "b", &value), XY_INT);
    CU_ASSERT_EQUAL(value.integer, INT64_C(9007199254740993)); /* 2^53 + 1: no double is it */
    made("{a: [1e300], b: ['7']}", NULL);
    CU_ASSERT_EQUAL(record_get(result.records[0], "a", &value), XY_NUMBER);
    CU_ASSERT_EQUAL(value.number, 1e300);
    CU_ASSERT_EQUAL(record_get(result.records[0], "b", &value), XY_TEXT);
}

static void copies_what_comes_in(void)
{
    CHECK_TEXT(made("{b: [1, 2]}", "{\"a\":\"kept\"}"), "kept1 kept2");
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL(result.records[0]->parent, 1);
}

/* 5,000 draws in 79 calls: shares within five standard deviations. */
static void draws_by_weight(void)
{
    size_t counts[2][3] = {{0}};
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "grid",
                                                "{a: [x, y], b: [0, 1, 2], count: 5000, weights: "
                                                "{a: {x: 3, y: 1}, b: {0: 1, 1: 0, 2: 1}}}");
    CU_ASSERT_FATAL(instance != NULL);
    stage_result_free(&result);
    stage_host_process(&host, instance, "{}", &result);
    CU_ASSERT_EQUAL_FATAL(result.count, 5000);
    for (size_t i = 0; i < result.count; i++) {
        size_t a = stage_text(result.records[i], "a")[0] == 'y';
        counts[a][(size_t)stage_number(result.records[i], "b")]++;
    }
    instance_close(instance);
    CU_ASSERT_EQUAL(counts[0][1] + counts[1][1], 0);
    CU_ASSERT_TRUE(fabs((double)counts[0][0] - 1875) < 5 * sqrt(5000 * 0.375 * 0.625));
    CU_ASSERT_TRUE(fabs((double)counts[0][2] - 1875) < 5 * sqrt(5000 * 0.375 * 0.625));
    CU_ASSERT_TRUE(fabs((double)counts[1][0] - 625) < 5 * sqrt(5000 * 0.125 * 0.875));
}

static void refuses(void)
{
    static const struct {
        const char *yaml, *said;
    } cases[] = {
        {"{}", "at least one axis"},
        {"{a: []}", "no values"},
        {"{a: [x], weights: {a: {x: 1}}}", "need a `count`"},
        {"{a: [x], count: 1, weights: {a: {z: 1}}}", "does not have"},
        {"{a: [x], count: 1, weights: {a: {x: 0}}}", "all 0"},
        {"{a: [x], count: 1, weights: {b: {x: 1}}}", "axes of the grid"},
        {"{a: [x], exclude: [{c: 1}]}", "does not have"},
        {"{a: [x], exclude: 5}", "list of maps"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "grid", cases[i].yaml));
        bool said = strstr(host.error.text, cases[i].said) != NULL;
        CU_ASSERT_TRUE(said);
        if (!said)
            printf("\n    %s: %s ", cases[i].yaml, host.error.text);
    }
    made("{a: [x, y], count: 2, exclude: [{a: x}, {a: y}]}", NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
}

static const struct check checks[] = {
    {"every combination", makes_every_combination},
    {"types", keeps_types},
    {"copies", copies_what_comes_in},
    {"weights", draws_by_weight},
    {"options", refuses},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "grid");
    int failed = check_main("grid", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
