/* SPDX-License-Identifier: Apache-2.0 */
#include "lockfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "file.h"
#include "json.h"
#include "record.h"

enum { CHUNK = 1 << 16, LOCK_CEILING = 16 << 20, MOST_LOCKED = 10000, LONGEST_PATH = 1024 };

/* Everything that is locked: "plugin grid 1.0.0" -> fingerprint. */
struct locked {
    struct entry {
        char *name;
        uint64_t fingerprint;
    } *entries;
    size_t count;
};

static void add(struct locked *locked, uint64_t fingerprint, const char *kind, const char *name)
{
    struct buffer text;
    buffer_init(&text, 8192);
    buffer_printf(&text, "%s %s", kind, name);
    bool known = locked->count == MOST_LOCKED;
    for (size_t i = 0; i < locked->count && !known; i++)
        known = strcmp(locked->entries[i].name, buffer_str(&text).ptr) == 0;
    if (!known) {
        locked->entries = memory_resize(locked->entries, locked->count + 1,
                                        sizeof(*locked->entries));
        locked->entries[locked->count++] = (struct entry){
            .name = memory_copy_text(text.bytes, text.length), .fingerprint = fingerprint};
    }
    buffer_free(&text);
}

static void add_plugin(struct locked *locked, const struct stage_type *type)
{
    if (type && type->plugin)
        add(locked, type->plugin->fingerprint, "plugin", type->plugin->info.name);
}

/* ---- files and folders ----------------------------------------------------------------------- */

/* 0 for a file that cannot be read: the step that needs it says so better. */
static uint64_t fingerprint_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    XXH3_state_t *state = fd < 0 ? NULL : XXH3_createState();
    uint64_t hash = 0;
    if (state) {
        char *chunk = memory_resize(NULL, CHUNK, 1);
        ssize_t got;
        XXH3_64bits_reset(state);
        do {
            got = read(fd, chunk, CHUNK);
            if (got > 0)
                XXH3_64bits_update(state, chunk, (size_t)got);
        } while (got > 0 || (got < 0 && errno == EINTR));
        hash = XXH3_64bits_digest(state);
        free(chunk);
    }
    XXH3_freeState(state);
    if (fd >= 0)
        close(fd);
    return hash;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static uint64_t fingerprint_folder(const char *path);

/* Of a file, or of all that a folder holds; 0 for anything else. A pipe would wait for its writer:
 * only what stat() knows for a file is opened. */
static uint64_t fingerprint_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return 0;
    if (S_ISDIR(status.st_mode))
        return fingerprint_folder(path);
    return S_ISREG(status.st_mode) ? fingerprint_file(path) : 0;
}

/* The names and the bytes of its files, in the order of the names, its folders' too. What is hidden
 * is no input; links to folders are not followed, since they may lead around in circles. */
static uint64_t fingerprint_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, by_bytes);
    uint64_t hash = XXH3_64bits("folder", 6);
    for (int i = 0; i < count; i++) {
        struct arena arena = {0};
        struct stat status;
        const char *name = entries[i]->d_name, *inner = file_path(&arena, path, name);
        bool link = lstat(inner, &status) == 0 && S_ISLNK(status.st_mode);
        bool folder = stat(inner, &status) == 0 && S_ISDIR(status.st_mode);
        uint64_t bytes = link && folder ? 0 : fingerprint_path(inner);
        hash = XXH3_64bits_withSeed(name, strlen(name) + 1, hash);
        hash = XXH3_64bits_withSeed(&bytes, sizeof(bytes), hash);
        arena_free(&arena);
        free(entries[i]);
    }
    free(entries);
    return hash;
}

/* ---- what options name ----------------------------------------------------------------------- */

/* Whose options are looked at, and where what they name goes. */
struct place {
    struct locked *locked;
    const struct pipeline *pipeline;
    const struct step *step; /* NULL for a model */
};

static void add_path(const struct place *place, const struct node *node)
{
    struct arena arena = {0};
    uint64_t fingerprint =
        fingerprint_path(file_path(&arena, place->pipeline->folder, node->text.ptr));
    if (fingerprint)
        add(place->locked, fingerprint, "input", node->text.ptr);
    arena_free(&arena);
}

/* A text that happens to be the path of a file counts as one: a stage may read files that it finds
 * named in a list or a map, and only the stage could tell which they are. Folders do not: a word
 * such as `data` is one too easily. */
static void add_named_files(const struct place *place, const struct node *node)
{
    struct stat status;
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->count; i++)
        add_named_files(place, node->items[i]);
    if (node->kind != NODE_SCALAR || node->secret || !node->text.len ||
        node->text.len > LONGEST_PATH)
        return;
    struct arena arena = {0};
    const char *path = file_path(&arena, place->pipeline->folder, node->text.ptr);
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        add_path(place, node);
    arena_free(&arena);
}

static void add_option(const struct place *place, const xy_option *option, const struct node *node)
{
    bool path = option->type == XY_OPT_PATH;
    if (option->type == XY_OPT_DATASET)
        path = node->kind == NODE_SCALAR && place->step &&
               !pipeline_lookup(place->pipeline, place->step, node->text.ptr);
    if (node->secret || option->flags & (XY_OPT_NEUTRAL | XY_OPT_SECRET))
        return;
    if (path && node->kind == NODE_SCALAR && node->text.len)
        add_path(place, node);
    if (option->type == XY_OPT_LIST || option->type == XY_OPT_JSON ||
        option->type == XY_OPT_LEARNER)
        add_named_files(place, node);
}

/* The option that a key of `with` belongs to: of its name, or the one that takes the rest. */
static const xy_option *option_of(const struct stage_type *type, const struct node *key)
{
    const xy_option *rest = NULL;
    for (size_t i = 0; i < type->option_count; i++) {
        const xy_option *option = &type->options[i];
        if (option->flags & XY_OPT_REST)
            rest = option;
        else if (str_is(key->text, option->name))
            return option;
    }
    return rest;
}

static void add_options(const struct place *place, const struct stage_type *type,
                        const struct node *with)
{
    for (size_t i = 0; type && with && with->kind == NODE_MAP && i < with->count; i++) {
        const xy_option *option = option_of(type, with->keys[i]);
        if (option)
            add_option(place, option, with->items[i]);
    }
}

static void add_steps(struct locked *locked, const struct pipeline *pipeline,
                      struct step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = steps[i];
        add_plugin(locked, step->type);
        add_options(&(struct place){locked, pipeline, step}, step->type, step->with);
        add_steps(locked, pipeline, step->steps, step->step_count);
    }
}

/* ---- the lock -------------------------------------------------------------------------------- */

/* The entry as it stands in the file; a secret counts as there, not as what it is. */
static uint64_t fingerprint_node(const struct node *node, uint64_t seed)
{
    if (node->secret)
        return XXH3_64bits_withSeed("secret", 6, seed);
    uint64_t hash = XXH3_64bits_withSeed(node->text.ptr ? node->text.ptr : "", node->text.len,
                                         seed + (uint64_t)node->kind);
    for (size_t i = 0; i < node->count; i++) {
        if (node->keys)
            hash = fingerprint_node(node->keys[i], hash);
        hash = fingerprint_node(node->items[i], hash);
    }
    return hash;
}

static void collect(struct locked *locked, const struct pipeline *pipeline)
{
    add(locked, pipeline->fingerprint, "pipeline", pipeline->name);
    for (size_t i = 0; i < pipeline->model_count; i++) {
        const struct model_spec *model = &pipeline->models[i];
        add(locked, fingerprint_node(model->node, 0), "model", model->alias);
        add_plugin(locked, model->type);
        add_options(&(struct place){locked, pipeline, NULL}, model->type, model->node);
    }
    for (size_t i = 0; i < pipeline->tool_count; i++) {
        struct step *step = &pipeline->tools[i].step;
        add_steps(locked, pipeline, &step, 1);
    }
    add_steps(locked, pipeline, pipeline->steps, pipeline->step_count);
    for (size_t i = 0; i < pipeline->write_count; i++)
        add_plugin(locked, pipeline->writes[i].format);
}

/* Names of entries whose fingerprint in the old lock differs, or that it does not have. */
static void compare(const struct locked *locked, const char *path, struct buffer *changes)
{
    struct buffer text;
    struct arena arena = {0};
    struct value old;
    struct error ignored = {0};
    buffer_init(&text, LOCK_CEILING);
    if (access(path, R_OK) == 0 && file_read(path, LOCK_CEILING, &text, &ignored) == 0 &&
        json_parse(&arena, buffer_str(&text), &old, &ignored) == 0) {
        for (size_t i = 0; i < locked->count; i++) {
            const struct entry *entry = &locked->entries[i];
            const struct value *before = value_member(&old, str_of(entry->name));
            char hex[17];
            record_id_text(entry->fingerprint, hex);
            if (before && before->type == VALUE_TEXT && str_is(before->text, hex))
                continue;
            buffer_printf(changes, "%s%s", changes->length ? ", " : "", entry->name);
        }
    }
    arena_free(&arena);
    buffer_free(&text);
}

static int write_lock(const struct locked *locked, const char *path, struct error *error)
{
    struct buffer out;
    buffer_init(&out, LOCK_CEILING);
    for (size_t i = 0; i < locked->count; i++) {
        char hex[17];
        record_id_text(locked->entries[i].fingerprint, hex);
        buffer_append_text(&out, i ? ",\n  " : "{\n  ");
        json_write_text(&out, str_of(locked->entries[i].name));
        buffer_printf(&out, ": \"%s\"", hex);
    }
    buffer_append_text(&out, "\n}\n");
    struct file_writer *file = file_writer_open(path, error);
    if (file) {
        file_writer_append(file, out.bytes, out.length, error);
        file_writer_close(file, true, error);
    }
    buffer_free(&out);
    return error->code;
}

int lockfile_write(const struct pipeline *pipeline, const char *folder, struct buffer *changes,
                   struct error *error)
{
    struct locked locked = {0};
    struct buffer path;
    buffer_init(&path, 8192);
    buffer_printf(&path, "%s/lock.json", folder);
    collect(&locked, pipeline);
    compare(&locked, buffer_str(&path).ptr, changes);
    int code = write_lock(&locked, buffer_str(&path).ptr, error);
    for (size_t i = 0; i < locked.count; i++)
        free(locked.entries[i].name);
    free(locked.entries);
    buffer_free(&path);
    return code;
}
