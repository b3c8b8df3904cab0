/* SPDX-License-Identifier: Apache-2.0 */
/* `report`: what a run kept, dropped and changed, and why. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "curation.h"
#include "file.h"
#include "json.h"

static const struct flag flags[] = {
    {"runs", 0, "DIR", "folder for runs (default .xylem)", false},
    {"set", 's', "PATH=VALUE", "for FILE: as it was run, with these values changed", true},
    {"json", 0, NULL, "print the report as JSON", false},
    {"markdown", 0, "FILE", "write the report as one page of Markdown", false},
    {NULL, 0, NULL, NULL, false},
};

/* ---- which run ------------------------------------------------------------------------------- */

struct candidate {
    char *run, *pipeline, *folder;
    double time;             /* when it ended or, without a summary, when it began */
};

struct candidates {
    struct candidate *items;
    const char *pipeline;
    size_t count;
};

static double time_of(const char *folder)
{
    static const char *const files[] = {"summary.json", "lock.json", ""};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[2200];
        struct stat there;
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        if (stat(path, &there) == 0)
            return (double)there.st_mtim.tv_sec + (double)there.st_mtim.tv_nsec / 1e9;
    }
    return 0;
}

static void add_run(void *data, const char *path, const char *name)
{
    struct candidates *all = data;
    all->items = memory_resize(all->items, all->count + 1, sizeof(*all->items));
    all->items[all->count++] = (struct candidate){
        .run = memory_copy_text(name, strlen(name)),
        .pipeline = memory_copy_text(all->pipeline, strlen(all->pipeline)),
        .folder = memory_copy_text(path, strlen(path)),
        .time = time_of(path),
    };
}

static void add_pipeline(void *data, const char *path, const char *name)
{
    struct candidates *all = data;
    char folder[2100];
    all->pipeline = name;
    snprintf(folder, sizeof(folder), "%s/runs", path);
    each_entry(folder, add_run, all);
}

/* The newest of the runs that `run` and `pipeline` name; NULL stands for any. */
static const struct candidate *newest(const struct candidates *all, const char *run,
                                      const char *pipeline)
{
    const struct candidate *best = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct candidate *item = &all->items[i];
        bool fits = (!run || strcmp(item->run, run) == 0) &&
                    (!pipeline || strcmp(item->pipeline, pipeline) == 0);
        if (fits && (!best || item->time > best->time))
            best = item;
    }
    return best;
}

static int unknown_run(const struct candidates *all, const char *word, const char *root)
{
    const char **names = memory_zeroed(all->count * 2 + 1, sizeof(char *));
    for (size_t i = 0; i < all->count; i++) {
        names[2 * i] = all->items[i].run;
        names[2 * i + 1] = all->items[i].pipeline;
    }
    const char *near = nearest_name(word, names, all->count * 2);
    if (near)
        fprintf(stderr, "xylem report: there is no run `%s` under `%s`, nor a pipeline or a file "
                "of that name; did you mean `%s`?\n", word, root, near);
    else
        fprintf(stderr, "xylem report: there is no run `%s` under `%s`, nor a pipeline or a file "
                "of that name; `xylem runs` lists them\n", word, root);
    free(names);
    return EXIT_FAILED;
}

/* The run of a pipeline file as it stands now; where that never ran, the newest of its name. */
static int run_of_file(const struct candidates *all, const struct arguments *arguments,
                       const char *root, const struct candidate **chosen)
{
    struct registry registry = {0};
    struct error_list errors = {0};
    const char *file = arguments->words[0];
    registry_load_all(&registry, NULL);
    struct pipeline *pipeline =
        pipeline_read(file, NULL, argument_all(arguments, "set"), &registry, &errors);
    int code = EXIT_DONE;
    if (pipeline) {
        char run[17];
        record_id_text(pipeline->fingerprint, run);
        *chosen = newest(all, run, pipeline->name);
        if (!*chosen) {
            *chosen = newest(all, NULL, pipeline->name);
            if (*chosen)
                fprintf(stderr, "`%s` as it stands has not been run; this is the newest run of "
                        "`%s`\n", file, pipeline->name);
        }
        if (!*chosen) {
            fprintf(stderr, "xylem report: `%s` has not been run: there is nothing under `%s/%s`\n",
                    file, root, pipeline->name);
            code = EXIT_FAILED;
        }
        pipeline_free(pipeline);
    } else {
        print_errors(&errors);
        code = EXIT_USAGE;
    }
    error_list_free(&errors);
    registry_free(&registry);
    return code;
}

static int choose(const struct candidates *all, const struct arguments *arguments,
                  const char *root, const struct candidate **chosen)
{
    const char *word = arguments->words[0];
    struct stat there;
    *chosen = NULL;
    if (!word) {
        *chosen = newest(all, NULL, NULL);
        if (!*chosen)
            fprintf(stderr, "xylem report: there is no run under `%s` yet; `xylem run FILE` makes "
                    "one\n", root);
        return *chosen ? EXIT_DONE : EXIT_FAILED;
    }
    *chosen = newest(all, word, NULL);
    if (!*chosen)
        *chosen = newest(all, NULL, word);
    if (*chosen)
        return EXIT_DONE;
    if (stat(word, &there) == 0 && S_ISREG(there.st_mode))
        return run_of_file(all, arguments, root, chosen);
    return unknown_run(all, word, root);
}

/* ---- the page -------------------------------------------------------------------------------- */

static int write_markdown(const struct curation *curation, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    struct error error = {0};
    FILE *memory = open_memstream(&text, &length);
    curation_print(curation, true, memory);
    fclose(memory);
    struct file_writer *file = file_writer_open(path, &error);
    if (file) {
        file_writer_append(file, text, length, &error);
        file_writer_close(file, !error.code, &error);
    }
    free(text);
    if (error.code)
        print_error(&error);
    return error.code ? EXIT_FAILED : EXIT_DONE;
}

static int show(const struct candidate *run, const struct arguments *arguments)
{
    struct curation curation;
    const char *markdown = argument(arguments, "markdown");
    curation_read(&curation, run->folder, run->pipeline, run->run);
    int code = markdown ? write_markdown(&curation, markdown) : EXIT_DONE;
    if (argument_given(arguments, "json"))
        curation_print_json(&curation, stdout);
    else if (!markdown)
        curation_print(&curation, false, stdout);
    for (size_t i = 0; markdown && i < curation.problem_count; i++)
        fprintf(stderr, "%s\n", curation.problems[i]);
    curation_free(&curation);
    return code;
}

static int report(const struct arguments *arguments)
{
    const char *root = argument(arguments, "runs");
    struct candidates all = {0};
    const struct candidate *chosen;
    root = root ? root : ".xylem";
    each_entry(root, add_pipeline, &all);
    int code = choose(&all, arguments, root, &chosen);
    if (code == EXIT_DONE)
        code = show(chosen, arguments);
    for (size_t i = 0; i < all.count; i++) {
        free(all.items[i].run);
        free(all.items[i].pipeline);
        free(all.items[i].folder);
    }
    free(all.items);
    return code;
}

const struct command command_report = {
    .name = "report",
    .words = "[RUN|FILE]",
    .summary = "tell what each step of a run kept, dropped and changed, and why",
    .most_words = 1,
    .flags = flags,
    .run = report,
    .details =
        "RUN is a run's id or a pipeline's name, FILE a pipeline file; without one the newest\n"
        "run is taken. It reads the run's folder alone, also of one that was interrupted.\n",
};
