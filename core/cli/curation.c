/* SPDX-License-Identifier: Apache-2.0 */
/* A run's summary, and what else curation.h promises that is no dataset. */
#include "curation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

double curation_figure(const struct value *map, const char *name)
{
    const struct value *value = map ? value_member(map, str_of(name)) : NULL;
    if (!value)
        return 0;
    return value->type == VALUE_INT ? (double)value->integer
         : value->type == VALUE_NUMBER ? value->number : 0;
}

xy_str curation_text(const struct value *map, const char *name)
{
    const struct value *value = map ? value_member(map, str_of(name)) : NULL;
    return value && value->type == VALUE_TEXT ? value->text : STR("");
}

static const char *copy(struct curation *curation, xy_str text)
{
    return arena_copy(&curation->arena, text.ptr, text.len);
}

static void read_steps(struct curation *curation)
{
    const struct value *report = value_member(&curation->summary, STR("report"));
    const struct value *steps = report ? value_member(report, STR("steps")) : NULL;
    if (!steps || steps->type != VALUE_LIST)
        return;
    curation->steps = memory_zeroed(steps->list.count + 1, sizeof(*curation->steps));
    for (size_t i = 0; i < steps->list.count; i++) {
        const struct value *entry = &steps->list.items[i];
        const struct value *written = value_member(entry, STR("written"));
        curation->steps[curation->step_count++] = (struct curation_step){
            .id = copy(curation, curation_text(entry, "step")),
            .kind = copy(curation, curation_text(entry, "kind")),
            .use = copy(curation, curation_text(entry, "use")),
            .counts = entry,
            .written = written && written->type == VALUE_BOOL && written->boolean,
        };
    }
}

static void read_summary(struct curation *curation)
{
    struct buffer text;
    struct error error = {0};
    buffer_init(&text, (size_t)64 << 20);
    const char *path = arena_printf(&curation->arena, "%s/summary.json", curation->folder);
    int code = file_read(path, (size_t)64 << 20, &text, &error);
    bool there = code == XY_OK;
    if (there)
        code = json_parse(&curation->arena, buffer_str(&text), &curation->summary, &error);
    if (code == XY_OK && curation->summary.type == VALUE_MAP) {
        read_steps(curation);
    } else {
        curation->summary = (struct value){.type = VALUE_NULL};
        curation->problems = memory_resize(NULL, 1, sizeof(char *));
        curation->problems[curation->problem_count++] = arena_printf(
            &curation->arena, there ? "%s is damaged: what follows comes from the records alone"
                                    : "%s is not there (the run is going on, or was killed): what "
                                      "follows comes from the records alone", path);
    }
    buffer_free(&text);
}

void curation_read(struct curation *curation, const char *folder, const char *pipeline,
                   const char *run)
{
    *curation = (struct curation){.folder = folder, .pipeline = pipeline, .run = run};
    read_summary(curation);
    curation_read_data(curation);
}

void curation_free(struct curation *curation)
{
    for (size_t i = 0; i < curation->step_count; i++)
        free(curation->steps[i].reasons);
    for (size_t i = 0; i < curation->score_count; i++)
        free(curation->scores[i].dropped_by);
    free(curation->steps);
    free(curation->scores);
    free(curation->labels);
    free(curation->problems);
    arena_free(&curation->arena);
}

double curation_edge(const struct curation_score *score, size_t bin)
{
    if (score->whole && score->high - score->low < CURATION_BINS)
        return score->low + (double)bin;
    /* The sum of the parts, and not low + part * (high - low): that is no number for huge ones. */
    double part = (double)bin / (double)score->bins;
    return score->low * (1 - part) + score->high * part;
}
