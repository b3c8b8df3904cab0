/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"
#include "file.h"

static const struct flag flags[] = {
    {"set", 's', "PATH=VALUE", "change one value of the file, as in models.teacher.use=openai",
     true},
    {"models", 'm', "FILE", "take models of these names from its `models:` instead", false},
    {"runs", 0, "DIR", "folder for runs and their journals (default .xylem)", false},
    {"fresh", 0, NULL, "do not use answers of earlier runs: ask, and pay, again", false},
    {"record", 0, "FILE", "write every answer as a line that `use: replay` answers from", false},
    {"json", 0, NULL, "print the summary as JSON on standard output", false},
    {"quiet", 'q', NULL, "no progress line and no closing table", false},
    {"verbose", 'v', NULL, "log what stages have to say in detail", false},
    {NULL, 0, NULL, NULL, false},
};

static void show_progress(void *data, const struct engine_progress *progress)
{
    (void)data;
    progress_show(progress);
}

static void show_log(void *data, int level, const char *who, const char *message)
{
    (void)data;
    static const char *const words[] = {"", "", "", "warning: ", "error: "};
    progress_clear();
    fprintf(stderr, "%s: %s%s\n", who, words[level >= 1 && level <= 4 ? level : 0], message);
}

static int print_json(const struct engine_result *result)
{
    char path[600];
    struct buffer text;
    struct error error = {0};
    buffer_init(&text, (size_t)64 << 20);
    snprintf(path, sizeof(path), "%s/summary.json", result->folder);
    if (file_read(path, (size_t)64 << 20, &text, &error) < 0)
        print_error(&error);
    else
        fwrite(text.bytes, 1, text.length, stdout);
    buffer_free(&text);
    return error.code;
}

/* The pipeline, when there is nothing that can be told to be wrong before its run; else NULL, and
 * the errors are printed. */
static struct pipeline *read_pipeline(const struct arguments *arguments, struct registry *registry)
{
    struct error_list errors = {0};
    struct error missing = {0};
    registry_load_all(registry, NULL);
    struct pipeline *pipeline =
        pipeline_read(arguments->words[0], argument(arguments, "models"),
                      argument_all(arguments, "set"), registry, &errors);
    if (!pipeline) {
        print_errors(&errors);
        print_errors(&registry->problems);
    } else if (engine_check_inputs(pipeline, &missing) < 0) {
        error_list_add(&errors, &missing);
    } else {
        engine_check_stages(pipeline, &errors);
    }
    if (pipeline && errors.count) {
        print_errors(&errors);
        pipeline_free(pipeline);
        pipeline = NULL;
    }
    error_list_free(&errors);
    return pipeline;
}

static int run(const struct arguments *arguments)
{
    struct registry registry = {0};
    struct error_list errors = {0};
    struct pipeline *pipeline = read_pipeline(arguments, &registry);
    if (!pipeline) {
        registry_free(&registry);
        return EXIT_USAGE;
    }
    /* `check` refuses these; a run may still have records that never come to such a step. */
    engine_check_names(pipeline, &errors);
    print_warnings(&errors);
    bool quiet = argument_given(arguments, "quiet");
    struct engine_options options = {
        .folder = argument(arguments, "runs"),
        .record = argument(arguments, "record"),
        .fresh = argument_given(arguments, "fresh"),
        .progress = quiet ? NULL : show_progress,
        .log = show_log,
        .log_level = argument_given(arguments, "verbose") ? XY_LOG_DEBUG
                     : quiet                              ? XY_LOG_WARNING
                                                          : XY_LOG_INFO,
    };
    struct engine_result result;
    enum engine_end end = engine_run(pipeline, &options, &result);
    progress_clear();
    if (end == ENGINE_FAILED)
        print_error(&result.error);
    else if (end == ENGINE_INTERRUPTED)
        fprintf(stderr, "interrupted: what was paid is kept; the same command goes on\n");
    else if (end == ENGINE_PAUSED)
        fprintf(stderr, "paused: %s\nwhat was paid is kept; when it is done, the same command goes "
                        "on\n", result.error.text);
    else if (!quiet && !argument_given(arguments, "json"))
        closing_print(&result, stdout);
    if (argument_given(arguments, "json"))
        print_json(&result);
    engine_result_free(&result);
    pipeline_free(pipeline);
    registry_free(&registry);
    error_list_free(&errors);
    return (int)end;
}

const struct command command_run = {
    .name = "run",
    .words = "FILE",
    .summary = "run a pipeline, or go on with one that was interrupted",
    .least_words = 1,
    .most_words = 1,
    .flags = flags,
    .run = run,
    .details =
        "The same command again goes on where an earlier one was stopped: every answer that\n"
        "was paid for is in the journal. Exit codes: xylem help exit-codes.\n",
};
