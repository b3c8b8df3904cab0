/* SPDX-License-Identifier: Apache-2.0 */
/* demos.knn - the demonstrations nearest to a record, by the cosine of their embeddings: KATE (Liu
 * et al. 2022, "What Makes Good In-Context Examples for GPT-3?", section 3). */
#include <math.h>
#include <stdlib.h>

#include "demos.h"

/* Multiplications above which a search goes to a worker: about a millisecond. */
enum { LONG_SEARCH = 2000000, LANES = 16 };

struct knn {
    struct pool_options options;
    const xy_model *embed;
    const char *query_field, *order;
    const xy_host *host;
    const xy_model_service *models;
    const xy_loop *loop;    /* NULL: searches run where the answer comes */
    struct pool pool;
    const float *vectors;   /* pool.count x dimension, in the memory of prepare() */
    float *scales;          /* 1 / length of each vector; 0 for a vector of zeros */
    size_t dimension;
};

#define AT(member) offsetof(struct knn, member)

static const xy_option options[] = {
    {.name = "pool", .type = XY_OPT_DATASET, .offset = AT(options.dataset),
     .flags = XY_OPT_REQUIRED,
     .help = "The data set, or the file, to take demonstrations from."},
    {.name = "k", .type = XY_OPT_INT, .offset = AT(options.k), .def = "4", .low = 1, .high = 1000,
     .help = "How many demonstrations a record gets."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(embed), .flags = XY_OPT_REQUIRED,
     .help = "The model that embeds the texts."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(query_field), .def = "text",
     .help = "The record's text to compare."},
    {.name = "pool_field", .type = XY_OPT_FIELD, .offset = AT(options.text_field),
     .help = "The pool's text to compare with; named like `field` when not given."},
    {.name = "match", .type = XY_OPT_FIELD, .offset = AT(options.match),
     .help = "Takes only demonstrations in which this field has the record's own value."},
    {.name = "order", .type = XY_OPT_TEXT, .offset = AT(order), .def = "nearest_last",
     .choices = "nearest_last|nearest_first",
     .help = "Where the nearest one stands: beside the query, as in the paper, or at the start."},
    {.name = "exclude_self", .type = XY_OPT_BOOL, .offset = AT(options.exclude_self),
     .def = "true",
     .help = "Never shows a record to itself: no demonstration with its id, its parent's id, or "
             "its text."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = AT(options.fields),
     .help = "The pool's fields that a demonstration has; all but vectors when not given."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(options.into), .def = "demos",
     .help = "The field set to the list of demonstrations."},
    {.name = "ids", .type = XY_OPT_FIELD, .offset = AT(options.ids), .def = "demo_ids",
     .help = "The field set to the list of their ids."},
    {0},
};

/* ---- the pool -------------------------------------------------------------------------------- */

static int open_knn(void *state, const xy_host *host)
{
    struct knn *knn = state;
    knn->host = host;
    knn->models = host->service(host, XY_MODEL);
    knn->loop = host->service(host, XY_LOOP);
    if (!knn->options.text_field)
        knn->options.text_field = knn->query_field;
    return knn->models ? XY_OK : XY_EUNSUPPORTED;
}

/* The inner product in a fixed order of additions, one the vectoriser may keep: the same neighbours
 * on every machine. */
static float inner(const float *a, const float *b, size_t dimension)
{
    float sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= dimension; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    for (; i < dimension; i++)
        sums[i % LANES] += a[i] * b[i];
    for (size_t lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sum;
}

static int embed_pool(struct knn *knn, xy_job *job)
{
    xy_str *texts = job->api->alloc(job, knn->pool.count * sizeof(*texts));
    knn->scales = calloc(knn->pool.count, sizeof(*knn->scales));
    if (!texts || !knn->scales)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < knn->pool.count; i++) {
        const struct demo *demo = &knn->pool.demos[i];
        if (demo->text_length == 0)
            return xy_fail(job, XY_EINVAL, "record %016llx of the `pool` has no text in `%s`; name "
                           "another `pool_field`, or filter the pool",
                           (unsigned long long)demo->id, knn->options.text_field);
        texts[i] = (xy_str){knn->pool.texts.bytes + demo->text, demo->text_length};
    }
    int code = knn->models->embed(job, knn->embed, texts, knn->pool.count, &knn->vectors,
                                  &knn->dimension);
    for (size_t i = 0; code >= 0 && i < knn->pool.count; i++) {
        const float *vector = knn->vectors + i * knn->dimension;
        float square = inner(vector, vector, knn->dimension);
        knn->scales[i] = square > 0 ? 1 / sqrtf(square) : 0;
    }
    return code;
}

static int prepare(void *state, xy_job *job)
{
    struct knn *knn = state;
    if (!(knn->models->can(knn->embed) & XY_EMBED))
        return xy_fail(job, XY_EUNSUPPORTED, "the model given as `embed` cannot embed texts");
    int code = pool_read(&knn->pool, job, &knn->options);
    return code < 0 ? code : embed_pool(knn, job);
}

static void close_knn(void *state)
{
    struct knn *knn = state;
    free(knn->scales);
    pool_free(&knn->pool);
}

/* ---- one record ------------------------------------------------------------------------------ */

struct search {
    struct knn *knn;
    xy_job *job;
    float *query;
    const uint32_t *candidates;
    size_t count;
    uint32_t *best;     /* nearest first */
    float *nearness;    /* cosine times the query's length: the order is the same */
    size_t found;
};

/* Keeps the k nearest in order; of equally near ones the earlier of the pool comes first, since the
 * candidates come in its order. */
static void find_nearest(void *data)
{
    struct search *search = data;
    const struct knn *knn = search->knn;
    size_t k = (size_t)knn->options.k;
    for (size_t i = 0; i < search->count; i++) {
        uint32_t candidate = search->candidates[i];
        float near = knn->scales[candidate] *
                     inner(search->query, knn->vectors + candidate * knn->dimension,
                           knn->dimension);
        size_t at = search->found;
        if (at == k && near <= search->nearness[k - 1])
            continue;
        if (at < k)
            search->found++;
        else
            at--;
        for (; at > 0 && near > search->nearness[at - 1]; at--) {
            search->nearness[at] = search->nearness[at - 1];
            search->best[at] = search->best[at - 1];
        }
        search->nearness[at] = near;
        search->best[at] = candidate;
    }
}

static void finish(void *data)
{
    struct search *search = data;
    struct knn *knn = search->knn;
    xy_job *job = search->job;
    for (size_t i = 0; knn->order[8] == 'l' && i < search->found / 2; i++) {
        uint32_t kept = search->best[i];
        search->best[i] = search->best[search->found - 1 - i];
        search->best[search->found - 1 - i] = kept;
    }
    int code = pool_set(&knn->pool, job, knn->host, &knn->options, job->api->input(job, 0),
                        search->best, search->found);
    job->api->finish(job, code);
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct search *search = user;
    struct knn *knn = search->knn;
    if (reply->status < 0) {
        job->api->explain(job, reply->error ? reply->error : "the text could not be embedded");
        job->api->finish(job, reply->status);
        return;
    }
    if (reply->vector_count != 1 || reply->dimension != knn->dimension) {
        int code = xy_fail(job, XY_EUPSTREAM, "the model embedded the pool in %zu dimensions and "
                           "this text in %zu", knn->dimension, reply->dimension);
        job->api->finish(job, code);
        return;
    }
    memcpy(search->query, reply->vectors, knn->dimension * sizeof(*search->query));
    if (knn->loop && search->count * knn->dimension > LONG_SEARCH &&
        knn->loop->work(knn->host, find_nearest, finish, search) == XY_OK)
        return;
    find_nearest(search);
    finish(search);
}

static int process(void *state, xy_job *job)
{
    struct knn *knn = state;
    const xy_record *record = job->api->input(job, 0);
    size_t k = (size_t)knn->options.k;
    xy_str text = xy_record_text(record, knn->query_field);
    if (text.len == 0)
        return xy_drop(job, "the field `%s` is missing, empty or no text: there is nothing to find "
                       "neighbours of", knn->query_field);
    struct search *search = job->api->alloc(job, sizeof(*search));
    if (!search)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *search = (struct search){.knn = knn, .job = job};
    search->candidates =
        pool_candidates(&knn->pool, job, &knn->options, record, text, &search->count);
    search->query = job->api->alloc(job, knn->dimension * sizeof(*search->query));
    search->best = job->api->alloc(job, k * sizeof(*search->best));
    search->nearness = job->api->alloc(job, k * sizeof(*search->nearness));
    if (!search->candidates || !search->query || !search->best || !search->nearness)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = &text,
                          .text_count = 1, .temperature = -1, .top_p = -1};
    int code = knn->models->submit(job, knn->embed, &request, answered, search, NULL);
    return code < 0 ? xy_fail(job, code, "the text could not be sent to the model") : XY_PENDING;
}

static const char *const needs[] = {XY_MODEL, NULL};

const xy_stage demos_knn = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct knn),
    .id = "demos.knn",
    .version = "1.0.0",
    .summary = "Gives each record the demonstrations nearest to it by their embeddings",
    .needs = needs,
    .options = options,
    .open = open_knn,
    .prepare = prepare,
    .close = close_knn,
    .process = process,
    .fields = "reads `field` and `match`, sets `into` and `ids`",
};
