/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"
#include "json.h"

static const struct flag flags[] = {
    {"kind", 'k', "KIND", "only this kind: generator, condition, filter, enhancer, evaluator, "
                          "learner, format", false},
    {"json", 0, NULL, "print the list as JSON", false},
    {NULL, 0, NULL, NULL, false},
};

static void print_text(const struct registry *registry, uint32_t kind)
{
    struct table *table = table_create(4);
    static const char *const heading[] = {"kind", "name", "version", "summary"};
    for (size_t i = 0; i < 4; i++)
        table_cell(table, "%s", heading[i]);
    for (uint32_t k = XY_GENERATOR; k <= XY_FORMAT; k++) {
        for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
            for (size_t i = 0; i < plugin->stage_count; i++) {
                const xy_stage *stage = &plugin->stages[i].stage;
                if (stage->kind != k || (kind && kind != k))
                    continue;
                table_cell(table, "%s", kind_name(k));
                table_cell(table, "%s", stage->id);
                table_cell(table, "%s", stage->version);
                table_cell(table, "%s", stage->summary);
            }
        }
    }
    table_print(table, stdout);
}

static void print_json(const struct registry *registry, uint32_t kind)
{
    struct buffer out;
    bool first = true;
    buffer_init(&out, (size_t)64 << 20);
    buffer_append_char(&out, '[');
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next) {
        for (size_t i = 0; i < plugin->stage_count; i++) {
            const xy_stage *stage = &plugin->stages[i].stage;
            if (kind && stage->kind != kind)
                continue;
            buffer_append_text(&out, first ? "{\"kind\":" : ",{\"kind\":");
            first = false;
            json_write_text(&out, str_of(kind_name(stage->kind)));
            buffer_append_text(&out, ",\"name\":");
            json_write_text(&out, str_of(stage->id));
            buffer_append_text(&out, ",\"version\":");
            json_write_text(&out, str_of(stage->version));
            buffer_append_text(&out, ",\"summary\":");
            json_write_text(&out, str_of(stage->summary));
            buffer_append_text(&out, ",\"plugin\":");
            json_write_text(&out, str_of(plugin->info.name));
            buffer_append_text(&out, ",\"path\":");
            json_write_text(&out, str_of(plugin->path));
            buffer_append_char(&out, '}');
        }
    }
    buffer_append_text(&out, "]\n");
    fputs(buffer_str(&out).ptr, stdout);
    buffer_free(&out);
}

int unknown_kind(const struct command *command, const char *word)
{
    const char *names[XY_FORMAT + 1];
    size_t count = 0;
    for (uint32_t kind = XY_GENERATOR; kind <= XY_FORMAT; kind++)
        names[count++] = kind_name(kind);
    const char *near = nearest_name(word, names, count);
    if (near)
        return usage_error(command, "there is no kind `%s`; did you mean `%s`?", word, near);
    return usage_error(command, "there is no kind `%s`: generator, condition, filter, enhancer, "
                       "evaluator, learner or format", word);
}

static int run(const struct arguments *arguments)
{
    const char *word = argument(arguments, "kind");
    uint32_t kind = word ? kind_of(word) : 0;
    if (word && !kind)
        return unknown_kind(&command_plugins, word);
    struct registry registry = {0};
    registry_load_all(&registry, NULL);
    if (argument_given(arguments, "json"))
        print_json(&registry, kind);
    else
        print_text(&registry, kind);
    print_errors(&registry.problems);
    int code = registry.problems.count ? EXIT_FAILED : EXIT_DONE;
    registry_free(&registry);
    return code;
}

const struct command command_plugins = {
    .name = "plugins",
    .words = "",
    .summary = "list every stage that can be used, and files that could not be loaded",
    .flags = flags,
    .run = run,
    .details =
        "Plugins are looked for in the folders of XYLEM_PLUGIN_PATH (colon-separated), beside\n"
        "the program, and in the install prefix; a pipeline file can name more folders.\n",
};
