/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "file.h"

static const struct flag flags[] = {
    {"markdown", 0, NULL, "print a stage's page as Markdown", false},
    {"all", 0, "DIR", "write the reference page of every stage into DIR, and an index", false},
    {NULL, 0, NULL, NULL, false},
};

static const char exit_codes[] =
    "0   done\n"
    "1   the run failed, or a plugin did not pass\n"
    "2   the command line or the pipeline file has errors: nothing was paid\n"
    "3   written, but `accept` did not get its count\n"
    "4   written with what the budget allowed\n"
    "5   interrupted: nothing is lost, the same command goes on\n"
    "6   paused: people have work to do; nothing is lost, the same command goes on\n"
    "71 out of memory: nothing is lost, the same command goes on\n";

static int write_file(const char *folder, const char *name, const char *text, size_t length)
{
    char path[1024];
    struct error error = {0};
    snprintf(path, sizeof(path), "%s/%s.md", folder, name);
    struct file_writer *file = file_writer_open(path, &error);
    if (file) {
        file_writer_append(file, text, length, &error);
        file_writer_close(file, true, &error);
    }
    if (error.code)
        print_error(&error);
    return error.code;
}

/* The page of one stage, or the index when `type` is NULL. */
static int write_page(const struct registry *registry, const struct stage_type *type,
                      const char *folder)
{
    char name[256], *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (type) {
        snprintf(name, sizeof(name), "%s-%s", kind_name(type->stage.kind), type->stage.id);
        reference_print(registry, type, true, memory);
    } else {
        snprintf(name, sizeof(name), "README");
        reference_index(registry, memory);
    }
    fclose(memory);
    int code = write_file(folder, name, text, length);
    free(text);
    return code;
}

static int write_all(const struct registry *registry, const char *folder)
{
    struct error error = {0};
    if (file_make_folder(folder, &error) < 0) {
        print_error(&error);
        return EXIT_FAILED;
    }
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
        for (size_t i = 0; i < plugin->stage_count; i++) {
            if (write_page(registry, &plugin->stages[i], folder) < 0)
                return EXIT_FAILED;
        }
    }
    return write_page(registry, NULL, folder) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static const struct command *find_command(const char *word)
{
    for (const struct command *const *command = commands; *command; command++) {
        if (strcmp((*command)->name, word) == 0)
            return *command;
    }
    return NULL;
}

static int help_on(const struct registry *registry, const char *word, bool markdown)
{
    const struct command *command = find_command(word);
    bool found = false;
    for (uint32_t kind = XY_GENERATOR; kind <= XY_FORMAT; kind++) {
        const struct stage_type *type = registry_find(registry, kind, word);
        if (!type)
            continue;
        reference_print(registry, type, markdown, stdout);
        found = true;
    }
    if (command)
        print_usage(stdout, command);
    if (found || command)
        return EXIT_DONE;
    const char *near = registry_nearest(registry, 0, word);
    if (near)
        return usage_error(&command_help, "there is no plugin or command `%s`; did you mean `%s`?",
                           word, near);
    return usage_error(&command_help, "there is no plugin or command `%s`; `xylem plugins` lists "
                       "them", word);
}

static int run(const struct arguments *arguments)
{
    const char *word = arguments->words[0], *folder = argument(arguments, "all");
    if (word && strcmp(word, "exit-codes") == 0) {
        fputs(exit_codes, stdout);
        return EXIT_DONE;
    }
    if (!word && !folder) {
        for (const struct command *const *command = commands; *command; command++)
            printf("%-14s %s\n", (*command)->name, (*command)->summary);
        printf(
            "\n`xylem help NAME` explains a command or a plugin; `xylem plugins` lists those.\n");
        return EXIT_DONE;
    }
    struct registry registry = {0};
    registry_load_all(&registry, NULL);
    int code = folder ? write_all(&registry, folder)
                      : help_on(&registry, word, argument_given(arguments, "markdown"));
    registry_free(&registry);
    return code;
}

const struct command command_help = {
    .name = "help",
    .words = "[NAME]",
    .summary = "explain a command, a plugin with its options, or `exit-codes`",
    .most_words = 1,
    .flags = flags,
    .run = run,
};
