/* SPDX-License-Identifier: Apache-2.0 */
/* Sets chosen demonstrations on a record, and tells of those that got too few. */
#include <math.h>

#include "demos_pool.h"

enum { MOST_SAID = 8 }; /* values of `match` that the log tells of */

/* How many of the chosen fit, the best first. */
static size_t within_budget(const struct pool *pool, const struct pool_options *options,
                            const struct choice *choice)
{
    size_t bytes = 2, count = 0;
    for (; count < choice->count; count++) {
        bytes += pool->demos[choice->demos[count]].json_length + (count > 0);
        if (options->max_bytes && bytes > (size_t)options->max_bytes)
            break;
    }
    return count;
}

static void arrange(struct choice *choice)
{
    if (choice->order == ORDER_RANDOM)
        pool_draw(choice->demos, choice->count, choice->count, &choice->random);
    for (size_t i = 0; choice->order == ORDER_REVERSED && i < choice->count / 2; i++) {
        uint32_t kept = choice->demos[i];
        choice->demos[i] = choice->demos[choice->count - 1 - i];
        choice->demos[choice->count - 1 - i] = kept;
    }
}

/* "2 of 4 demonstrations: the pool has no more with `label` = "x" that may be shown to it" */
static void say_why(char *why, size_t size, const struct pool_options *options,
                    const xy_record *record, const struct choice *choice, bool cut)
{
    char scratch[NAMES_SCRATCH];
    xy_str value = options->match ? names_label(record, options->match, scratch) : xy_text("");
    int length = snprintf(why, size, "%zu of %lld demonstrations: ", choice->count,
                          (long long)options->k);
    if (length < 0 || (size_t)length >= size)
        return;
    if (cut)
        snprintf(why + length, size - (size_t)length, "`max_bytes` (%lld) allows no more",
                 (long long)options->max_bytes);
    else if (options->match && value.ptr)
        snprintf(why + length, size - (size_t)length,
                 "the pool has no more with `%s` = \"%.*s\" that may be shown to it",
                 options->match, (int)(value.len < 80 ? value.len : 80), value.ptr);
    else if (options->match)
        snprintf(why + length, size - (size_t)length,
                 "the record has no `%s`, by which to match the pool", options->match);
    else
        snprintf(why + length, size - (size_t)length,
                 "no more of the pool may be shown to it");
}

/* Counts the record; the log tells of the first with each value of `match`, of few values. */
static void tell(struct pool *pool, xy_job *job, const xy_host *host,
                 const struct pool_options *options, const xy_record *record, const char *why)
{
    const xy_report *report = host->service(host, XY_REPORT);
    char scratch[NAMES_SCRATCH];
    xy_str value = options->match ? names_label(record, options->match, scratch) : xy_text("");
    pthread_mutex_lock(&pool->lock);
    pool->short_of++;
    const xy_score score = {
        .size = sizeof(score), .name = "short", .value = (double)pool->short_of, .low = NAN,
        .high = NAN, .unit = "records",
        .help = "records that got fewer demonstrations than were asked for"};
    if (report)
        report->score(job, &score);
    bool known = names_find(&pool->said, value) != NAMES_NONE;
    bool say = !known && pool->said.count < MOST_SAID &&
               names_add(&pool->said, value) != NAMES_NONE;
    bool last = say && options->match && pool->said.count == MOST_SAID;
    pthread_mutex_unlock(&pool->lock);
    if (say)
        xy_log_line(host, XY_LOG_WARNING, "record %016llx: %s (%s; the score `short` counts all)",
                    (unsigned long long)record->api->id(record), why,
                    last ? "no further values are named"
                         : options->match ? "said once for each value" : "said once");
}

static int set_lists(const struct pool *pool, const struct pool_options *options,
                     xy_record *record, const struct choice *choice)
{
    struct text list = {0}, ids = {0};
    for (size_t i = 0; i < choice->count; i++) {
        const struct demo *demo = &pool->demos[choice->demos[i]];
        char id[24];
        snprintf(id, sizeof(id), "%s\"%016llx\"", i ? "," : "", (unsigned long long)demo->id);
        text_add_literal(&ids, i ? "" : "[");
        text_add_literal(&ids, id);
        text_add_literal(&list, i ? "," : "[");
        text_add(&list, pool->json.bytes + demo->json, demo->json_length);
    }
    text_add_literal(&ids, choice->count ? "]" : "[]");
    text_add_literal(&list, choice->count ? "]" : "[]");
    int code = list.failed || ids.failed ? XY_ENOMEM : XY_OK;
    if (code == XY_OK)
        code = xy_record_set_json(record, options->into, (xy_str){list.bytes, list.length});
    if (code >= 0)
        code = xy_record_set_json(record, options->ids, (xy_str){ids.bytes, ids.length});
    text_free(&list);
    text_free(&ids);
    return code;
}

int pool_give(struct pool *pool, xy_job *job, const xy_host *host,
              const struct pool_options *options, xy_record *record, struct choice *choice)
{
    size_t fitting = within_budget(pool, options, choice);
    bool cut = fitting < choice->count;
    choice->count = fitting;
    arrange(choice);
    int code = set_lists(pool, options, record, choice);
    if (code < 0)
        return xy_fail(job, code, "the demonstrations cannot be set on `%s`", options->into);
    if (choice->count >= (size_t)options->k || choice->none)
        return XY_OK;
    char why[320];
    say_why(why, sizeof(why), options, record, choice, cut);
    tell(pool, job, host, options, record, why);
    return choice->count < (size_t)options->least ? xy_drop(job, "%s", why) : XY_OK;
}
