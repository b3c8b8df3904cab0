/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "graph.h"

/* ---- triples as fields ----------------------------------------------------------------------- */

/* The term as the file has it: an IRI or a name as it is, a literal as its text. */
static xy_str term_id(const struct graph *graph, uint32_t term)
{
    xy_str key = names_at(&graph->terms, term);
    size_t end = key.len;
    while (key.ptr[0] == '"' && end > 1 && key.ptr[end - 1] != '"')
        end--;
    end -= key.ptr[0] == '"';
    return (xy_str){key.ptr + 1, end - 1};
}

static void add_term(const struct graph *graph, uint32_t term, bool id, struct text *scratch,
                     struct text *out)
{
    if (id) {
        text_add_json(out, term_id(graph, term));
        return;
    }
    text_clear(scratch);
    graph_add_name(graph, term, scratch);
    text_add_json(out, (xy_str){scratch->bytes, scratch->length});
}

static void add_list(const struct graph *graph, const uint32_t *positions, size_t count, bool ids,
                     struct text *scratch, struct text *out)
{
    text_add_literal(out, "[");
    for (size_t i = 0; i < count; i++) {
        const struct graph_triple *triple = &graph->triples[positions[i]];
        text_add_literal(out, i ? ",{\"subject\":" : "{\"subject\":");
        add_term(graph, triple->subject, ids, scratch, out);
        text_add_literal(out, ",\"relation\":");
        add_term(graph, triple->relation, ids, scratch, out);
        text_add_literal(out, ",\"object\":");
        add_term(graph, triple->object, ids, scratch, out);
        text_add_literal(out, "}");
    }
    text_add_literal(out, "]");
}

static void add_lines(const struct graph *graph, const uint32_t *positions, size_t count,
                      struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct graph_triple *triple = &graph->triples[positions[i]];
        text_add_literal(out, i ? "\n(" : "(");
        graph_add_name(graph, triple->subject, out);
        text_add_literal(out, "; ");
        graph_add_name(graph, triple->relation, out);
        text_add_literal(out, "; ");
        graph_add_name(graph, triple->object, out);
        text_add_literal(out, ")");
    }
}

static bool add_new(uint32_t *terms, size_t *count, uint32_t term)
{
    for (size_t i = 0; i < *count; i++)
        if (terms[i] == term)
            return false;
    terms[(*count)++] = term;
    return true;
}

/* Each entity once, as first seen. False when memory is short. */
static bool add_entities(const struct graph *graph, const uint32_t *positions, size_t count,
                         struct text *scratch, struct text *out)
{
    uint32_t *seen = calloc(count * 2 + 1, sizeof(*seen));
    size_t known = 0;
    text_add_literal(out, "[");
    for (size_t i = 0; seen && i < count * 2; i++) {
        const struct graph_triple *triple = &graph->triples[positions[i / 2]];
        uint32_t term = i % 2 ? triple->object : triple->subject;
        if (!graph_is_entity(graph, term) || !add_new(seen, &known, term))
            continue;
        text_add_literal(out, known > 1 ? "," : "");
        add_term(graph, term, false, scratch, out);
    }
    text_add_literal(out, "]");
    bool good = seen != NULL;
    free(seen);
    return good;
}

static int set_field(xy_record *record, const char *field, uint32_t type, const struct text *text)
{
    xy_value value = {.type = type,
                      .text = {text->length ? text->bytes : "", text->length}};
    return text->failed ? XY_ENOMEM : record->api->set(record, field, &value);
}

int graph_set_fields(const struct graph *graph, xy_job *job, xy_record *record,
                     const struct graph_fields *fields, const uint32_t *positions, size_t count)
{
    const char *const names[] = {fields->into, fields->ids, fields->text, fields->entities};
    struct text scratch = {0}, out = {0};
    int code = XY_OK;
    for (size_t i = 0; code >= 0 && i < 4; i++) {
        if (!names[i] || !*names[i])
            continue;
        text_clear(&out);
        if (i < 2)
            add_list(graph, positions, count, i == 1, &scratch, &out);
        else if (i == 2)
            add_lines(graph, positions, count, &out);
        else if (!add_entities(graph, positions, count, &scratch, &out))
            code = XY_ENOMEM;
        if (code >= 0)
            code = set_field(record, names[i], i == 2 ? XY_TEXT : XY_JSON, &out);
    }
    if (scratch.failed)
        code = XY_ENOMEM;
    text_free(&scratch);
    text_free(&out);
    if (code == XY_EINVAL)
        return xy_fail(job, code, "a name in %s is not UTF-8", graph->options->path);
    return code < 0 ? xy_fail(job, code, "out of memory") : XY_OK;
}

/* ---- coverage -------------------------------------------------------------------------------- */

bool graph_coverage_init(struct graph_coverage *coverage, const struct graph *graph)
{
    *coverage = (struct graph_coverage){
        .relation_uses = calloc(graph->relation_count + (size_t)1, sizeof(uint32_t)),
        .entity_uses = calloc(graph->terms.count + (size_t)1, sizeof(uint32_t))};
    return coverage->relation_uses && coverage->entity_uses;
}

void graph_coverage_clear(struct graph_coverage *coverage, const struct graph *graph)
{
    memset(coverage->relation_uses, 0, graph->relation_count * sizeof(uint32_t));
    memset(coverage->entity_uses, 0, graph->terms.count * sizeof(uint32_t));
    coverage->triples = coverage->relations = coverage->entities = 0;
}

void graph_coverage_free(struct graph_coverage *coverage)
{
    free(coverage->relation_uses);
    free(coverage->entity_uses);
    *coverage = (struct graph_coverage){0};
}

static void use_entity(struct graph_coverage *coverage, const struct graph *graph, uint32_t term)
{
    if (graph_is_entity(graph, term))
        coverage->entities += coverage->entity_uses[term]++ == 0;
}

void graph_coverage_add(struct graph_coverage *coverage, const struct graph *graph,
                        uint32_t position)
{
    const struct graph_triple *triple = &graph->triples[position];
    uint32_t place = graph_relation_place(graph, triple->relation);
    if (place == GRAPH_NONE)
        return;
    coverage->triples++;
    coverage->relations += coverage->relation_uses[place]++ == 0;
    use_entity(coverage, graph, triple->subject);
    if (triple->object != triple->subject)
        use_entity(coverage, graph, triple->object);
}

double graph_coverage_entropy(const struct graph_coverage *coverage, const struct graph *graph)
{
    double entropy = 0, all = (double)coverage->triples;
    for (uint32_t i = 0; i < graph->relation_count; i++) {
        double share = coverage->relation_uses[i] / all;
        if (coverage->relation_uses[i])
            entropy -= share * log2(share);
    }
    return entropy;
}

static void say(xy_job *job, const xy_report *report, const char *name, double value,
                const char *unit, uint64_t records, const char *help)
{
    xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN, .high = NAN,
                      .unit = unit, .n = records, .help = help};
    report->score(job, &score);
}

void graph_coverage_report(const struct graph_coverage *coverage, const struct graph *graph,
                           xy_job *job, uint64_t records)
{
    const xy_report *report = graph->host->service(graph->host, XY_REPORT);
    if (!report)
        return;
    double entropy = graph_coverage_entropy(coverage, graph);
    double most = graph->relation_count > 1 ? log2(graph->relation_count) : 1;
    say(job, report, "relations_covered", (double)coverage->relations / graph->relation_count,
        "share", records, "relations of the graph that occur in at least one triple");
    say(job, report, "entities_covered", (double)coverage->entities / graph->entity_count, "share",
        records, "entities of the graph that occur in at least one triple");
    say(job, report, "relation_entropy", entropy, "bits", records,
        "entropy of the histogram of relations: higher is more even");
    say(job, report, "relation_evenness", entropy / most, "share", records,
        "that entropy over the highest there can be");
    say(job, report, "triples", (double)coverage->triples, "", records,
        "triples, each use counted");
}
