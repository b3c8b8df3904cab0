/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - a YAML file as a tree that remembers where everything stood.
 *
 * Refused, with its place: duplicate keys, keys that are not scalars, unknown tags, several
 * documents in one file, nesting above NODE_DEPTH, more than NODE_LIMIT nodes after aliases are
 * followed (an alias bomb), a file above NODE_BYTES, text that is not UTF-8.
 */
#ifndef XYLEM_CORE_NODE_H
#define XYLEM_CORE_NODE_H

#include "error.h"
#include "value.h"

enum { NODE_DEPTH = 64, NODE_LIMIT = 100000, NODE_BYTES = 16 << 20, NODE_SHOWN = 64 };

enum node_kind { NODE_SCALAR = 1, NODE_LIST = 2, NODE_MAP = 3 };

struct node {
    enum node_kind kind;
    const char *file;
    int line, column;           /* from 1; of the value */
    xy_str text;                /* NODE_SCALAR, after ${} was substituted */
    bool plain;                 /* written without quotes: `true`, `3`, `null` then have a type */
    bool secret;                /* an environment variable went into it: never print the text */
    int text_line, text_indent; /* line of the text's first line (0: unknown) and the columns that
                                   stand before each of its lines, to place errors within a text */
    struct node **items;        /* NODE_LIST and NODE_MAP: values */
    struct node **keys;         /* NODE_MAP: scalar nodes, same indices as items */
    size_t count;
};

/* Parses a file, or text under the name `file` in messages. NULL with the error. All memory is the
 * arena's. No substitution happens here. */
struct node *node_read_file(struct arena *arena, const char *path, struct error *error);
struct node *node_read_text(struct arena *arena, const char *file, xy_str text,
                            struct error *error);

/* Replaces ${NAME}, ${NAME:-default} and ${params.NAME} in every scalar below `node`; $${ stands
 * for a literal ${. `params` is a map node or NULL. A missing variable without default is an
 * error. */
int node_substitute(struct arena *arena, struct node *node, const struct node *params,
                    struct error_list *errors);

/* The value of `key` in a map, or NULL. */
struct node *node_member(const struct node *map, const char *key);
/* Puts `text` (parsed as YAML) at a dotted path such as models.teacher.use or steps.write.samples
 * (a list's item is named by its `id:`, or by its index), making maps on the way: `--set`. */
int node_set(struct arena *arena, struct node *root, const char *path, xy_str text,
             struct error *error);
/* Plain scalars by YAML 1.2's core schema: null, true/false, integers, numbers, else text. */
int node_value(struct arena *arena, const struct node *node, struct value *out);
/* Fills the error with the node's place; returns the code. */
int node_error(const struct node *node, struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves an error whose place is within the node's text (a template, an expression) to the file. */
void node_place_within(const struct node *node, struct error *error);
/* What a message says was found: "`text`" (cut at 40 bytes), "a map", "a list", "nothing", or "a
 * value from the environment" for a secret. In `out`; returns it. */
const char *node_shown(const struct node *node, char out[NODE_SHOWN]);
/* Is it `null`, `~` or empty? */
bool node_is_null(const struct node *node);
/* A copy of the whole tree; keys and texts are shared. */
struct node *node_copy(struct arena *arena, const struct node *node);
/* Nodes of the tree, keys included; *depth is how many levels it has. */
size_t node_size(const struct node *node, int *depth);

#endif
