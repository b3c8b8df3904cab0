/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

static int judged(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "json_schema", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    return result.verdict;
}

#define WHOLE                                                                                     \
    "schema: {type: object, required: [text, label], additionalProperties: false, properties: "   \
    "{text: {type: string, minLength: 3}, label: {enum: [a, b]}, n: {type: integer}}}"

static void checks_the_whole_record(void)
{
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"text\":\"a \\\"q\\\"\",\"label\":\"a\",\"n\":3}"), XY_OK);
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"text\":\"abc\",\"label\":\"c\"}"), XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "label"));
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"text\":\"ab\",\"label\":\"a\"}"), XY_DROP);
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"text\":\"abc\"}"), XY_DROP);
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"text\":\"abc\",\"label\":\"a\",\"n\":1.5}"), XY_DROP);
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"text\":\"abc\",\"label\":\"a\",\"more\":1}"), XY_DROP);
    /* Vectors are for machines: no schema names them, none forbids them. */
    CU_ASSERT_EQUAL(judged(WHOLE, "{\"#v\":[1,2],\"text\":\"abc\",\"label\":\"a\",\"#w\":[1]}"),
                    XY_OK);
}

static void checks_one_field(void)
{
    const char *yaml = "{field: answer, schema: {type: array, items: {type: integer}}}";
    CU_ASSERT_EQUAL(judged(yaml, "{\"answer\":[1,2]}"), XY_OK);
    CU_ASSERT_EQUAL(judged(yaml, "{\"answer\":[1,\"x\"]}"), XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "1"));
    CU_ASSERT_EQUAL(judged(yaml, "{\"other\":[1]}"), XY_DROP);
    CHECK_TEXT(result.why, "the field `answer` is missing");
    CU_ASSERT_EQUAL(judged("{field: s, schema: {type: string}}", "{\"s\":\"[1]\"}"), XY_OK);
}

static void refuses(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "json_schema", "{}"));
    CU_ASSERT_PTR_NULL(
        stage_host_open(&host, XY_FILTER, "json_schema", "schema: {type: no_such_type}"));
}

static const struct check checks[] = {
    {"whole records", checks_the_whole_record},
    {"one field", checks_one_field},
    {"options", refuses},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "json_schema");
    int failed = check_main("json_schema", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
