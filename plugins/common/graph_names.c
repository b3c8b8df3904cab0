/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fold.h"
#include "graph.h"

/* ---- what a term is called ------------------------------------------------------------------- */

/* A literal's text without what stands behind it, which holds no quote. */
static xy_str literal_text(xy_str key, xy_str *suffix)
{
    size_t end = key.len - 1;
    while (end > 0 && key.ptr[end] != '"')
        end--;
    *suffix = (xy_str){key.ptr + end + 1, key.len - end - 1};
    return (xy_str){key.ptr + 1, end ? end - 1 : 0};
}

/* Is this a name out of a table, and no IRI? */
static bool is_plain(xy_str text)
{
    return !memmem(text.ptr, text.len, "://", 3) &&
           (text.len < 4 || memcmp(text.ptr, "urn:", 4) != 0);
}

/* The end of an IRI, from behind the last '#', '/' or, in a URN, ':'. */
static xy_str iri_end(xy_str iri)
{
    size_t end = iri.len;
    while (end > 0 && strchr("#/", iri.ptr[end - 1]))
        end--;
    size_t from = end;
    bool urn = iri.len >= 4 && memcmp(iri.ptr, "urn:", 4) == 0;
    while (from > 0 && !strchr(urn ? "#/:" : "#/", iri.ptr[from - 1]))
        from--;
    return (xy_str){iri.ptr + from, end - from};
}

static void add_unnamed(xy_str key, struct text *out)
{
    xy_str text = {key.ptr + 1, key.len - 1}, suffix;
    if (key.ptr[0] == '"') {
        text_add_str(out, literal_text(key, &suffix));
    } else if (key.ptr[0] == '_') {
        text_add_literal(out, "_:");
        text_add_str(out, text);
    } else if (is_plain(text)) {
        text_add_str(out, text);
    } else {
        text = iri_end(text);
        for (size_t i = 0; i < text.len; i++)
            text_add(out, text.ptr[i] == '_' ? " " : text.ptr + i, 1);
    }
}

/* 0: in the language asked for; 1: in none; 2: in another. */
static int rank_of(const struct graph *graph, xy_str suffix)
{
    xy_str wanted = xy_text(graph->options->language);
    if (suffix.len == 0 || suffix.ptr[0] != '@')
        return 1;
    bool good = suffix.len > wanted.len && wanted.len &&
                strncasecmp(suffix.ptr + 1, wanted.ptr, wanted.len) == 0 &&
                (suffix.len == wanted.len + 1 || suffix.ptr[wanted.len + 1] == '-');
    return good ? 0 : 2;
}

/* The object of the best of the term's triples with that relation, or GRAPH_NONE. */
static uint32_t best_label(const struct graph *graph, uint32_t term, uint32_t relation)
{
    struct graph_range range = graph_subject_relation(graph, term, relation);
    uint32_t best = GRAPH_NONE;
    int best_rank = 3;
    for (uint32_t i = range.from; i < range.to; i++) {
        xy_str key = names_at(&graph->terms, graph->triples[i].object), suffix = {NULL, 0};
        if (key.ptr[0] == '"')
            literal_text(key, &suffix);
        int rank = rank_of(graph, suffix);
        if (rank < best_rank) {
            best = graph->triples[i].object;
            best_rank = rank;
        }
    }
    return best;
}

void graph_add_name(const struct graph *graph, uint32_t term, struct text *out)
{
    uint32_t named = GRAPH_NONE;
    for (size_t i = 0; named == GRAPH_NONE && graph->labels[i] != GRAPH_NONE; i++)
        named = best_label(graph, term, graph->labels[i]);
    add_unnamed(names_at(&graph->terms, named == GRAPH_NONE ? term : named), out);
}

/* ---- all names of a term --------------------------------------------------------------------- */

typedef bool (*name_visitor)(void *data, xy_str folded);

/* Calls back with each name, folded, until it answers false; `scratch` is the caller's. */
static bool visit(const struct graph *graph, xy_str key, struct text *scratch, name_visitor visitor,
                  void *data)
{
    struct text plain = {0};
    add_unnamed(key, &plain);
    text_clear(scratch);
    fold_add(scratch, (xy_str){plain.bytes, plain.length}, FOLD_WORDS);
    text_free(&plain);
    (void)graph;
    return scratch->length == 0 || visitor(data, (xy_str){scratch->bytes, scratch->length});
}

static void visit_names(const struct graph *graph, uint32_t term, struct text *scratch,
                        name_visitor visitor, void *data)
{
    const uint32_t *const lists[] = {graph->labels, graph->aliases};
    if (!visit(graph, names_at(&graph->terms, term), scratch, visitor, data))
        return;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const uint32_t *relation = lists[i]; *relation != GRAPH_NONE; relation++) {
            struct graph_range range = graph_subject_relation(graph, term, *relation);
            for (uint32_t at = range.from; at < range.to; at++) {
                xy_str key = names_at(&graph->terms, graph->triples[at].object);
                if (!visit(graph, key, scratch, visitor, data))
                    return;
            }
        }
    }
}

struct search {
    xy_str wanted;
    bool found;
};

static bool compare_name(void *data, xy_str folded)
{
    struct search *search = data;
    search->found = folded.len == search->wanted.len &&
                    memcmp(folded.ptr, search->wanted.ptr, folded.len) == 0;
    return !search->found;
}

bool graph_is_called(const struct graph *graph, uint32_t term, xy_str folded)
{
    struct search search = {.wanted = folded};
    struct text scratch = {0};
    if (folded.len)
        visit_names(graph, term, &scratch, compare_name, &search);
    text_free(&scratch);
    return search.found;
}

bool graph_holds_words(xy_str text, xy_str name)
{
    if (name.len == 0)
        return false;
    for (const char *at = text.ptr; at && at + name.len <= text.ptr + text.len;) {
        const char *end = text.ptr + text.len;
        at = memmem(at, (size_t)(end - at), name.ptr, name.len);
        if (!at)
            return false;
        bool starts = at == text.ptr || at[-1] == ' ';
        bool ends = at + name.len == end || at[name.len] == ' ';
        if (starts && ends)
            return true;
        at++;
    }
    return false;
}

static bool find_words(void *data, xy_str folded)
{
    struct search *search = data;
    search->found = graph_holds_words(search->wanted, folded);
    return !search->found;
}

bool graph_is_mentioned(const struct graph *graph, uint32_t term, xy_str text)
{
    struct search search = {.wanted = text};
    struct text scratch = {0};
    visit_names(graph, term, &scratch, find_words, &search);
    text_free(&scratch);
    return search.found;
}

/* ---- the index ------------------------------------------------------------------------------- */

struct filling {
    struct graph *graph;
    uint32_t term;
    bool failed;
};

static bool add_name(void *data, xy_str folded)
{
    struct filling *filling = data;
    struct graph *graph = filling->graph;
    if (graph->name_count == graph->name_room) {
        uint64_t room = graph->name_room ? graph->name_room * UINT64_C(2) : 256;
        struct graph_name *larger =
            room < GRAPH_NONE ? realloc(graph->names, room * sizeof(*larger)) : NULL;
        if (!larger) {
            filling->failed = true;
            return false;
        }
        graph->names = larger;
        graph->name_room = (uint32_t)room;
    }
    graph->names[graph->name_count++] =
        (struct graph_name){XXH3_64bits(folded.ptr, folded.len), filling->term};
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct graph_name *first = a, *second = b;
    if (first->hash != second->hash)
        return first->hash < second->hash ? -1 : 1;
    return (first->term > second->term) - (first->term < second->term);
}

bool graph_index_names(struct graph *graph)
{
    struct filling filling = {.graph = graph};
    struct text scratch = {0};
    for (uint32_t i = 0; !filling.failed && i < graph->terms.count; i++) {
        filling.term = i;
        if (graph_is_entity(graph, i))
            visit_names(graph, i, &scratch, add_name, &filling);
    }
    bool good = !filling.failed && !scratch.failed;
    text_free(&scratch);
    if (!good || graph->name_count == 0)
        return good;
    qsort(graph->names, graph->name_count, sizeof(*graph->names), compare);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < graph->name_count; i++)
        if (compare(&graph->names[i], &graph->names[kept - 1]) != 0)
            graph->names[kept++] = graph->names[i];
    graph->name_count = kept;
    return true;
}

/* Two names of 64 equal bits are taken for the same: in a graph of 10 million names that happens by
 * chance once in 360,000 graphs. */
static uint32_t lower(const struct graph *graph, uint64_t hash, bool behind)
{
    uint32_t low = 0, high = graph->name_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t found = graph->names[middle].hash;
        if (found < hash || (behind && found == hash))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct graph_range graph_named(const struct graph *graph, xy_str folded)
{
    if (folded.len == 0)
        return (struct graph_range){0, 0};
    uint64_t hash = XXH3_64bits(folded.ptr, folded.len);
    return (struct graph_range){lower(graph, hash, false), lower(graph, hash, true)};
}

static uint64_t degree(const struct graph *graph, uint32_t term)
{
    struct graph_range out = graph_subject(graph, term), in = graph_object(graph, term);
    return (uint64_t)(out.to - out.from) + (in.to - in.from);
}

uint32_t graph_find_entity(const struct graph *graph, xy_str text)
{
    uint32_t term = graph_find(graph, text);
    if (term != GRAPH_NONE)
        return term;
    struct text folded = {0};
    fold_add(&folded, text, FOLD_WORDS);
    struct graph_range range = graph_named(graph, (xy_str){folded.bytes, folded.length});
    uint64_t most = 0;
    for (uint32_t i = range.from; i < range.to; i++) {
        uint64_t triples = degree(graph, graph->names[i].term);
        if (term == GRAPH_NONE || triples > most) {
            term = graph->names[i].term;
            most = triples;
        }
    }
    text_free(&folded);
    return term;
}

uint32_t graph_find_relation(const struct graph *graph, xy_str text)
{
    uint32_t term = graph_find(graph, text);
    struct graph_range range = {0, 0};
    if (term != GRAPH_NONE)
        range = graph_relation(graph, term);
    if (range.from < range.to)
        return term;
    struct text folded = {0};
    fold_add(&folded, text, FOLD_WORDS);
    term = GRAPH_NONE;
    for (uint32_t at = 0; term == GRAPH_NONE && at < graph->count;) {
        uint32_t relation = graph->triples[graph->by_relation[at]].relation;
        if (graph_is_called(graph, relation, (xy_str){folded.bytes, folded.length}))
            term = relation;
        at = graph_relation(graph, relation).to;
    }
    text_free(&folded);
    return term;
}
