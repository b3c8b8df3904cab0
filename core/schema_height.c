/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_internal.h"

int schema_height(struct schema_node *node, int depth)
{
    if (node->height > 0)
        return node->height;
    if (node->height < 0 || depth > SCHEMA_IN_PLACE_DEPTH)
        return SCHEMA_IN_PLACE_DEPTH + 1;
    node->height = -1;
    const struct schema_nodes lists[] = {
        node->any, node->one, node->all, {&node->negated, 1}, {&node->reference, 1},
    };
    int highest = 0;
    for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++) {
        for (size_t i = 0; i < lists[l].count; i++) {
            struct schema_node *inner = lists[l].nodes[i];
            int height = inner ? schema_height(inner, depth + 1) : 0;
            highest = height > highest ? height : highest;
        }
    }
    node->height = highest + 1;
    return node->height;
}
