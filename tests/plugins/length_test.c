/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* Why the record is dropped; "kept" when it is not. */
static const char *judged(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "length", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    return result.verdict == XY_OK ? "kept" : result.why;
}

static void counts_words(void)
{
    /* The number of words is read off the reason: none of these has as many as are asked for. */
    static const struct {
        const char *json, *said;
    } cases[] = {
        {"{\"text\":\"\"}", "0 words, at least 100 are wanted"},
        {"{\"text\":\"one two,three\\n4th\"}", "4 words, at least 100 are wanted"},
        {"{\"text\":\"don't  \\u2019twas\"}", "2 words, at least 100 are wanted"},
        {"{\"text\":\"it ' is\"}", "2 words, at least 100 are wanted"},
        {"{\"text\":\"rock 'n' roll\"}", "3 words, at least 100 are wanted"},
        {"{\"text\":\"na\\u00efve cafe\\u0301s\"}", "2 words, at least 100 are wanted"},
        {"{\"text\":\"- -- ...\"}", "0 words, at least 100 are wanted"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(judged("{min: 100}", cases[i].json), cases[i].said);
}

static void counts_characters_and_bytes(void)
{
    CHECK_TEXT(judged("{unit: characters, min: 9}", "{\"text\":\"caf\\u00e9 \\ud83c\\udf31\"}"),
               "6 characters, at least 9 are wanted");
    CHECK_TEXT(judged("{unit: bytes, min: 99}", "{\"text\":\"caf\\u00e9 \\ud83c\\udf31\"}"),
               "10 bytes, at least 99 are wanted");
}

static void keeps_both_bounds(void)
{
    CHECK_TEXT(judged("{min: 2, max: 3}", "{\"text\":\"a\"}"), "1 words, at least 2 are wanted");
    CHECK_TEXT(judged("{min: 2, max: 3}", "{\"text\":\"a b\"}"), "kept");
    CHECK_TEXT(judged("{min: 2, max: 3}", "{\"text\":\"a b c\"}"), "kept");
    CHECK_TEXT(judged("{min: 2, max: 3}", "{\"text\":\"a b c d\"}"),
               "4 words, at most 3 are wanted");
    CHECK_TEXT(judged("{min: 0}", "{\"text\":\"\"}"), "kept");
    CHECK_TEXT(judged(NULL, "{\"other\":\"a\"}"), "the field `text` is missing or no text");
    CHECK_TEXT(judged("field: n", "{\"n\":5}"), "the field `n` is missing or no text");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "length", "{min: 5, max: 4}"));
}

static const struct check checks[] = {
    {"words", counts_words},
    {"characters and bytes", counts_characters_and_bytes},
    {"bounds", keeps_both_bounds},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "length");
    int failed = check_main("length", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
