/* SPDX-License-Identifier: Apache-2.0 */
#include "retrieve_result.h"

#include <math.h>

#include <xxhash.h>

/* ---- counts ---------------------------------------------------------------------------------- */

void tally_open(struct tally *tally, const xy_host *host)
{
    pthread_mutex_init(&tally->lock, NULL);
    tally->host = host;
    tally->report = host->service(host, XY_REPORT);
}

void tally_close(struct tally *tally)
{
    pthread_mutex_destroy(&tally->lock);
}

static void say(const struct tally *tally, xy_job *job, const char *name, double value,
                const char *unit, uint64_t n, const char *help)
{
    xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                      .high = NAN, .unit = unit, .n = n, .help = help};
    if (tally->report)
        tally->report->score(job, &score);
}

void tally_add(struct tally *tally, xy_job *job, size_t found, int64_t rank)
{
    pthread_mutex_lock(&tally->lock);
    double queries = (double)++tally->queries;
    tally->passages += found;
    tally->empty += found == 0;
    if (found == 0 && tally->empty == 1)
        xy_log_line(tally->host, XY_LOG_WARNING, "record %016llx: nothing was found for its query "
                    "(said once; the score `empty` counts on)",
                    (unsigned long long)job->api->input(job, 0)->api->id(job->api->input(job, 0)));
    say(tally, job, "empty", (double)tally->empty / queries, "share", tally->queries,
        "queries for which nothing was found");
    say(tally, job, "passages", (double)tally->passages / queries, "", tally->queries,
        "mean number of passages found");
    if (rank >= 0) {
        tally->with_gold++;
        tally->found += rank > 0;
        tally->first += rank == 1;
        say(tally, job, "recall", (double)tally->found / (double)tally->with_gold, "share",
            tally->with_gold, "records whose own passage is among those found");
        say(tally, job, "recall_1", (double)tally->first / (double)tally->with_gold, "share",
            tally->with_gold, "records whose own passage was found first");
    }
    pthread_mutex_unlock(&tally->lock);
}

/* ---- one record ------------------------------------------------------------------------------ */

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

int result_set(const struct corpus *corpus, const struct corpus_options *options,
               struct tally *tally, xy_job *job, const struct best *best)
{
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
    tally_add(tally, job, best->count, rank);
    return XY_OK;
}

void *result_compile(const xy_host *host, const xy_template *templates, const char *source)
{
    char why[256];
    void *compiled = templates->compile(xy_text(source), why, sizeof(why));
    if (!compiled)
        xy_log_line(host, XY_LOG_ERROR, "`query`: %s", why);
    return compiled;
}
