/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - from a map of the pipeline file to a stage's state, by the stage's option table.
 *
 * The table is the only home of an option: parsing, defaults, ranges, help, reference pages and the
 * editor's JSON Schema all come from it.
 */
#ifndef XYLEM_CORE_OPTIONS_H
#define XYLEM_CORE_OPTIONS_H

#include "node.h"

/* What references are resolved by; each returns NULL when there is no such thing, with the error
 * set. A NULL function leaves the pointer NULL and only checks that a name was given. */
struct option_resolver {
    const xy_model *(*model)(void *data, const struct node *node, struct error *error);
    const xy_student *(*learner)(void *data, const struct node *node, struct error *error);
    xy_dataset *(*dataset)(void *data, const struct node *node, struct error *error);
    void *data;
};

/* Checks `with` (a map node or NULL) against the table and writes every option at its offset in
 * `state` (NULL: check only). Adds all errors, with places and nearest keys, to `errors`.
 * `folder` is what paths are relative to. `ignore`: NULL-terminated keys that belong to somebody
 * else (`use`, limits of a model), or NULL. Text written into the state is `arena`'s. Returns how
 * many errors were found. `where` names the owner in messages: "step `near`". */
size_t options_apply(const xy_option *options, const struct node *with, const char *where,
                     const struct node *place, const char *folder, const char *const *ignore,
                     const struct option_resolver *resolver, struct arena *arena, void *state,
                     struct error_list *errors);

/* One default checked against its own type and range, for the loader. 0 or XY_EINVAL. */
int option_check_default(const xy_option *option, struct error *error);

/* "text", "integer" ... the type's name in messages and reference pages. */
const char *option_type_name(uint32_t type);

/* "2M", "10k", "500ms", "5m": shared with budgets and limits. 0 or XY_EINVAL. */
int parse_count(xy_str text, int64_t *out);
int parse_seconds(xy_str text, double *out);

/* Appends the JSON Schema of a table (an object schema) to `buffer`, for `xylem schema`. */
void options_schema(const xy_option *options, struct buffer *buffer);

#endif
