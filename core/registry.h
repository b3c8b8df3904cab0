/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - finds plugins, checks them before any of their functions runs, names their stages.
 *
 * Search order: entries of `plugins:` in the pipeline file, XYLEM_PLUGIN_PATH (colon-separated),
 * then ../lib/xylem beside the running program (a build tree, or where it was installed), or else
 * the install prefix. An entry is a folder or one file. The first stage of a name wins; a second
 * one of the same kind and name in another file is a warning that names both.
 * Objects are opened RTLD_NOW | RTLD_LOCAL and never closed. [loop] for everything here.
 */
#ifndef XYLEM_CORE_REGISTRY_H
#define XYLEM_CORE_REGISTRY_H

#include "error.h"

/* Host copies of a plugin's tables: members that the plugin did not know read as 0. */
struct stage_type {
    xy_stage stage;            /* generator, learner and format point to the copies below */
    xy_generator generator;
    xy_learner learner;
    xy_format format;
    const xy_option *options;  /* host copy with the host's stride, ended by a NULL name */
    size_t option_count;
    const struct plugin *plugin;
};

struct plugin {
    char *path;
    xy_plugin info;
    uint64_t fingerprint;      /* XXH3 of the file's bytes: part of a run's identity */
    struct stage_type *stages;
    size_t stage_count;
    struct plugin *next;
};

struct registry {
    struct plugin *plugins;    /* in the order found */
    struct error_list problems; /* files that could not be loaded, each with what differs */
};

/* Loads one file: checks that it is a shared object, that it exports xy_plugin_v1 (or says which
 * major it exports), its sizes and its minor, then every table (required functions by kind, option
 * offsets inside the state, defaults that parse, names). NULL with the error; the message says what
 * was found, what was expected and the remedy. */
struct plugin *registry_load(struct registry *registry, const char *path, struct error *error);

/* Loads every *.so of a folder, in name order; failures go to `problems`. */
void registry_load_folder(struct registry *registry, const char *folder);

/* Loads from everywhere named above. `extra` NULL-terminated or NULL. */
void registry_load_all(struct registry *registry, const char *const *extra);

/* The stage of that kind and name, or NULL. kind 0: any kind. */
const struct stage_type *registry_find(const struct registry *registry, uint32_t kind,
                                       const char *name);

/* What the stage says of itself as a tool (xylem.tool/1) in *tool; false for a stage that is none.
 * Runs the stage's extension(). */
bool registry_tool(const struct stage_type *type, xy_tool *tool);

/* The nearest name of that kind (0: any), for "did you mean", or NULL. */
const char *registry_nearest(const struct registry *registry, uint32_t kind, const char *name);

/* "generator" ... "format"; NULL for no kind. And back; 0 for no such word. */
const char *kind_name(uint32_t kind);
uint32_t kind_of(const char *name);

void registry_free(struct registry *registry);

#endif
