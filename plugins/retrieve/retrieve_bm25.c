/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve.bm25 - the passages that share a query's words, ranked by BM25. */
#include <stdlib.h>

#include "retrieve.h"
#include "retrieve_result.h"

struct bm25 {
    struct corpus_options options;
    double k1, b;
    const xy_host *host;
    const xy_template *templates;
    void *query;
    struct corpus corpus;
    struct index index;
    struct tally tally;
};

#define AT(member) offsetof(struct bm25, member)

static const xy_option options[] = {
    {.name = "corpus", .type = XY_OPT_DATASET, .offset = AT(options.dataset),
     .flags = XY_OPT_REQUIRED, .help = "The data set, or the file, of passages to search."},
    {.name = "query", .type = XY_OPT_TEMPLATE, .offset = AT(options.query),
     .flags = XY_OPT_REQUIRED,
     .help = "What to look for: a template over the record, as `{{ question }}`."},
    {.name = "k", .type = XY_OPT_INT, .offset = AT(options.k), .def = "5", .low = 1, .high = 1000,
     .help = "How many passages a record gets at most."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(options.field), .def = "text",
     .help = "The passage's text."},
    {.name = "k1", .type = XY_OPT_NUMBER, .offset = AT(k1), .def = "1.2", .low = 0, .high = 100,
     .help = "How much a word counts that comes again: 0 not at all, larger values more."},
    {.name = "b", .type = XY_OPT_NUMBER, .offset = AT(b), .def = "0.75", .low = 0, .high = 1,
     .help = "How much the length of a passage counts against it."},
    {.name = "minimum", .type = XY_OPT_NUMBER, .offset = AT(options.minimum), .def = "0",
     .low = 0, .high = 1e9, .help = "Leaves out passages with no higher score."},
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

static int open_bm25(void *state, const xy_host *host)
{
    struct bm25 *bm25 = state;
    bm25->host = host;
    tally_open(&bm25->tally, host);
    bm25->templates = host->service(host, XY_TEMPLATE);
    if (!bm25->templates)
        return XY_EUNSUPPORTED;
    bm25->query = result_compile(host, bm25->templates, bm25->options.query);
    return bm25->query ? XY_OK : XY_EINVAL;
}

static int prepare(void *state, xy_job *job)
{
    struct bm25 *bm25 = state;
    int code = corpus_read(&bm25->corpus, job, &bm25->options);
    if (code < 0)
        return code;
    for (size_t i = 0; i < bm25->corpus.count; i++) {
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        if (!index_add(&bm25->index, corpus_text(&bm25->corpus, i)))
            return xy_fail(job, XY_ENOMEM, "out of memory");
    }
    if (!index_finish(&bm25->index, bm25->k1, bm25->b))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    corpus_drop_texts(&bm25->corpus);
    return XY_OK;
}

static void close_bm25(void *state)
{
    struct bm25 *bm25 = state;
    if (bm25->query)
        bm25->templates->release(bm25->query);
    tally_close(&bm25->tally);
    index_free(&bm25->index);
    corpus_free(&bm25->corpus);
}

static void find_best(const struct bm25 *bm25, const xy_record *record, const double *scores,
                      struct best *best)
{
    struct corpus_view view = corpus_view_of(&bm25->corpus, &bm25->options, record);
    for (size_t i = 0; i < bm25->corpus.count; i++)
        if (scores[i] > bm25->options.minimum && corpus_shows(&view, &bm25->corpus.passages[i]))
            best_offer(best, (uint32_t)i, scores[i]);
}

static int process(void *state, xy_job *job)
{
    struct bm25 *bm25 = state;
    const xy_record *record = job->api->input(job, 0);
    size_t k = (size_t)bm25->options.k;
    xy_str query;
    int code = bm25->templates->render(job, bm25->query, record, &query);
    if (code < 0)
        return code;
    struct best best = {.passages = job->api->alloc(job, k * sizeof(*best.passages)),
                        .scores = job->api->alloc(job, k * sizeof(*best.scores)), .k = k};
    /* Not the job's: many jobs may wait for their end, and this is as long as the corpus. */
    double *scores = calloc(bm25->corpus.count, sizeof(*scores));
    if (!best.passages || !best.scores || !scores ||
        index_score(&bm25->index, query, scores) < 0) {
        free(scores);
        return xy_fail(job, XY_ENOMEM, "out of memory");
    }
    find_best(bm25, record, scores, &best);
    free(scores);
    return result_set(&bm25->corpus, &bm25->options, &bm25->tally, job, &best);
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
