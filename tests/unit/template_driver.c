/* SPDX-License-Identifier: Apache-2.0 */
/* Renders one case per line for template_differential.py: {"template": ..., "context": {...}} in,
 * {"ok": text} or {"error": text, "compile": bool} out. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "template.h"

static bool lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    (void)arena;
    const struct value *found = value_member(data, name);
    if (found)
        *out = *found;
    return found != NULL;
}

static void answer(const char *key, xy_str text, bool compiling)
{
    struct buffer line;
    buffer_init(&line, (size_t)1 << 28);
    buffer_printf(&line, "{\"%s\":", key);
    json_write_text(&line, text);
    buffer_append_text(&line, compiling ? ",\"compile\":true}\n" : "}\n");
    fwrite(line.bytes, 1, line.length, stdout);
    buffer_free(&line);
}

static void run(xy_str line)
{
    struct arena arena = {0};
    struct value request;
    struct error error = {0};
    struct buffer out;
    buffer_init(&out, TEMPLATE_OUTPUT);
    if (json_parse(&arena, line, &request, &error) != 0) {
        answer("bad", str_of(error.text), false);
        goto out;
    }
    struct scope scope = {.lookup = lookup, .data = value_member(&request, STR("context"))};
    struct template *template =
        template_compile(value_member(&request, STR("template"))->text, &error);
    bool good = template && template_render(template, &scope, &arena, &out, &error) == 0;
    char text[1400];
    snprintf(text, sizeof(text), "%d:%d: %s", error.line, error.column, error.text);
    answer(good ? "ok" : "error", good ? buffer_str(&out) : str_of(text), !template);
    template_free(template);
out:
    buffer_free(&out);
    arena_free(&arena);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    for (length = getline(&line, &capacity, stdin); length > 0;
         length = getline(&line, &capacity, stdin))
        run((xy_str){line, (size_t)(line[length - 1] == '\n' ? length - 1 : length)});
    free(line);
    return 0;
}
