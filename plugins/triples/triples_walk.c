/* SPDX-License-Identifier: Apache-2.0 */
/* triples.walk - coherent sets of triples by random walks over a graph, balanced towards relations
 * and entities that were used least so far: what SynthIE (Josifoski et al. 2023, "Exploiting
 * Asymmetry for Synthetic Training Data Generation", section 3.1) has text written from.
 *
 * What was used is counted along the sequence of this source's records, which is the same in every
 * run; a round (of `repeat`, of a refill) begins with no uses. */
#include <math.h>
#include <stdlib.h>

#include "triples.h"

/* A term of more triples is looked at through so many of them, drawn at random. */
enum { CANDIDATES = 64, MOST_TRIPLES = 100 };

struct walk {
    struct graph_options graph_options;
    struct graph_fields fields;
    int64_t count, least, most;
    double balance, restart;
    const xy_host *host;
    const xy_rng *rng;
    struct graph graph;
    struct graph_coverage coverage;
    double *relation_weights;
    uint64_t next, too_small;   /* the sequence number expected next; sets smaller than drawn */
};

#define AT(member) offsetof(struct walk, member)

static const xy_option options[] = {
    GRAPH_OPTIONS(struct walk, graph_options, XY_OPT_REQUIRED),
    {.name = "count", .type = XY_OPT_INT, .offset = AT(count), .flags = XY_OPT_REQUIRED, .low = 1,
     .high = 1e12, .help = "How many sets of triples to make, a record each."},
    {.name = "least", .type = XY_OPT_INT, .offset = AT(least), .def = "1", .low = 1,
     .high = MOST_TRIPLES, .help = "The size of the smallest sets."},
    {.name = "most", .type = XY_OPT_INT, .offset = AT(most), .def = "10", .low = 1,
     .high = MOST_TRIPLES,
     .help = "The size of the largest sets; each size between is drawn as often."},
    {.name = "balance", .type = XY_OPT_NUMBER, .offset = AT(balance), .def = "1", .low = 0,
     .high = 2,
     .help = "How strongly walks turn to what was used least: each use divides a weight, which is "
             "1 / (1 + uses)^balance; 0 takes triples as the graph has them."},
    {.name = "restart", .type = XY_OPT_NUMBER, .offset = AT(restart), .def = "0.2", .low = 0,
     .high = 1,
     .help = "How often a step goes on from any entity of the set in place of the newest."},
    GRAPH_FIELDS(struct walk, fields),
    {0},
};

/* One set of triples in the making. */
struct set {
    uint32_t positions[MOST_TRIPLES];
    uint32_t entities[MOST_TRIPLES * 2];
    size_t count, entity_count;
};

/* Triples to choose from, each with its weight. */
struct choice {
    uint32_t positions[CANDIDATES];
    double weights[CANDIDATES];
    size_t count;
};

/* ---- weights --------------------------------------------------------------------------------- */

static double lowered(const struct walk *walk, uint32_t uses)
{
    return walk->balance == 0 ? 1 : pow(1.0 + uses, -walk->balance);
}

static double entity_weight(const struct walk *walk, uint32_t term)
{
    return lowered(walk, walk->coverage.entity_uses[term]); /* of a literal always 1 */
}

static size_t draw(const double *weights, size_t count, uint64_t *random)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    double left = xy_random_unit(random) * sum;
    for (size_t i = 0; i + 1 < count; i++) {
        left -= weights[i];
        if (left < 0)
            return i;
    }
    return count - 1;
}

static bool is_in(const struct set *set, uint32_t position)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->positions[i] == position)
            return true;
    return false;
}

static void offer(const struct walk *walk, const struct set *set, struct choice *choice,
                  uint32_t position, double weight)
{
    if (!graph_counts(&walk->graph, position) || is_in(set, position))
        return;
    choice->positions[choice->count] = position;
    choice->weights[choice->count++] = weight;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void take(const struct walk *walk, struct set *set, uint32_t position)
{
    const struct graph_triple *triple = &walk->graph.triples[position];
    const uint32_t ends[] = {triple->subject, triple->object};
    set->positions[set->count++] = position;
    for (size_t i = 0; i < 2; i++) {
        bool known = !graph_is_entity(&walk->graph, ends[i]);
        for (size_t j = 0; !known && j < set->entity_count; j++)
            known = set->entities[j] == ends[i];
        if (!known)
            set->entities[set->entity_count++] = ends[i];
    }
}

/* The first triple: a relation, which without balance is as likely as it has triples, then one of
 * its triples. */
static void begin(const struct walk *walk, struct set *set, uint64_t *random)
{
    const struct graph *graph = &walk->graph;
    for (uint32_t i = 0; i < graph->relation_count; i++) {
        uint64_t triples = graph->ends[i] - (i ? graph->ends[i - 1] : 0);
        walk->relation_weights[i] = pow((double)triples, 1 - walk->balance) *
                                    lowered(walk, walk->coverage.relation_uses[i]);
    }
    size_t place = draw(walk->relation_weights, graph->relation_count, random);
    struct graph_range range = graph_relation(graph, graph->relations[place]);
    uint32_t all = range.to - range.from;
    struct choice choice = {.count = 0};
    for (uint32_t i = 0; i < CANDIDATES && i < all; i++) {
        uint32_t at = all <= CANDIDATES ? i : (uint32_t)xy_random_below(random, all);
        uint32_t position = graph->by_relation[range.from + at];
        const struct graph_triple *triple = &graph->triples[position];
        offer(walk, set, &choice, position,
              entity_weight(walk, triple->subject) * entity_weight(walk, triple->object));
    }
    take(walk, set, choice.positions[draw(choice.weights, choice.count, random)]);
}

/* Adds a triple that the entity is an end of. False: there is none that the set has not. */
static bool step(const struct walk *walk, struct set *set, uint32_t entity, uint64_t *random)
{
    const struct graph *graph = &walk->graph;
    struct graph_range out = graph_subject(graph, entity), in = graph_object(graph, entity);
    uint32_t leaving = out.to - out.from;
    uint64_t all = (uint64_t)leaving + (in.to - in.from);
    struct choice choice = {.count = 0};
    for (uint64_t i = 0; i < CANDIDATES && i < all; i++) {
        uint64_t at = all <= CANDIDATES ? i : xy_random_below(random, all);
        uint32_t position = at < leaving ? out.from + (uint32_t)at
                                         : graph->by_object[in.from + (uint32_t)(at - leaving)];
        const struct graph_triple *triple = &graph->triples[position];
        uint32_t place = graph_relation_place(graph, triple->relation);
        uint32_t other = at < leaving ? triple->object : triple->subject;
        if (place != GRAPH_NONE)
            offer(walk, set, &choice, position,
                  lowered(walk, walk->coverage.relation_uses[place]) * entity_weight(walk, other));
    }
    if (choice.count)
        take(walk, set, choice.positions[draw(choice.weights, choice.count, random)]);
    return choice.count > 0;
}

/* Goes on from the newest entity, or from any; where that has nothing more, from the newest that
 * has. */
static bool grow(const struct walk *walk, struct set *set, uint64_t *random)
{
    if (set->entity_count == 0)
        return false;
    size_t from = set->entity_count - 1;
    if (xy_random_unit(random) < walk->restart)
        from = xy_random_below(random, set->entity_count);
    if (step(walk, set, set->entities[from], random))
        return true;
    for (size_t i = set->entity_count; i > 0; i--)
        if (i - 1 != from && step(walk, set, set->entities[i - 1], random))
            return true;
    return false;
}

static void make(struct walk *walk, struct set *set, uint64_t *random)
{
    uint64_t sizes = (uint64_t)(walk->most - walk->least) + 1;
    size_t wanted = (size_t)walk->least + xy_random_below(random, sizes);
    set->count = set->entity_count = 0;
    begin(walk, set, random);
    bool more = true;
    while (more && set->count < wanted)
        more = grow(walk, set, random);
    walk->too_small += !more;
    for (size_t i = 0; i < set->count; i++)
        graph_coverage_add(&walk->coverage, &walk->graph, set->positions[i]);
}

/* ---- the stage ------------------------------------------------------------------------------- */

static int open_walk(void *state, const xy_host *host)
{
    struct walk *walk = state;
    walk->host = host;
    walk->rng = host->service(host, XY_RNG);
    if (!walk->rng)
        return XY_EUNSUPPORTED;
    if (walk->least > walk->most) {
        xy_log_line(host, XY_LOG_ERROR, "`least` is %lld and `most` is %lld: sets cannot be larger "
                    "than the largest", (long long)walk->least, (long long)walk->most);
        return XY_EINVAL;
    }
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct walk *walk = state;
    int code = graph_open(&walk->graph, &walk->graph_options, job, walk->host);
    if (code < 0)
        return code;
    walk->relation_weights = calloc(walk->graph.relation_count, sizeof(double));
    if (!walk->relation_weights || !graph_coverage_init(&walk->coverage, &walk->graph))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return XY_OK;
}

static void close_walk(void *state)
{
    struct walk *walk = state;
    free(walk->relation_weights);
    graph_coverage_free(&walk->coverage);
    graph_free(&walk->graph);
}

static int64_t estimate(const void *state)
{
    return ((const struct walk *)state)->count;
}

static int process(void *state, xy_job *job)
{
    struct walk *walk = state;
    uint64_t from, to;
    bool last = triples_span(job, walk->count, &from, &to);
    if (job->api->sequence(job) == 0) {
        graph_coverage_clear(&walk->coverage, &walk->graph);
        walk->next = walk->too_small = 0;
    }
    if (job->api->sequence(job) != walk->next++)
        return xy_fail(job, XY_EBUG, "the source was not asked in the order of its sequence");
    for (uint64_t number = from; number < to; number++) {
        struct set set;
        uint64_t random = walk->rng->stream(job, NULL, number);
        make(walk, &set, &random);
        xy_record *record = job->api->new_record(job, NULL);
        int code = record ? graph_set_fields(&walk->graph, job, record, &walk->fields,
                                             set.positions, set.count)
                          : XY_ENOMEM;
        if (code >= 0)
            code = job->api->emit(job, record);
        if (code < 0)
            return code;
    }
    graph_coverage_report(&walk->coverage, &walk->graph, job, to);
    if (last && walk->too_small)
        xy_log_line(walk->host, XY_LOG_WARNING, "%llu of %lld sets are smaller than drawn: the "
                    "part of the graph that they began in has no more triples",
                    (unsigned long long)walk->too_small, (long long)walk->count);
    return last ? XY_END : XY_CONSUMED;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{path: graph.tsv, count: 3}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage triples_walk = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_SOURCE | XY_STAGE_NO_INPUT,
    .state_size = sizeof(struct walk),
    .id = "triples.walk",
    .version = "1.0.0",
    .summary = "Makes coherent sets of triples by random walks, balanced over relations and "
               "entities",
    .needs = needs,
    .options = options,
    .open = open_walk,
    .prepare = prepare,
    .close = close_walk,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "sets `into`, `text`, `entities`, `ids`",
};
