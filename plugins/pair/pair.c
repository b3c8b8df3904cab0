/* SPDX-License-Identifier: Apache-2.0 */
/* pair - a better and a worse answer to the same prompt, from the scores of several: what a reward
 * model or a direct preference optimisation learns from (Rafailov et al. 2023, section 4). */
#include "pair.h"

#include <math.h>
#include <stdlib.h>

#include "pair_groups.h"
#include "scores.h"

enum { POLL = 4096, WHY = 256 };

struct pair {
    const char *field, *score, *by, *method;
    double margin;
    const xy_report *report;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct pair, field), .def = "text",
     .help = "The field with the answer."},
    {.name = "score", .type = XY_OPT_FIELD, .offset = offsetof(struct pair, score), .def = "score",
     .help = "The number field that says how good it is; more is better."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = offsetof(struct pair, by),
     .help = "Answers with the same value of this are compared; otherwise the samples that were "
             "made from one record are."},
    {.name = "method", .type = XY_OPT_TEXT, .offset = offsetof(struct pair, method),
     .def = "best_worst", .choices = "best_worst|adjacent|all",
     .help = "`best_worst`: one pair of each group; `adjacent`: each answer with the next worse "
             "one; `all`: each with every worse one, n(n-1)/2 of n answers."},
    {.name = "margin", .type = XY_OPT_NUMBER, .offset = offsetof(struct pair, margin), .def = "0",
     .low = 0, .high = 1e9,
     .help = "Makes no pair of answers whose scores are less than this apart; equal scores never "
             "make one."},
    {0},
};

/* What became of one answer; and of all. */
struct fate {
    uint32_t won, lost;
    char why[WHY]; /* empty: nothing kept it from being compared */
};

struct work {
    const struct pair *pair;
    xy_job *job;
    xy_dataset *input;
    struct answers answers;
    struct fate *fates; /* of each record */
    size_t pairs, groups, groups_with;
    double apart; /* sum of the scores' differences */
};

static int open_pair(void *state, const xy_host *host)
{
    struct pair *pair = state;
    pair->report = host->service(host, XY_REPORT);
    return XY_OK;
}

static xy_str group_of(const struct pair *pair, const xy_record *record,
                       char scratch[NAMES_SCRATCH])
{
    if (pair->by)
        return names_label(record, pair->by, scratch);
    uint64_t parent = record->api->parent(record);
    snprintf(scratch, NAMES_SCRATCH, "%016llx",
             (unsigned long long)(parent ? parent : record->api->id(record)));
    return xy_text(scratch);
}

static int read_answers(struct work *work)
{
    const struct pair *pair = work->pair;
    for (size_t i = 0; i < work->answers.count; i++) {
        if (i % POLL == 0 && work->job->api->cancelled(work->job))
            return XY_ECANCELED;
        const xy_record *record = work->input->api->at(work->input, i);
        struct answer *answer = &work->answers.list[i];
        char scratch[NAMES_SCRATCH];
        xy_str group = group_of(pair, record, scratch);
        xy_str text = xy_record_text(record, pair->field);
        double score = names_number(record, pair->score, NAN);
        *answer = (struct answer){i, NAMES_NONE, NAMES_NONE, isfinite(score) ? score : NAN};
        char *why = work->fates[i].why;
        if (!group.ptr)
            snprintf(why, WHY, "it has no `%.100s` to be compared by", pair->by);
        else if (!text.len)
            snprintf(why, WHY, "it has no text `%.100s`", pair->field);
        else if (isnan(answer->score))
            snprintf(why, WHY, "it has no number `%.100s`", pair->score);
        if (group.ptr && (answer->group = names_add(&work->answers.groups, group)) == NAMES_NONE)
            return XY_ENOMEM;
        if (text.len && (answer->text = names_add(&work->answers.texts, text)) == NAMES_NONE)
            return XY_ENOMEM;
    }
    answers_rank(&work->answers);
    return XY_OK;
}

static int fill(const struct work *work, xy_record *record, const struct answer *chosen,
                const struct answer *rejected)
{
    const struct names *texts = &work->answers.texts;
    int code = xy_record_set_text(record, "chosen", names_at(texts, chosen->text));
    if (code >= 0)
        code = xy_record_set_text(record, "rejected", names_at(texts, rejected->text));
    if (code >= 0)
        code = xy_record_set_number(record, "chosen_score", chosen->score);
    if (code >= 0)
        code = xy_record_set_number(record, "rejected_score", rejected->score);
    return code;
}

/* An answer's first pair is the answer's own record; each further one is a record made from it. */
static int make_pair(struct work *work, const struct answer *chosen, const struct answer *rejected)
{
    struct fate *fate = &work->fates[chosen->record];
    xy_record *record = work->input->api->edit(work->input, chosen->record);
    if (record && fate->won)
        record = work->job->api->new_record(work->job, record);
    if (!record)
        return XY_ENOMEM;
    int code = fill(work, record, chosen, rejected);
    if (code >= 0 && fate->won)
        code = work->job->api->emit(work->job, record);
    fate->won++;
    work->fates[rejected->record].lost++;
    work->pairs++;
    work->apart += chosen->score - rejected->score;
    return code < 0 ? code : XY_OK;
}

/* Why two answers make no pair; NULL when they make one. */
static const char *no_pair(const struct pair *pair, const struct answer *better,
                           const struct answer *worse)
{
    double apart = better->score - worse->score;
    if (apart <= 0)
        return "a tie";
    if (apart < pair->margin)
        return "less than the margin apart";
    return better->text == worse->text ? "the same text" : NULL;
}

static enum pair_method method_of(const struct pair *pair)
{
    if (strcmp(pair->method, "all") == 0)
        return PAIR_ALL;
    return strcmp(pair->method, "adjacent") == 0 ? PAIR_ADJACENT : PAIR_BEST_WORST;
}

static void explain_tie(struct work *work, const struct answer *one, const struct answer *other,
                        const char *reason)
{
    char *why = work->fates[one->record].why;
    snprintf(why, WHY, "no pair, %s: the scores are %g and %g", reason, one->score, other->score);
}

/* The ranked answers of one group; only the first `count` can be compared. */
static int pair_group(struct work *work, const struct answer *ranked, size_t size, size_t count)
{
    size_t first = 0, second = 0, before = work->pairs;
    if (count == 1)
        snprintf(work->fates[ranked[0].record].why, WHY,
                 "it is alone: no other answer of its group can be compared with it");
    if (count && work->pair->method[0] == 'b') {
        for (size_t i = 1; i + 1 < count; i++)
            snprintf(work->fates[ranked[i].record].why, WHY,
                     "neither the best nor the worst of its group: the scores go from %g to %g",
                     ranked[count - 1].score, ranked[0].score);
    }
    while (pair_next(method_of(work->pair), count, &first, &second)) {
        if (first + 1 == second && work->job->api->cancelled(work->job))
            return XY_ECANCELED;
        const char *reason = no_pair(work->pair, &ranked[first], &ranked[second]);
        if (reason) {
            explain_tie(work, &ranked[first], &ranked[second], reason);
            explain_tie(work, &ranked[second], &ranked[first], reason);
            continue;
        }
        int code = make_pair(work, &ranked[first], &ranked[second]);
        if (code < 0)
            return code;
    }
    work->groups += size > 0;
    work->groups_with += work->pairs > before;
    return XY_OK;
}

static int pair_all(struct work *work)
{
    const struct answers *answers = &work->answers;
    for (size_t from = 0, to; from < answers->count; from = to) {
        size_t count = 0;
        uint32_t group = answers->list[from].group;
        for (to = from; to < answers->count && answers->list[to].group == group; to++)
            count += answer_counts(&answers->list[to]);
        int code = group == NAMES_NONE ? XY_OK
                                       : pair_group(work, answers->list + from, to - from, count);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

/* A record that won goes on as its pair; every other one is dropped, and says why. */
static int settle(const struct work *work)
{
    int code = XY_OK;
    for (size_t i = 0; i < work->answers.count && code >= 0; i++) {
        const struct fate *fate = &work->fates[i];
        if (fate->won)
            continue;
        code = work->input->api->verdict(work->input, i, XY_DROP,
                                         fate->lost ? "it is the rejected answer of a pair"
                                                    : fate->why);
    }
    return code < 0 ? code : XY_OK;
}

static void report(const struct work *work)
{
    struct score_sink sink = {.report = work->pair->report, .job = work->job};
    if (!sink.report)
        return;
    scores_value(&sink, "pairs", (double)work->pairs, "pairs", work->answers.count,
                 "pairs of a better and a worse answer");
    scores_value(&sink, "groups_paired",
                 work->groups ? (double)work->groups_with / (double)work->groups : NAN, "share",
                 work->groups, "groups of answers that made a pair");
    scores_value(&sink, "mean_margin", work->pairs ? work->apart / (double)work->pairs : NAN, "",
                 work->pairs, "how far apart the scores of a pair are");
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    struct work work = {.pair = state, .job = job, .input = input};
    size_t count = input->api->count(input);
    work.fates = calloc(count + 1, sizeof(*work.fates));
    int code = answers_init(&work.answers, count);
    if (!work.fates)
        code = XY_ENOMEM;
    if (code == XY_OK)
        code = read_answers(&work);
    if (code == XY_OK)
        code = pair_all(&work);
    if (code == XY_OK)
        code = settle(&work);
    if (code == XY_OK)
        report(&work);
    free(work.fates);
    answers_free(&work.answers);
    return code;
}

static const xy_stage pair_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct pair),
    .id = "pair",
    .version = "1.0.0",
    .summary = "Pairs of a better and a worse answer to the same prompt, by their scores",
    .options = options,
    .open = open_pair,
    .run = run,
    .fields = "reads `field`, `score` and `by`; sets `chosen`, `rejected`, `chosen_score` and "
              "`rejected_score`",
};

XY_PLUGIN("pair", "1.0.0", "Apache-2.0", &pair_stage, &prefer_stage)
