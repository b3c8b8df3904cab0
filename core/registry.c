/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry_internal.h"

static const char *const kind_names[] = {
    [XY_GENERATOR] = "generator", [XY_CONDITION] = "condition", [XY_FILTER] = "filter",
    [XY_ENHANCER] = "enhancer",   [XY_EVALUATOR] = "evaluator", [XY_LEARNER] = "learner",
    [XY_FORMAT] = "format",
};

enum { KIND_END = sizeof(kind_names) / sizeof(kind_names[0]) };

const char *kind_name(uint32_t kind)
{
    return kind < KIND_END ? kind_names[kind] : NULL;
}

uint32_t kind_of(const char *name)
{
    for (uint32_t kind = XY_GENERATOR; kind < KIND_END; kind++)
        if (strcmp(kind_names[kind], name) == 0)
            return kind;
    return 0;
}

static void plugin_free(struct plugin *plugin)
{
    for (size_t i = 0; i < plugin->stage_count; i++)
        free((void *)(uintptr_t)plugin->stages[i].options); /* ours, const only for readers */
    free(plugin->stages);
    free(plugin->path);
    free(plugin);
}

void registry_free(struct registry *registry)
{
    while (registry->plugins) {
        struct plugin *next = registry->plugins->next;
        plugin_free(registry->plugins);
        registry->plugins = next;
    }
    error_list_free(&registry->problems);
}

/* Every message of the loader begins with the file, whichever check it comes from. */
static void name_file(struct error *error, const char *path)
{
    char quoted[PATH_MAX + 2];
    snprintf(quoted, sizeof(quoted), "`%s`", path);
    if (strncmp(error->text, quoted, strlen(quoted)) == 0)
        return;
    char text[sizeof(error->text)];
    snprintf(text, sizeof(text), "%s", error->text);
    snprintf(error->text, sizeof(error->text), "`%.300s`: %.700s", path, text);
}

/* The plugin's stages that an earlier plugin hides: a warning each, since either may be meant. */
static void note_hidden_stages(struct registry *registry, const struct plugin *plugin)
{
    for (size_t i = 0; i < plugin->stage_count; i++) {
        const xy_stage *stage = &plugin->stages[i].stage;
        const struct stage_type *first = registry_find(registry, stage->kind, stage->id);
        if (!first)
            continue;
        struct error error;
        error_set(&error, XY_EINVAL, "%s `%s` of `%s` is hidden by that of `%s`",
                  kind_name(stage->kind), stage->id, plugin->path, first->plugin->path);
        error_hint(&error, "remove or rename one of the two");
        error_list_add(&registry->problems, &error);
    }
}

struct plugin *registry_load(struct registry *registry, const char *path, struct error *error)
{
    char real[PATH_MAX];
    if (!realpath(path, real)) {
        error_set(error, XY_EIO, "cannot open `%s`: %s", path, strerror(errno));
        return NULL;
    }
    struct plugin **end = &registry->plugins;
    for (; *end; end = &(*end)->next)
        if (strcmp((*end)->path, real) == 0)
            return *end;

    uint64_t fingerprint = 0;
    const xy_plugin *theirs = loader_open(real, &fingerprint, error);
    if (!theirs) {
        name_file(error, real);
        return NULL;
    }
    struct plugin *plugin = memory_zeroed(1, sizeof(*plugin));
    plugin->path = memory_copy_text(real, strlen(real));
    plugin->fingerprint = fingerprint;
    if (loader_copy(plugin, theirs, error) < 0 || registry_check(plugin, error) < 0) {
        name_file(error, real);
        plugin_free(plugin);
        return NULL;
    }
    note_hidden_stages(registry, plugin);
    *end = plugin;
    return plugin;
}

static int is_shared_object(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* Byte order, not the locale's: the same search on every machine. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

void registry_load_folder(struct registry *registry, const char *folder)
{
    struct error error;
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_shared_object, by_name);
    if (count < 0) {
        error_set(&error, XY_EIO, "cannot read the plugin folder `%s`: %s", folder,
                  strerror(errno));
        error_list_add(&registry->problems, &error);
        return;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof(path)) {
            error_set(&error, XY_EINVAL, "a path below `%.300s` is too long", folder);
            error_list_add(&registry->problems, &error);
        } else if (!registry_load(registry, path, &error)) {
            error_list_add(&registry->problems, &error);
        }
        free(entries[i]);
    }
    free(entries);
}

/* An entry of `plugins:` or of XYLEM_PLUGIN_PATH may be a folder or one file. */
static void load_entry(struct registry *registry, const char *path)
{
    struct stat status;
    struct error error;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        if (!registry_load(registry, path, &error))
            error_list_add(&registry->problems, &error);
    } else {
        registry_load_folder(registry, path);
    }
}

static void load_environment(struct registry *registry)
{
    const char *list = getenv("XYLEM_PLUGIN_PATH");
    while (list && *list) {
        size_t length = strcspn(list, ":");
        if (length > 0) {
            char *entry = memory_copy_text(list, length);
            load_entry(registry, entry);
            free(entry);
        }
        list += length + (list[length] == ':');
    }
}

/* lib/xylem beside the folder of the running program; false when there is none. */
static bool load_beside_program(struct registry *registry)
{
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
    size_t used = strlen(folder);
    if (used + sizeof("/lib/xylem") > sizeof(folder))
        return false;
    memcpy(folder + used, "/lib/xylem", sizeof("/lib/xylem"));
    if (access(folder, R_OK | X_OK) != 0)
        return false;
    registry_load_folder(registry, folder);
    return true;
}

void registry_load_all(struct registry *registry, const char *const *extra)
{
    for (; extra && *extra; extra++)
        load_entry(registry, *extra);
    load_environment(registry);
    /* An installed copy beside a build tree would hide nothing and warn about every stage. */
    if (!load_beside_program(registry) && access(XYLEM_PLUGIN_FOLDER, R_OK | X_OK) == 0)
        registry_load_folder(registry, XYLEM_PLUGIN_FOLDER);
}

bool registry_tool(const struct stage_type *type, xy_tool *tool)
{
    const xy_stage *stage = &type->stage;
    const xy_tool *given = stage->kind == XY_CONDITION && stage->extension
                               ? stage->extension(XY_TOOL) : NULL;
    *tool = (xy_tool){0};
    if (!given)
        return false;
    memcpy(tool, given, given->size < sizeof(*tool) ? given->size : sizeof(*tool));
    return true;
}

const struct stage_type *registry_find(const struct registry *registry, uint32_t kind,
                                       const char *name)
{
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next)
        for (size_t i = 0; i < plugin->stage_count; i++) {
            const struct stage_type *type = &plugin->stages[i];
            if ((kind == 0 || type->stage.kind == kind) && strcmp(type->stage.id, name) == 0)
                return type;
        }
    return NULL;
}

const char *registry_nearest(const struct registry *registry, uint32_t kind, const char *name)
{
    size_t count = 0;
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next)
        count += plugin->stage_count;
    const char **names = memory_zeroed(count, sizeof(*names));
    count = 0;
    for (const struct plugin *plugin = registry->plugins; plugin; plugin = plugin->next)
        for (size_t i = 0; i < plugin->stage_count; i++)
            if (kind == 0 || plugin->stages[i].stage.kind == kind)
                names[count++] = plugin->stages[i].stage.id;
    const char *nearest = nearest_name(name, names, count);
    free(names);
    return nearest;
}
