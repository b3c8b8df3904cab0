/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "file.h"
#include "files.h"
#include "job.h"

static void make_known(const struct engine *engine, const struct step *step)
{
    static const char *const kinds[] = {"", "", "generate", "score", "embed", "repeat"};
    bool stage = step->kind == STEP_STAGE, written = false;
    for (size_t i = 0; i < engine->pipeline->write_count; i++)
        written = written || strcmp(engine->pipeline->writes[i].from, step->id) == 0;
    report_add_step(engine->report,
                    &(struct report_step){
                        .id = step->id,
                        .kind = stage ? kind_name(step->type->stage.kind) : kinds[step->kind],
                        .use = stage ? step->type->stage.id : NULL,
                        .from = step->from,
                        .from_count = step->from_count,
                        .written = written,
                        .conditional = step->when != NULL,
                    });
}

static void add_outputs(struct engine *engine, struct step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        engine->outputs = memory_resize(engine->outputs, engine->output_count + 1,
                                        sizeof(*engine->outputs));
        engine->outputs[engine->output_count++] =
            (struct output){.id = steps[i]->id, .step = steps[i]};
        make_known(engine, steps[i]); /* in the order of the file */
        add_outputs(engine, steps[i]->steps, steps[i]->step_count);
    }
}

void outputs_create(struct engine *engine)
{
    add_outputs(engine, engine->pipeline->steps, engine->pipeline->step_count);
}

static void parts_free(struct output *output)
{
    for (size_t i = 0; i < output->part_count; i++)
        dataset_destroy(output->parts[i]);
    free(output->parts);
    output->parts = NULL;
    output->part_count = 0;
}

static void output_free(struct output *output)
{
    parts_free(output);
    for (size_t i = 0; i < output->reject_count; i++)
        dataset_destroy(output->rejects[i]);
    free(output->rejects);
    output->rejects = NULL;
    output->reject_count = 0;
}

void outputs_destroy(struct engine *engine)
{
    for (size_t i = 0; i < engine->output_count; i++)
        output_free(&engine->outputs[i]);
    for (size_t i = 0; i < engine->file_count; i++) {
        output_free(&engine->files[i]);
        free((char *)(uintptr_t)engine->files[i].id);
    }
    free(engine->outputs);
    free(engine->files);
}

struct output *output_find(struct engine *engine, const char *id)
{
    for (size_t i = 0; i < engine->output_count; i++) {
        if (strcmp(engine->outputs[i].id, id) == 0)
            return &engine->outputs[i];
    }
    return NULL;
}

static void start_over(struct output *output)
{
    output->generation++;
    output->read_parts = 0;
    output->ran = false;
}

/* What is made anew leaves nothing on disk: whoever reads the run's folder later takes each file
 * there for something that the run came to. */
void output_reset(struct output *output)
{
    for (size_t i = 0; i < output->part_count; i++)
        dataset_discard(output->parts[i]);
    for (size_t i = 0; i < output->reject_count; i++)
        dataset_discard(output->rejects[i]);
    output->part_count = output->reject_count = 0;
    output_free(output);
    start_over(output);
}

void output_next_round(struct output *output)
{
    parts_free(output);
    start_over(output);
}

static void part_path(const struct engine *engine, const struct output *output,
                      const char *ending, char *path, size_t size)
{
    char id[128];
    snprintf(id, sizeof(id), "%s", output->id);
    for (char *at = id; *at; at++) {
        if (*at == '/')
            *at = '+';
    }
    snprintf(path, size, "%s/data/%s.%u.%zu.%s", engine->folder, id, engine->iteration,
             output->part_count, ending);
}

int output_begin(struct engine *engine, struct output *output, struct dataset **data,
                 struct dataset **rejects)
{
    char path[1024];
    part_path(engine, output, "records", path, sizeof(path));
    *data = dataset_create(path, &engine->error);
    *rejects = NULL;
    if (!*data)
        return engine->error.code;
    part_path(engine, output, "rejects", path, sizeof(path));
    *rejects = dataset_create(path, &engine->error);
    if (*rejects)
        return XY_OK;
    dataset_destroy(*data);
    *data = NULL;
    return engine->error.code;
}

static int seal(struct engine *engine, struct dataset *data, struct dataset *rejects)
{
    if (dataset_seal(data, &engine->error) == XY_OK &&
        dataset_seal(rejects, &engine->error) == XY_OK)
        return XY_OK;
    dataset_destroy(data);
    dataset_destroy(rejects);
    return engine->error.code;
}

static void add(struct dataset ***list, size_t *count, struct dataset *dataset)
{
    *list = memory_resize(*list, *count + 1, sizeof(struct dataset *));
    (*list)[(*count)++] = dataset;
}

int output_commit(struct engine *engine, struct output *output, struct dataset *data,
                  struct dataset *rejects)
{
    if (seal(engine, data, rejects) < 0)
        return engine->error.code;
    add(&output->parts, &output->part_count, data);
    add(&output->rejects, &output->reject_count, rejects);
    output->ran = true;
    return XY_OK;
}

int output_replace(struct engine *engine, struct output *output, struct dataset *data,
                   struct dataset *rejects)
{
    if (seal(engine, data, rejects) < 0)
        return engine->error.code;
    for (size_t i = 0; i < output->part_count; i++)
        dataset_discard(output->parts[i]);
    output->part_count = 0;
    add(&output->parts, &output->part_count, data);
    add(&output->rejects, &output->reject_count, rejects);
    output->generation++;
    return XY_OK;
}

struct dataset *output_all(const struct output *output)
{
    return dataset_join(output->parts, output->part_count);
}

/* Sums over all inputs: any input that started over, or grew, changes one of the two. */
static void look(struct engine *engine, const struct step *step, uint32_t *generation,
                 size_t *parts)
{
    *generation = 0;
    *parts = 0;
    for (size_t i = 0; i < step->from_count; i++) {
        const struct output *input = output_find(engine, step->from[i]);
        *generation += input->generation;
        *parts += input->part_count;
    }
    for (const char **use = step->uses; use && *use; use++) {
        const struct output *used = output_find(engine, *use);
        /* A pool that changed changes every record's answer: start over. */
        *generation += used ? used->generation * 1000 + (uint32_t)used->part_count : 0;
    }
}

struct dataset *inputs_take(struct engine *engine, const struct step *step, struct output *output,
                            bool whole)
{
    uint32_t generation;
    size_t parts;
    look(engine, step, &generation, &parts);
    bool changed = generation != output->read_generation || !output->ran;
    if (!changed && parts == output->read_parts)
        return NULL;
    if (changed || whole || step->from_count != 1) {
        if (output->ran || output->part_count) {
            output_reset(output);
            report_reset_counts(engine->report, output->id);
        }
        output->read_parts = 0;
    }
    size_t skip = output->read_parts, count = 0;
    struct dataset **chosen = memory_zeroed(parts, sizeof(struct dataset *));
    for (size_t i = 0; i < step->from_count; i++) {
        const struct output *input = output_find(engine, step->from[i]);
        for (size_t k = step->from_count == 1 ? skip : 0; k < input->part_count; k++)
            chosen[count++] = input->parts[k];
    }
    struct dataset *joined = dataset_join(chosen, count);
    free(chosen);
    output->read_generation = generation;
    output->read_parts = parts;
    return joined;
}

/* ---- files named in options ------------------------------------------------------------------ */

/* `name` is the path as the file writes it: ids made from it are the same in any checkout. */
static int read_file(struct engine *engine, struct instance *instance, const char *path,
                     const char *name, struct dataset *data, struct error *error)
{
    const xy_format *format = &instance_type(instance)->format;
    const void *state = instance_state(instance);
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &engine->cancelled;
    void *cursor = NULL;
    uint64_t index = 0;
    int code = format->read_open(state, &job->base, path, &cursor);
    bool opened = code >= 0;
    while (code == XY_OK) {
        struct record *record =
            record_create(record_hash(engine->pipeline->seed, name, index++, 0, 0));
        code = format->read_next(state, &job->base, cursor, &record->base);
        if (code == XY_OK)
            code = dataset_append(data, record, error);
        record_destroy(record);
    }
    if (code < 0 && !error->code)
        error_set(error, code, "%s", job->why ? job->why : error_name(code));
    if (opened)
        format->read_close(state, cursor);
    job_destroy(job);
    return code < 0 ? code : XY_OK;
}

static struct dataset *load_file(struct engine *engine, const char *path, const char *name,
                                 struct error *error)
{
    const struct stage_type *type = files_format(engine->services.registry, path, NULL, error);
    if (!type)
        return NULL;
    struct instance *instance = instance_create(&engine->services, type, type->stage.id, NULL, NULL,
                                                NULL, NULL, NULL, error);
    if (!instance)
        return NULL;
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s/data/file.%016llx.records", engine->folder,
             (unsigned long long)record_hash(0, path, 0, 0, 0));
    struct dataset *data = dataset_create(copy, error);
    if (data && (read_file(engine, instance, path, name, data, error) < 0 ||
                 dataset_seal(data, error) < 0)) {
        dataset_destroy(data);
        data = NULL;
    }
    instance_close(instance);
    return data;
}

static struct dataset *file_dataset(struct engine *engine, const char *path, const char *name,
                                    struct error *error)
{
    for (size_t i = 0; i < engine->file_count; i++) {
        if (strcmp(engine->files[i].id, path) == 0)
            return engine->files[i].parts[0];
    }
    struct dataset *data = load_file(engine, path, name, error);
    if (!data)
        return NULL;
    engine->files = memory_resize(engine->files, engine->file_count + 1, sizeof(*engine->files));
    struct output *file = &engine->files[engine->file_count++];
    *file = (struct output){.id = memory_copy_text(path, strlen(path))};
    add(&file->parts, &file->part_count, data);
    return data;
}

struct dataset *option_dataset(struct engine *engine, const struct step *asking,
                               const struct node *node, struct error *error)
{
    const struct step *step = pipeline_lookup(engine->pipeline, asking, node->text.ptr);
    if (step)
        return output_all(output_find(engine, step->id));
    struct arena arena = {0};
    const char *path = file_path(&arena, engine->pipeline->folder, node->text.ptr);
    struct dataset *file = file_dataset(engine, path, node->text.ptr, error);
    arena_free(&arena);
    if (!file) {
        error_at(error, node->file, node->line, node->column);
        return NULL;
    }
    return dataset_join(&file, 1);
}
