/* SPDX-License-Identifier: Apache-2.0 */
/* demos_options.h - the options that the stages of this plugin share. They lie in `struct
 * pool_options options`, the first member of each stage's state. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_OPTIONS_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_OPTIONS_H

#include "demos_embed.h"
#include "demos_pool.h"

#define POOL_AT(member) offsetof(struct pool_options, member)

/* Where demonstrations come from. */
#define POOL_OPTIONS                                                                              \
    {.name = "pool", .type = XY_OPT_DATASET, .offset = POOL_AT(dataset),                          \
     .flags = XY_OPT_REQUIRED,                                                                    \
     .help = "The step, the enclosing repeat, or the file, to take demonstrations from."},        \
    {.name = "k", .type = XY_OPT_INT, .offset = POOL_AT(k), .def = "4", .low = 1, .high = 1000,   \
     .help = "How many demonstrations a record gets."},                                           \
    {.name = "match", .type = XY_OPT_FIELD, .offset = POOL_AT(match),                             \
     .help = "Takes only demonstrations in which this field has the record's own value: a "       \
             "label, or the leaf of a taxonomy."},                                                \
    {.name = "require", .type = XY_OPT_LIST, .offset = POOL_AT(require),                          \
     .help = "Fields that a record of the pool must have to be shown, such as a label that not "  \
             "all have."},                                                                        \
    {.name = "exclude_self", .type = XY_OPT_BOOL, .offset = POOL_AT(exclude_self), .def = "true", \
     .help = "Never shows a record to itself: no demonstration with its id, its parent's id, or " \
             "its text."}

/* A second pool to mix in. */
#define SECOND_OPTIONS                                                                            \
    {.name = "second_pool", .type = XY_OPT_DATASET, .offset = POOL_AT(second),                    \
     .help = "Another pool to mix in, such as generated records beside those people wrote; it "   \
             "may be empty."},                                                                    \
    {.name = "second_k", .type = XY_OPT_INT, .offset = POOL_AT(second_k), .def = "2", .low = 1,   \
     .high = 1000,                                                                                \
     .help = "At most so many of the `k` come from `second_pool`, the others from `pool`."}

/* What a record gets. */
#define GIVE_OPTIONS                                                                              \
    {.name = "least", .type = XY_OPT_INT, .offset = POOL_AT(least), .def = "0", .low = 0,         \
     .high = 1000,                                                                                \
     .help = "Rejects a record that gets fewer demonstrations than this; 0 rejects none."},       \
    {.name = "max_bytes", .type = XY_OPT_INT, .offset = POOL_AT(max_bytes), .def = "0", .low = 0, \
     .high = 1e9,                                                                                 \
     .help = "Stops before the demonstrations, as JSON, exceed so many bytes; 0: no bound. A "    \
             "token is about four bytes of English."},                                            \
    {.name = "fields", .type = XY_OPT_LIST, .offset = POOL_AT(fields),                            \
     .help = "The pool's fields that a demonstration has; all but vectors when not given."},      \
    {.name = "into", .type = XY_OPT_FIELD, .offset = POOL_AT(into), .def = "demos",               \
     .help = "The field set to the list of demonstrations."},                                     \
    {.name = "ids", .type = XY_OPT_FIELD, .offset = POOL_AT(ids), .def = "demo_ids",              \
     .help = "The field set to the list of their ids."}

/* By which texts, or vectors, demonstrations are compared. */
#define EMBED_OPTIONS(state)                                                                      \
    {.name = "embed", .type = XY_OPT_MODEL, .offset = offsetof(state, space.embed),               \
     .help = "The model that embeds the texts; this or `vector` is needed."},                     \
    {.name = "vector", .type = XY_OPT_FIELD, .offset = offsetof(state, space.vector),             \
     .help = "A field with ready vectors, of an `embed` step, in place of a model."},             \
    {.name = "pool_field", .type = XY_OPT_FIELD, .offset = POOL_AT(text_field),                   \
     .help = "The pool's text to compare by; named like `field` when not given."}

#endif
