/* SPDX-License-Identifier: Apache-2.0 */
#include "retrieve_finder.h"

#include <xxhash.h>

int finder_open(struct finder *finder, const xy_host *host)
{
    finder->host = host;
    tally_open(&finder->tally, host);
    finder->templates = host->service(host, XY_TEMPLATE);
    if (!finder->templates)
        return XY_EUNSUPPORTED;
    finder->query = result_compile(host, finder->templates, finder->options.query);
    return finder->query ? XY_OK : XY_EINVAL;
}

void finder_close(struct finder *finder)
{
    if (finder->query)
        finder->templates->release(finder->query);
    tally_close(&finder->tally);
    corpus_free(&finder->corpus);
}

bool finder_best(const struct finder *finder, xy_job *job, struct best *best)
{
    size_t k = (size_t)finder->options.k;
    *best = (struct best){.passages = job->api->alloc(job, k * sizeof(*best->passages)),
                          .scores = job->api->alloc(job, k * sizeof(*best->scores)), .k = k};
    return best->passages && best->scores;
}

int finder_render(const struct finder *finder, xy_job *job, xy_str *query)
{
    return finder->templates->render(job, finder->query, job->api->input(job, 0), query);
}

/* ---- what was found -------------------------------------------------------------------------- */

static void add_passage(const struct corpus *corpus, size_t index, double score, struct text *list)
{
    const struct passage *passage = &corpus->passages[index];
    text_add_literal(list, "{");
    text_add(list, corpus->json.bytes + passage->json, passage->json_length);
    text_add_literal(list, passage->json_length ? ",\"score\":" : "\"score\":");
    text_add_number(list, score);
    text_add_literal(list, "}");
}

/* The rank of the passage that has the record's own value of `gold`: 0 when it is not there. */
static int64_t rank_of(const struct corpus *corpus, const struct corpus_options *options,
                       const xy_record *record, const struct best *best)
{
    char scratch[NAMES_SCRATCH];
    xy_str gold = names_label(record, options->gold, scratch);
    uint64_t hash = gold.len ? XXH3_64bits(gold.ptr, gold.len) : 0;
    for (size_t i = 0; hash && i < best->count; i++)
        if (corpus->passages[best->passages[i]].gold_hash == hash)
            return (int64_t)i + 1;
    return 0;
}

int finder_set(struct finder *finder, xy_job *job, const struct best *best)
{
    const struct corpus_options *options = &finder->options;
    const struct corpus *corpus = &finder->corpus;
    struct text list = {0}, ids = {0};
    xy_record *record = job->api->input(job, 0);
    int64_t rank = options->gold ? rank_of(corpus, options, record, best) : -1;
    text_add_literal(&list, "[");
    text_add_literal(&ids, "[");
    for (size_t i = 0; i < best->count; i++) {
        char id[24];
        uint32_t index = best->passages[i];
        snprintf(id, sizeof(id), "%s\"%016llx\"", i ? "," : "",
                 (unsigned long long)corpus->passages[index].id);
        text_add_literal(&ids, id);
        text_add_literal(&list, i ? "," : "");
        add_passage(corpus, index, best->scores[i], &list);
    }
    text_add_literal(&list, "]");
    text_add_literal(&ids, "]");
    int code = list.failed || ids.failed ? XY_ENOMEM : XY_OK;
    if (code == XY_OK)
        code = xy_record_set_json(record, options->into, (xy_str){list.bytes, list.length});
    if (code >= 0)
        code = xy_record_set_json(record, options->ids, (xy_str){ids.bytes, ids.length});
    if (code >= 0 && rank >= 0)
        code = xy_record_set_int(record, options->rank, rank);
    text_free(&list);
    text_free(&ids);
    if (code < 0)
        return xy_fail(job, code, "the passages cannot be set on `%s`", options->into);
    tally_add(&finder->tally, job, best->count, rank);
    return XY_OK;
}
