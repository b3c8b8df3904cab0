/* SPDX-License-Identifier: Apache-2.0 */
/* demos.dissimilar - demonstrations drawn from those of the pool that are least like what there
 * is already, by the cosine of their embeddings: shows a model what it has not written yet
 * (sample-level diversity as in the survey's section 3.3.1, turned into a choice of
 * demonstrations). */
#include <math.h>
#include <stdlib.h>

#include "demos.h"
#include "demos_draw.h"
#include "vectors.h"

struct dissimilar {
    struct pool_options options;
    struct space space;
    struct drawing drawing;
    struct places places, others;
    xy_dataset *against;
    const char *against_field, *measure;
    int64_t keep;
};

static const xy_option options[] = {
    POOL_OPTIONS,
    SECOND_OPTIONS,
    {.name = "against", .type = XY_OPT_DATASET, .offset = offsetof(struct dissimilar, against),
     .flags = XY_OPT_REQUIRED,
     .help = "What was generated already: a step, the enclosing repeat, or a file; while it is "
             "empty the whole pool is drawn from."},
    {.name = "against_field", .type = XY_OPT_FIELD,
     .offset = offsetof(struct dissimilar, against_field),
     .help = "The text of `against` to compare with; named like `pool_field` when not given."},
    {.name = "measure", .type = XY_OPT_TEXT, .offset = offsetof(struct dissimilar, measure),
     .def = "max", .choices = "max|mean",
     .help = "What counts: the cosine with the most similar record of `against`, or the mean with "
             "all."},
    {.name = "keep", .type = XY_OPT_INT, .offset = offsetof(struct dissimilar, keep), .def = "20",
     .low = 1, .high = 1e9,
     .help = "How many of the least similar are drawn from, for each value of `match`; as many as "
             "`k` gives all records the same ones."},
    SHARE_OPTION(struct dissimilar),
    {.name = "field", .type = XY_OPT_FIELD, .offset = POOL_AT(query_field), .def = "text",
     .help = "The text by which `exclude_self` knows a record again."},
    EMBED_OPTIONS(struct dissimilar),
    GIVE_OPTIONS,
    {0},
};

static int open_dissimilar(void *state, const xy_host *host)
{
    struct dissimilar *demos = state;
    if (!demos->options.text_field)
        demos->options.text_field = demos->options.query_field;
    if (!demos->against_field)
        demos->against_field = demos->options.text_field;
    int code = drawing_open(&demos->drawing, host);
    return code < 0 ? code : space_open(&demos->space, host);
}

/* The largest cosine with any of the others. */
static double largest(const struct dissimilar *demos, size_t row)
{
    const float *own = places_at(&demos->places, row);
    double most = -INFINITY;
    for (size_t i = 0; i < demos->others.count; i++) {
        double cosine = demos->others.scales[i] *
                        (double)vectors_inner(own, places_at(&demos->others, i),
                                              demos->others.dimension);
        most = cosine > most ? cosine : most;
    }
    return demos->places.scales[row] * most;
}

/* The mean of cosines is the cosine with the mean of unit vectors. */
static int score(const struct dissimilar *demos, xy_job *job, double *scores)
{
    size_t width = demos->places.dimension;
    double *mean = NULL;
    if (strcmp(demos->measure, "mean") == 0) {
        mean = job->api->alloc(job, width * sizeof(*mean));
        if (!mean)
            return XY_ENOMEM;
        for (size_t i = 0; i < demos->others.count; i++)
            vectors_add(mean, demos->others.scales[i] / (double)demos->others.count,
                        places_at(&demos->others, i), width);
    }
    for (size_t row = 0; row < demos->places.count; row++) {
        if (row % 64 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        scores[row] = mean ? demos->places.scales[row] *
                                 vectors_mixed_inner(mean, places_at(&demos->places, row), width)
                           : largest(demos, row);
    }
    return XY_OK;
}

static void report(const struct dissimilar *demos, xy_job *job, const double *scores)
{
    const xy_host *host = demos->drawing.host;
    const xy_report *service = host->service(host, XY_REPORT);
    const struct pool *pool = &demos->drawing.pool;
    double sum = 0;
    for (size_t i = 0; i < pool->count; i++)
        sum += scores[pool->demos[i].row];
    const xy_score score = {
        .size = sizeof(score), .name = "kept_similarity", .value = sum / (double)pool->count,
        .low = NAN, .high = NAN, .unit = "cosine", .n = pool->count,
        .help = "mean similarity to `against` of what demonstrations are drawn from"};
    if (service && pool->count)
        service->score(job, &score);
}

static int prepare(void *state, xy_job *job)
{
    struct dissimilar *demos = state;
    struct pool *pool = &demos->drawing.pool;
    int code = pool_read(pool, job, &demos->options);
    if (code == XY_OK)
        code = places_of_dataset(&demos->others, job, &demos->space, demos->against,
                                 demos->against_field, "against");
    if (code < 0 || demos->others.count == 0)
        return code;
    code = places_of_pool(&demos->places, job, &demos->space, pool, &demos->options);
    if (code == XY_OK && demos->places.dimension != demos->others.dimension)
        return xy_fail(job, XY_EINVAL, "the vectors of the `pool` have %zu dimensions, those of "
                       "`against` %zu", demos->places.dimension, demos->others.dimension);
    double *scores = job->api->alloc(job, (pool->read + 1) * sizeof(*scores));
    uint32_t *groups = job->api->alloc(job, (pool->read + 1) * sizeof(*groups));
    if (!scores || !groups)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < pool->count; i++)
        groups[pool->demos[i].row] = 2 * pool->demos[i].match + pool->demos[i].second;
    if (code == XY_OK)
        code = score(demos, job, scores);
    if (code == XY_OK)
        code = drawing_keep_lowest(&demos->drawing, scores, groups, (size_t)demos->keep);
    if (code == XY_OK)
        report(demos, job, scores);
    return code == XY_ENOMEM ? xy_fail(job, code, "out of memory") : code;
}

static void close_dissimilar(void *state)
{
    struct dissimilar *demos = state;
    places_free(&demos->places);
    places_free(&demos->others);
    pool_free(&demos->drawing.pool);
}

static int process(void *state, xy_job *job)
{
    struct dissimilar *demos = state;
    return drawing_process(&demos->drawing, job, &demos->options);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{pool: records.jsonl, against: records.jsonl, embed: m, k: 2}"
               : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage demos_dissimilar = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct dissimilar),
    .id = "demos.dissimilar",
    .version = "1.0.0",
    .summary = "Gives each record demonstrations unlike what was generated already",
    .needs = needs,
    .options = options,
    .open = open_dissimilar,
    .prepare = prepare,
    .close = close_dissimilar,
    .process = process,
    .extension = extension,
    .fields = "reads `match` and `field`, `pool_field` of the pool and `against_field` of "
              "`against`; sets `into` and `ids`; rejects records below `least`",
};
