/* SPDX-License-Identifier: Apache-2.0 */
/* triples.sample - triples drawn uniformly from a graph, each as likely as any other. */
#include <stdlib.h>

#include "triples.h"

enum { MOST_TRIPLES = 1000 };

struct sample {
    struct graph_options graph_options;
    struct graph_fields fields;
    int64_t count, n;
    const xy_host *host;
    const xy_rng *rng;
    struct graph graph;
};

#define AT(member) offsetof(struct sample, member)

static const xy_option options[] = {
    GRAPH_OPTIONS(struct sample, graph_options, XY_OPT_REQUIRED),
    {.name = "n", .type = XY_OPT_INT, .offset = AT(n), .def = "1", .low = 1, .high = MOST_TRIPLES,
     .help = "How many different triples a record gets; all of a graph that has fewer."},
    {.name = "count", .type = XY_OPT_INT, .offset = AT(count), .def = "0", .low = 0, .high = 1e12,
     .help = "How many records to make, of nothing or of each record that comes in; 0 adds triples "
             "to each record that comes in."},
    GRAPH_FIELDS(struct sample, fields),
    {0},
};

static int open_sample(void *state, const xy_host *host)
{
    struct sample *sample = state;
    sample->host = host;
    sample->rng = host->service(host, XY_RNG);
    return sample->rng ? XY_OK : XY_EUNSUPPORTED;
}

static int prepare(void *state, xy_job *job)
{
    struct sample *sample = state;
    return graph_open(&sample->graph, &sample->graph_options, job, sample->host);
}

static void close_sample(void *state)
{
    graph_free(&((struct sample *)state)->graph);
}

static int64_t estimate(const void *state)
{
    const struct sample *sample = state;
    return sample->count ? sample->count : 1;
}

static bool is_in(const uint64_t *chosen, size_t count, uint64_t index)
{
    for (size_t i = 0; i < count; i++)
        if (chosen[i] == index)
            return true;
    return false;
}

/* Floyd's sample without replacement (Bentley and Floyd 1987). */
static int fill(const struct sample *sample, xy_job *job, const xy_record *origin, uint64_t number,
                xy_record *record)
{
    uint64_t all = graph_size(&sample->graph), random = sample->rng->stream(job, origin, number);
    size_t n = all < (uint64_t)sample->n ? (size_t)all : (size_t)sample->n;
    uint64_t *chosen = job->api->alloc(job, n * sizeof(*chosen));
    uint32_t *positions = job->api->alloc(job, n * sizeof(*positions));
    if (!chosen || !positions)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        uint64_t last = all - n + i, index = xy_random_below(&random, last + 1);
        chosen[i] = is_in(chosen, i, index) ? last : index;
        positions[i] = graph_at(&sample->graph, chosen[i]);
    }
    return graph_set_fields(&sample->graph, job, record, &sample->fields, positions, n);
}

static int process(void *state, xy_job *job)
{
    const struct sample *sample = state;
    xy_record *origin = job->api->input(job, 0);
    uint64_t from = 0, to = (uint64_t)sample->count;
    if (origin && to == 0)
        return fill(sample, job, origin, 0, origin);
    if (!origin && to == 0)
        return xy_fail(job, XY_EINVAL, "give `count`: no step stands before this one, so it has to "
                       "know how many records to make");
    bool last = !origin && triples_span(job, sample->count, &from, &to);
    for (uint64_t number = from; number < to; number++) {
        xy_record *record = job->api->new_record(job, origin);
        int code = record ? fill(sample, job, origin, number, record) : XY_ENOMEM;
        if (code >= 0)
            code = job->api->emit(job, record);
        if (code < 0)
            return code;
    }
    return last ? XY_END : XY_CONSUMED;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{path: graph.tsv, count: 3}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage triples_sample = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT | XY_STAGE_SOURCE,
    .state_size = sizeof(struct sample),
    .id = "triples.sample",
    .version = "1.0.0",
    .summary = "Draws triples of a graph, each as likely as any other",
    .needs = needs,
    .options = options,
    .open = open_sample,
    .prepare = prepare,
    .close = close_sample,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "sets `into`, `text`, `entities`, `ids`",
};
