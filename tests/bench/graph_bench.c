/* SPDX-License-Identifier: Apache-2.0 */
/* graph_bench [TRIPLES [FILE]] - writes an N-Triples file of so many triples (default 1,000,000),
 * reads it through the plugins' own code, and prints the time of each part and the memory.
 * Relations and objects are skewed as those of real graphs are: few have most. */
#include "graph.h"
#include "measure.h"

enum { RELATIONS = 500 };

static int never(const xy_job *job)
{
    (void)job;
    return 0;
}

static void explain(xy_job *job, const char *why)
{
    (void)job;
    fprintf(stderr, "%s\n", why);
}

static const void *no_service(const xy_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

/* One label for each entity, four other triples: the proportion of a graph with names. */
static void write_graph(const char *path, size_t triples)
{
    FILE *file = fopen(path, "w");
    uint64_t random = 7;
    size_t entities = triples / 5 + 1;
    for (size_t i = 0; file && i < triples; i++) {
        double skew = xy_random_unit(&random), pull = xy_random_unit(&random);
        size_t subject = i / 5, object = (size_t)(pull * pull * pull * (double)entities);
        if (i % 5 == 0)
            fprintf(file,
                    "<http://example.org/entity/Q%zu> "
                    "<http://www.w3.org/2000/01/rdf-schema#label> \"entity number %zu\"@en .\n",
                    subject, subject);
        else
            fprintf(file,
                    "<http://example.org/entity/Q%zu> <http://example.org/relation/P%zu> "
                    "<http://example.org/entity/Q%zu> .\n",
                    subject, (size_t)(skew * skew * RELATIONS), object);
    }
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
}

struct watch {
    double wall, cpu;
};

static void part(const char *name, struct watch *from, size_t count, const char *unit)
{
    double wall = clock_seconds() - from->wall, cpu = cpu_seconds() - from->cpu;
    printf("%-26s %7.3f s, %7.3f s of CPU: %9.0f %s a second of CPU  RSS %.1f MB\n", name, wall,
           cpu, (double)count / cpu, unit, resident_mb());
    *from = (struct watch){clock_seconds(), cpu_seconds()};
}

/* Neighbourhoods of entities drawn at random: both ranges, each triple touched. */
static size_t look_up(const struct graph *graph, size_t count)
{
    uint64_t random = 11;
    size_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t term = (uint32_t)xy_random_below(&random, graph->terms.count);
        struct graph_range out = graph_subject(graph, term), in = graph_object(graph, term);
        for (uint32_t at = out.from; at < out.to; at++)
            seen += graph_counts(graph, at);
        for (uint32_t at = in.from; at < in.to && at < in.from + 64; at++)
            seen += graph_counts(graph, graph->by_object[at]);
    }
    return seen;
}

int main(int argc, char **argv)
{
    size_t triples = argument(argc, argv, 1, 1000000);
    const char *path = argc > 2 ? argv[2] : "graph_bench.nt";
    static const char *const label[] = {"rdfs:label", NULL}, *const none[] = {NULL};
    const xy_job_api api = {.size = sizeof(api), .cancelled = never, .explain = explain};
    const xy_host host = {.size = sizeof(host), .service = no_service};
    xy_job job = {&api};
    struct graph_options options = {.path = path, .language = "en", .label = label,
                                    .aliases = none};
    write_graph(path, triples);
    double before = resident_mb();
    struct watch from = {clock_seconds(), cpu_seconds()};
    struct graph graph;
    if (graph_open(&graph, &options, &job, &host) < 0)
        return 1;
    part("read, ordered", &from, graph.count, "triples");
    double opened = resident_mb();
    if (!graph_index_names(&graph))
        return 1;
    part("names indexed", &from, graph.name_count, "names");
    size_t seen = look_up(&graph, 1000000);
    part("neighbourhoods looked up", &from, 1000000, "entities");
    double orders = (double)graph.count * (sizeof(*graph.triples) + 2 * sizeof(uint32_t));
    printf("%u triples, %u terms, %zu seen: %.1f bytes a triple in three orders, %.1f with terms "
           "and names (RSS of the graph %.1f MB, %.1f more for the index of names)\n",
           graph.count, graph.terms.count, seen, orders / graph.count,
           (opened - before) * 1e6 / graph.count, opened - before, resident_mb() - opened);
    graph_free(&graph);
    return 0;
}
