/* SPDX-License-Identifier: Apache-2.0 */
#include "retrieve_result.h"

#include <math.h>

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

void *result_compile(const xy_host *host, const xy_template *templates, const char *source)
{
    char why[256];
    void *compiled = templates->compile(xy_text(source), why, sizeof(why));
    if (!compiled)
        xy_log_line(host, XY_LOG_ERROR, "`query`: %s", why);
    return compiled;
}
