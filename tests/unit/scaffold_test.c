/* SPDX-License-Identifier: Apache-2.0 */
#include "scaffold.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "registry.h"

static void check_file(const char *folder, const char *name, const char *expected)
{
    char path[512], text[8192];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(text, expected));
    CU_ASSERT_PTR_NULL(strstr(text, "my_plugin"));
    CU_ASSERT_EQUAL(unlink(path), 0);
}

static void test_all_kinds(void)
{
    char parent[] = "/tmp/scaffold_test.XXXXXX";
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(parent));
    for (uint32_t kind = XY_GENERATOR; kind <= XY_FORMAT; kind++) {
        struct error error = {0};
        CU_ASSERT_EQUAL_FATAL(scaffold_write(kind_name(kind), "abc", parent, &error), 0);
        char folder[64], path[128];
        snprintf(folder, sizeof(folder), "%s/abc", parent);
        check_file(folder, "abc.c", "XY_PLUGIN(\"abc\"");
        check_file(folder, "tests/abc_test.c", "#include \"../abc.c\"");
        check_file(folder, "CMakeLists.txt", "xylem_add_plugin(abc abc.c)");
        check_file(folder, "README.md", "# abc\n");
        check_file(folder, ".gitignore", "build/");
        snprintf(path, sizeof(path), "%s/tests", folder);
        CU_ASSERT_EQUAL(rmdir(path), 0); /* nothing else was written */
        CU_ASSERT_EQUAL(rmdir(folder), 0);
    }
    rmdir(parent);
}

static void test_refused(void)
{
    struct error error = {0};
    CU_ASSERT_EQUAL(scaffold_write("filtre", "abc", "/tmp", &error), XY_EINVAL);
    CHECK_TEXT(error.hint, "did you mean `filter`?");
    static const char *const names[] = {
        "",     "Abc", "1a",   "a-b",    "a/b",
        "../a", "int", "test", "repeat", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "a b",  "_a"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CU_ASSERT_EQUAL(scaffold_write("filter", names[i], "/tmp", &error), XY_EINVAL);
    CU_ASSERT_EQUAL(scaffold_write("filter", "abc", "/no/such/folder", &error), XY_EIO);

    char parent[] = "/tmp/scaffold_test.XXXXXX", folder[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(parent));
    snprintf(folder, sizeof(folder), "%s/abc", parent);
    CU_ASSERT_EQUAL(mkdir(folder, 0700), 0);
    CU_ASSERT_EQUAL(scaffold_write("filter", "abc", parent, &error), XY_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "File exists")); /* nothing is overwritten */
    rmdir(folder);
    rmdir(parent);
}

int main(void)
{
    return check_main("scaffold", (const struct check[]){
        {"all kinds", test_all_kinds}, {"refused", test_refused}, {NULL, NULL}});
}
