/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve.embedding - the passages nearest to a query by the cosine of their embeddings, exactly:
 * the dense retrieval of ReGen (Yu et al. 2023, section 3). */
#include <math.h>
#include <stdlib.h>

#include "retrieve.h"
#include "retrieve_result.h"
#include "vectors.h"

/* Multiplications above which a search goes to a worker: about a millisecond. */
enum { LONG_SEARCH = 2000000 };

struct dense {
    struct corpus_options options;
    const xy_model *embed;
    const xy_host *host;
    const xy_model_service *models;
    const xy_template *templates;
    const xy_loop *loop;    /* NULL: searches run where the answer comes */
    void *query;
    struct corpus corpus;
    const float *vectors;   /* corpus.count x dimension, in the memory of prepare() */
    size_t dimension;
    struct tally tally;
};

#define AT(member) offsetof(struct dense, member)

static const xy_option options[] = {
    {.name = "corpus", .type = XY_OPT_DATASET, .offset = AT(options.dataset),
     .flags = XY_OPT_REQUIRED, .help = "The data set, or the file, of passages to search."},
    {.name = "query", .type = XY_OPT_TEMPLATE, .offset = AT(options.query),
     .flags = XY_OPT_REQUIRED,
     .help = "What to look for: a template over the record, as `{{ question }}`."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(embed), .flags = XY_OPT_REQUIRED,
     .help = "The model that embeds the passages and the queries."},
    {.name = "k", .type = XY_OPT_INT, .offset = AT(options.k), .def = "5", .low = 1, .high = 1000,
     .help = "How many passages a record gets at most."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(options.field), .def = "text",
     .help = "The passage's text."},
    {.name = "minimum", .type = XY_OPT_NUMBER, .offset = AT(options.minimum), .def = "-1",
     .low = -1, .high = 1, .help = "Leaves out passages whose cosine is lower; -1: none."},
    {.name = "match", .type = XY_OPT_FIELD, .offset = AT(options.match),
     .help = "Takes only passages in which this field has the record's own value."},
    {.name = "exclude_self", .type = XY_OPT_BOOL, .offset = AT(options.exclude_self),
     .def = "false",
     .help = "Leaves out the record itself: a passage with its id, its parent's id, or its text."},
    {.name = "gold", .type = XY_OPT_FIELD, .offset = AT(options.gold),
     .help = "A field of both, by which a record's own passage is known: sets `rank`."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = AT(options.fields),
     .help = "The fields that a passage has in the list; all but vectors when not given."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(options.into), .def = "passages",
     .help = "The field set to the list of passages, best first, each with its `score`."},
    {.name = "ids", .type = XY_OPT_FIELD, .offset = AT(options.ids), .def = "passage_ids",
     .help = "The field set to the list of their ids."},
    {.name = "rank", .type = XY_OPT_FIELD, .offset = AT(options.rank), .def = "rank",
     .help = "gold: the field set to the place of the record's own passage in the list, from 1; 0 "
             "when it is not there."},
    {0},
};

/* ---- the corpus ------------------------------------------------------------------------------ */

static int open_dense(void *state, const xy_host *host)
{
    struct dense *dense = state;
    dense->host = host;
    tally_open(&dense->tally, host);
    dense->models = host->service(host, XY_MODEL);
    dense->templates = host->service(host, XY_TEMPLATE);
    dense->loop = host->service(host, XY_LOOP);
    if (!dense->models || !dense->templates)
        return XY_EUNSUPPORTED;
    dense->query = result_compile(host, dense->templates, dense->options.query);
    return dense->query ? XY_OK : XY_EINVAL;
}

static int prepare(void *state, xy_job *job)
{
    struct dense *dense = state;
    if (!(dense->models->can(dense->embed) & XY_EMBED))
        return xy_fail(job, XY_EUNSUPPORTED, "the model given as `embed` cannot embed texts");
    int code = corpus_read(&dense->corpus, job, &dense->options);
    if (code < 0)
        return code;
    xy_str *texts = job->api->alloc(job, dense->corpus.count * sizeof(*texts));
    if (!texts)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < dense->corpus.count; i++)
        texts[i] = corpus_text(&dense->corpus, i);
    code = dense->models->embed(job, dense->embed, texts, dense->corpus.count, &dense->vectors,
                                &dense->dimension);
    corpus_drop_texts(&dense->corpus);
    return code;
}

static void close_dense(void *state)
{
    struct dense *dense = state;
    if (dense->query)
        dense->templates->release(dense->query);
    tally_close(&dense->tally);
    corpus_free(&dense->corpus);
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
    struct corpus_view view = corpus_view_of(&dense->corpus, &dense->options,
                                             search->job->api->input(search->job, 0));
    for (size_t i = 0; i < dense->corpus.count; i++) {
        if (!corpus_shows(&view, &dense->corpus.passages[i]))
            continue;
        double cosine = (double)vectors_inner(search->query, dense->vectors + i * dense->dimension,
                                      dense->dimension);
        if (cosine >= dense->options.minimum || dense->options.minimum <= -1)
            best_offer(&search->best, (uint32_t)i, cosine);
    }
}

static void finish(void *data)
{
    struct search *search = data;
    struct dense *dense = search->dense;
    xy_job *job = search->job;
    job->api->finish(job, result_set(&dense->corpus, &dense->options, &dense->tally, job,
                                     &search->best));
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
    if (dense->loop && dense->corpus.count * dense->dimension > LONG_SEARCH &&
        dense->loop->work(dense->host, find_nearest, finish, search) == XY_OK)
        return;
    find_nearest(search);
    finish(search);
}

static int process(void *state, xy_job *job)
{
    struct dense *dense = state;
    size_t k = (size_t)dense->options.k;
    xy_str query;
    int code = dense->templates->render(job, dense->query, job->api->input(job, 0), &query);
    if (code < 0)
        return code;
    if (query.len == 0)
        return xy_drop(job, "the query is empty: there is nothing to look for");
    struct search *search = job->api->alloc(job, sizeof(*search));
    if (!search)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *search = (struct search){
        .dense = dense, .job = job,
        .query = job->api->alloc(job, dense->dimension * sizeof(*search->query)),
        .best = {.passages = job->api->alloc(job, k * sizeof(uint32_t)),
                 .scores = job->api->alloc(job, k * sizeof(double)), .k = k}};
    if (!search->query || !search->best.passages || !search->best.scores)
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
