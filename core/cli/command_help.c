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
    "0  done\n"
    "1  the run failed, or a plugin did not pass\n"
    "2  the command line or the pipeline file has errors: nothing was paid\n"
    "3  written, but `accept` did not get its count\n"
    "4  written with what the budget allowed\n"
    "5  interrupted: nothing is lost, the same command goes on\n";

static int write_page(const struct stage_type *type, const char *folder)
{
    char path[1024], *page = NULL;
    size_t length = 0;
    struct error error = {0};
    FILE *memory = open_memstream(&page, &length);
    reference_print(type, true, memory);
    fclose(memory);
    snprintf(path, sizeof(path), "%s/%s-%s.md", folder, kind_name(type->stage.kind),
             type->stage.id);
    struct file_writer *file = file_writer_open(path, &error);
    if (file) {
        file_writer_append(file, page, length, &error);
        file_writer_close(file, true, &error);
    }
    free(page);
    if (error.code)
        print_error(&error);
    return error.code;
}

static int write_all(const struct registry *registry, const char *folder)
{
    struct buffer index;
    struct error error = {0};
    buffer_init(&index, (size_t)1 << 24);
    buffer_append_text(&index, "# Reference\n\nMade from the option tables by `xylem help --all "
                               "DIR`: do not edit.\n\n| kind | name | summary |\n|---|---|---|\n");
    for (uint32_t kind = XY_GENERATOR; kind <= XY_FORMAT; kind++) {
        for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
            for (size_t i = 0; i < plugin->stage_count; i++) {
                const struct stage_type *type = &plugin->stages[i];
                if (type->stage.kind != kind)
                    continue;
                if (write_page(type, folder) < 0)
                    return EXIT_FAILED;
                buffer_printf(&index, "| %s | [`%s`](%s-%s.md) | %s |\n", kind_name(kind),
                              type->stage.id, kind_name(kind), type->stage.id,
                              type->stage.summary);
            }
        }
    }
    char path[1024];
    snprintf(path, sizeof(path), "%s/README.md", folder);
    struct file_writer *file = file_writer_open(path, &error);
    if (file) {
        file_writer_append(file, index.bytes, index.length, &error);
        file_writer_close(file, true, &error);
    }
    buffer_free(&index);
    return error.code ? EXIT_FAILED : EXIT_DONE;
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
        reference_print(type, markdown, stdout);
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
