/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve.bm25 - the passages that share a query's words, ranked by BM25. */
#include <stdlib.h>

#include "retrieve.h"
#include "retrieve_finder.h"

struct bm25 {
    struct finder finder;
    double k1, b;
    struct index index;
};

#define AT(member) offsetof(struct bm25, member)

static const xy_option options[] = {
    FINDER_SOURCE_OPTIONS(bm25),
    FINDER_LIST_OPTIONS(bm25),
    {.name = "k1", .type = XY_OPT_NUMBER, .offset = AT(k1), .def = "1.2", .low = 0, .high = 100,
     .help = "How much a word counts that comes again: 0 not at all, larger values more."},
    {.name = "b", .type = XY_OPT_NUMBER, .offset = AT(b), .def = "0.75", .low = 0, .high = 1,
     .help = "How much the length of a passage counts against it."},
    {.name = "minimum", .type = XY_OPT_NUMBER, .offset = AT(finder.options.minimum), .def = "0",
     .low = 0, .high = 1e9, .help = "Leaves out passages with no higher score."},
    FINDER_RECORD_OPTIONS(bm25),
    {0},
};

static int open_bm25(void *state, const xy_host *host)
{
    struct bm25 *bm25 = state;
    return finder_open(&bm25->finder, host);
}

static int prepare(void *state, xy_job *job)
{
    struct bm25 *bm25 = state;
    struct corpus *corpus = &bm25->finder.corpus;
    int code = corpus_read(corpus, job, &bm25->finder.options);
    if (code < 0)
        return code;
    for (size_t i = 0; i < corpus->count; i++) {
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        if (!index_add(&bm25->index, corpus_text(corpus, i)))
            return xy_fail(job, XY_ENOMEM, "out of memory");
    }
    if (!index_finish(&bm25->index, bm25->k1, bm25->b))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    corpus_drop_texts(corpus);
    return XY_OK;
}

static void close_bm25(void *state)
{
    struct bm25 *bm25 = state;
    finder_close(&bm25->finder);
    index_free(&bm25->index);
}

static void find_best(const struct bm25 *bm25, const xy_record *record, const double *scores,
                      struct best *best)
{
    const struct corpus *corpus = &bm25->finder.corpus;
    struct corpus_view view = corpus_view_of(corpus, &bm25->finder.options, record);
    for (size_t i = 0; i < corpus->count; i++)
        if (scores[i] > bm25->finder.options.minimum && corpus_shows(&view, &corpus->passages[i]))
            best_offer(best, (uint32_t)i, scores[i]);
}

static int process(void *state, xy_job *job)
{
    struct bm25 *bm25 = state;
    struct best best;
    xy_str query;
    int code = finder_render(&bm25->finder, job, &query);
    if (code < 0)
        return code;
    /* Not the job's: many jobs may wait for their end, and this is as long as the corpus. */
    double *scores = calloc(bm25->finder.corpus.count, sizeof(*scores));
    if (!finder_best(&bm25->finder, job, &best) || !scores ||
        index_score(&bm25->index, query, scores) < 0) {
        free(scores);
        return xy_fail(job, XY_ENOMEM, "out of memory");
    }
    find_best(bm25, job->api->input(job, 0), scores, &best);
    free(scores);
    return finder_set(&bm25->finder, job, &best);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{corpus: some, query: '{{ text }}'}" : NULL;
}

static const char *const needs[] = {XY_TEMPLATE, NULL};

const xy_stage retrieve_bm25 = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct bm25),
    .id = "retrieve.bm25",
    .version = "1.0.0",
    .summary = "Gives each record the passages of a corpus that share its query's words (BM25)",
    .needs = needs,
    .options = options,
    .open = open_bm25,
    .prepare = prepare,
    .close = close_bm25,
    .process = process,
    .extension = extension,
    .fields = "reads what `query` names, `match` and `gold`; sets `into`, `ids` and `rank`",
};
