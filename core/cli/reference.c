/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a stage from its own tables: `xylem help NAME` and the reference pages. */
#include <string.h>

#include "cli.h"
#include "options.h"

/* A bound from here on is the option's way to say that there is none. */
static const double no_bound = 1e9;

/* Some summaries end in a full stop and some do not; a page has exactly one. */
static int sentence_length(const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '.')
        length--;
    return (int)length;
}

static const char *type_text(const xy_option *option)
{
    if (option->type == XY_OPT_JSON)
        return "any value";
    return option->choices ? "choice" : option_type_name(option->type);
}

static const char *range_text(const xy_option *option, char *text, size_t size)
{
    bool low = option->low > -no_bound, high = option->high < no_bound;
    text[0] = '\0';
    if (option->low == 0 && option->high == 0)
        return text;
    if (low && high)
        snprintf(text, size, "%.15g to %.15g", option->low, option->high);
    else if (low)
        snprintf(text, size, "%.15g or more", option->low);
    else if (high)
        snprintf(text, size, "%.15g or less", option->high);
    return text;
}

static const char *what_it_sees(const xy_stage *stage)
{
    if (stage->flags & XY_STAGE_NO_INPUT)
        return "Makes records and takes none";
    if (stage->flags & XY_STAGE_SOURCE)
        return "Makes records where nothing comes in, and adds to records where some do";
    if (stage->flags & XY_STAGE_DATASET)
        return "Sees the whole dataset at once";
    return NULL;
}

/* ---- how it is written in a pipeline file ---------------------------------------------------- */

static void print_required(const struct stage_type *type, const char *before, const char *after,
                           FILE *to)
{
    bool any = false;
    for (size_t i = 0; i < type->option_count; i++) {
        const xy_option *option = &type->options[i];
        if (!(option->flags & XY_OPT_REQUIRED) || (option->flags & XY_OPT_REST))
            continue;
        fprintf(to, "%s%s: ...", any ? ", " : before, option->name);
        any = true;
    }
    fputs(any ? after : "", to);
}

/* Is the name enough, or do two kinds that may be steps have it? */
static bool needs_kind(const struct registry *registry, const char *name)
{
    int found = 0;
    for (uint32_t kind = XY_CONDITION; kind <= XY_EVALUATOR; kind++)
        found += registry_find(registry, kind, name) != NULL;
    return found > 1;
}

static void print_use(const struct registry *registry, const struct stage_type *type, FILE *to)
{
    const xy_stage *stage = &type->stage;
    if (stage->kind == XY_GENERATOR) {
        fprintf(to, "models:\n  NAME: { use: %s", stage->id);
        print_required(type, ", ", "", to);
        fprintf(to, " }\n");
    } else if (stage->kind == XY_LEARNER) {
        fprintf(to, "learner: { use: %s", stage->id);
        print_required(type, ", ", "", to);
        fprintf(to, " }\n");
    } else if (stage->kind == XY_FORMAT) {
        fprintf(to, "write: { path: ..., format: %s }\n", stage->id);
    } else {
        bool long_name = needs_kind(registry, stage->id);
        fprintf(to, "- use: %s%s%s\n", long_name ? kind_name(stage->kind) : "",
                long_name ? "/" : "", stage->id);
        print_required(type, "  with: { ", " }\n", to);
    }
}

/* ---- Markdown -------------------------------------------------------------------------------- */

/* One cell of a table: a bar would end it, and outside code some characters would be markup. */
static void print_cell(const char *text, FILE *to)
{
    bool code = false;
    for (; text && *text; text++) {
        if (*text == '`')
            code = !code;
        if (*text == '|' || (!code && (*text == '*' || *text == '<')))
            fputc('\\', to);
        fputc(*text == '\n' ? ' ' : *text, to);
    }
}

static void print_code(const char *text, FILE *to)
{
    fputc('`', to);
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputc('`', to);
}

static void print_choices(const char *choices, FILE *to)
{
    fputc('`', to);
    for (; *choices; choices++) {
        if (*choices == '|')
            fputs("`, `", to);
        else
            fputc(*choices, to);
    }
    fputc('`', to);
}

static void print_row(const xy_option *option, FILE *to)
{
    char range[256];
    fputs("| ", to);
    if (option->flags & XY_OPT_REST)
        fputs("any other key", to);
    else
        print_code(option->name, to);
    fprintf(to, " | %s | ", type_text(option));
    if (option->flags & XY_OPT_REQUIRED)
        fputs("**required**", to);
    else if (option->def)
        print_code(*option->def ? option->def : "\"\"", to);
    fputs(" | ", to);
    if (option->choices)
        print_choices(option->choices, to);
    else
        fputs(range_text(option, range, sizeof(range)), to);
    fputs(" | ", to);
    print_cell(option->help, to);
    fputs(" |\n", to);
}

static void print_markdown(const struct registry *registry, const struct stage_type *type,
                           FILE *to)
{
    const xy_stage *stage = &type->stage;
    fprintf(to, "# %s `%s`\n\n%.*s.\n\n", kind_name(stage->kind), stage->id,
            sentence_length(stage->summary), stage->summary);
    fprintf(to, "```yaml\n");
    print_use(registry, type, to);
    fprintf(to, "```\n\n");
    if (stage->fields)
        fprintf(to, "- Fields: %.*s.\n", sentence_length(stage->fields), stage->fields);
    if (what_it_sees(stage))
        fprintf(to, "- %s.\n", what_it_sees(stage));
    if (stage->kind == XY_FORMAT && type->format.endings && *type->format.endings)
        fprintf(to, "- Chosen for files whose names end in `%s`.\n", type->format.endings);
    fprintf(to, "- Plugin `%s`, version %s, licence %s.\n\n", type->plugin->info.name,
            stage->version, type->plugin->info.license);
    if (!type->option_count) {
        fprintf(to, "It has no options.\n");
        return;
    }
    fprintf(to, "| option | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < type->option_count; i++)
        print_row(&type->options[i], to);
}

/* ---- a terminal ------------------------------------------------------------------------------ */

static void print_option(const xy_option *option, FILE *to)
{
    char range[256];
    range_text(option, range, sizeof(range));
    fprintf(to, "  %s%s%s  %s", terminal_colour(to, BOLD),
            option->flags & XY_OPT_REST ? "(any other key)" : option->name,
            terminal_colour(to, PLAIN), type_text(option));
    if (option->flags & XY_OPT_REQUIRED)
        fprintf(to, ", required");
    else if (option->def)
        fprintf(to, ", default %s", *option->def ? option->def : "\"\"");
    fprintf(to, "\n      %s\n", option->help);
    if (option->choices) {
        fprintf(to, "      one of: ");
        for (const char *at = option->choices; *at; at++) {
            if (*at == '|')
                fputs(", ", to);
            else
                fputc(*at, to);
        }
        fputc('\n', to);
    } else if (range[0]) {
        fprintf(to, "      allowed: %s\n", range);
    }
}

static void print_text(const struct registry *registry, const struct stage_type *type, FILE *to)
{
    const xy_stage *stage = &type->stage;
    fprintf(to, "%s%s%s - %s, version %s\n\n%.*s.\n", terminal_colour(to, BOLD), stage->id,
            terminal_colour(to, PLAIN), kind_name(stage->kind), stage->version,
            sentence_length(stage->summary), stage->summary);
    if (stage->fields)
        fprintf(to, "Fields: %.*s.\n", sentence_length(stage->fields), stage->fields);
    if (what_it_sees(stage))
        fprintf(to, "%s.\n", what_it_sees(stage));
    fprintf(to, "Plugin: %s (%s)\n\n", type->plugin->info.name, type->plugin->path);
    print_use(registry, type, to);
    fprintf(to, type->option_count ? "\noptions:\n" : "\nIt has no options.\n");
    for (size_t i = 0; i < type->option_count; i++)
        print_option(&type->options[i], to);
}

void reference_print(const struct registry *registry, const struct stage_type *type, bool markdown,
                     FILE *to)
{
    if (markdown)
        print_markdown(registry, type, to);
    else
        print_text(registry, type, to);
}

/* ---- the index ------------------------------------------------------------------------------- */

static const char types[] =
    "## Types of options\n\n"
    "| type | what may stand there |\n|---|---|\n"
    "| text, choice | a text; of a choice, one of the listed ones |\n"
    "| integer | a whole number, also `10k` or `2M` |\n"
    "| number, boolean | as in YAML; `true` or `false` |\n"
    "| seconds | `30`, `500ms`, `5m`, `1h` |\n"
    "| list | a list of texts; a single one needs no brackets |\n"
    "| any value | whatever YAML can say; the option's meaning tells what is expected |\n"
    "| path | a file; a relative one starts at the pipeline file's folder |\n"
    "| expression | as in `when`: `score >= 4 and label != 'other'` |\n"
    "| template | a text with `{{ }}` and `{% %}`, as in a prompt |\n"
    "| field | the name of a field of the records |\n"
    "| model | a name under `models:` |\n"
    "| learner | a learner's name, or a map with `use:` and its options |\n"
    "| dataset | the id of an earlier step, or the path of a file of records |\n";

void reference_index(const struct registry *registry, FILE *to)
{
    fprintf(to, "# Reference: every stage and its options\n\n"
                "Made from the plugins' option tables by `xylem help --all DIR`: do not edit.\n"
                "Steps `generate`, `score` and `embed`, and the keys of the file itself, belong to "
                "the core: `docs/pipeline-file.md`.\n"
                "A plugin's README (`plugins/NAME/README.md`) says more than its page here.\n\n"
                "| kind | name | what it does |\n|---|---|---|\n");
    for (uint32_t kind = XY_GENERATOR; kind <= XY_FORMAT; kind++) {
        for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
            for (size_t i = 0; i < plugin->stage_count; i++) {
                const xy_stage *stage = &plugin->stages[i].stage;
                if (stage->kind != kind)
                    continue;
                fprintf(to, "| %s | [`%s`](%s-%s.md) | ", kind_name(kind), stage->id,
                        kind_name(kind), stage->id);
                fprintf(to, "%.*s |\n", sentence_length(stage->summary), stage->summary);
            }
        }
    }
    fprintf(to, "\n%s", types);
}
