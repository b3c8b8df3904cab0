/* SPDX-License-Identifier: Apache-2.0 */
/* values.llm - the values of an attribute, asked of a model until there are enough of them or it
 * has no more to give (AttrPrompt, Yu et al. 2023, section 3.1: attribute values from the model
 * itself, those that depend on the class for each class anew). */
#include <stdlib.h>

#include "distinct.h"
#include "list_call.h"
#include "values.h"

enum { SHORTFALLS_SAID = 20 }; /* lines of the log for records that got less than they wanted */

/* Sums over all records of the step, for its scores. */
struct totals {
    uint64_t records, asked, distinct, wanted, repeated, long_ones, refused, dry;
};

struct llm {
    struct list_call call;
    const char *into, *emit, *normalise;
    int64_t count, per_ask, most_dry, most_asks, most_words;
    double similar;
    const xy_host *host;
    const xy_rng *rng;
    const xy_report *report;
    struct totals totals;
    uint64_t said;
};

#define AT(member) offsetof(struct llm, member)

static const xy_option options[] = {
    {.name = "prompt", .type = XY_OPT_TEMPLATE, .offset = AT(call.prompt),
     .flags = XY_OPT_REQUIRED,
     .help = "A template of the prompt. Beside the record's fields it has `wanted`, how many "
             "values are asked for, and `have`, the list of those that there are."},
    LIST_CALL_OPTIONS(struct llm, call, "keep"),
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "value",
     .help = "The field set to a value, or to the list of them."},
    {.name = "emit", .type = XY_OPT_TEXT, .offset = AT(emit), .def = "records",
     .choices = "records|list",
     .help = "Whether each value makes a record, a copy of the one that came in, or the record "
             "gets the list of them."},
    {.name = "count", .type = XY_OPT_INT, .offset = AT(count), .def = "10", .low = 1,
     .high = 100000, .help = "How many distinct values are wanted."},
    {.name = "per_ask", .type = XY_OPT_INT, .offset = AT(per_ask), .def = "0", .low = 0,
     .high = 100000,
     .help = "How many are asked for at once at most; 0: all that are missing."},
    {.name = "dry", .type = XY_OPT_INT, .offset = AT(most_dry), .def = "2", .low = 1, .high = 1000,
     .help = "After how many askings in a row that brought nothing new the model counts as having "
             "no more."},
    {.name = "most_asks", .type = XY_OPT_INT, .offset = AT(most_asks), .def = "20", .low = 1,
     .high = 100000, .help = "After how many askings it ends in any case."},
    {.name = "normalise", .type = XY_OPT_TEXT, .offset = AT(normalise), .def = "case",
     .choices = "none|case|words",
     .help = "What is the same value: the very bytes; the text without regard to case and white "
             "space; or its words, without regard to punctuation either."},
    {.name = "similar", .type = XY_OPT_NUMBER, .offset = AT(similar), .def = "1", .low = 0,
     .high = 1,
     .help = "A value whose ROUGE-L to an earlier one is above this is not new; 1: only the same "
             "value is not."},
    {.name = "most_words", .type = XY_OPT_INT, .offset = AT(most_words), .def = "0", .low = 0,
     .high = 100000, .help = "A longer value is not taken: prose is no value. 0: any length."},
    {0},
};

static int open_llm(void *state, const xy_host *host)
{
    struct llm *llm = state;
    llm->host = host;
    llm->rng = host->service(host, XY_RNG);
    llm->report = host->service(host, XY_REPORT);
    return llm->rng ? list_call_open(&llm->call, host) : XY_EUNSUPPORTED;
}

static void close_llm(void *state)
{
    list_call_close(&((struct llm *)state)->call);
}

static int64_t estimate(const void *state)
{
    const struct llm *llm = state;
    return llm->emit[0] == 'l' ? 1 : llm->count;
}

static double estimate_calls(const void *state)
{
    const struct llm *llm = state;
    int64_t calls = llm->per_ask ? (llm->count + llm->per_ask - 1) / llm->per_ask : 1;
    return (double)(calls < llm->most_asks ? calls : llm->most_asks);
}

/* ---- one record ------------------------------------------------------------------------------ */

/* The askings for one record, or for the source. */
struct collection {
    struct llm *llm;
    xy_job *job;
    xy_record *scratch;         /* the record's fields with `have` and `wanted`; never emitted */
    struct distinct distinct;
    struct items values;
    struct text have;           /* the JSON list of the values, without its closing bracket */
    size_t asked, dry, refused; /* `dry`: in a row */
    bool lost;                  /* the last asking ended in an error */
};

static void collection_free(struct collection *all)
{
    distinct_free(&all->distinct);
    items_free(&all->values);
    text_free(&all->have);
}

static size_t count_words(xy_str text)
{
    size_t words = 0;
    for (size_t i = 0; i < text.len; i++)
        words += text.ptr[i] != ' ' && (i == 0 || text.ptr[i - 1] == ' ');
    return words;
}

static bool keep_value(struct collection *all, xy_str value)
{
    items_add(&all->values, value);
    text_add_literal(&all->have, all->values.count > 1 ? "," : "[");
    text_add_json(&all->have, value);
    return !all->values.failed && !all->have.failed;
}

/* How many of the items were new; negative: XY_ENOMEM. */
static int take(struct collection *all, const struct items *items)
{
    struct llm *llm = all->llm;
    int fresh = 0;
    for (size_t i = 0; i < items->count && all->values.count < (size_t)llm->count; i++) {
        xy_str item = items_at(items, i);
        if (llm->most_words && count_words(item) > (size_t)llm->most_words) {
            llm->totals.long_ones++;
            continue;
        }
        int code = distinct_add(&all->distinct, item, NULL);
        if (code < 0 || (code == XY_OK && !keep_value(all, item)))
            return XY_ENOMEM;
        fresh += code == XY_OK;
        llm->totals.repeated += code != XY_OK;
    }
    return fresh;
}

/* ---- its end --------------------------------------------------------------------------------- */

static void say_score(const struct llm *llm, xy_job *job, const char *name, double value,
                      const char *unit, const char *help)
{
    xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = __builtin_nan(""),
                      .high = __builtin_nan(""), .unit = unit, .n = llm->totals.records,
                      .help = help};
    llm->report->score(job, &score);
}

static void report(const struct llm *llm, xy_job *job)
{
    const struct totals *totals = &llm->totals;
    if (!llm->report)
        return;
    say_score(llm, job, "distinct", (double)totals->distinct, "",
              "distinct values, of all records");
    say_score(llm, job, "filled", (double)totals->distinct / (double)totals->wanted, "share",
              "distinct values over those that were wanted");
    say_score(llm, job, "asked", (double)totals->asked, "", "askings");
    say_score(llm, job, "dry", (double)totals->dry, "",
              "records for which the model had no more to give");
    say_score(llm, job, "repeated", (double)totals->repeated, "",
              "items of answers that were there already");
    say_score(llm, job, "refused", (double)totals->refused, "",
              "answers that were an apology in place of a list");
    if (llm->most_words)
        say_score(llm, job, "too_long", (double)totals->long_ones, "",
                  "items of more than `most_words` words");
}

static void say_short(struct llm *llm, const struct collection *all)
{
    size_t count = all->values.count;
    bool dry = all->dry >= (size_t)llm->most_dry;
    const char *why = all->lost ? "ended in an error"
                      : dry     ? "brought nothing new in a row"
                                : "is the limit of `most_asks`";
    size_t last = all->lost ? 1 : dry ? all->dry : all->asked;
    const xy_record *input = all->job->api->input(all->job, 0);
    if (llm->said++ < SHORTFALLS_SAID)
        xy_log_line(llm->host, XY_LOG_WARNING,
                    "record %016llx: %zu of %lld values after %zu askings: %zu %s%s%s",
                    (unsigned long long)(input ? input->api->id(input) : 0), count,
                    (long long)llm->count, all->asked, last, why,
                    all->refused ? "; the model refuses" : "",
                    llm->said == SHORTFALLS_SAID ? " (further ones are not said)" : "");
}

static int emit(const struct collection *all)
{
    xy_job *job = all->job;
    const xy_record *input = job->api->input(job, 0);
    bool list = all->llm->emit[0] == 'l';
    for (size_t i = 0; i < (list ? 1 : all->values.count); i++) {
        xy_record *record = job->api->new_record(job, input);
        int code = XY_ENOMEM;
        if (record && list)
            code = xy_record_set_json(record, all->llm->into,
                                      (xy_str){all->have.bytes, all->have.length});
        else if (record)
            code = xy_record_set_text(record, all->llm->into, items_at(&all->values, i));
        if (code >= 0)
            code = job->api->emit(job, record);
        if (code < 0)
            return xy_fail(job, code, "a value cannot be set on `%s`", all->llm->into);
    }
    return input ? XY_CONSUMED : XY_END;
}

static int conclude(struct collection *all)
{
    struct llm *llm = all->llm;
    xy_job *job = all->job;
    size_t count = all->values.count;
    llm->totals.records++;
    llm->totals.distinct += count;
    llm->totals.wanted += (uint64_t)llm->count;
    llm->totals.dry += all->dry >= (size_t)llm->most_dry;
    report(llm, job);
    if (count < (size_t)llm->count)
        say_short(llm, all);
    if (count == 0) {
        const char *why = all->refused ? "the model refuses" : "no answer held a list";
        int verdict = job->api->input(job, 0) ? XY_DROP : XY_EUPSTREAM;
        return xy_say(job, verdict, "no value after %zu askings: %s", all->asked, why);
    }
    text_add_literal(&all->have, "]");
    return all->have.failed ? xy_fail(job, XY_ENOMEM, "out of memory") : emit(all);
}

static void end(struct collection *all, int verdict)
{
    xy_job *job = all->job;
    collection_free(all);
    job->api->finish(job, verdict);
}

/* ---- its askings ----------------------------------------------------------------------------- */

static void answered(xy_job *job, void *user, const xy_reply *reply, const struct items *items);

static int ask(struct collection *all)
{
    struct llm *llm = all->llm;
    xy_job *job = all->job;
    int64_t missing = llm->count - (int64_t)all->values.count;
    int64_t wanted = llm->per_ask && llm->per_ask < missing ? llm->per_ask : missing;
    size_t length = all->have.length;
    text_add_literal(&all->have, length ? "]" : "[]");
    int code = all->have.failed ? XY_ENOMEM
                                : xy_record_set_json(all->scratch, "have",
                                                     (xy_str){all->have.bytes, all->have.length});
    all->have.length = length;
    if (code >= 0)
        code = xy_record_set_int(all->scratch, "wanted", wanted);
    if (code < 0)
        return xy_fail(job, code, "the prompt's fields `have` and `wanted` cannot be set");
    uint64_t seed = llm->rng->stream(job, job->api->input(job, 0), all->asked);
    all->asked++;
    llm->totals.asked++;
    /* Where the last asking brought nothing, this prompt is the same: another sample of it. */
    return list_call_ask(&llm->call, job, all->scratch, seed, (uint32_t)all->dry, answered, all);
}

/* One asking that is lost does not take with it what the others brought, unless it is the run that
 * ends. */
static int take_error(struct collection *all, const xy_reply *reply)
{
    bool over = reply->status == XY_ECANCELED || reply->status == XY_EBUDGET ||
                reply->status == XY_ENOMEM;
    all->lost = !over && all->values.count > 0;
    if (all->lost)
        return conclude(all);
    all->job->api->explain(all->job, reply->error ? reply->error : "the model did not answer");
    return reply->status;
}

/* What becomes of the record: XY_OK when it was asked about again. */
static int go_on(struct collection *all, int fresh)
{
    const struct llm *llm = all->llm;
    all->dry = fresh ? 0 : all->dry + 1;
    /* The same prompt has one answer at temperature 0: asking again would bring it again. */
    if (!fresh && llm->call.temperature == 0)
        all->dry = (size_t)llm->most_dry;
    if (all->job->api->cancelled(all->job))
        return XY_ECANCELED;
    bool enough = all->values.count >= (size_t)llm->count || all->dry >= (size_t)llm->most_dry ||
                  all->asked >= (size_t)llm->most_asks;
    return enough ? conclude(all) : ask(all);
}

static void answered(xy_job *job, void *user, const xy_reply *reply, const struct items *items)
{
    struct collection *all = user;
    if (reply->status < 0) {
        end(all, take_error(all, reply));
        return;
    }
    int fresh = take(all, items);
    all->refused += items->refused;
    all->llm->totals.refused += items->refused;
    int code = fresh < 0 ? xy_fail(job, fresh, "out of memory") : go_on(all, fresh);
    if (code != XY_OK)
        end(all, code);
}

static int process(void *state, xy_job *job)
{
    static const char first_letters[] = "ncw"; /* in the order of enum fold */
    struct llm *llm = state;
    struct collection *all = job->api->alloc(job, sizeof(*all));
    if (!all)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    const char *letter = strchr(first_letters, llm->normalise[0]);
    *all = (struct collection){
        .llm = llm, .job = job, .scratch = job->api->new_record(job, job->api->input(job, 0)),
        .distinct = {.fold = (enum fold)(letter - first_letters + 1), .similar = llm->similar}};
    int code = all->scratch ? ask(all) : xy_fail(job, XY_ENOMEM, "out of memory");
    if (code < 0)
        collection_free(all);
    return code < 0 ? code : XY_PENDING;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{model: teacher, prompt: \"{{ wanted }} values, not {{ have }}\", count: 3}"
               : NULL;
}

static const char *const needs[] = {XY_MODEL, XY_TEMPLATE, XY_RNG, NULL};

const xy_stage values_llm = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_SOURCE,
    .state_size = sizeof(struct llm),
    .id = "values.llm",
    .version = "1.0.0",
    .summary = "Asks a model for the values of an attribute until there are enough distinct ones",
    .needs = needs,
    .options = options,
    .open = open_llm,
    .close = close_llm,
    .process = process,
    .estimate = estimate,
    .estimate_calls = estimate_calls,
    .extension = extension,
    .fields = "reads what `prompt` names, sets `into`",
};
