/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "graph.h"

enum part { SUBJECT, RELATION, OBJECT };

static uint32_t part_of(const struct graph_triple *triple, enum part part)
{
    return part == SUBJECT ? triple->subject : part == RELATION ? triple->relation : triple->object;
}

bool graph_add(struct graph *graph, struct graph_triple triple)
{
    if (graph->count == graph->room) {
        uint64_t room = graph->room ? graph->room * UINT64_C(2) : 1024;
        struct graph_triple *larger =
            room < GRAPH_NONE ? realloc(graph->triples, room * sizeof(*larger)) : NULL;
        if (!larger)
            return false;
        graph->triples = larger;
        graph->room = (uint32_t)room;
    }
    graph->triples[graph->count++] = triple;
    return true;
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* One stable pass of a sort by counting: `to` lists what `from` does, by that part. `starts` has
 * one place more than there are terms. */
static void spread(const struct graph *graph, enum part part, const uint32_t *from, uint32_t *to,
                   uint32_t *starts)
{
    memset(starts, 0, (graph->terms.count + (size_t)1) * sizeof(*starts));
    for (uint32_t i = 0; i < graph->count; i++)
        starts[part_of(&graph->triples[i], part) + 1]++;
    for (uint32_t i = 0; i < graph->terms.count; i++)
        starts[i + 1] += starts[i];
    for (uint32_t i = 0; i < graph->count; i++) {
        uint32_t at = from ? from[i] : i;
        to[starts[part_of(&graph->triples[at], part)]++] = at;
    }
}

static bool same(const struct graph_triple *a, const struct graph_triple *b)
{
    return a->subject == b->subject && a->relation == b->relation && a->object == b->object;
}

/* Puts the triples into the order of `order`, each once. */
static bool arrange(struct graph *graph, const uint32_t *order)
{
    struct graph_triple *sorted = malloc((graph->count + (size_t)1) * sizeof(*sorted));
    uint32_t count = 0;
    if (!sorted)
        return false;
    for (uint32_t i = 0; i < graph->count; i++) {
        const struct graph_triple *next = &graph->triples[order[i]];
        if (count == 0 || !same(next, &sorted[count - 1]))
            sorted[count++] = *next;
    }
    free(graph->triples);
    graph->triples = sorted;
    graph->count = graph->room = count;
    return true;
}

bool graph_order(struct graph *graph)
{
    uint32_t *starts = malloc((graph->terms.count + (size_t)1) * sizeof(*starts));
    uint32_t *first = malloc((graph->count + (size_t)1) * sizeof(*first));
    uint32_t *second = malloc((graph->count + (size_t)1) * sizeof(*second));
    bool good = starts && first && second;
    if (good) {
        spread(graph, OBJECT, NULL, first, starts);
        spread(graph, RELATION, first, second, starts);
        spread(graph, SUBJECT, second, first, starts);
        good = arrange(graph, first);
    }
    if (good) { /* by subject already, so one pass makes each further order out of the one before */
        spread(graph, OBJECT, NULL, first, starts);
        spread(graph, RELATION, first, second, starts);
        graph->by_object = first;
        graph->by_relation = second;
        first = second = NULL;
    }
    free(starts);
    free(first);
    free(second);
    return good;
}

/* ---- ranges ---------------------------------------------------------------------------------- */

struct order {
    const struct graph_triple *triples;
    const uint32_t *positions;  /* NULL: `triples` itself */
    enum part first, second;
};

/* The first position in the order whose parts are at least (first, second). */
static uint32_t lower(const struct graph *graph, const struct order *order, uint64_t first,
                      uint64_t second)
{
    uint32_t low = 0, high = graph->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct graph_triple *triple =
            &order->triples[order->positions ? order->positions[middle] : middle];
        uint32_t key = part_of(triple, order->first);
        if (key < first || (key == first && part_of(triple, order->second) < second))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct graph_range find_one(const struct graph *graph, struct order order, uint64_t first)
{
    return (struct graph_range){lower(graph, &order, first, 0),
                                lower(graph, &order, first + 1, 0)};
}

static struct graph_range find_two(const struct graph *graph, struct order order, uint64_t first,
                                   uint64_t second)
{
    return (struct graph_range){lower(graph, &order, first, second),
                                lower(graph, &order, first, second + 1)};
}

struct graph_range graph_subject(const struct graph *graph, uint32_t subject)
{
    return find_one(graph, (struct order){graph->triples, NULL, SUBJECT, RELATION}, subject);
}

struct graph_range graph_subject_relation(const struct graph *graph, uint32_t subject,
                                          uint32_t relation)
{
    return find_two(graph, (struct order){graph->triples, NULL, SUBJECT, RELATION}, subject,
                    relation);
}

struct graph_range graph_relation(const struct graph *graph, uint32_t relation)
{
    return find_one(graph, (struct order){graph->triples, graph->by_relation, RELATION, OBJECT},
                    relation);
}

struct graph_range graph_relation_object(const struct graph *graph, uint32_t relation,
                                         uint32_t object)
{
    return find_two(graph, (struct order){graph->triples, graph->by_relation, RELATION, OBJECT},
                    relation, object);
}

struct graph_range graph_object(const struct graph *graph, uint32_t object)
{
    return find_one(graph, (struct order){graph->triples, graph->by_object, OBJECT, SUBJECT},
                    object);
}

/* ---- what counts ----------------------------------------------------------------------------- */

bool graph_counts(const struct graph *graph, uint32_t position)
{
    return graph->flags[graph->triples[position].relation] & GRAPH_COUNTS;
}

bool graph_is_entity(const struct graph *graph, uint32_t term)
{
    return graph->flags[term] & GRAPH_ENTITY;
}

uint64_t graph_size(const struct graph *graph)
{
    return graph->relation_count ? graph->ends[graph->relation_count - 1] : 0;
}

uint32_t graph_at(const struct graph *graph, uint64_t index)
{
    uint32_t low = 0, high = graph->relation_count - 1;
    while (low < high) { /* the first relation that ends behind `index` */
        uint32_t middle = low + (high - low) / 2;
        if (graph->ends[middle] <= index)
            low = middle + 1;
        else
            high = middle;
    }
    uint64_t before = low ? graph->ends[low - 1] : 0;
    uint32_t from = graph_relation(graph, graph->relations[low]).from;
    return graph->by_relation[from + (uint32_t)(index - before)];
}

uint32_t graph_relation_place(const struct graph *graph, uint32_t relation)
{
    uint32_t low = 0, high = graph->relation_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->relations[middle] < relation)
            low = middle + 1;
        else
            high = middle;
    }
    return low < graph->relation_count && graph->relations[low] == relation ? low : GRAPH_NONE;
}
