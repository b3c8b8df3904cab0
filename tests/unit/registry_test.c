/* SPDX-License-Identifier: Apache-2.0 */
/* The loader against plugins that keep or break one rule each (tests/abi/plugins). */
#include "registry.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define ABI TEST_BUILD_DIR "/tests/abi/"

/* Loads one file into a registry of its own; returns whether it was refused with a message that
 * names the file and holds `expected`. */
static bool refuses(const char *path, const char *expected)
{
    struct registry registry = {0};
    struct error error = {0};
    struct plugin *plugin = registry_load(&registry, path, &error);
    bool named = strstr(error.text, strrchr(path, '/') + 1) != NULL;
    bool said = strstr(error.text, expected) || strstr(error.hint, expected);
    if (plugin || !named || !said)
        printf("\n    %s: expected \"%s\", got \"%s\" (%s)\n", path, expected, error.text,
               error.hint);
    CU_ASSERT(plugin == NULL ? error.code < 0 : false);
    CU_ASSERT_PTR_NULL(registry.plugins);
    registry_free(&registry);
    return !plugin && named && said;
}

static struct plugin *loads(struct registry *registry, const char *name)
{
    struct error error = {0};
    char path[512];
    snprintf(path, sizeof(path), ABI "%s.so", name);
    struct plugin *plugin = registry_load(registry, path, &error);
    if (!plugin)
        printf("\n    %s: %s\n", name, error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    return plugin;
}

static void test_good(void)
{
    struct registry registry = {0};
    struct plugin *plugin = loads(&registry, "good");
    CHECK_TEXT(plugin->info.name, "good");
    CHECK_TEXT(plugin->info.version, "1.2.3");
    CU_ASSERT_EQUAL(plugin->stage_count, 2);
    const struct stage_type *type = registry_find(&registry, XY_FILTER, "good");
    CU_ASSERT_PTR_NOT_NULL_FATAL(type);
    CU_ASSERT_PTR_EQUAL(type->plugin, plugin);
    CU_ASSERT_EQUAL(type->option_count, 2);
    CHECK_TEXT(type->options[0].name, "most");
    CU_ASSERT_EQUAL(type->options[0].high, 100);
    CHECK_TEXT(type->options[1].def, "text");
    CU_ASSERT_PTR_NULL(type->options[2].name);
    CHECK_TEXT(type->stage.version, "1.0");

    const struct stage_type *model = registry_find(&registry, XY_GENERATOR, "good");
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_PTR_EQUAL(model->stage.generator, &model->generator);
    CU_ASSERT_PTR_NOT_NULL(model->generator.submit);
    CHECK_TEXT(model->stage.version, "1.2.3"); /* the plugin's, since the stage gave none */
    CU_ASSERT_PTR_NULL(registry_find(&registry, XY_LEARNER, "good"));
    CU_ASSERT_PTR_EQUAL(registry_find(&registry, 0, "good"), type);
    CHECK_TEXT(registry_nearest(&registry, 0, "goood"), "good");
    CU_ASSERT_PTR_NULL(registry_nearest(&registry, XY_FORMAT, "goood"));

    struct error error;
    struct plugin *again = registry_load(&registry, ABI "../abi/good.so", &error);
    CU_ASSERT_PTR_EQUAL(again, plugin); /* the same file by another path is the same plugin */
    CU_ASSERT_PTR_NULL(plugin->next);
    CU_ASSERT_EQUAL(registry.problems.count, 0);
    registry_free(&registry);
}

static void test_sizes(void)
{
    struct registry registry = {0};
    loads(&registry, "longer");
    const struct stage_type *longer = registry_find(&registry, XY_FILTER, "longer");
    CU_ASSERT_PTR_NOT_NULL_FATAL(longer);
    CU_ASSERT_EQUAL(longer->option_count, 2);
    CHECK_TEXT(longer->options[1].name, "least"); /* found by the plugin's own stride */
    CU_ASSERT_EQUAL(longer->options[1].offset, sizeof(int64_t));
    CU_ASSERT_EQUAL(longer->stage.size, sizeof(xy_stage));

    loads(&registry, "shorter");
    const struct stage_type *shorter = registry_find(&registry, XY_FILTER, "shorter");
    CU_ASSERT_PTR_NOT_NULL_FATAL(shorter);
    CU_ASSERT_PTR_NOT_NULL(shorter->stage.process);
    CU_ASSERT_PTR_NULL(shorter->stage.run); /* a member that the plugin did not know reads as 0 */
    CU_ASSERT_PTR_NULL(shorter->stage.fields);
    CU_ASSERT_EQUAL(shorter->option_count, 1);
    CHECK_TEXT(shorter->options[0].def, "10");
    CU_ASSERT_PTR_NULL(shorter->options[0].help);
    CU_ASSERT_EQUAL(shorter->options[0].high, 0);
    loads(&registry, "constructor");
    loads(&registry, "trap"); /* ends the process if any function of the plugin is called */
    registry_free(&registry);
}

static void test_refused_objects(void)
{
    CU_ASSERT(refuses(ABI "wrong_major.so", "exports xy_plugin_v2, this host loads v1"));
    CU_ASSERT(refuses(ABI "wrong_major.so", "install a plugin built for major 1"));
    CU_ASSERT(refuses(ABI "no_entry.so", "exports no xy_plugin_v1()"));
    CU_ASSERT(refuses(ABI "undefined_symbol.so", "function_of_no_library"));
    CU_ASSERT(refuses(ABI "entry_null.so", "returned NULL"));
    CU_ASSERT(refuses(ABI "needs_newer.so", "needs ABI 1.3, this host has 1.1"));
    CU_ASSERT(refuses(ABI "needs_newer.so", "update xylem"));
    CU_ASSERT(refuses(ABI "no_such_file.so", "No such file"));
    CU_ASSERT(refuses(TEST_BUILD_DIR "/bin/registry_test", "registry_test"));
}

static void test_refused_tables(void)
{
    static const struct {
        const char *file, *expected;
    } cases[] = {
        {"small_size", "says its size is 0 bytes"},
        {"no_stages", "no stages"},
        {"duplicate_stages", "two filters named `stage`"},
        {"bad_kind", "kind 0"},
        {"bad_id", "`a stage!`"},
        {"reserved_id", "name of a built-in step"},
        {"no_summary", "no summary"},
        {"bad_flags", "XY_STAGE_REENTRANT without XY_STAGE_CPU"},
        {"bad_need", "service `xylem.log`"},
        {"no_process", "is a filter and has no `process`"},
        {"no_run", "is a whole-dataset filter and has no `run`"},
        {"no_generator", "is a generator and has no `generator`"},
        {"half_format", "is a format and has no `format->read_close`"},
        {"offset_outside", "option `number` writes outside the stage's state"},
        {"offset_misaligned", "option `number` has an offset that its C type cannot stand at"},
        {"shared_offset", "options `number` and `other` share bytes"},
        {"duplicate_options", "two options named `number`"},
        {"bad_type", "option `number` has a type that this host does not know (type 99"},
        {"bad_default", "between 1 and 10, found `11`"},
        {"bad_choice", "default of option `text`"},
        {"required_default", "is required and has a default"},
        {"bad_rest", "XY_OPT_REST without the type XY_OPT_JSON"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), ABI "%s.so", cases[i].file);
        CU_ASSERT(refuses(path, cases[i].expected));
    }
}

static void write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, length, file), length);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

/* Files that only look like plugins, among them one cut off at each of many lengths. */
static void test_broken_files(void)
{
    char folder[] = "/tmp/registry_test.XXXXXX", path[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/broken.so", folder);
    write_file(path, "", 0);
    CU_ASSERT(refuses(path, "is not a shared object"));
    write_file(path, "#!/bin/sh\nexit 0\n", 17);
    CU_ASSERT(refuses(path, "does not begin as an ELF file"));

    enum { SIZE = 1 << 20 };
    char *bytes = malloc(SIZE);
    size_t length = read_file(ABI "good.so", bytes, SIZE);
    CU_ASSERT_FATAL(length > 4096 && length < SIZE);
    for (size_t cut = 1; cut < length && cut < 8192; cut = cut * 2 + 1) {
        write_file(path, bytes, cut);
        struct registry registry = {0};
        struct error error = {0};
        CU_ASSERT_PTR_NULL(registry_load(&registry, path, &error));
        CU_ASSERT(error.code < 0 && error.text[0]);
        registry_free(&registry);
    }
    bytes[18] ^= 0x40; /* e_machine */
    write_file(path, bytes, length);
    CU_ASSERT(refuses(path, "is built for ELF machine"));
    bytes[18] ^= 0x40;
    bytes[16] = 1; /* e_type: a relocatable object */
    write_file(path, bytes, length);
    CU_ASSERT(refuses(path, "is ELF type 1"));
    bytes[16] = 3;
    bytes[4] ^= 3; /* the other word size */
    write_file(path, bytes, length);
    CU_ASSERT(refuses(path, "another word size"));
    free(bytes);
    unlink(path);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    CU_ASSERT(refuses(path, "is no plain file"));
    rmdir(path);
    rmdir(folder);
}

static void copy_plugin(const char *name, const char *path)
{
    enum { SIZE = 1 << 20 };
    char *bytes = malloc(SIZE), from[512];
    snprintf(from, sizeof(from), ABI "%s.so", name);
    write_file(path, bytes, read_file(from, bytes, SIZE));
    free(bytes);
}

static void test_search(void)
{
    char first[] = "/tmp/registry_test.XXXXXX", second[] = "/tmp/registry_test.XXXXXX";
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(first));
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(second));
    char paths[4][128];
    snprintf(paths[0], sizeof(paths[0]), "%s/b_good.so", first);
    snprintf(paths[1], sizeof(paths[1]), "%s/a_trap.so", first);
    snprintf(paths[2], sizeof(paths[2]), "%s/good.so", second);
    snprintf(paths[3], sizeof(paths[3]), "%s/broken.so", second);
    copy_plugin("good", paths[0]);
    copy_plugin("trap", paths[1]);
    copy_plugin("good", paths[2]);
    write_file(paths[3], "no", 2);

    struct registry registry = {0};
    char list[512];
    snprintf(list, sizeof(list), "%s::/no/such/folder", second);
    setenv("XYLEM_PLUGIN_PATH", list, 1);
    registry_load_all(&registry, (const char *const[]){first, NULL});
    /* Name order within a folder, `extra` before the environment. */
    CU_ASSERT_PTR_NOT_NULL_FATAL(registry.plugins);
    CHECK_TEXT(registry.plugins->info.name, "trap");
    CHECK_TEXT(registry.plugins->next->info.name, "good");
    CHECK_TEXT(registry.plugins->next->path, paths[0]);
    const struct stage_type *found = registry_find(&registry, XY_FILTER, "good");
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CHECK_TEXT(found->plugin->path, paths[0]);
    bool hidden = false, broken = false, missing = false;
    for (size_t i = 0; i < registry.problems.count; i++) {
        const char *text = registry.problems.errors[i].text;
        hidden |= strstr(text, "filter `good`") && strstr(text, paths[0]) && strstr(text, paths[2]);
        broken |= strstr(text, paths[3]) != NULL;
        missing |= strstr(text, "/no/such/folder") != NULL;
    }
    CU_ASSERT(hidden);
    CU_ASSERT(broken);
    CU_ASSERT(missing);
    /* The same bytes give the same fingerprint, other bytes another. */
    CU_ASSERT_EQUAL(found->plugin->fingerprint, found->plugin->next->fingerprint);
    CU_ASSERT_NOT_EQUAL(found->plugin->fingerprint, registry.plugins->fingerprint);
    registry_free(&registry);
    unsetenv("XYLEM_PLUGIN_PATH");
    for (size_t i = 0; i < 4; i++)
        unlink(paths[i]);
    rmdir(first);
    rmdir(second);
}

static void test_kinds(void)
{
    static const char *const names[] = {"generator", "condition", "filter", "enhancer",
                                        "evaluator", "learner", "format"};
    for (uint32_t kind = XY_GENERATOR; kind <= XY_FORMAT; kind++) {
        CHECK_TEXT(kind_name(kind), names[kind - 1]);
        CU_ASSERT_EQUAL(kind_of(names[kind - 1]), kind);
    }
    CU_ASSERT_PTR_NULL(kind_name(0));
    CU_ASSERT_PTR_NULL(kind_name(8));
    CU_ASSERT_EQUAL(kind_of("judge"), 0);
}

int main(void)
{
    unsetenv("XYLEM_PLUGIN_PATH");
    return check_main("registry", (const struct check[]){
        {"a good plugin", test_good},
        {"longer and shorter structs", test_sizes},
        {"objects that are refused", test_refused_objects},
        {"tables that are refused", test_refused_tables},
        {"broken files", test_broken_files},
        {"search path", test_search},
        {"kinds", test_kinds},
        {NULL, NULL},
    });
}
