/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

static void explode(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "explode", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
}

/* The values of a field over what was emitted, with `|` between. */
static const char *values(const char *field)
{
    static char line[1024];
    line[0] = '\0';
    for (size_t i = 0; i < result.count; i++) {
        size_t used = strlen(line);
        snprintf(line + used, sizeof(line) - used, "%s%s", i ? "|" : "",
                 stage_text(result.records[i], field));
    }
    return line;
}

static void makes_a_record_of_each_item(void)
{
    explode("field: tasks", "{\"tasks\":[\"a\",\"b b\",3,1.5,true,[1,2]],\"other\":\"x\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CHECK_TEXT(values("tasks"), "a|b b|3|1.5|true|[1,2]");
    CHECK_TEXT(values("other"), "x|x|x|x|x|x");
    xy_value value;
    CU_ASSERT_EQUAL(record_get(result.records[2], "tasks", &value), XY_INT);
    CU_ASSERT_EQUAL(record_get(result.records[5], "tasks", &value), XY_JSON);
    CU_ASSERT_EQUAL(result.records[0]->parent, result.input->id);
    CU_ASSERT_NOT_EQUAL(result.records[0]->id, result.records[1]->id);
}

static void sets_into_and_index(void)
{
    explode("{field: tasks, into: task, index_into: place}", "{\"tasks\":[\"a\",{\"b\":1}]}");
    CHECK_TEXT(values("task"), "a|{\"b\":1}");
    CHECK_TEXT(values("place"), "0|1");
    CHECK_TEXT(values("tasks"), "|");
    explode("{field: tasks, into: task, keep_list: true}", "{\"tasks\":[\"a\",\"b\"]}");
    CHECK_TEXT(values("tasks"), "[\"a\",\"b\"]|[\"a\",\"b\"]");
}

static void spreads_objects(void)
{
    explode("field: pairs",
            "{\"pairs\":[{\"input\":\"i\\n1\",\"output\":2},{\"pairs\":\"own name\"},"
            "{\"input\":null,\"k\\u0065y\":\"v\"}],\"input\":\"old\"}");
    CHECK_TEXT(values("input"), "i\n1|old|");
    CHECK_TEXT(values("output"), "2||");
    CHECK_TEXT(values("pairs"), "|own name|");
    CHECK_TEXT(values("key"), "||v");
}

/* A name that cannot be kept rejects the record as a whole: nothing is emitted. */
static void refuses_members_that_cannot_be_fields(void)
{
    explode("field: pairs", "{\"pairs\":[{\"a\":1},{\"\":1}]}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_EQUAL(result.count, 0);
    CHECK_TEXT(result.why, "item 1 has a field whose name or value cannot be kept");
    explode("field: pairs", "{\"pairs\":[{\"a\\u0000b\":1}]}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
}

static void leaves_out_empty_items(void)
{
    explode("field: t", "{\"t\":[\"a\",\"\",null,\" \\n\\t\",\"\\\\n\",\"b\"]}");
    CHECK_TEXT(values("t"), "a|\\n|b");
    explode("{field: t, keep_empty: true}", "{\"t\":[\"a\",\"\",null,\"b\"]}");
    CHECK_TEXT(values("t"), "a|||b");
}

static void reads_lists_in_texts(void)
{
    explode("field: t", "{\"t\":\" [1, \\\"two\\\"]\\n\"}");
    CHECK_TEXT(values("t"), "1|two");
    explode("field: t", "{\"t\":\"Sure! Here are the tasks that you asked me for.\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "`t` is no JSON list: Sure! Here are the tasks that you asked ");
    explode("field: t", "{\"t\":{\"a\":1}}");
    CHECK_TEXT(result.why, "`t` is no JSON list: {\"a\":1}");
    /* 39 letters and one of two bytes: the cut goes before it. */
    explode("field: t", "{\"t\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9\xc3\xa9\"}");
    CHECK_TEXT(result.why,
               "`t` is no JSON list: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void splits_texts(void)
{
    explode("{field: t, split: '\\n+'}", "{\"t\":\"one\\n\\n two \\nthree\\n\"}");
    CHECK_TEXT(values("t"), "one|two|three");
    explode("{field: t, split: ','}", "{\"t\":\",a,,b,\"}");
    CHECK_TEXT(values("t"), "a|b");
    explode("{field: t, split: ',', keep_empty: true, max_items: 9}", "{\"t\":\",a,,b,\"}");
    CHECK_TEXT(values("t"), "|a||b|");
    /* A lookahead divides without taking anything away. */
    explode("{field: t, split: '(?=\\d\\.)'}", "{\"t\":\"1.a 2.b 3.c\"}");
    CHECK_TEXT(values("t"), "1.a|2.b|3.c");
    explode("{field: t, split: ''}", "{\"t\":\"a\xc3\xa9z\"}");
    CHECK_TEXT(values("t"), "a|\xc3\xa9|z");
    explode("{field: t, split: ','}", "{\"t\":[\"a,b\"]}");
    CHECK_TEXT(values("t"), "a,b");
}

static void counts(void)
{
    explode("field: t", "{\"t\":[]}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "0 items in `t`; wanted are at least 1");
    explode("{field: t, min_items: 0}", "{\"t\":[]}");
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL(result.count, 0);
    explode("{field: t, min_items: 3}", "{\"t\":[1,2]}");
    CHECK_TEXT(result.why, "2 items in `t`; wanted are at least 3");
    host.log[0] = '\0';
    explode("{field: t, max_items: 2}", "{\"t\":[1,2,3,4,5]}");
    CHECK_TEXT(values("t"), "1|2");
    CU_ASSERT(strstr(host.log, "3 items of 1 lists were left out, past `max_items`: 2") != NULL);
    explode("{field: t, max_items: 2, over: drop}", "{\"t\":[1,2,3]}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "3 items in `t`; allowed are 2");
}

static void drops_what_is_no_list(void)
{
    explode("field: t", "{\"other\":1}");
    CHECK_TEXT(result.why, "the field `t` is missing");
    explode("field: t", "{\"t\":3}");
    CHECK_TEXT(result.why, "`t` is neither a list nor a text");
}

static void bounds_the_search(void)
{
    explode("{field: t, split: '(a|aa)+;'}", "{\"t\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:;\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, "`split` takes more than 2000000 steps on this text; write it without "
                           "nested repetitions");
}

static void refuses_bad_options(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "explode", "{}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "explode", "{field: t, split: 'a(b'}"));
    CU_ASSERT(strstr(host.error.text, "`split`: `a(b` at character 4: missing closing parenthesis")
              != NULL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "explode",
                                       "{field: t, min_items: 5, max_items: 4}"));
    CU_ASSERT(strstr(host.error.text, "`min_items` is 5, more than `max_items`, 4") != NULL);
}

int main(void)
{
    static const struct check checks[] = {
        {"a record of each item", makes_a_record_of_each_item},
        {"into, index_into, keep_list", sets_into_and_index},
        {"objects become fields", spreads_objects},
        {"members that cannot be fields", refuses_members_that_cannot_be_fields},
        {"empty items", leaves_out_empty_items},
        {"lists in texts", reads_lists_in_texts},
        {"texts split by a pattern", splits_texts},
        {"too few, too many", counts},
        {"no list", drops_what_is_no_list},
        {"a search without end", bounds_the_search},
        {"bad options", refuses_bad_options},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "explode");
    int failed = check_main("explode", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
