/* SPDX-License-Identifier: Apache-2.0 */
/* tree_nodes.h - a tree of names in memory. Nodes are numbered in the order of their making; a
 * node's children stand in that order. One thread at a time. */
#ifndef XYLEM_PLUGINS_TREE_TREE_NODES_H
#define XYLEM_PLUGINS_TREE_TREE_NODES_H

#include "items.h"

enum { TREE_DEEPEST = 16 };

#define TREE_NONE UINT32_MAX

struct tree_node {
    uint32_t parent, first_child, last_child, next_sibling; /* TREE_NONE where there is none */
    uint32_t children, depth; /* a root's depth is 0 */
    uint32_t asked, barren;   /* askings in all; in a row that brought no child */
};

struct tree_nodes { /* zeroed: empty */
    struct tree_node *nodes;
    struct items names;
    size_t count, room;
};

/* The new node's number, TREE_NONE when memory is short. `parent` TREE_NONE: a root. */
uint32_t tree_nodes_add(struct tree_nodes *tree, uint32_t parent, xy_str name);
xy_str tree_nodes_name(const struct tree_nodes *tree, uint32_t node);
/* JSON lists of names: from the root to the node itself; of its children; of the other children of
 * its parent, or for a root of the other roots. */
void tree_nodes_add_path(const struct tree_nodes *tree, uint32_t node, struct text *out);
void tree_nodes_add_children(const struct tree_nodes *tree, uint32_t node, struct text *out);
void tree_nodes_add_siblings(const struct tree_nodes *tree, uint32_t node, struct text *out);
/* The next node depth-first, a parent before its children; TREE_NONE after the last. Begin with the
 * first root, 0. */
uint32_t tree_nodes_next(const struct tree_nodes *tree, uint32_t node);
void tree_nodes_free(struct tree_nodes *tree);

#endif
