/* SPDX-License-Identifier: Apache-2.0 */
/* tree_grow.h - growing a tree by asking a model for the children of its nodes: the nodes of a
 * level all at once, their answers taken up in the order of the nodes. [loop] */
#ifndef XYLEM_PLUGINS_TREE_TREE_GROW_H
#define XYLEM_PLUGINS_TREE_TREE_GROW_H

#include "distinct.h"
#include "list_call.h"
#include "tree_nodes.h"

struct tree_rules {
    int64_t breadth[TREE_DEEPEST]; /* children wanted of a node, by its depth */
    uint32_t depth;                /* of the deepest nodes: those that are not asked */
    int64_t per_ask, backtracks, most_nodes, most_words;
    double similar;
    bool siblings_only;            /* a name may come again below another node */
};

/* What became of it, by the depth of the nodes that were asked. */
struct tree_counts {
    uint64_t asked[TREE_DEEPEST], wanted[TREE_DEEPEST], filled[TREE_DEEPEST];
    uint64_t pruned[TREE_DEEPEST]; /* names like one that was there, or too long for a name */
    uint64_t barren[TREE_DEEPEST]; /* nodes without a child although they were asked */
    uint64_t nodes[TREE_DEEPEST + 1];
    uint64_t leaves, refused;      /* `refused`: answers that were an apology */
    uint64_t lost;                 /* askings that ended in an error */
    bool full;                     /* `most_nodes` ended it */
};

struct tree_growth {
    /* The caller's. */
    const struct tree_rules *rules;
    struct list_call *call;
    const xy_rng *rng;
    const char *name;           /* the prompt's field with the node's name */
    xy_job *job;
    xy_record *scratch;         /* the root's fields; never emitted */
    void (*done)(struct tree_growth *growth, int code); /* exactly once, on 0 of tree_grow() */
    void *data;
    /* Filled by the roots, and then by growing. */
    struct tree_nodes tree;
    struct tree_counts counts;
    /* Its own. */
    struct distinct names;      /* of the whole tree, unless `siblings_only` */
    struct tree_asking *batch;
    size_t batch_count, batch_room, open;
    int64_t pass, pass_depth;
    int failed;
};

/* Adds a root. False: memory is short. A root like one before it is left out. */
bool tree_grow_root(struct tree_growth *growth, xy_str name);
/* Grows until nothing is left to ask for. Negative: an error, explained, and no done(). */
int tree_grow(struct tree_growth *growth);
void tree_grow_free(struct tree_growth *growth);

#endif
