/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "cli.h"
#include "json.h"

static const struct flag flags[] = {
    {"set", 's', "PATH=VALUE", "change one value of the file before checking it", true},
    {"models", 'm', "FILE", "take models of these names from its `models:` instead", false},
    {"json", 0, NULL, "print the result as JSON", false},
    {NULL, 0, NULL, NULL, false},
};

static void print_json_errors(const struct error_list *errors)
{
    struct buffer out;
    buffer_init(&out, (size_t)16 << 20);
    buffer_append_text(&out, "{\"valid\":false,\"errors\":[");
    for (size_t i = 0; i < errors->count; i++) {
        const struct error *error = &errors->errors[i];
        buffer_append_text(&out, i ? ",{\"file\":" : "{\"file\":");
        json_write_text(&out, str_of(error->file));
        buffer_printf(&out, ",\"line\":%d,\"column\":%d,\"message\":", error->line, error->column);
        json_write_text(&out, str_of(error->text));
        buffer_append_text(&out, ",\"hint\":");
        json_write_text(&out, str_of(error->hint));
        buffer_append_char(&out, '}');
    }
    buffer_append_text(&out, "]}\n");
    fputs(buffer_str(&out).ptr, stdout);
    buffer_free(&out);
}

static void print_json_estimate(const struct pipeline *pipeline, const struct estimate *estimate)
{
    struct buffer out;
    buffer_init(&out, (size_t)16 << 20);
    buffer_append_text(&out, "{\"valid\":true,\"name\":");
    json_write_text(&out, str_of(pipeline->name));
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"records", estimate->records},
        {"calls", estimate->calls},
        {"prompt_tokens", estimate->prompt_tokens},
        {"output_tokens", estimate->output_tokens},
        {"cost", estimate->cost},
    };
    buffer_printf(&out, ",\"exact\":%s", estimate->exact ? "true" : "false");
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        json_write_figure(&out, figures[i].name, figures[i].value);
    buffer_append_text(&out, ",\"steps\":[");
    for (size_t i = 0; i < estimate->step_count; i++) {
        const struct estimate_step *step = &estimate->steps[i];
        buffer_append_text(&out, i ? ",{\"step\":" : "{\"step\":");
        json_write_text(&out, str_of(step->id));
        json_write_figure(&out, "in", step->in);
        json_write_figure(&out, "out", step->out);
        json_write_figure(&out, "calls", step->calls);
        buffer_append_char(&out, '}');
    }
    buffer_append_text(&out, "]}\n");
    fputs(buffer_str(&out).ptr, stdout);
    buffer_free(&out);
}

static void count_cell(struct table *table, double count)
{
    if (isnan(count))
        table_cell(table, "-");
    else
        table_cell(table, "%.0f", count);
}

static void print_estimate(const struct pipeline *pipeline, const struct estimate *estimate)
{
    struct table *table = table_create(4);
    static const char *const heading[] = {"step", "records in", "records out", "calls"};
    for (size_t i = 0; i < 4; i++)
        table_cell(table, "%s", heading[i]);
    for (size_t i = 0; i < estimate->step_count; i++) {
        const struct estimate_step *step = &estimate->steps[i];
        table_cell(table, "%s", step->id);
        count_cell(table, step->in);
        count_cell(table, step->out);
        table_cell(table, "%.0f", step->calls);
    }
    table_print(table, stdout);
    printf("\n%s: no errors. %s %s calls, %s tokens in, at most %s tokens out, cost %.4f%s\n",
           pipeline->file, estimate->exact ? "About" : "At least", short_count(estimate->calls),
           short_count(estimate->prompt_tokens), short_count(estimate->output_tokens),
           estimate->cost,
           pipeline->accept.count ? "; `accept` may ask for more, up to its candidates" : "");
    if (!estimate->exact)
        printf("A step that asks a model gets a number of records that is not known before the "
               "run.\n");
}

/* All that is wrong with a pipeline that could be read, and else what it would cost. */
static void check_pipeline(const struct pipeline *pipeline, struct estimate *estimate,
                           struct error_list *errors)
{
    struct error missing = {0};
    if (engine_check_inputs(pipeline, &missing) < 0) {
        error_list_add(errors, &missing);
    } else {
        engine_check_stages(pipeline, errors);
        engine_check_names(pipeline, errors);
    }
    if (errors->count)
        return;
    engine_estimate(pipeline, estimate);
    if (estimate->error.code)
        error_list_add(errors, &estimate->error);
}

static int run(const struct arguments *arguments)
{
    struct registry registry = {0};
    struct error_list errors = {0};
    struct estimate estimate = {0};
    bool json = argument_given(arguments, "json");
    registry_load_all(&registry, NULL);
    struct pipeline *pipeline =
        pipeline_read(arguments->words[0], argument(arguments, "models"),
                      argument_all(arguments, "set"), &registry, &errors);
    if (pipeline)
        check_pipeline(pipeline, &estimate, &errors);
    int code = pipeline && !errors.count ? EXIT_DONE : EXIT_USAGE;
    if (json && code == EXIT_DONE) {
        print_json_estimate(pipeline, &estimate);
    } else if (json) {
        print_json_errors(&errors);
    } else if (code == EXIT_DONE) {
        print_estimate(pipeline, &estimate);
    } else {
        print_errors(&errors);
        print_errors(&registry.problems);
    }
    estimate_free(&estimate);
    pipeline_free(pipeline);
    registry_free(&registry);
    error_list_free(&errors);
    return code;
}

const struct command command_check = {
    .name = "check",
    .words = "FILE",
    .summary = "find every error of a pipeline file and estimate what it would cost",
    .least_words = 1,
    .most_words = 1,
    .flags = flags,
    .run = run,
    .details = "Nothing is paid and no model is asked. Exit code 2 when there are errors.\n",
};
