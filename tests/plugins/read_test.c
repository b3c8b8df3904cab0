/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <unistd.h>

static struct stage_host host;
static struct stage_result result;
static char path[64];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    fclose(file);
}

static struct instance *open_read(const char *more)
{
    char yaml[256];
    snprintf(yaml, sizeof(yaml), "{path: %s%s}", path, more);
    return stage_host_open(&host, XY_CONDITION, "read", yaml);
}

/* The field n of what one call made, as "1 2 3". */
static const char *made(const char *more)
{
    static char text[512];
    size_t length = 0;
    struct instance *instance = open_read(more);
    CU_ASSERT_FATAL(instance != NULL);
    stage_result_free(&result);
    stage_host_process(&host, instance, NULL, &result);
    instance_close(instance);
    text[0] = '\0';
    for (size_t i = 0; i < result.count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "",
                                   stage_text(result.records[i], "n"));
    return text;
}

static void reads(void)
{
    write_file("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    CHECK_TEXT(made(""), "1 2 3");
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CHECK_TEXT(made(", limit: 2"), "1 2");
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CHECK_TEXT(made(", skip: 1"), "2 3");
    CHECK_TEXT(made(", skip: 1, limit: 1"), "2");
    CHECK_TEXT(made(", skip: 9"), "");
    CHECK_TEXT(made(", format: jsonl"), "1 2 3");
    write_file("");
    CHECK_TEXT(made(""), "");
}

static void reads_many(void)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    for (int i = 0; i < 200; i++)
        fprintf(file, "{\"n\":%d}\n", i);
    fclose(file);
    struct instance *instance = open_read("");
    CU_ASSERT_FATAL(instance != NULL);
    size_t seen = 0, wrong = 0;
    do {
        stage_result_free(&result);
        stage_host_process(&host, instance, NULL, &result);
        for (size_t i = 0; i < result.count; i++, seen++)
            wrong += stage_number(result.records[i], "n") != (double)seen;
    } while (result.verdict == XY_CONSUMED);
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CU_ASSERT_EQUAL(seen, 200);
    CU_ASSERT_EQUAL(wrong, 0);
    instance_close(instance);
}

static void tells_what_is_wrong(void)
{
    write_file("{\"n\":1}\n[2]\n");
    made("");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, ".jsonl:2: expected a JSON object"));
    CU_ASSERT_PTR_NULL(open_read(", format: parquet"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "parquet"));
    unlink(path);
    CU_ASSERT_PTR_NULL(open_read(""));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "cannot read"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "read", "{}"));
}

static const struct check checks[] = {
    {"reading", reads},
    {"more than one call", reads_many},
    {"what is wrong", tells_what_is_wrong},
    {0},
};

int main(void)
{
    snprintf(path, sizeof(path), P_tmpdir "/read-%ld.jsonl", (long)getpid());
    stage_host_init(&host);
    stage_host_load(&host, "read");
    stage_host_load(&host, "jsonl");
    int failed = check_main("read", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    unlink(path);
    return failed;
}
