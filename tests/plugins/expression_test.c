/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

static int judged(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "expression", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    return result.verdict;
}

static void keeps_what_is_true(void)
{
    const char *yaml = "keep: \"score >= 4 and label in ['a', 'b']\"";
    CU_ASSERT_EQUAL(judged(yaml, "{\"score\":4,\"label\":\"b\"}"), XY_OK);
    CU_ASSERT_EQUAL(judged(yaml, "{\"score\":3.9,\"label\":\"b\"}"), XY_DROP);
    CHECK_TEXT(result.why, "not true: score >= 4 and label in ['a', 'b']");
    CU_ASSERT_EQUAL(judged(yaml, "{\"score\":5,\"label\":\"c\"}"), XY_DROP);
    /* Truth is Jinja2's: empty texts, lists, zero and undefined are false. */
    CU_ASSERT_EQUAL(judged("keep: x", "{\"x\":\"\"}"), XY_DROP);
    CU_ASSERT_EQUAL(judged("keep: x", "{\"x\":[]}"), XY_DROP);
    CU_ASSERT_EQUAL(judged("keep: x", "{\"x\":[0]}"), XY_OK);
    CU_ASSERT_EQUAL(judged("keep: x", "{\"x\":0}"), XY_DROP);
    CU_ASSERT_EQUAL(judged("keep: x is defined", "{}"), XY_DROP);
}

static void says_what_cannot_be_evaluated(void)
{
    CU_ASSERT_TRUE(judged("keep: \"x > 3\"", "{\"x\":\"text\"}") < 0);
    CU_ASSERT_PTR_NOT_NULL(result.why);
}

static void weighs(void)
{
    CU_ASSERT_EQUAL(judged("weight: \"c * 2\"", "{\"c\":0.25}"), XY_OK);
    CU_ASSERT_EQUAL(result.input->weight, 0.5);
    CU_ASSERT_EQUAL(judged("weight: c", "{\"c\":3}"), XY_OK);
    CU_ASSERT_EQUAL(result.input->weight, 3);
    CU_ASSERT_EQUAL(judged("weight: c", "{\"c\":-1}"), XY_EINVAL);
    CHECK_TEXT(result.why, "`weight` gave -1; a weight is finite and at least 0");
    CU_ASSERT_EQUAL(judged("weight: c", "{\"c\":\"x\"}"), XY_EINVAL);
    CU_ASSERT_EQUAL(judged("{keep: \"c > 1\", weight: c}", "{\"c\":1}"), XY_DROP);
    CU_ASSERT_EQUAL(result.input->weight, 1);
}

static void refuses(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "expression", "{}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "expression", "keep: \"a >\""));
}

static const struct check checks[] = {
    {"keep", keeps_what_is_true},
    {"errors", says_what_cannot_be_evaluated},
    {"weight", weighs},
    {"options", refuses},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "expression");
    int failed = check_main("expression", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
