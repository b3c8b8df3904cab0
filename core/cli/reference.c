/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a stage from its own tables: `xylem help NAME` and the reference pages. */
#include <string.h>

#include "cli.h"
#include "options.h"

static const char *range_text(const xy_option *option, char *text, size_t size)
{
    text[0] = '\0';
    if (option->choices)
        snprintf(text, size, "one of %s", option->choices);
    else if (option->low != 0 || option->high != 0)
        snprintf(text, size, "%g to %g", option->low, option->high);
    for (char *at = text; *at; at++) {
        if (*at == '|')
            *at = ',';
    }
    return text;
}

static const char *default_text(const xy_option *option)
{
    if (option->flags & XY_OPT_REQUIRED)
        return "required";
    return option->def ? option->def : "";
}

static void print_markdown(const struct stage_type *type, FILE *to)
{
    const xy_stage *stage = &type->stage;
    fprintf(to, "# %s `%s`\n\n%s.\n\n", kind_name(stage->kind), stage->id, stage->summary);
    if (stage->fields)
        fprintf(to, "Fields: %s\n\n", stage->fields);
    fprintf(to, "Version %s, plugin `%s`, licence %s.", stage->version, type->plugin->info.name,
            type->plugin->info.license);
    fprintf(to, "%s\n\n", stage->flags & XY_STAGE_DATASET ? " Sees the whole data set at once."
                          : stage->flags & XY_STAGE_SOURCE ? " Can make records out of nothing."
                                                           : "");
    if (!type->option_count) {
        fprintf(to, "It has no options.\n");
        return;
    }
    fprintf(to, "| option | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < type->option_count; i++) {
        const xy_option *option = &type->options[i];
        char range[256];
        fprintf(to, "| `%s` | %s | %s | %s | %s |\n",
                option->flags & XY_OPT_REST ? "(any other key)" : option->name,
                option_type_name(option->type), default_text(option),
                range_text(option, range, sizeof(range)), option->help);
    }
}

static void print_text(const struct stage_type *type, FILE *to)
{
    const xy_stage *stage = &type->stage;
    fprintf(to, "%s%s%s - %s %s, version %s\n\n%s.\n", terminal_colour(to, BOLD), stage->id,
            terminal_colour(to, PLAIN), kind_name(stage->kind),
            stage->flags & XY_STAGE_DATASET ? "over the whole data set" : "", stage->version,
            stage->summary);
    if (stage->fields)
        fprintf(to, "Fields: %s\n", stage->fields);
    fprintf(to, "Plugin: %s (%s)\n", type->plugin->info.name, type->plugin->path);
    if (!type->option_count) {
        fprintf(to, "\nIt has no options.\n");
        return;
    }
    fprintf(to, "\noptions:\n");
    for (size_t i = 0; i < type->option_count; i++) {
        const xy_option *option = &type->options[i];
        char range[256];
        range_text(option, range, sizeof(range));
        fprintf(to, "  %s%s%s  %s%s%s%s%s\n      %s\n", terminal_colour(to, BOLD),
                option->flags & XY_OPT_REST ? "(any other key)" : option->name,
                terminal_colour(to, PLAIN), option_type_name(option->type),
                default_text(option)[0] ? ", " : "",
                option->def && !(option->flags & XY_OPT_REQUIRED) ? "default " : "",
                default_text(option), range[0] ? "" : "", option->help);
        if (range[0])
            fprintf(to, "      allowed: %s\n", range);
    }
}

void reference_print(const struct stage_type *type, bool markdown, FILE *to)
{
    if (markdown)
        print_markdown(type, to);
    else
        print_text(type, to);
}
