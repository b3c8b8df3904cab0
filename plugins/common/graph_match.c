/* SPDX-License-Identifier: Apache-2.0 */
/* Triples by the names of their terms, as a model writes them. */
#include <stdlib.h>

#include "fold.h"
#include "graph.h"

/* A term as it is written, and as it can be compared. */
struct mention {
    uint32_t term;      /* graph_find() of it, or GRAPH_NONE */
    struct text folded;
};

static void read_mention(const struct graph *graph, struct mention *mention, xy_str text)
{
    *mention = (struct mention){.term = graph_find(graph, text)};
    fold_add(&mention->folded, text, FOLD_WORDS);
}

static bool matches(const struct graph *graph, const struct mention *mention, uint32_t term)
{
    return term == mention->term ||
           graph_is_called(graph, term, (xy_str){mention->folded.bytes, mention->folded.length});
}

/* Looks through the triples of one subject: few, but for a hub, which a claim about it costs. */
static uint32_t find_from(const struct graph *graph, uint32_t subject,
                          const struct mention *relation, const struct mention *object)
{
    struct graph_range range = graph_subject(graph, subject);
    uint32_t known = GRAPH_NONE;
    for (uint32_t i = range.from; i < range.to;) {
        const struct graph_triple *triple = &graph->triples[i];
        if (triple->relation != known && !matches(graph, relation, triple->relation)) {
            i = graph_subject_relation(graph, subject, triple->relation).to;
            continue;
        }
        known = triple->relation;
        if (matches(graph, object, triple->object))
            return i;
        i++;
    }
    return GRAPH_NONE;
}

uint32_t graph_find_triple(const struct graph *graph, xy_str subject, xy_str relation,
                           xy_str object)
{
    struct mention mentions[3];
    read_mention(graph, &mentions[0], subject);
    read_mention(graph, &mentions[1], relation);
    read_mention(graph, &mentions[2], object);
    uint32_t found = GRAPH_NONE;
    if (mentions[0].term != GRAPH_NONE)
        found = find_from(graph, mentions[0].term, &mentions[1], &mentions[2]);
    struct graph_range range = graph_named(graph, (xy_str){mentions[0].folded.bytes,
                                                           mentions[0].folded.length});
    for (uint32_t i = range.from; found == GRAPH_NONE && i < range.to; i++)
        found = find_from(graph, graph->names[i].term, &mentions[1], &mentions[2]);
    for (size_t i = 0; i < 3; i++)
        text_free(&mentions[i].folded);
    return found;
}
