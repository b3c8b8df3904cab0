/* SPDX-License-Identifier: Apache-2.0 */
#include "lineage.h"

#include <string.h>

#include "cli.h"
#include "curation.h"
#include "file.h"
#include "json.h"

void lineage_read(struct lineage *lineage, const char *folder)
{
    struct buffer text;
    struct error error = {0};
    *lineage = (struct lineage){.folder = folder};
    buffer_init(&text, (size_t)64 << 20);
    const char *path = arena_printf(&lineage->arena, "%s/summary.json", folder);
    if (file_read(path, (size_t)64 << 20, &text, &error) == XY_OK &&
        json_parse(&lineage->arena, buffer_str(&text), &lineage->summary, &error) == XY_OK) {
        const struct value *report = value_member(&lineage->summary, STR("report"));
        const struct value *steps = report ? value_member(report, STR("steps")) : NULL;
        bool told = steps && steps->type == VALUE_LIST && steps->list.count &&
                    value_member(&steps->list.items[0], STR("from"));
        lineage->steps = told ? steps : NULL;
    }
    buffer_free(&text);
}

void lineage_free(struct lineage *lineage)
{
    arena_free(&lineage->arena);
}

size_t lineage_place(const struct lineage *lineage, xy_str step)
{
    for (size_t i = 0; lineage->steps && i < lineage->steps->list.count; i++) {
        if (str_equal(curation_text(&lineage->steps->list.items[i], "step"), step))
            return i + 1;
    }
    return 0;
}

static const struct value *step_at(const struct lineage *lineage, size_t place)
{
    return place ? &lineage->steps->list.items[place - 1] : NULL;
}

static bool reads(const struct value *step, xy_str id)
{
    const struct value *from = value_member(step, STR("from"));
    for (size_t i = 0; from && i < from->list.count; i++) {
        if (str_equal(from->list.items[i].text, id))
            return true;
    }
    return false;
}

struct looking {
    struct lineage *lineage;
    xy_str step;
    bool found;
};

static void look(void *data, const char *path, const char *name)
{
    struct looking *looking = data;
    size_t length = strlen(name);
    (void)path;
    if (length > 8 && strcmp(name + length - 8, ".records") == 0 &&
        str_equal(lineage_step_of_file(&looking->lineage->arena, name), looking->step))
        looking->found = true;
}

/* Did the step leave no copy of what it kept, though it saw records? */
static bool only_judged(struct lineage *lineage, const struct value *step)
{
    struct looking looking = {.lineage = lineage, .step = curation_text(step, "step")};
    each_entry(arena_printf(&lineage->arena, "%s/data", lineage->folder), look, &looking);
    return !looking.found && curation_figure(step, "in") > 0 &&
           str_is(curation_text(step, "kind"), "filter");
}

size_t lineage_path(struct lineage *lineage, xy_str last, bool kept,
                    const struct value *path[LINEAGE_STEPS])
{
    const struct value *back[LINEAGE_STEPS];
    size_t count = 0, out = 0;
    const struct value *at = step_at(lineage, lineage_place(lineage, last));
    while (at && count < LINEAGE_STEPS / 2) {
        const struct value *from = value_member(at, STR("from"));
        back[count++] = at;
        /* Of several inputs nobody wrote down which one it was. */
        at = from && from->list.count == 1
                 ? step_at(lineage, lineage_place(lineage, from->list.items[0].text))
                 : NULL;
    }
    while (count)
        path[out++] = back[--count];
    size_t place = lineage_place(lineage, last);
    for (size_t i = place; kept && place && i < lineage->steps->list.count; i++) {
        const struct value *step = &lineage->steps->list.items[i];
        if (out < LINEAGE_STEPS && reads(step, last) && only_judged(lineage, step)) {
            path[out++] = step;
            last = curation_text(step, "step");
        }
    }
    return out;
}

bool lineage_sets(const struct value *step, const char *field)
{
    const struct value *fields = value_member(step, STR("fields"));
    for (size_t i = 0; fields && i < fields->list.count; i++) {
        if (str_is(curation_text(&fields->list.items[i], "field"), field))
            return true;
    }
    return false;
}

bool lineage_conditional(const struct value *step)
{
    const struct value *when = value_member(step, STR("when"));
    return when && when->type == VALUE_BOOL && when->boolean;
}

const char *lineage_verdict(const struct value *step, const struct record *record)
{
    if (str_is(curation_text(step, "kind"), "filter"))
        return "kept";
    for (uint32_t i = 0; i < record->field_count; i++) {
        if (lineage_sets(step, record->fields[i].name))
            return "set";
    }
    return "passed";
}

xy_str lineage_step_of_file(struct arena *arena, const char *name)
{
    char *id = arena_copy(arena, name, strlen(name));
    for (int i = 0; i < 3; i++) {
        char *dot = strrchr(id, '.');
        if (dot)
            *dot = '\0';
    }
    for (char *at = id; *at; at++) {
        if (*at == '+')
            *at = '/';
    }
    return str_of(id);
}
