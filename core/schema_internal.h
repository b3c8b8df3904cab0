/* SPDX-License-Identifier: Apache-2.0 */
/* schema_internal.h - a compiled schema, shared by schema.c (compiles) and schema_check.c. */
#ifndef XYLEM_CORE_SCHEMA_INTERNAL_H
#define XYLEM_CORE_SCHEMA_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "schema.h"

/* Where in a document a reader stands, as a chain on the stack from the leaf up. */
struct schema_place {
    const struct schema_place *parent; /* NULL at the root */
    xy_str key;                        /* ptr NULL: an index */
    size_t index;
};

/* "$.items[2].label" */
void schema_place_write(const struct schema_place *place, struct buffer *buffer);

struct schema_nodes {
    struct schema_node **nodes;
    size_t count;
};

struct schema_property {
    xy_str key;
    struct schema_node *node;
};

struct schema_node {
    bool boolean, allowed; /* the schemas `true` and `false` */
    unsigned types;        /* bits 1 << enum value_type; 0: any */
    bool unique_items;
    const struct value *enumeration, *constant, *required;
    const struct value *minimum, *maximum, *exclusive_minimum, *exclusive_maximum, *multiple_of;
    size_t min_items, max_items, min_length, max_length, min_properties, max_properties;
    struct schema_property *properties;
    size_t property_count;
    struct schema_node *additional, *items, *negated, *reference; /* NULL: no rule */
    struct schema_nodes prefix, any, one, all;
    xy_str pattern_text;
    pcre2_code *pattern;
    int height; /* of the nodes that check the same value; 0: not yet known, -1: being computed */
    struct schema_node *next; /* of all nodes of the schema */
};

struct schema {
    struct arena arena;
    const struct schema_node *root;
    pcre2_code **patterns; /* to free */
    size_t pattern_count;
    pcre2_match_context *limits;
};

/* Schemas that check the same value ($ref, anyOf and their kin) may stand in one another so
 * deep: with JSON_DEPTH levels of the value it bounds the stack of a check. */
enum { SCHEMA_IN_PLACE_DEPTH = 32 };

/* How deep the schemas that check the same value stand in one another. Too deep is also a $ref that
 * leads back to itself, which no check could ever finish. */
int schema_height(struct schema_node *node, int depth);

#endif
