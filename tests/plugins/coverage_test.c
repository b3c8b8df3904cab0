/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, shares and entropies of a few records, worked out by hand. */
#include <math.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "coverage");
}

static void measure(const char *options, const char *lines)
{
    struct stage_result result;
    struct instance *instance = stage_host_open(&host, XY_EVALUATOR, "coverage", options);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    stage_result_free(&result);
    instance_close(instance);
}

static void is(const char *score, double expected)
{
    double value = stage_host_score(&host, score).value;
    if (!(fabs(value - expected) < 1e-12))
        printf("\n    %s is %.17g, expected %.17g ", score, value, expected);
    CU_ASSERT(fabs(value - expected) < 1e-12);
}

/* topic: a 4, b 2, c 2 and one record without; stars: 1 three times, 0.5 once, true once. */
static const char lines[] =
    "{\"topic\":\"a\",\"stars\":1}\n{\"topic\":\"b\",\"stars\":1}\n"
    "{\"topic\":\"a\",\"stars\":0.5}\n{\"topic\":\"c\",\"stars\":1}\n{\"topic\":\"a\"}\n"
    "{\"topic\":\"c\",\"stars\":true}\n{\"topic\":\"b\"}\n{\"topic\":\"a\"}\n{}\n";

static void observed(void)
{
    start();
    measure("{fields: [topic, stars]}", lines);
    is("topic_values", 3);
    is("topic_entropy", 1.5); /* 1/2, 1/4, 1/4: 1/2 + 1/2 + 1/2 bits */
    is("topic_evenness", 1.5 / log2(3));
    is("topic_without", 1.0 / 9);
    is("stars_values", 3);
    is("stars_without", 4.0 / 9);
    CU_ASSERT(isnan(stage_host_score(&host, "topic_covered").value)); /* nothing was expected */
    CHECK_TEXT(stage_host_detail(&host, "coverage", "topic"), "{\"b\":2,\"c\":2,\"a\":4}");
    CHECK_TEXT(stage_host_detail(&host, "coverage", "stars"), "{\"0.5\":1,\"true\":1,\"1\":3}");
    stage_host_free(&host);
}

static void expected(void)
{
    start();
    measure("{fields: [topic, stars], expected: {topic: [c, d, a], stars: [1, 0.50]}}", lines);
    is("topic_covered", 2.0 / 3);
    is("topic_least", 0);
    is("topic_unexpected", 2.0 / 8); /* b, twice */
    is("topic_values", 3);
    is("topic_evenness", 1.5 / 2); /* d might have been there, too: four values */
    is("stars_covered", 1);        /* 0.50 is 0.5 */
    is("stars_unexpected", 1.0 / 5);
    CHECK_TEXT(stage_host_detail(&host, "coverage", "topic"),
               "{\"d\":0,\"c\":2,\"b\":2,\"a\":4}");
    stage_host_free(&host);
    start();
    measure("{fields: topic, expected: {topic: [a, b, c]}, min: 3}", lines);
    is("topic_covered", 1.0 / 3);
    is("topic_least", 2);
    stage_host_free(&host);
}

static void lists_and_nothing(void)
{
    start();
    measure("{fields: [tags]}",
            "{\"tags\":[\"x\",\"y\",\"x\",\"\",null,[1]]}\n{\"tags\":[\"y\",2]}\n{\"tags\":[]}\n"
            "{\"tags\":{\"x\":1}}\n");
    is("tags_values", 3);
    is("tags_without", 0.5);
    CHECK_TEXT(stage_host_detail(&host, "coverage", "tags"), "{\"x\":1,\"2\":1,\"y\":2}");
    stage_host_free(&host);
    start();
    measure("{fields: [a-b], expected: {a-b: [x]}}", "");
    is("a_b_values", 0);
    is("a_b_covered", 0);
    CU_ASSERT(isnan(stage_host_score(&host, "a_b_entropy").value));
    CU_ASSERT(isnan(stage_host_score(&host, "a_b_without").value));
    stage_host_free(&host);
}

static void bad_options(void)
{
    static const struct {
        const char *options, *said;
    } cases[] = {
        {"{fields: []}", "option `fields` expects at least one text, found a list"},
        {"{fields: [a], expected: [a]}", "`expected`: expected a map from field to its values"},
        {"{fields: [a], expected: {b: [x]}}", "`expected`: `b` is none of `fields`"},
        {"{fields: [a], expected: {a: x}}", "`expected`: `a` needs a list of values"},
        {"{fields: [a], expected: {a: []}}", "`expected`: `a` needs a list of values"},
        {"{fields: [a], expected: {a: [x, [y]]}}",
         "`expected`: `a`: expected a list of texts or numbers"},
        {"{fields: [a], expected: {a: [x, y, x]}}", "`expected`: `a`: \"x\" twice"},
    };
    start();
    stage_host_add_dataset(&host, "pool", lines);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT(stage_host_open(&host, XY_EVALUATOR, "coverage", cases[i].options) == NULL);
        if (!strstr(host.error.text, cases[i].said))
            printf("\n    %s: %s ", cases[i].options, host.error.text);
        CU_ASSERT(strstr(host.error.text, cases[i].said) != NULL);
    }
    CU_ASSERT(stage_host_open(&host, XY_CONDITION, "counts", "{pool: pool, fields: []}") == NULL);
    CU_ASSERT(stage_host_open(&host, XY_CONDITION, "counts",
                              "{pool: pool, fields: [a], expected: {b: [x]}}") == NULL);
    CU_ASSERT(strstr(host.error.text, "`expected`: `b` is none of `fields`") != NULL);
    stage_host_free(&host);
}

static void told_to_a_record(void)
{
    static const struct {
        const char *options, *counts;
    } cases[] = {
        {"{pool: pool, fields: [topic]}",
         "{\"topic\":[{\"value\":\"b\",\"count\":2},{\"value\":\"c\",\"count\":2},"
         "{\"value\":\"a\",\"count\":4}]}"},
        {"{pool: pool, fields: [topic, none], expected: {topic: [d]}, rarest: 2}",
         "{\"topic\":[{\"value\":\"d\",\"count\":0},{\"value\":\"b\",\"count\":2}],\"none\":[]}"},
    };
    start();
    stage_host_add_dataset(&host, "pool", lines);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stage_result result;
        struct instance *instance =
            stage_host_open(&host, XY_CONDITION, "counts", cases[i].options);
        CU_ASSERT_FATAL(instance != NULL);
        stage_host_process(&host, instance, "{\"topic\":\"q\"}", &result);
        CU_ASSERT_EQUAL(result.verdict, XY_OK);
        CHECK_TEXT(stage_text(result.input, "counts"), cases[i].counts);
        CHECK_TEXT(stage_text(result.input, "topic"), "q");
        stage_result_free(&result);
        instance_close(instance);
    }
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"what there is", observed},
        {"what there should be", expected},
        {"lists, and nothing at all", lists_and_nothing},
        {"options that make no sense", bad_options},
        {"told to a record", told_to_a_record},
        {NULL, NULL},
    };
    return check_main("coverage", checks);
}
