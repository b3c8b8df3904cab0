/* SPDX-License-Identifier: Apache-2.0 */
/* spans_write.h - placed mentions as JSON: with offsets, as relations between them, as tags. [any]
 */
#ifndef XYLEM_PLUGINS_SPANS_SPANS_WRITE_H
#define XYLEM_PLUGINS_SPANS_SPANS_WRITE_H

#include "spans_mentions.h"
#include "text.h"

/* [{"text", "type", "start", "end", "start_byte", "end_byte", members of its own}]; what stands
 * nowhere only with MISSING_FLAG, as {"text", "type", "aligned": false, "why", ...}. */
void write_mentions(const struct mentions *mentions, xy_str text, const struct rules *rules,
                    struct text *out);
/* Adds what is not good to a JSON list that is open: {"text", "type", "why"}. */
void write_unaligned(const struct mentions *mentions, const struct rules *rules,
                     struct text *out);

struct relation_counts {
    size_t said, kept;
    const char *why; /* of the first that is not kept */
};

/* Of a JSON list of {"head", "tail", ...}, a text or a number of the model's list each, those whose
 * ends are mentions: {"head", "head_index", "tail", "tail_index", members of its own}. The others
 * are added to the open list `unaligned`, with "why". */
struct relation_counts write_relations(const struct mentions *mentions, xy_str list, xy_str text,
                                       const struct rules *rules, struct text *out,
                                       struct text *unaligned);
/* The text's tokens and their tags: B-type for the first of a mention, I-type for its others, O. Of
 * mentions that overlap the one that begins first has a token, the longer of two. */
void write_tags(const struct mentions *mentions, xy_str text, struct text *tokens,
                struct text *tags);

#endif
