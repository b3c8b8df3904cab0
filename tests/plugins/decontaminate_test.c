/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

static void open_stage(const char *yaml)
{
    instance_close(instance);
    instance = stage_host_open(&host, XY_FILTER, "decontaminate", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
}

/* The reason, or "kept". */
static const char *judge(const char *json)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
    return result.verdict == XY_OK ? "kept" : result.verdict == XY_DROP ? result.why : "failed";
}

static void adds_the_benchmarks(void)
{
    stage_host_add_dataset(&host, "bench",
                           "{\"text\":\"one two three four five six\",\"code\":\"return x[i]\"}\n"
                           "{\"text\":\"short text here\"}\n{\"text\":\"too short\"}\n");
    stage_host_add_dataset(&host, "empty", "");
}

static void finds_runs_of_n_words(void)
{
    open_stage("{against: bench, n: 5}");
    CHECK_TEXT(judge("{\"text\":\"zero one two three four five\"}"),
               "`text` has words of 00000000000003e8 of `against`: one two three four five");
    CHECK_TEXT(judge("{\"text\":\"two THREE,\\n  four; (five) six. seven\"}"),
               "`text` has words of 00000000000003e8 of `against`: two three four five six");
    CHECK_TEXT(judge("{\"text\":\"one two three four x five six\"}"), "kept");
    CHECK_TEXT(judge("{\"text\":\"someone two three four five\"}"), "kept");
    CHECK_TEXT(judge("{\"text\":\"one two three four fivefold\"}"), "kept");
    CHECK_TEXT(judge("{\"other\":\"one two three four five\"}"), "kept");
    CHECK_TEXT(judge("{\"text\":\"\"}"), "kept");
}

static void finds_whole_short_texts(void)
{
    open_stage("{against: bench, n: 5, fields: [text, more]}");
    CHECK_TEXT(judge("{\"text\":\"a\",\"more\":\"Some short text, here it is\"}"),
               "`more` has words of 00000000000003e9 of `against`: short text here");
    CHECK_TEXT(judge("{\"text\":\"this is too short\"}"), "kept");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "fewer than 3 words are passed over: 1"));
    open_stage("{against: bench, n: 5, least: 2}");
    CHECK_TEXT(judge("{\"text\":\"this is too short\"}"),
               "`text` has words of 00000000000003ea of `against`: too short");
    open_stage("{against: bench, n: 10, their_fields: [code]}");
    CHECK_TEXT(judge("{\"text\":\"if (a)\\n    return x [ i ];\"}"),
               "`text` has words of 00000000000003e8 of `against`: return x i");
}

/* Ten words, of which the second to the seventh are the benchmark's six: 60 % by two runs of five,
 * the four words that lie in both counted once. */
static void measures_the_share(void)
{
    const char *text = "{\"text\":\"zero one two three four five six seven eight nine\"}";
    open_stage("{against: bench, n: 5, share: 0.6}");
    CHECK_TEXT(judge(text), "`text` has words of 00000000000003e8 of `against`: 60 % of its words, "
                            "one two three four five");
    CHECK_TEXT(judge("{\"text\":\"a short text here\"}"),
               "`text` has words of 00000000000003e9 of `against`: 75 % of its words, "
               "short text here");
    open_stage("{against: bench, n: 5, share: 0.61}");
    CHECK_TEXT(judge(text), "kept");
    CHECK_TEXT(judge("{\"text\":\"a b\"}"), "kept");
    CHECK_TEXT(judge("{\"text\":\"one two three four five six, short text here\"}"),
               "`text` has words of 00000000000003e8 of `against`: 100 % of its words, "
               "one two three four five");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "contaminated").value, 1.0 / 3, 1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "contaminated").n, 3);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "exposed").value, 1.0 / 3, 1e-12);
}

/* Each of 500 texts of random words is found between other words; nine words of it are not. */
static void finds_what_is_planted(void)
{
    enum { TEXTS = 500, WORDS = 40 };
    char lines[TEXTS * 400], line[1024];
    size_t length = 0;
    uint64_t random = 5;
    for (size_t i = 0; i < TEXTS; i++) {
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "{\"text\":\"");
        for (size_t w = 0; w < WORDS; w++)
            length += (size_t)snprintf(lines + length, sizeof(lines) - length, "w%llu ",
                                       (unsigned long long)xy_random_below(&random, 900));
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "\"}\n");
    }
    stage_host_add_dataset(&host, "many", lines);
    open_stage("{against: many, n: 10}");
    const char *at = lines;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *end = strchr(at, '\n');
        snprintf(line, sizeof(line), "{\"text\":\"x y %.*s", (int)(end - at - 9), at + 9);
        CU_ASSERT_STRING_NOT_EQUAL(judge(line), "kept");
        /* The first nine words only. */
        const char *nine = at + 9;
        for (size_t w = 0; w < 9; w++)
            nine = strchr(nine, ' ') + 1;
        snprintf(line, sizeof(line), "{\"text\":\"x %.*s y\"}", (int)(nine - at - 9), at + 9);
        CHECK_TEXT(judge(line), "kept");
        at = end + 1;
    }
}

static void refuses_bad_input(void)
{
    static const char *const cases[][2] = {
        {"{against: empty}", "`against` is empty"},
        {"{against: bench, their_fields: [no]}", "no record of `against` has text"},
        {"{}", "against"},
        {"{against: bench, n: 0}", "n"},
        {"{against: bench, share: 2}", "share"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "decontaminate", cases[i][0]));
        CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, cases[i][1]));
    }
}

static const struct check checks[] = {
    {"the benchmarks", adds_the_benchmarks},
    {"runs of n words", finds_runs_of_n_words},
    {"whole short texts", finds_whole_short_texts},
    {"the share of words, and scores", measures_the_share},
    {"planted texts", finds_what_is_planted},
    {"bad input", refuses_bad_input},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "decontaminate");
    int failed = check_main("decontaminate", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
