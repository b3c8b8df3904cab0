/* SPDX-License-Identifier: Apache-2.0 */
/* How long one rendering of a typical prompt takes: about 600 bytes of text, five variables. Prints
 * one line; not a test, since a time depends on the machine. */
#include <stdio.h>
#include <time.h>

#include "template.h"

static const char prompt[] =
    "You are an expert annotator for customer reviews. Read the task with care and answer in plain "
    "text, without any preamble, list or explanation.\n\nTask: write one review of a {{ product }} "
    "that "
    "expresses a {{ label }} opinion.\nStyle: {{ style }}. Length: {{ length }} words.\nAudience: "
    "{{ audience }}.\n\nThe review must read as if a real customer wrote it on a shop's page after "
    "some "
    "weeks of use. Mention at least one concrete detail, do not name the label, do not use "
    "marketing "
    "language, and do not repeat sentences from the examples. Keep to the requested length and end "
    "with a full stop.\n";

static const char looped[] =
    "{% for demo in demos %}Text: {{ demo.text }}\nLabel: {{ demo.label|upper }}\n\n{% endfor %}"
    "{% if style is defined and style != 'plain' %}Style: {{ style|trim }}\n{% endif %}Text:";

static bool lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    (void)arena;
    const struct value *found = value_member(data, name);
    if (found)
        *out = *found;
    return found != NULL;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void measure(const char *name, xy_str source, const struct scope *scope)
{
    enum { TIMES = 300000 };
    struct error error;
    struct arena arena = {0};
    struct buffer out;
    struct template *template = template_compile(source, &error);
    if (!template) {
        printf("%s: %s\n", name, error.text);
        return;
    }
    buffer_init(&out, TEMPLATE_OUTPUT);
    double begin = seconds();
    for (int i = 0; i < TIMES; i++) {
        buffer_clear(&out);
        arena_reset(&arena);
        if (template_render(template, scope, &arena, &out, &error) != 0) {
            printf("%s: %s\n", name, error.text);
            break;
        }
    }
    double spent = seconds() - begin;
    printf("%s: %zu bytes, %.2f us per rendering\n", name, out.length, spent / TIMES * 1e6);
    template_free(template);
    buffer_free(&out);
    arena_free(&arena);
}

int main(void)
{
    struct member demo[] = {{STR("text"), value_text(STR("The battery lasts two days."))},
                            {STR("label"), value_text(STR("positive"))}};
    struct value demos[4];
    for (size_t i = 0; i < 4; i++)
        demos[i] = (struct value){.type = VALUE_MAP, .map = {demo, 2}};
    struct member members[] = {
        {STR("product"), value_text(STR("pair of headphones"))},
        {STR("label"), value_text(STR("negative"))},
        {STR("style"), value_text(STR("terse"))},
        {STR("length"), value_int(60)},
        {STR("audience"), value_text(STR("commuters"))},
        {STR("demos"), {.type = VALUE_LIST, .list = {demos, 4}}},
    };
    struct value record = {.type = VALUE_MAP, .map = {members, 6}};
    struct scope scope = {.lookup = lookup, .data = &record};
    measure("prompt, five variables", STR(prompt), &scope);
    measure("four demonstrations in a loop", STR(looped), &scope);
    return 0;
}
