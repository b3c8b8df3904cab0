/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_nodes.h"

#include <stdlib.h>

/* Roots are siblings of each other: those before this one end their list at it. */
static uint32_t last_root(const struct tree_nodes *tree)
{
    uint32_t last = tree->count ? 0 : TREE_NONE;
    while (last != TREE_NONE && tree->nodes[last].next_sibling != TREE_NONE)
        last = tree->nodes[last].next_sibling;
    return last;
}

uint32_t tree_nodes_add(struct tree_nodes *tree, uint32_t parent, xy_str name)
{
    if (tree->count == tree->room) {
        size_t room = tree->room ? tree->room * 2 : 64;
        struct tree_node *nodes = realloc(tree->nodes, room * sizeof(*nodes));
        if (!nodes)
            return TREE_NONE;
        tree->nodes = nodes;
        tree->room = room;
    }
    items_add(&tree->names, name);
    if (tree->names.failed)
        return TREE_NONE;
    uint32_t number = (uint32_t)tree->count;
    uint32_t before = parent == TREE_NONE ? last_root(tree) : tree->nodes[parent].last_child;
    tree->nodes[tree->count++] = (struct tree_node){
        .parent = parent, .first_child = TREE_NONE, .last_child = TREE_NONE,
        .next_sibling = TREE_NONE,
        .depth = parent == TREE_NONE ? 0 : tree->nodes[parent].depth + 1};
    if (before != TREE_NONE)
        tree->nodes[before].next_sibling = number;
    if (parent != TREE_NONE) {
        struct tree_node *above = &tree->nodes[parent];
        above->first_child = above->children == 0 ? number : above->first_child;
        above->last_child = number;
        above->children++;
    }
    return number;
}

xy_str tree_nodes_name(const struct tree_nodes *tree, uint32_t node)
{
    return items_at(&tree->names, node);
}

static void add_name(const struct tree_nodes *tree, uint32_t node, size_t start, struct text *out)
{
    text_add_literal(out, out->length > start + 1 ? "," : "");
    text_add_json(out, tree_nodes_name(tree, node));
}

void tree_nodes_add_path(const struct tree_nodes *tree, uint32_t node, struct text *out)
{
    uint32_t path[TREE_DEEPEST + 1];
    size_t length = 0, start = out->length;
    for (; node != TREE_NONE && length <= TREE_DEEPEST; node = tree->nodes[node].parent)
        path[length++] = node;
    text_add_literal(out, "[");
    while (length-- > 0)
        add_name(tree, path[length], start, out);
    text_add_literal(out, "]");
}

/* The list of siblings that begins with `first`, but for one of them. */
static void add_list(const struct tree_nodes *tree, uint32_t first, uint32_t without,
                     struct text *out)
{
    size_t start = out->length;
    text_add_literal(out, "[");
    for (uint32_t node = first; node != TREE_NONE; node = tree->nodes[node].next_sibling)
        if (node != without)
            add_name(tree, node, start, out);
    text_add_literal(out, "]");
}

void tree_nodes_add_children(const struct tree_nodes *tree, uint32_t node, struct text *out)
{
    add_list(tree, tree->nodes[node].first_child, TREE_NONE, out);
}

void tree_nodes_add_siblings(const struct tree_nodes *tree, uint32_t node, struct text *out)
{
    uint32_t parent = tree->nodes[node].parent;
    add_list(tree, parent == TREE_NONE ? 0 : tree->nodes[parent].first_child, node, out);
}

uint32_t tree_nodes_next(const struct tree_nodes *tree, uint32_t node)
{
    if (tree->nodes[node].first_child != TREE_NONE)
        return tree->nodes[node].first_child;
    while (node != TREE_NONE && tree->nodes[node].next_sibling == TREE_NONE)
        node = tree->nodes[node].parent;
    return node == TREE_NONE ? TREE_NONE : tree->nodes[node].next_sibling;
}

void tree_nodes_free(struct tree_nodes *tree)
{
    free(tree->nodes);
    items_free(&tree->names);
    *tree = (struct tree_nodes){.count = 0};
}
