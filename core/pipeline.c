/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "pipeline_internal.h"

static const char *const file_keys[] = {
    "xylem",  "name",  "seed",   "codebook", "params", "models", "plugins",
    "tools",  "budget", "cache", "steps",    "accept", "write",  NULL,
};

/* ---- the top of the file --------------------------------------------------------------------- */

static void set_folder(struct pipeline *pipeline, const char *path)
{
    char real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_copy(&pipeline->arena, path, (size_t)(slash - path) + 1)
                               : ".";
    if (realpath(folder, real))
        folder = arena_copy(&pipeline->arena, real, strlen(real));
    pipeline->folder = folder;
    pipeline->file = arena_copy(&pipeline->arena, path, strlen(path));
}

/* The file's name without folder and ending. */
static const char *default_name(struct pipeline *pipeline, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *start = slash ? slash + 1 : path;
    const char *dot = strrchr(start, '.');
    return arena_copy(&pipeline->arena, start,
                      dot && dot > start ? (size_t)(dot - start) : strlen(start));
}

/* An entry of `plugins:` is a folder or a file. Its problems are errors of this line. */
static void load_plugins(struct pipeline_reader *reader, const struct node *root)
{
    struct pipeline *pipeline = reader->pipeline;
    const struct node *node = pipeline_member(root, "plugins");
    const char **folders;
    if (!pipeline_texts(reader, root, "plugins", &folders))
        return;
    for (size_t i = 0; folders[i]; i++) {
        const struct node *place = node->kind == NODE_LIST ? node->items[i] : node;
        struct error_list *problems = &pipeline->registry->problems;
        size_t before = problems->count;
        struct stat status;
        struct error error;
        char found[NODE_SHOWN];
        folders[i] = pipeline_absolute(reader, folders[i]);
        if (stat(folders[i], &status) != 0)
            pipeline_fail(reader, place, NULL, "`plugins`: %s cannot be read: %s",
                          node_shown(place, found), strerror(errno));
        else if (S_ISDIR(status.st_mode))
            registry_load_folder(pipeline->registry, folders[i]);
        else if (!registry_load(pipeline->registry, folders[i], &error))
            pipeline_fail(reader, place, error.hint[0] ? error.hint : NULL, "`plugins`: %.900s",
                          error.text);
        for (size_t j = before; j < problems->count; j++)
            pipeline_fail(reader, place, problems->errors[j].hint[0] ? problems->errors[j].hint
                                                                    : NULL,
                          "`plugins`: %.900s", problems->errors[j].text);
    }
    pipeline->plugin_folders = folders;
}

static void read_budget(struct pipeline_reader *reader, const struct node *root)
{
    static const char *const keys[] = {"usd", "money", "tokens", NULL};
    struct pipeline *pipeline = reader->pipeline;
    const struct node *budget = pipeline_member(root, "budget");
    if (!budget || !pipeline_check_keys(reader, budget, keys, "`budget`", NULL))
        return;
    bool usd = pipeline_number(reader, budget, "usd", 0, INFINITY, &pipeline->budget_money);
    bool money = pipeline_number(reader, budget, "money", 0, INFINITY, &pipeline->budget_money);
    if (usd && money)
        pipeline_fail(reader, budget, NULL, "`budget` has `usd:` or `money:`, not both");
    if ((usd || money) && pipeline->budget_money <= 0)
        pipeline_fail(reader, budget, "leave it out for no limit",
                      "`budget`: expected more than nothing");
    pipeline_count(reader, budget, "tokens", 1, INT64_MAX, &pipeline->budget_tokens);
}

static void read_head(struct pipeline_reader *reader, const struct node *root)
{
    struct pipeline *pipeline = reader->pipeline;
    char found[NODE_SHOWN];
    int64_t seed;
    pipeline->name = default_name(pipeline, pipeline->file);
    pipeline_text(reader, root, "name", &pipeline->name);
    if (pipeline_count(reader, root, "seed", 0, INT64_MAX, &seed))
        pipeline->seed = (uint64_t)seed;
    pipeline_path(reader, root, "cache", &pipeline->cache);
    const struct node *codebook = pipeline_member(root, "codebook");
    if (codebook && codebook->kind != NODE_MAP)
        pipeline_fail(reader, codebook, NULL, "`codebook`: expected a map, found %s",
                      node_shown(codebook, found));
    else if (codebook)
        node_value(reader->arena, codebook, &pipeline->codebook);
    load_plugins(reader, root);
    read_budget(reader, root);
}

static void read_steps(struct pipeline_reader *reader, const struct node *root)
{
    struct pipeline *pipeline = reader->pipeline;
    const struct node *steps = pipeline_member(root, "steps");
    if (!steps) {
        pipeline_fail(reader, root, NULL, "no `steps:`, the list of what to do");
        return;
    }
    pipeline_collect(reader, steps, "", NULL, &pipeline->steps, &pipeline->step_count);
    pipeline_resolve(reader);
}

struct pipeline *pipeline_read(const char *path, const char *models, const char *const *sets,
                               struct registry *registry, struct error_list *errors)
{
    struct pipeline *pipeline = memory_zeroed(1, sizeof(*pipeline));
    struct pipeline_reader reader = {
        .pipeline = pipeline,
        .arena = &pipeline->arena,
        .errors = errors,
        .models_file = models,
        .hash = XXH3_createState(),
    };
    size_t before = errors->total;
    char real[PATH_MAX];
    pipeline->registry = registry;
    set_folder(pipeline, path);
    reader.open_files[reader.open_count++] = realpath(path, real) ? real : path;
    XXH3_64bits_reset(reader.hash);
    struct node *root = pipeline_open_file(&reader, pipeline->file, NULL, file_keys, sets, NULL);
    if (root) {
        pipeline->root = root;
        read_head(&reader, root);
        pipeline_read_models(&reader, pipeline_member(root, "models"));
        pipeline_read_tools(&reader, pipeline_member(root, "tools"));
        read_steps(&reader, root);
        pipeline_read_output(&reader, root);
        pipeline->fingerprint = XXH3_64bits_digest(reader.hash);
    }
    XXH3_freeState(reader.hash);
    free(reader.entries);
    free(reader.blocks);
    if (errors->total == before)
        return pipeline;
    pipeline_free(pipeline);
    return NULL;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    pipeline_free_compiled(pipeline->compiled);
    /* The arena's own head is in the memory that goes last. */
    arena_free(&pipeline->arena);
    free(pipeline);
}

/* ---- finding steps --------------------------------------------------------------------------- */

static const struct step *find_step(struct step *const *steps, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(steps[i]->id, id) == 0)
            return steps[i];
        const struct step *inner = find_step(steps[i]->steps, steps[i]->step_count, id);
        if (inner)
            return inner;
    }
    return NULL;
}

/* The last step of an include, which is no step itself: its steps stand side by side. */
static const struct step *find_block(struct step *const *steps, size_t count, const char *id)
{
    const struct step *last = NULL;
    size_t length = strlen(id);
    for (size_t i = 0; i < count; i++) {
        bool inside = strncmp(steps[i]->id, id, length) == 0 && steps[i]->id[length] == '/';
        if (inside && !step_is_evaluator(steps[i]))
            last = steps[i];
    }
    for (size_t i = 0; !last && i < count; i++)
        last = find_block(steps[i]->steps, steps[i]->step_count, id);
    return last;
}

const struct step *pipeline_step(const struct pipeline *pipeline, const char *id)
{
    return find_step(pipeline->steps, pipeline->step_count, id);
}

const struct step *pipeline_lookup(const struct pipeline *pipeline, const struct step *asking,
                                   const char *name)
{
    const char *own = asking ? asking->id : "";
    const char *slash = strrchr(own, '/');
    size_t length = slash ? (size_t)(slash - own) + 1 : 0;
    struct buffer id;
    buffer_init(&id, 1 << 16);
    const struct step *found = NULL;
    for (;;) {
        buffer_clear(&id);
        buffer_append(&id, own, length);
        buffer_append_text(&id, name);
        if (id.bytes) {
            found = find_step(pipeline->steps, pipeline->step_count, id.bytes);
            if (!found)
                found = find_block(pipeline->steps, pipeline->step_count, id.bytes);
        }
        if (found || length == 0)
            break;
        length--;
        while (length > 0 && own[length - 1] != '/')
            length--;
    }
    buffer_free(&id);
    return found;
}
