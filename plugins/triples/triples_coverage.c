/* SPDX-License-Identifier: Apache-2.0 */
/* triples.coverage - how much of a graph the triples of a data set cover, and how evenly: the
 * figures by which SynthIE (Josifoski et al. 2023) compares its data with what it improves on. */
#include "fold.h"
#include "json_reader.h"
#include "triples.h"

enum { POLL = 1024 };

struct coverage {
    struct graph_options graph_options;
    const char *field;
    const xy_host *host;
    struct graph graph;
};

static const xy_option options[] = {
    GRAPH_OPTIONS(struct coverage, graph_options, XY_OPT_REQUIRED),
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct coverage, field),
     .def = "triples",
     .help = "The records' list of {subject, relation, object}, by names or as the file has them."},
    {0},
};

static int open_coverage(void *state, const xy_host *host)
{
    ((struct coverage *)state)->host = host;
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct coverage *coverage = state;
    int code = graph_open(&coverage->graph, &coverage->graph_options, job, coverage->host);
    if (code == XY_OK && !graph_index_names(&coverage->graph))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return code;
}

static void close_coverage(void *state)
{
    graph_free(&((struct coverage *)state)->graph);
}

struct tally {
    struct graph_coverage covered;
    struct text names[3]; /* of one triple */
    uint64_t unknown, records;
};

static void count_triple(const struct graph *graph, struct tally *tally, xy_str triple)
{
    static const char *const keys[] = {"subject", "relation", "object"};
    xy_str values[3], texts[3];
    json_members(triple, keys, values, 3);
    for (size_t i = 0; i < 3; i++) {
        text_clear(&tally->names[i]);
        text_add_str(&tally->names[i], values[i]); /* room to decode it in place */
        text_add_literal(&tally->names[i], " ");
        if (tally->names[i].failed || json_kind(values[i]) != '"') {
            tally->unknown++;
            return;
        }
        texts[i] = (xy_str){tally->names[i].bytes, json_decode(values[i], tally->names[i].bytes)};
    }
    uint32_t position = graph_find_triple(graph, texts[0], texts[1], texts[2]);
    if (position == GRAPH_NONE)
        tally->unknown++;
    else
        graph_coverage_add(&tally->covered, graph, position);
}

static int count_records(const struct coverage *coverage, xy_job *job, xy_dataset *input,
                         struct tally *tally)
{
    uint64_t count = input->api->count(input);
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = input->api->at(input, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu cannot be read", (unsigned long long)i);
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        xy_str list = json_check(xy_record_text(record, coverage->field)), key, triple;
        struct json_cursor cursor = {0};
        tally->records += json_kind(list) == '[';
        while (json_kind(list) == '[' && json_next(list, &cursor, &key, &triple))
            count_triple(&coverage->graph, tally, triple);
    }
    return XY_OK;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct coverage *coverage = state;
    struct tally tally = {0};
    int code = graph_coverage_init(&tally.covered, &coverage->graph)
                   ? count_records(coverage, job, input, &tally)
                   : xy_fail(job, XY_ENOMEM, "out of memory");
    if (code == XY_OK && tally.covered.triples == 0)
        xy_log_line(coverage->host, XY_LOG_WARNING, "no record has a triple of the graph in `%s`",
                    coverage->field);
    if (code == XY_OK)
        graph_coverage_report(&tally.covered, &coverage->graph, job, tally.records);
    if (code == XY_OK && tally.unknown)
        xy_log_line(coverage->host, XY_LOG_WARNING, "%llu triples in `%s` are not of the graph and "
                    "do not count", (unsigned long long)tally.unknown, coverage->field);
    graph_coverage_free(&tally.covered);
    for (size_t i = 0; i < 3; i++)
        text_free(&tally.names[i]);
    return code;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{path: graph.tsv}" : NULL;
}

const xy_stage triples_coverage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct coverage),
    .id = "triples.coverage",
    .version = "1.0.0",
    .summary = "Reports how much of a graph the records' triples cover, and how evenly",
    .options = options,
    .open = open_coverage,
    .prepare = prepare,
    .close = close_coverage,
    .run = run,
    .extension = extension,
    .fields = "reads `field`",
};
