/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;

/* "" when the text is kept, else the reason; "error" before it when it is no verdict. */
static const char *judge(const char *yaml, const char *json)
{
    static char line[512];
    struct stage_result result;
    struct instance *instance = stage_host_open(&host, XY_FILTER, "matches", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    snprintf(line, sizeof(line), "%s%s", result.verdict < 0 ? "error: " : "",
             result.verdict == XY_OK ? "" : result.why ? result.why : "no reason");
    stage_result_free(&result);
    instance_close(instance);
    return line;
}

static void keeps_what_matches(void)
{
    CHECK_TEXT(judge("pattern: '[.!?]\\z'", "{\"text\":\"A whole sentence.\"}"), "");
    CHECK_TEXT(judge("pattern: '[.!?]\\z'", "{\"text\":\"A sentence that is cut\"}"),
               "[.!?]\\z: not found in `text`");
    CHECK_TEXT(judge("{pattern: '[.!?]\\z', why: no end}", "{\"text\":\"cut\"}"),
               "no end: not found in `text`");
    CHECK_TEXT(judge("{field: a, pattern: '^$'}", "{\"a\":\"\"}"), "");
}

static void keeps_the_others(void)
{
    const char *yaml = "{pattern: '(?i)\\b(?:images?|draw|go to)\\b', keep: others, why: "
                       "not for text}";
    CHECK_TEXT(judge(yaml, "{\"text\":\"Imagine a drawing.\"}"), "");
    CHECK_TEXT(judge(yaml, "{\"text\":\"Describe the IMAGE.\"}"), "not for text: `IMAGE`");
    CHECK_TEXT(judge(yaml, "{\"text\":\"Go to the shop.\"}"), "not for text: `Go to`");
    CHECK_TEXT(judge("{pattern: '.+', keep: others, why: long}",
                     "{\"text\":\"0123456789012345678901234567890123456789012345678901234567"
                     "\xc3\xa9\xc3\xa9\xc3\xa9\"}"),
               "long: `0123456789012345678901234567890123456789012345678901234567\xc3\xa9`");
}

static void says_what_it_cannot_search(void)
{
    CHECK_TEXT(judge("pattern: a", "{\"other\":\"a\"}"), "`text` is missing or no text");
    CHECK_TEXT(judge("{pattern: a, keep: others}", "{\"text\":1}"), "`text` is missing or no text");
    CHECK_TEXT(judge("pattern: '(a|aa)+$'",
                     "{\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}"),
               "error: `pattern` takes more than 2000000 steps on this text; write it without "
               "nested repetitions");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "matches", "pattern: 'a**'"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "matches", "pattern: 'a)'"));
    CU_ASSERT(strstr(host.error.text, "`pattern`: `a)` at character 2: unmatched closing "
                                      "parenthesis") != NULL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "matches", "{}"));
}

int main(void)
{
    static const struct check checks[] = {
        {"what matches", keeps_what_matches},
        {"the others", keeps_the_others},
        {"what it cannot search", says_what_it_cannot_search},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "matches");
    int failed = check_main("matches", checks);
    stage_host_free(&host);
    return failed;
}
