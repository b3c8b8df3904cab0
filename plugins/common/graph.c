/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>

/* Prefixes that everybody uses; those that the file declares go before them. */
static const char *const known_prefixes[] = {
    "rdf:http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs:http://www.w3.org/2000/01/rdf-schema#",
    "skos:http://www.w3.org/2004/02/skos/core#",
    "owl:http://www.w3.org/2002/07/owl#",
    "xsd:http://www.w3.org/2001/XMLSchema#",
    "schema:http://schema.org/",
    "wd:http://www.wikidata.org/entity/",
    "wdt:http://www.wikidata.org/prop/direct/",
    NULL,
};

uint32_t graph_term(struct graph *graph, char kind, xy_str text, xy_str suffix)
{
    char small[512], *key = small;
    size_t length = text.len + suffix.len + 2;
    if (length > sizeof(small))
        key = malloc(length);
    if (!key)
        return GRAPH_NONE;
    size_t at = 0;
    key[at++] = kind;
    if (text.len)
        memcpy(key + at, text.ptr, text.len);
    at += text.len;
    if (kind == '"')
        key[at++] = '"';
    if (suffix.len)
        memcpy(key + at, suffix.ptr, suffix.len);
    at += suffix.len;
    uint32_t term = names_add(&graph->terms, (xy_str){key, at});
    if (key != small)
        free(key);
    return term;
}

/* ---- terms in options ------------------------------------------------------------------------ */

static uint32_t find_key(const struct graph *graph, xy_str first, xy_str second)
{
    char small[512], *key = small;
    size_t length = first.len + second.len + 1;
    if (length > sizeof(small))
        key = malloc(length);
    if (!key)
        return GRAPH_NONE;
    key[0] = '<';
    if (first.len)
        memcpy(key + 1, first.ptr, first.len);
    if (second.len)
        memcpy(key + 1 + first.len, second.ptr, second.len);
    uint32_t term = names_find(&graph->terms, (xy_str){key, length});
    if (key != small)
        free(key);
    return term;
}

/* What the text stands for when `prefix` is "ex:http://example.org/" and the text "ex:name". */
static uint32_t find_with(const struct graph *graph, xy_str prefix, xy_str text)
{
    const char *colon = memchr(prefix.ptr, ':', prefix.len);
    size_t length = (size_t)(colon - prefix.ptr) + 1;
    if (text.len < length || memcmp(text.ptr, prefix.ptr, length) != 0)
        return GRAPH_NONE;
    return find_key(graph, (xy_str){prefix.ptr + length, prefix.len - length},
                    (xy_str){text.ptr + length, text.len - length});
}

uint32_t graph_find(const struct graph *graph, xy_str text)
{
    xy_str none = {NULL, 0};
    if (text.len == 0)
        return GRAPH_NONE;
    if (text.len > 2 && text.ptr[0] == '<' && text.ptr[text.len - 1] == '>')
        return find_key(graph, (xy_str){text.ptr + 1, text.len - 2}, none);
    uint32_t term = find_key(graph, text, none);
    if (term == GRAPH_NONE && text.len > 2 && memcmp(text.ptr, "_:", 2) == 0) {
        char key[160];
        int length = snprintf(key, sizeof(key), "_%.*s", (int)(text.len - 2), text.ptr + 2);
        if (length > 0 && (size_t)length < sizeof(key))
            term = names_find(&graph->terms, (xy_str){key, (size_t)length});
    }
    for (uint32_t i = 0; term == GRAPH_NONE && i < graph->prefixes.count; i++)
        term = find_with(graph, names_at(&graph->prefixes, i), text);
    for (size_t i = 0; term == GRAPH_NONE && known_prefixes[i]; i++)
        term = find_with(graph, xy_text(known_prefixes[i]), text);
    return term;
}

/* ---- what the options let count -------------------------------------------------------------- */

static int refuse(struct graph *graph, const char *option, const char *relation)
{
    snprintf(graph->error, sizeof(graph->error), "`%s` names %s, which is no relation of %s; a "
             "relation is written in full, as prefix:name, or by its label", option, relation,
             graph->options->path);
    return XY_EINVAL;
}

/* The numbers of the relations listed, ended by GRAPH_NONE; those that the graph does not have are
 * left out. NULL when memory is short. */
static uint32_t *find_all(const struct graph *graph, const char *const *list)
{
    size_t count = 0, found = 0;
    while (list && list[count])
        count++;
    uint32_t *terms = malloc((count + 1) * sizeof(*terms));
    for (size_t i = 0; terms && i < count; i++) {
        uint32_t term = graph_find(graph, xy_text(list[i]));
        if (term != GRAPH_NONE)
            terms[found++] = term;
    }
    if (terms)
        terms[found] = GRAPH_NONE;
    return terms;
}

static int mark(struct graph *graph, const char *option, const char *const *list, bool counts)
{
    for (size_t i = 0; list && list[i]; i++) {
        uint32_t term = graph_find_relation(graph, xy_text(list[i]));
        if (term == GRAPH_NONE)
            return refuse(graph, option, list[i]);
        graph->flags[term] &= (uint8_t)~GRAPH_COUNTS;
        graph->flags[term] |= counts ? GRAPH_COUNTS : 0;
    }
    return XY_OK;
}

/* Every relation, or those asked for, without those of names and those left out. */
static int mark_relations(struct graph *graph)
{
    for (uint32_t at = 0; at < graph->count; at++) {
        uint32_t relation = graph->triples[graph->by_relation[at]].relation;
        graph->flags[relation] |= GRAPH_COUNTS;
        at = graph_relation(graph, relation).to - 1;
    }
    for (const uint32_t *name = graph->labels; *name != GRAPH_NONE; name++)
        graph->flags[*name] = (graph->flags[*name] & (uint8_t)~GRAPH_COUNTS) | GRAPH_NAMES;
    for (const uint32_t *name = graph->aliases; *name != GRAPH_NONE; name++)
        graph->flags[*name] = (graph->flags[*name] & (uint8_t)~GRAPH_COUNTS) | GRAPH_NAMES;
    if (graph->options->relations)
        for (uint32_t i = 0; i < graph->terms.count; i++)
            graph->flags[i] &= (uint8_t)~GRAPH_COUNTS;
    int code = mark(graph, "relations", graph->options->relations, true);
    return code < 0 ? code : mark(graph, "exclude", graph->options->exclude, false);
}

static int list_relations(struct graph *graph)
{
    for (uint32_t i = 0; i < graph->terms.count; i++)
        graph->relation_count += (graph->flags[i] & GRAPH_COUNTS) != 0;
    graph->relations = calloc(graph->relation_count + (size_t)1, sizeof(*graph->relations));
    graph->ends = calloc(graph->relation_count + (size_t)1, sizeof(*graph->ends));
    if (!graph->relations || !graph->ends)
        return XY_ENOMEM;
    uint64_t sum = 0;
    for (uint32_t i = 0, at = 0; i < graph->terms.count; i++) {
        if (!(graph->flags[i] & GRAPH_COUNTS))
            continue;
        struct graph_range range = graph_relation(graph, i);
        graph->relations[at] = i;
        graph->ends[at++] = sum += range.to - range.from;
    }
    for (uint32_t i = 0; i < graph->count; i++) {
        const struct graph_triple *triple = &graph->triples[i];
        if (!graph_counts(graph, i))
            continue;
        graph->flags[triple->subject] |= GRAPH_ENTITY;
        if (names_at(&graph->terms, triple->object).ptr[0] != '"')
            graph->flags[triple->object] |= GRAPH_ENTITY;
    }
    for (uint32_t i = 0; i < graph->terms.count; i++)
        graph->entity_count += graph_is_entity(graph, i);
    if (sum > 0)
        return XY_OK;
    snprintf(graph->error, sizeof(graph->error), "%s has %u triples, and none of them counts: "
             "`relations`, `exclude`, `label` and `aliases` leave nothing", graph->options->path,
             graph->count);
    return XY_EINVAL;
}

/* ---- open ------------------------------------------------------------------------------------ */

static const char *format_of(const struct graph_options *options)
{
    static const char *const endings[][2] = {{".nt", "ntriples"}, {".ttl", "turtle"},
                                             {".turtle", "turtle"}, {".csv", "csv"},
                                             {".tsv", "tsv"}, {".txt", "tsv"}};
    size_t length = strlen(options->path);
    for (size_t i = 0; !options->format && i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t end = strlen(endings[i][0]);
        if (length > end && strcasecmp(options->path + length - end, endings[i][0]) == 0)
            return endings[i][1];
    }
    return options->format;
}

static int read_file(struct graph *graph, xy_job *job, const char *format)
{
    FILE *file = fopen(graph->options->path, "re");
    if (!file) {
        snprintf(graph->error, sizeof(graph->error), "cannot read %s: %s", graph->options->path,
                 strerror(errno));
        return XY_EIO;
    }
    int code = strcmp(format, "csv") == 0   ? graph_read_rows(graph, job, file, ',')
               : strcmp(format, "tsv") == 0 ? graph_read_rows(graph, job, file, '\t')
                                            : graph_read_rdf(graph, job, file, format[0] == 't');
    if (code == XY_OK && ferror(file)) {
        snprintf(graph->error, sizeof(graph->error), "cannot read %s to its end",
                 graph->options->path);
        code = XY_EIO;
    }
    fclose(file);
    return code;
}

static int fill(struct graph *graph, xy_job *job)
{
    const char *format = format_of(graph->options);
    if (!format) {
        snprintf(graph->error, sizeof(graph->error), "what is in %s? Its ending is none of .nt, "
                 ".ttl, .csv, .tsv: say `format`", graph->options->path);
        return XY_EINVAL;
    }
    int code = read_file(graph, job, format);
    if (code < 0)
        return code;
    if (graph->count == 0) {
        snprintf(graph->error, sizeof(graph->error), "the graph %s is empty: it has no triples",
                 graph->options->path);
        return XY_EINVAL;
    }
    graph->flags = calloc(graph->terms.count, 1);
    graph->labels = find_all(graph, graph->options->label);
    graph->aliases = find_all(graph, graph->options->aliases);
    if (!graph->flags || !graph->labels || !graph->aliases || !graph_order(graph))
        return XY_ENOMEM;
    code = mark_relations(graph);
    return code < 0 ? code : list_relations(graph);
}

int graph_open(struct graph *graph, const struct graph_options *options, xy_job *job,
               const xy_host *host)
{
    *graph = (struct graph){.options = options, .host = host};
    int code = fill(graph, job);
    if (code < 0)
        return xy_fail(job, code, "%s", graph->error[0] ? graph->error : "out of memory");
    xy_log_line(host, XY_LOG_INFO, "%s: %u triples; of %u relations and %u entities, %llu count",
                options->path, graph->count, graph->relation_count, graph->entity_count,
                (unsigned long long)graph_size(graph));
    return XY_OK;
}

void graph_free(struct graph *graph)
{
    names_free(&graph->terms);
    names_free(&graph->prefixes);
    free(graph->triples);
    free(graph->by_relation);
    free(graph->by_object);
    free(graph->relations);
    free(graph->ends);
    free(graph->flags);
    free(graph->labels);
    free(graph->aliases);
    free(graph->names);
    *graph = (struct graph){0};
}
