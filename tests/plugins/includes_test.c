/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* "" when the record passes, else the reason. */
static const char *judge(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "includes", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    CU_ASSERT_TRUE(result.verdict == XY_OK || result.verdict == XY_DROP);
    return result.verdict == XY_OK ? "" : result.why;
}

static void finds_inflected_words(void)
{
    static const char three[] = "{words: [noun, verb, adjective]}";
    CHECK_TEXT(judge(three, "{\"noun\":\"cookie\",\"verb\":\"jump\",\"adjective\":\"happy\","
                            "\"text\":\"Happy Tom JUMPED over the cookies.\"}"), "");
    CHECK_TEXT(judge(three, "{\"noun\":\"cookie\",\"verb\":\"jump\",\"adjective\":\"sad\","
                            "\"text\":\"Tom was jumping.\"}"),
               "2 of 3 words are missing: \"cookie\", \"sad\"");
    /* A word within another is not there. */
    CHECK_TEXT(judge("{phrases: [art]}", "{\"text\":\"a party\"}"),
               "1 of 1 words are missing: \"art\"");
    CHECK_TEXT(judge("{phrases: [run], stem: none}", "{\"text\":\"running\"}"),
               "1 of 1 words are missing: \"run\"");
    CHECK_TEXT(judge("{phrases: [Haus], stem: german}", "{\"text\":\"viele H\xc3\xa4user\"}"), "");
}

static void finds_phrases_and_lists(void)
{
    static const char list[] = "{words: words, field: story}";
    CHECK_TEXT(judge(list, "{\"words\":[\"plot twist\",\"dog\"],\"story\":\"The dog. A plot "
                           "twist!\"}"), "");
    CHECK_TEXT(judge(list, "{\"words\":[\"plot twist\"],\"story\":\"A twist of the plot.\"}"),
               "1 of 1 words are missing: \"plot twist\"");
    CHECK_TEXT(judge(list, "{\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"story\":\"a\"}"),
               "4 of 5 words are missing: \"b\", \"c\", \"d\" and others");
    CHECK_TEXT(judge("{words: words, least: 2}",
                     "{\"words\":[\"a\",\"b\",\"c\"],\"text\":\"c a\"}"), "");
    CHECK_TEXT(judge("{words: words, least: 2}",
                     "{\"words\":[\"a\",\"b\",\"c\"],\"text\":\"c\"}"),
               "2 of 3 words are missing: \"a\", \"b\"");
}

static void asks_for_nothing_where_nothing_is(void)
{
    CHECK_TEXT(judge("{words: gone}", "{\"text\":\"x\"}"), "");
    CHECK_TEXT(judge("{words: w}", "{\"text\":\"x\",\"w\":\" ... \"}"), "");
    CHECK_TEXT(judge("{words: w}", "{\"w\":\"x\"}"), "1 of 1 words are missing: \"x\"");
}

static void refuses_options(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "includes", "{}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "name the fields"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "includes", "{words: a, stem: klingon}"));
}

static const struct check checks[] = {
    {"inflected words", finds_inflected_words},
    {"phrases and lists", finds_phrases_and_lists},
    {"nothing to find", asks_for_nothing_where_nothing_is},
    {"options", refuses_options},
    {0},
};

int main(void)
{
    if (access(TEST_BUILD_DIR "/lib/xylem/includes.so", R_OK) != 0) {
        printf("skipped: the plugin was not built, libstemmer is missing\n");
        return 77;
    }
    stage_host_init(&host);
    stage_host_load(&host, "includes");
    int failed = check_main("includes", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
