/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"
#include "conformance.h"
#include "scaffold.h"

static const struct flag new_flags[] = {
    {"in", 0, "DIR", "folder to make it in (default the current one)", false},
    {NULL, 0, NULL, NULL, false},
};

static int run_new(const struct arguments *arguments)
{
    const char *kind = arguments->words[0], *name = arguments->words[1];
    if (!kind_of(kind))
        return unknown_kind(&command_new, kind);
    struct error error = {0};
    if (scaffold_write(kind, name, argument(arguments, "in"), &error) < 0) {
        print_error(&error);
        return EXIT_USAGE;
    }
    printf("made %s/: build it with\n  cmake -S %s -B %s/build && cmake --build %s/build\n"
           "then check it with\n  xylem test-plugin %s/build/%s.so\n",
           name, name, name, name, name, name);
    return EXIT_DONE;
}

const struct command command_new = {
    .name = "new",
    .words = "KIND NAME",
    .summary = "write a plugin of your own to begin with: it builds, passes its test and runs",
    .least_words = 2,
    .most_words = 2,
    .flags = new_flags,
    .run = run_new,
};

static const struct flag test_flags[] = {
    {"verbose", 'v', NULL, "name every check, not only those that failed", false},
    {NULL, 0, NULL, NULL, false},
};

static int run_test(const struct arguments *arguments)
{
    struct buffer report;
    buffer_init(&report, (size_t)16 << 20);
    int code = conformance_run(arguments->words[0], argument_given(arguments, "verbose"), &report);
    fputs(buffer_str(&report).ptr, stdout);
    buffer_free(&report);
    return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_test_plugin = {
    .name = "test-plugin",
    .words = "FILE.so",
    .summary = "hold a plugin against every rule of the plugin header",
    .least_words = 1,
    .most_words = 1,
    .flags = test_flags,
    .run = run_test,
};
