/* SPDX-License-Identifier: Apache-2.0 */
/* demos.cluster - one demonstration of each cluster of the pool, so that they differ from each
 * other: the one nearest to the record (Self-Prompting, Li et al. 2022, section 3.3), the one in
 * the cluster's middle (FreeAL, Xiao et al. 2023), or the most complex one (Synthetic Prompting,
 * Shao et al. 2023, section 3.3). */
#include <math.h>
#include <stdlib.h>

#include "demos.h"
#include "demos_query.h"
#include "kmeans.h"

struct cluster_demos {
    struct pool_options options;
    struct space space;
    struct searching searching;
    const char *pick, *by;
    uint32_t *cluster_of;   /* of each demo; below `k` */
    double *distances;      /* from the cluster's mean, squared */
    double *heights;        /* the field `by`; -infinity where there is none */
    size_t *sizes;          /* of the cluster that the demo is in */
};

static const xy_option options[] = {
    POOL_OPTIONS,
    {.name = "pick", .type = XY_OPT_TEXT, .offset = offsetof(struct cluster_demos, pick),
     .def = "nearest", .choices = "nearest|central|highest",
     .help = "Which one of a cluster: the nearest to the record, the nearest to the cluster's "
             "mean, or the one with the highest `by`."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = offsetof(struct cluster_demos, by),
     .help = "With `pick: highest`, the pool's number field: how many steps a solution has."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = POOL_AT(query_field), .def = "text",
     .help = "The record's text to compare."},
    EMBED_OPTIONS(struct cluster_demos),
    ORDER_OPTION(struct cluster_demos, "nearest_last"),
    GIVE_OPTIONS,
    {0},
};

/* ---- the pool -------------------------------------------------------------------------------- */

static int read_heights(struct cluster_demos *demos, xy_job *job)
{
    struct pool *pool = &demos->searching.pool;
    xy_dataset *dataset = demos->options.dataset;
    size_t found = 0;
    for (size_t i = 0; i < pool->count; i++) {
        const xy_record *record = dataset->api->at(dataset, pool->demos[i].position);
        demos->heights[i] = record ? names_number(record, demos->by, -INFINITY) : -INFINITY;
        found += demos->heights[i] > -INFINITY;
    }
    if (found == 0)
        return xy_fail(job, XY_EINVAL, "no record of the `pool` has a number in `%s`, the field "
                       "given as `by`", demos->by);
    if (found < pool->count)
        xy_log_line(demos->searching.host, XY_LOG_WARNING, "%zu of %zu records of the `pool` have "
                    "no number in `%s`: they count as lowest", pool->count - found, pool->count,
                    demos->by);
    return XY_OK;
}

/* Clusters the demos from `from` to `to`, which have one value of `match`. */
static int cluster_group(struct cluster_demos *demos, xy_job *job, size_t from, size_t to,
                         uint64_t *random)
{
    const struct places *places = &demos->searching.places;
    size_t count = to - from;
    const float **rows = calloc(count, sizeof(*rows));
    double *scales = calloc(count, sizeof(*scales));
    struct kmeans kmeans = {0};
    int code = rows && scales ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < count && code == XY_OK; i++) {
        uint32_t row = demos->searching.pool.demos[from + i].row;
        rows[i] = places_at(places, row);
        scales[i] = places->scales[row];
    }
    if (code == XY_OK) {
        const struct kmeans_rows given = {rows, scales, count, places->dimension};
        code = kmeans_fit(&kmeans, job, &given, (size_t)demos->options.k, random);
    }
    for (size_t i = 0; i < count && code == XY_OK; i++) {
        demos->cluster_of[from + i] = kmeans.cluster_of[i];
        demos->distances[from + i] = kmeans.distances[i];
        demos->sizes[from + i] = kmeans.sizes[kmeans.cluster_of[i]];
    }
    kmeans_free(&kmeans);
    free(rows);
    free(scales);
    return code;
}

static int prepare(void *state, xy_job *job)
{
    struct cluster_demos *demos = state;
    struct pool *pool = &demos->searching.pool;
    int code = searching_prepare(&demos->searching, job);
    if (code < 0)
        return code;
    demos->cluster_of = calloc(pool->count, sizeof(*demos->cluster_of));
    demos->distances = calloc(pool->count, sizeof(*demos->distances));
    demos->heights = calloc(pool->count, sizeof(*demos->heights));
    demos->sizes = calloc(pool->count, sizeof(*demos->sizes));
    if (!demos->cluster_of || !demos->distances || !demos->heights || !demos->sizes)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (demos->by)
        code = read_heights(demos, job);
    uint64_t random = demos->searching.rng->stream(job, NULL, 0);
    for (size_t from = 0, to; from < pool->count && code >= 0; from = to) {
        for (to = from; to < pool->count && pool->demos[to].match == pool->demos[from].match;)
            to++;
        code = cluster_group(demos, job, from, to, &random);
    }
    return code == XY_ENOMEM ? xy_fail(job, code, "out of memory") : code;
}

static void close_cluster(void *state)
{
    struct cluster_demos *demos = state;
    free(demos->cluster_of);
    free(demos->distances);
    free(demos->heights);
    free(demos->sizes);
    searching_free(&demos->searching);
}

/* ---- one record ------------------------------------------------------------------------------ */

/* The best of one cluster so far. */
struct best {
    double score, tie;      /* larger is better */
    uint32_t demo;
    bool any;
};

static int by_score(const void *a, const void *b)
{
    const struct best *left = a, *right = b;
    if (left->any != right->any)
        return left->any ? -1 : 1;
    if (left->score < right->score || left->score > right->score)
        return left->score > right->score ? -1 : 1;
    return (left->demo > right->demo) - (left->demo < right->demo);
}

static void keep_best(struct best *best, uint32_t demo, double score, double tie)
{
    if (!best->any || score > best->score ||
        (score >= best->score && tie > best->tie)) /* else the earlier one stays */
        *best = (struct best){score, tie, demo, true};
}

static size_t sort_best(struct best *best, size_t clusters, uint32_t *chosen)
{
    size_t found = 0;
    qsort(best, clusters, sizeof(*best), by_score);
    for (; found < clusters && best[found].any; found++)
        chosen[found] = best[found].demo;
    return found;
}

/* Of each cluster the nearest, and of these the nearest first. */
static void choose(struct query *query)
{
    const struct cluster_demos *demos = query->searching->state;
    size_t k = (size_t)demos->options.k;
    struct best *best = query->job->api->alloc(query->job, k * sizeof(*best));
    for (size_t i = 0; best && i < query->candidates.count; i++) {
        uint32_t demo = query->candidates.items[i];
        keep_best(&best[demos->cluster_of[demo]], demo, query_nearness(query, demo), 0);
    }
    query->found = best ? sort_best(best, k, query->chosen) : 0;
}

/* The same by what the pool alone says; the one of the largest cluster first. */
static int choose_without_query(struct cluster_demos *demos, xy_job *job)
{
    size_t k = (size_t)demos->options.k;
    const xy_record *record = job->api->input(job, 0);
    xy_str text = xy_record_text(record, demos->options.query_field);
    struct best *best = job->api->alloc(job, k * sizeof(*best));
    uint32_t *chosen = job->api->alloc(job, k * sizeof(*chosen));
    struct candidates candidates;
    if (!best || !chosen || pool_candidates(&demos->searching.pool, job, &demos->options, record,
                                            text, &candidates) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    bool highest = demos->pick[0] == 'h';
    for (size_t i = 0; i < candidates.count; i++) {
        uint32_t demo = candidates.items[i];
        double central = -demos->distances[demo];
        keep_best(&best[demos->cluster_of[demo]], demo, highest ? demos->heights[demo] : central,
                  central);
    }
    for (size_t i = 0; i < k; i++)
        best[i].score = best[i].any ? (double)demos->sizes[best[i].demo] : 0;
    return searching_give(&demos->searching, job, chosen, sort_best(best, k, chosen));
}

static int process(void *state, xy_job *job)
{
    struct cluster_demos *demos = state;
    return demos->pick[0] == 'n' ? searching_process(&demos->searching, job)
                                 : choose_without_query(demos, job);
}

static int open_cluster(void *state, const xy_host *host)
{
    struct cluster_demos *demos = state;
    demos->searching.choose = choose;
    demos->searching.state = demos;
    bool highest = demos->pick[0] == 'h';
    if (highest != (demos->by != NULL)) {
        xy_log_line(host, XY_LOG_ERROR, highest ? "`pick: highest` needs `by`, a number field"
                                                : "`by` is for `pick: highest`");
        return XY_EINVAL;
    }
    return searching_open(&demos->searching, &demos->options, &demos->space, host);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{pool: records.jsonl, embed: m, k: 2}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage demos_cluster = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct cluster_demos),
    .id = "demos.cluster",
    .version = "1.0.0",
    .summary = "Gives each record one demonstration of each of `k` clusters of a pool",
    .needs = needs,
    .options = options,
    .open = open_cluster,
    .prepare = prepare,
    .close = close_cluster,
    .process = process,
    .extension = extension,
    .fields = "reads `field` or `vector`, `match`, and the pool's `by`; sets `into` and `ids`; "
              "rejects records below `least`",
};
