/* SPDX-License-Identifier: Apache-2.0 */
/* The schema for editors: compiled by our own reader of schemas, and, where Python's jsonschema is
 * there, checked as draft 2020-12 and against files by tests/unit/pipeline_schema.py. */
#include <spawn.h>
#include <sys/wait.h>

#include "json.h"
#include "pipeline_fake.h"

extern char **environ;

static struct buffer schema;

static void test_is_json(void)
{
    struct arena arena = {0};
    struct error error = {0};
    struct value value;
    buffer_init(&schema, NODE_BYTES);
    pipeline_schema(fake_registry(), &schema);
    CU_ASSERT_FALSE(schema.overflowed);
    CU_ASSERT_EQUAL_FATAL(json_parse(&arena, buffer_str(&schema), &value, &error), 0);
    const struct value *properties = value_member(&value, STR("properties"));
    static const char *const keys[] = {"xylem", "name", "seed", "codebook", "params", "models",
                                       "plugins", "tools", "budget", "cache", "steps", "accept",
                                       "write"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(value_member(properties, str_of(keys[i])));
    CU_ASSERT_EQUAL(properties->map.count, sizeof(keys) / sizeof(keys[0]));
    /* Every option of every stage is in it, with its help. */
    CU_ASSERT_PTR_NOT_NULL(strstr(schema.bytes, "\"threshold\":{\"description\":\"Similarity.\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(schema.bytes, "\"api_key\":{\"description\":\"The key.\""));
    arena_free(&arena);
}

static void test_python(void)
{
    const char *script = TEST_SOURCE_DIR "/tests/unit/pipeline_schema.py";
    fake_file("schema.json", schema.bytes);
    char *const arguments[] = {(char *)"python3", (char *)script, (char *)"schema.json", NULL};
    pid_t child;
    int status = 0;
    if (posix_spawnp(&child, "python3", NULL, NULL, arguments, environ) != 0) {
        printf("skipped: no python3 ");
        return;
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        printf("skipped: Python has no jsonschema or yaml ");
        return;
    }
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    static const struct check checks[] = {
        {"is JSON and complete", test_is_json},
        {"good and bad files", test_python},
        {NULL, NULL},
    };
    static const char *const files[] = {"schema.json", NULL};
    fake_enter();
    int code = check_main("pipeline schema", checks);
    buffer_free(&schema);
    fake_leave(files);
    return code;
}
