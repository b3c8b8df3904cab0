/* SPDX-License-Identifier: Apache-2.0 */
/* triples.neighbours - what a graph knows about the entities that a record names, for the prompt:
 * knowledge enhancement by neighbourhoods (survey, section 4.2). Bounded whatever the entity: of an
 * entity with very many triples some are drawn, and at most `most` are shown. */
#include <stdlib.h>

#include "json_reader.h"
#include "triples.h"

enum { PER_ENTITY = 256, MOST_TRIPLES = 1000 };

struct neighbours {
    struct graph_options graph_options;
    struct graph_fields fields;
    const char *entity, *direction, *missing;
    int64_t hops, most;
    const xy_host *host;
    const xy_rng *rng;
    struct graph graph;
};

#define AT(member) offsetof(struct neighbours, member)

static const xy_option options[] = {
    GRAPH_OPTIONS(struct neighbours, graph_options, XY_OPT_REQUIRED),
    {.name = "entity", .type = XY_OPT_FIELD, .offset = AT(entity), .def = "entity",
     .help = "The field that names the entity (IRI, prefix:name, label or alias), or lists "
             "several."},
    {.name = "hops", .type = XY_OPT_INT, .offset = AT(hops), .def = "1", .low = 1, .high = 10,
     .help = "How many triples away from the entity the neighbourhood reaches."},
    {.name = "most", .type = XY_OPT_INT, .offset = AT(most), .def = "20", .low = 1,
     .high = MOST_TRIPLES,
     .help = "The most triples to take: the nearer hop first, within a hop drawn at random."},
    {.name = "direction", .type = XY_OPT_TEXT, .offset = AT(direction), .def = "both",
     .choices = "both|out|in",
     .help = "Triples of which the entity is subject or object, only subject, or only object."},
    {.name = "missing", .type = XY_OPT_TEXT, .offset = AT(missing), .def = "drop",
     .choices = "drop|error|empty",
     .help = "What becomes of a record whose entity the graph does not have: dropped with a "
             "reason, an error, or kept with an empty list."},
    GRAPH_FIELDS(struct neighbours, fields),
    {0},
};

/* What one record's neighbourhood is put together in; all of it the job's. */
struct area {
    uint32_t *positions;    /* chosen so far, `count` of at most `most` */
    uint32_t *entities;     /* to go on from: seeds, then the ends of what was chosen */
    uint32_t *found;        /* of this hop, not yet chosen */
    size_t count, entity_count, next, found_count, found_room;
};

static void add_entity(const struct graph *graph, struct area *area, uint32_t term)
{
    for (size_t i = 0; i < area->entity_count; i++)
        if (area->entities[i] == term)
            return;
    if (graph_is_entity(graph, term))
        area->entities[area->entity_count++] = term;
}

/* ---- the record's entities ------------------------------------------------------------------- */

static int add_named(const struct neighbours *neighbours, xy_job *job, struct area *area,
                     xy_str name)
{
    uint32_t term = graph_find_entity(&neighbours->graph, name);
    if (term != GRAPH_NONE) {
        add_entity(&neighbours->graph, area, term);
        return XY_OK;
    }
    if (neighbours->missing[0] == 'e' && neighbours->missing[1] == 'm')
        return XY_OK;
    return xy_say(job, neighbours->missing[0] == 'd' ? XY_DROP : XY_EINVAL,
                  "`%.*s` (field `%s`) is not in the graph %s, neither as a term nor as a name",
                  (int)(name.len < 120 ? name.len : 120), name.ptr, neighbours->entity,
                  neighbours->graph_options.path);
}

static int add_listed(const struct neighbours *neighbours, xy_job *job, struct area *area,
                      xy_str list)
{
    struct json_cursor cursor = {0};
    xy_str key, value;
    int code = XY_OK;
    while (code == XY_OK && json_next(list, &cursor, &key, &value)) {
        char *text = job->api->alloc(job, value.len + 1);
        if (!text)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        if (json_kind(value) == '"')
            code = add_named(neighbours, job, area, (xy_str){text, json_decode(value, text)});
    }
    return code;
}

static int start(const struct neighbours *neighbours, xy_job *job, struct area *area)
{
    const xy_record *record = job->api->input(job, 0);
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, neighbours->entity, &value);
    xy_str list = type == XY_JSON ? json_check(value.text) : (xy_str){NULL, 0};
    size_t named = json_kind(list) == '[' ? json_count(list) : 1;
    size_t most = (size_t)neighbours->most;
    area->positions = job->api->alloc(job, most * sizeof(*area->positions));
    area->entities = job->api->alloc(job, (named + most * 2) * sizeof(*area->entities));
    if (!area->positions || !area->entities)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (json_kind(list) == '[')
        return add_listed(neighbours, job, area, list);
    if (type != XY_TEXT || value.text.len == 0)
        return xy_drop(job, "the field `%s` is missing or empty: there is no entity to look up",
                       neighbours->entity);
    return add_named(neighbours, job, area, value.text);
}

/* ---- hops ------------------------------------------------------------------------------------ */

static bool is_in(const uint32_t *positions, size_t count, uint32_t position)
{
    for (size_t i = 0; i < count; i++)
        if (positions[i] == position)
            return true;
    return false;
}

static bool find(struct area *area, const struct graph *graph, uint32_t position)
{
    if (!graph_counts(graph, position) || is_in(area->positions, area->count, position) ||
        is_in(area->found, area->found_count, position))
        return true;
    if (area->found_count == area->found_room) {
        size_t room = area->found_room ? area->found_room * 2 : PER_ENTITY;
        uint32_t *larger = realloc(area->found, room * sizeof(*larger));
        if (!larger)
            return false;
        area->found = larger;
        area->found_room = room;
    }
    area->found[area->found_count++] = position;
    return true;
}

static bool look_around(const struct neighbours *neighbours, struct area *area, uint32_t entity,
                        uint64_t *random)
{
    const struct graph *graph = &neighbours->graph;
    struct graph_range out = graph_subject(graph, entity), in = graph_object(graph, entity);
    if (neighbours->direction[0] == 'i')
        out.to = out.from;
    if (neighbours->direction[0] == 'o')
        in.to = in.from;
    uint32_t leaving = out.to - out.from;
    uint64_t all = (uint64_t)leaving + (in.to - in.from);
    for (uint64_t i = 0; i < all && i < PER_ENTITY; i++) {
        uint64_t at = all <= PER_ENTITY ? i : xy_random_below(random, all);
        uint32_t position = at < leaving ? out.from + (uint32_t)at
                                         : graph->by_object[in.from + (uint32_t)(at - leaving)];
        if (!find(area, graph, position))
            return false;
    }
    return true;
}

static int ascending(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

/* Moves what was found to what is chosen, a random part of it where that is too much, in the order
 * of the graph. */
static void choose(struct area *area, size_t most, uint64_t *random)
{
    size_t room = most - area->count;
    for (size_t i = 0; area->found_count > room && i < room; i++) {
        size_t other = i + xy_random_below(random, area->found_count - i);
        uint32_t kept = area->found[i];
        area->found[i] = area->found[other];
        area->found[other] = kept;
    }
    size_t chosen = area->found_count < room ? area->found_count : room;
    if (chosen)
        qsort(area->found, chosen, sizeof(*area->found), ascending);
    for (size_t i = 0; i < chosen; i++)
        area->positions[area->count++] = area->found[i];
    area->found_count = 0;
}

static bool spread(const struct neighbours *neighbours, struct area *area, uint64_t *random)
{
    const struct graph *graph = &neighbours->graph;
    size_t most = (size_t)neighbours->most;
    for (int64_t hop = 0; hop < neighbours->hops && area->count < most; hop++) {
        size_t from = area->count, to = area->entity_count;
        for (; area->next < to; area->next++)
            if (!look_around(neighbours, area, area->entities[area->next], random))
                return false;
        choose(area, most, random);
        for (size_t i = from; i < area->count; i++) {
            add_entity(graph, area, graph->triples[area->positions[i]].subject);
            add_entity(graph, area, graph->triples[area->positions[i]].object);
        }
    }
    return true;
}

/* ---- the stage ------------------------------------------------------------------------------- */

static int open_neighbours(void *state, const xy_host *host)
{
    struct neighbours *neighbours = state;
    neighbours->host = host;
    neighbours->rng = host->service(host, XY_RNG);
    return neighbours->rng ? XY_OK : XY_EUNSUPPORTED;
}

static int prepare(void *state, xy_job *job)
{
    struct neighbours *neighbours = state;
    int code = graph_open(&neighbours->graph, &neighbours->graph_options, job, neighbours->host);
    if (code == XY_OK && !graph_index_names(&neighbours->graph))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return code;
}

static void close_neighbours(void *state)
{
    graph_free(&((struct neighbours *)state)->graph);
}

static int process(void *state, xy_job *job)
{
    const struct neighbours *neighbours = state;
    xy_record *record = job->api->input(job, 0);
    struct area area = {0};
    uint64_t random = neighbours->rng->stream(job, record, 0);
    int code = start(neighbours, job, &area);
    if (code == XY_OK && !spread(neighbours, &area, &random))
        code = xy_fail(job, XY_ENOMEM, "out of memory");
    free(area.found);
    if (code == XY_OK && area.count == 0 && strcmp(neighbours->missing, "empty") != 0)
        return xy_drop(job, "the graph %s has no triple that counts about the entity in `%s`",
                       neighbours->graph_options.path, neighbours->entity);
    return code == XY_OK ? graph_set_fields(&neighbours->graph, job, record, &neighbours->fields,
                                            area.positions, area.count)
                         : code;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{path: graph.tsv}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage triples_neighbours = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct neighbours),
    .id = "triples.neighbours",
    .version = "1.0.0",
    .summary = "Gives each record what a graph knows about the entities that it names",
    .needs = needs,
    .options = options,
    .open = open_neighbours,
    .prepare = prepare,
    .close = close_neighbours,
    .process = process,
    .extension = extension,
    .fields = "reads `entity`, sets `into`, `text`, `entities`, `ids`",
};
