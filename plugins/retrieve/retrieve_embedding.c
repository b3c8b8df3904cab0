/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve.embedding - the passages nearest to a query by the cosine of their embeddings, exactly:
 * the dense retrieval of ReGen (Yu et al. 2023, section 3). */
#include <math.h>
#include <stdlib.h>

#include "retrieve.h"
#include "retrieve_finder.h"
#include "vectors.h"

/* Multiplications above which a search goes to a worker: about a millisecond. */
enum { LONG_SEARCH = 2000000 };

struct dense {
    struct finder finder;
    const xy_model *embed;
    const xy_model_service *models;
    const xy_loop *loop;    /* NULL: searches run where the answer comes */
    const float *vectors;   /* passages x dimension, in the memory of prepare() */
    size_t dimension;
};

#define AT(member) offsetof(struct dense, member)

static const xy_option options[] = {
    FINDER_SOURCE_OPTIONS(dense),
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(embed), .flags = XY_OPT_REQUIRED,
     .help = "The model that embeds the passages and the queries."},
    FINDER_LIST_OPTIONS(dense),
    {.name = "minimum", .type = XY_OPT_NUMBER, .offset = AT(finder.options.minimum), .def = "-1",
     .low = -1, .high = 1, .help = "Leaves out passages whose cosine is lower; -1: none."},
    FINDER_RECORD_OPTIONS(dense),
    {0},
};

/* ---- the corpus ------------------------------------------------------------------------------ */

static int open_dense(void *state, const xy_host *host)
{
    struct dense *dense = state;
    dense->models = host->service(host, XY_MODEL);
    dense->loop = host->service(host, XY_LOOP);
    int code = finder_open(&dense->finder, host);
    return code == XY_OK && !dense->models ? XY_EUNSUPPORTED : code;
}

static int prepare(void *state, xy_job *job)
{
    struct dense *dense = state;
    if (!(dense->models->can(dense->embed) & XY_EMBED))
        return xy_fail(job, XY_EUNSUPPORTED, "the model given as `embed` cannot embed texts");
    struct corpus *corpus = &dense->finder.corpus;
    int code = corpus_read(corpus, job, &dense->finder.options);
    if (code < 0)
        return code;
    xy_str *texts = job->api->alloc(job, corpus->count * sizeof(*texts));
    if (!texts)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < corpus->count; i++)
        texts[i] = corpus_text(corpus, i);
    code = dense->models->embed(job, dense->embed, texts, corpus->count, &dense->vectors,
                                &dense->dimension);
    corpus_drop_texts(corpus);
    return code;
}

static void close_dense(void *state)
{
    struct dense *dense = state;
    finder_close(&dense->finder);
}

/* ---- one record ------------------------------------------------------------------------------ */

struct search {
    struct dense *dense;
    xy_job *job;
    float *query;
    struct best best;
};

/* Embeddings are of unit length (xylem.model/1), so that the inner product is the cosine. */
static void find_nearest(void *data)
{
    struct search *search = data;
    const struct dense *dense = search->dense;
    const struct corpus *corpus = &dense->finder.corpus;
    double minimum = dense->finder.options.minimum;
    struct corpus_view view = corpus_view_of(corpus, &dense->finder.options,
                                             search->job->api->input(search->job, 0));
    for (size_t i = 0; i < corpus->count; i++) {
        if (!corpus_shows(&view, &corpus->passages[i]))
            continue;
        double cosine = (double)vectors_inner(search->query, dense->vectors + i * dense->dimension,
                                              dense->dimension);
        if (cosine >= minimum || minimum <= -1)
            best_offer(&search->best, (uint32_t)i, cosine);
    }
}

static void finish(void *data)
{
    struct search *search = data;
    xy_job *job = search->job;
    job->api->finish(job, finder_set(&search->dense->finder, job, &search->best));
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct search *search = user;
    struct dense *dense = search->dense;
    if (reply->status < 0) {
        job->api->explain(job, reply->error ? reply->error : "the query could not be embedded");
        job->api->finish(job, reply->status);
        return;
    }
    if (reply->vector_count != 1 || reply->dimension != dense->dimension) {
        int code = xy_fail(job, XY_EUPSTREAM, "the model embedded the corpus in %zu dimensions and "
                           "this query in %zu", dense->dimension, reply->dimension);
        job->api->finish(job, code);
        return;
    }
    memcpy(search->query, reply->vectors, dense->dimension * sizeof(*search->query));
    if (dense->loop && dense->finder.corpus.count * dense->dimension > LONG_SEARCH &&
        dense->loop->work(dense->finder.host, find_nearest, finish, search) == XY_OK)
        return;
    find_nearest(search);
    finish(search);
}

static int process(void *state, xy_job *job)
{
    struct dense *dense = state;
    xy_str query;
    int code = finder_render(&dense->finder, job, &query);
    if (code < 0)
        return code;
    if (query.len == 0)
        return xy_drop(job, "the query is empty: there is nothing to look for");
    struct search *search = job->api->alloc(job, sizeof(*search));
    if (!search)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *search = (struct search){
        .dense = dense, .job = job,
        .query = job->api->alloc(job, dense->dimension * sizeof(*search->query))};
    if (!search->query || !finder_best(&dense->finder, job, &search->best))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = &query,
                          .text_count = 1, .temperature = -1, .top_p = -1};
    code = dense->models->submit(job, dense->embed, &request, answered, search, NULL);
    return code < 0 ? xy_fail(job, code, "the query could not be sent to the model") : XY_PENDING;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{corpus: some, query: '{{ text }}', embed: some}" : NULL;
}

static const char *const needs[] = {XY_MODEL, XY_TEMPLATE, NULL};

const xy_stage retrieve_embedding = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct dense),
    .id = "retrieve.embedding",
    .version = "1.0.0",
    .summary = "Gives each record the passages of a corpus whose embeddings are nearest to a query",
    .needs = needs,
    .options = options,
    .open = open_dense,
    .prepare = prepare,
    .close = close_dense,
    .process = process,
    .extension = extension,
    .fields = "reads what `query` names, `match` and `gold`; sets `into`, `ids` and `rank`",
};
