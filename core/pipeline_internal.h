/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_internal.h - what the pipeline_*.c files share; nobody else includes it.
 *
 * Reading has two passes. The first walks the file, follows includes and makes a struct step for
 * each step, so that every id is known. The second resolves what the steps name: models, options,
 * datasets, templates. Each reports every error that it can and goes on.
 */
#ifndef XYLEM_CORE_PIPELINE_INTERNAL_H
#define XYLEM_CORE_PIPELINE_INTERNAL_H

#include "options.h"
#include "pipeline.h"

/* What must be freed one by one: one of the four is set. */
struct compiled {
    struct template *template;
    struct expression *expression;
    struct schema *schema;
    struct compiled *next;
};

/* A step and what only reading needs to know of it. */
struct entry {
    struct step *step;
    const char *prefix;           /* of the include it stands in, "" or "block/" */
    struct entry *container;      /* the repeat it stands in, or NULL */
    size_t order;                 /* in the order of the file; inner steps after their repeat */
    const struct node *from_node; /* its `from:`, or that of the include that it begins */
    const char *from_prefix;
    struct entry **edges;         /* what it reads, also when the place is wrong: for cycles */
    size_t edge_count;
};

/* An include: `id` stands for the last of its steps that changes the stream. */
struct block {
    const char *id;
    struct entry *container;
    const struct node *node;
    size_t first, end; /* orders of its steps */
};

struct pipeline_reader {
    struct pipeline *pipeline;
    struct arena *arena; /* the pipeline's */
    struct error_list *errors;
    struct entry **entries;
    size_t entry_count;
    struct block **blocks;
    size_t block_count;
    const char *open_files[INCLUDE_DEPTH]; /* real paths, from the file itself inwards */
    int open_count;
    const char *models_file; /* of the user's own models, or NULL */
    size_t includes;
    struct late *late; /* references to steps that come later: cycles, or just too early */
    void *hash;        /* XXH3_state_t: the tree, for the fingerprint */
};

/* ---- pipeline_keys.c: errors, keys and typed members ----------------------------------------- */

/* Reports an error at `node`; `hint` may be NULL. */
void pipeline_fail(struct pipeline_reader *reader, const struct node *node, const char *hint,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "did you mean `x`?" in the arena, or NULL. */
const char *pipeline_nearest(struct pipeline_reader *reader, const char *word,
                             const char *const *names, size_t count);
/* Reports each key of `map` that is not among `known`; `under_with` (may be NULL) are options that
 * belong below `with:`. False when `map` is no map, which is reported too. */
bool pipeline_check_keys(struct pipeline_reader *reader, const struct node *map,
                         const char *const *known, const char *where,
                         const xy_option *under_with);
/* The member, or NULL when it is absent or null. */
const struct node *pipeline_member(const struct node *map, const char *key);
/* Each reads one member into *out and returns true; absent: false; wrong: reported and false. */
bool pipeline_text(struct pipeline_reader *reader, const struct node *map, const char *key,
                   const char **out);
bool pipeline_count(struct pipeline_reader *reader, const struct node *map, const char *key,
                    int64_t low, int64_t high, int64_t *out);
bool pipeline_number(struct pipeline_reader *reader, const struct node *map, const char *key,
                     double low, double high, double *out);
bool pipeline_seconds(struct pipeline_reader *reader, const struct node *map, const char *key,
                      double *out);
bool pipeline_bool(struct pipeline_reader *reader, const struct node *map, const char *key,
                   bool *out);
/* A path, absolute against the pipeline's folder. */
bool pipeline_path(struct pipeline_reader *reader, const struct node *map, const char *key,
                   const char **out);
/* A list of texts, or one text, NULL-terminated. */
bool pipeline_texts(struct pipeline_reader *reader, const struct node *map, const char *key,
                    const char ***out);
/* Is it letters, digits, '_', '-', '.', and no digit first? Reports when not. */
bool pipeline_check_name(struct pipeline_reader *reader, const struct node *node,
                         const char *name, const char *what);
/* The text of a scalar; NULL with a report that names `what`. */
const char *pipeline_scalar(struct pipeline_reader *reader, const struct node *node,
                            const char *what);
/* Is `name` short enough for a field's? Reports when not. */
bool pipeline_check_field(struct pipeline_reader *reader, const struct node *node,
                          const char *name);
/* The name of a field from a scalar; wrong: reported, and *field stays. */
void pipeline_field(struct pipeline_reader *reader, const struct node *node, const char *what,
                    const char **field);
const char *pipeline_absolute(struct pipeline_reader *reader, const char *path);

/* ---- pipeline_compile.c: templates, expressions, schemas ------------------------------------- */

struct template *pipeline_template(struct pipeline_reader *reader, const struct node *node,
                                   const char *what);
struct expression *pipeline_expression(struct pipeline_reader *reader, const struct node *node,
                                       const char *what);
struct schema *pipeline_compile_schema(struct pipeline_reader *reader, const struct node *node,
                                       xy_str text);
void pipeline_free_compiled(struct compiled *compiled);

/* ---- the parts of the file ------------------------------------------------------------------- */

void pipeline_read_models(struct pipeline_reader *reader, const struct node *node);
const struct model_spec *pipeline_find_model(struct pipeline_reader *reader, xy_str alias);
/* Hint for an unknown alias. */
const char *pipeline_nearest_model(struct pipeline_reader *reader, const char *word);
/* `params:` of a model or a step, checked; null when absent. */
struct value pipeline_read_params(struct pipeline_reader *reader, const struct node *map);

/* `tools:` of the file; then of a generate step, whose output is read already. */
void pipeline_read_tools(struct pipeline_reader *reader, const struct node *node);
void pipeline_read_call_tools(struct pipeline_reader *reader, struct step *step);

/* Reads a file, applies `sets` (NULL: none), checks its head against `known` keys, and puts in its
 * parameters: `given` (a map or NULL) over its own defaults. NULL when the file cannot be used. */
struct node *pipeline_open_file(struct pipeline_reader *reader, const char *path,
                                const struct node *place, const char *const *known,
                                const char *const *sets, const struct node *given);
/* First pass over a list of steps; `steps` and `count` receive them. */
void pipeline_collect(struct pipeline_reader *reader, const struct node *list, const char *prefix,
                      struct entry *container, struct step ***steps, size_t *count);
/* The include at `item`: appends its steps. */
void pipeline_include(struct pipeline_reader *reader, const struct node *item, const char *prefix,
                      struct entry *container, struct step ***steps, size_t *count);
/* Appends a step to a growing list. */
void pipeline_append_step(struct pipeline_reader *reader, struct step ***steps, size_t *count,
                          struct step *step);
/* The stage that `use`, written at `node`, names among those that a step may have. Reports it when
 * there is none; NULL then. */
const struct stage_type *pipeline_find_stage(struct pipeline_reader *reader,
                                             const struct node *node, const char *use);
/* Second pass. */
void pipeline_resolve(struct pipeline_reader *reader);
void pipeline_read_call(struct pipeline_reader *reader, struct step *step);
/* `prompt:` of a generate or score step. */
void pipeline_read_prompt(struct pipeline_reader *reader, struct step *step);
/* The map's `role:` as a constant; NULL when it is absent, or wrong and reported. */
const char *pipeline_role(struct pipeline_reader *reader, const struct node *map);
void pipeline_read_output(struct pipeline_reader *reader, const struct node *root);

/* ---- references ------------------------------------------------------------------------------ */

/* The step that `name` means to somebody with `prefix`; NULL when there is none. Follows the name
 * of an include to its last step that is no evaluator. */
struct entry *pipeline_find_entry(struct pipeline_reader *reader, const char *prefix,
                                  const char *name);
/* The step that `name`, written at `node` in `entry`, reads: reports unknown names, evaluators,
 * forward references and the insides of repeats; NULL then. */
struct entry *pipeline_reference(struct pipeline_reader *reader, struct entry *entry,
                                 const char *prefix, const struct node *node, const char *name);
void pipeline_add_edge(struct pipeline_reader *reader, struct entry *entry, struct entry *to);
/* When all edges are known: reports each later step that was named, as a cycle where it is one. */
void pipeline_check_late(struct pipeline_reader *reader);
/* Options of a stage checked with references resolved. `entry` NULL: of no step. */
void pipeline_check_options(struct pipeline_reader *reader, struct entry *entry,
                            const struct stage_type *type, const struct node *with,
                            const char *where, const struct node *place,
                            const char *const *ignore);

#endif
