/* SPDX-License-Identifier: Apache-2.0 */
/* options_internal.h - what the options_*.c files share; nobody else includes it. */
#ifndef XYLEM_CORE_OPTIONS_INTERNAL_H
#define XYLEM_CORE_OPTIONS_INTERNAL_H

#include "options.h"

/* Where one option's value goes, and what it needs on the way there. */
struct option_target {
    const xy_option *option;
    const char *where;                      /* the owner in messages */
    const char *folder;                     /* paths are relative to it; NULL: leave them */
    const struct option_resolver *resolver; /* NULL: references stay NULL */
    struct arena *arena;
    void *state;                            /* NULL: check only */
};

/* Checks `node` as the option's value and writes it. 0, or the error with the node's place. */
int option_write(const struct option_target *target, const struct node *node,
                 struct error *error);

/* The option's default as the node that it would be in the file; NULL with the error. */
struct node *option_default_node(struct arena *arena, const xy_option *option,
                                 struct error *error);

/* Is this what the file has where a value was left out? */
bool option_is_null(const struct node *node);

/* A node as compact JSON text in the arena; NULL with the error. */
const char *option_json(struct arena *arena, const struct node *node, struct error *error);

#endif
