/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static void sets_fields_in_order(void)
{
    struct stage_host host;
    struct stage_result result;
    stage_host_init(&host);
    stage_host_load(&host, "set");
    struct instance *set = stage_host_open(&host, XY_CONDITION, "set",
                                           "{text: \"a ~ ' ' ~ b\", words: text | wordcount, "
                                           "both: \"[words, a]\", third: 3}");
    CU_ASSERT_FATAL(set != NULL);
    stage_host_process(&host, set, "{\"a\":\"one two\",\"b\":\"\xc3\xa9\"}", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, "text"), "one two \xc3\xa9");
    CHECK_TEXT(stage_text(result.input, "words"), "3");
    CHECK_TEXT(stage_text(result.input, "both"), "[3,\"one two\"]");
    CHECK_TEXT(stage_text(result.input, "third"), "3");
    stage_result_free(&result);
    stage_host_process(&host, set, "{\"a\":\"one\"}", &result);
    CU_ASSERT(result.verdict < 0);
    CU_ASSERT(result.why && strstr(result.why, "`b` is undefined"));
    stage_result_free(&result);
    instance_close(set);
    stage_host_free(&host);
}

static void refuses_what_does_not_compile(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "set");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "set", "{text: \"a ~\"}"));
    CU_ASSERT(strstr(host.error.text, "`text`: ") != NULL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "set", "{}"));
    CHECK_TEXT(host.error.text,
               "`set` could not be opened: name at least one field: `FIELD: EXPRESSION`");
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"sets fields in order", sets_fields_in_order},
        {"refuses what does not compile", refuses_what_does_not_compile},
        {NULL, NULL},
    };
    return check_main("set", checks);
}
