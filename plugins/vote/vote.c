/* SPDX-License-Identifier: Apache-2.0 */
/* vote - one label from several: the majority of the samples of one record. */
#include <math.h>
#include <stdlib.h>

#include "vote_groups.h"

enum { POLL = 4096 };

struct vote {
    const char *field, *by, *weight, *keep, *share;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct vote, field),
     .def = "label", .help = "The field whose values are the votes; it takes the winner's value."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = offsetof(struct vote, by),
     .help = "Records with the same value of this vote together; otherwise the samples that were "
             "made from one record do."},
    {.name = "weight", .type = XY_OPT_FIELD, .offset = offsetof(struct vote, weight),
     .help = "A number field, such as a confidence, that says how much a vote counts."},
    {.name = "keep", .type = XY_OPT_TEXT, .offset = offsetof(struct vote, keep), .def = "one",
     .choices = "one|all",
     .help = "`one`: the first record that voted for the winner stays, the others are dropped; "
             "`all`: every record stays and takes the winner's value."},
    {.name = "share", .type = XY_OPT_FIELD, .offset = offsetof(struct vote, share),
     .def = "vote_share", .help = "The field that takes the winner's share of the votes."},
    {0},
};

static xy_str group_of(const struct vote *vote, const xy_record *record,
                       char scratch[NAMES_SCRATCH])
{
    xy_str value = {NULL, 0};
    if (vote->by)
        value = names_label(record, vote->by, scratch);
    if (value.ptr)
        return value;
    /* A record that nothing connects to others is a group of its own. */
    uint64_t parent = vote->by ? 0 : record->api->parent(record);
    if (vote->by)
        snprintf(scratch, NAMES_SCRATCH, "\x01%016llx",
                 (unsigned long long)record->api->id(record));
    else
        snprintf(scratch, NAMES_SCRATCH, "%016llx",
                 (unsigned long long)(parent ? parent : record->api->id(record)));
    return xy_text(scratch);
}

static double weight_of(const struct vote *vote, const xy_record *record)
{
    if (!vote->weight)
        return 1;
    double weight = names_number(record, vote->weight, 0);
    return weight > 0 && isfinite(weight) ? weight : 0;
}

static int read_ballots(const struct vote *vote, xy_job *job, xy_dataset *input,
                        struct ballots *ballots)
{
    for (size_t i = 0; i < ballots->count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        const xy_record *record = input->api->at(input, i);
        char scratch[NAMES_SCRATCH];
        ballots->group[i] = names_add(&ballots->groups, group_of(vote, record, scratch));
        xy_str label = names_label(record, vote->field, scratch);
        ballots->label[i] = label.ptr ? names_add(&ballots->labels, label) : NAMES_NONE;
        ballots->weight[i] = weight_of(vote, record);
        if (ballots->group[i] == NAMES_NONE || (label.ptr && ballots->label[i] == NAMES_NONE))
            return XY_ENOMEM;
    }
    return ballots_sort(ballots);
}

static int annotate(const struct vote *vote, xy_record *record, const struct outcome *outcome)
{
    int code = xy_record_set_number(record, vote->share, outcome->share);
    if (code >= 0)
        code = xy_record_set_int(record, "votes", (int64_t)outcome->votes);
    if (code >= 0)
        code = xy_record_set_number(record, "vote_entropy", outcome->entropy);
    return code;
}

static int keep_one(const struct vote *vote, xy_dataset *input, const struct ballots *ballots,
                    uint32_t group, const struct outcome *outcome)
{
    for (size_t i = ballots->starts[group]; i < ballots->starts[group + 1]; i++) {
        size_t record = ballots->members[i];
        char why[256];
        if (outcome->label == NAMES_NONE) {
            snprintf(why, sizeof(why), "no record of its group has a `%.100s`", vote->field);
        } else if (record == outcome->first) {
            int code = annotate(vote, input->api->edit(input, record), outcome);
            if (code < 0)
                return code;
            continue;
        } else {
            xy_str winner = names_at(&ballots->labels, outcome->label);
            bool won = ballots->label[record] == outcome->label;
            snprintf(why, sizeof(why), "%s: \"%.100s\" has %.3g of %zu votes",
                     won ? "another record stands for its vote" : "outvoted", winner.ptr,
                     outcome->share, outcome->votes);
        }
        int code = input->api->verdict(input, record, XY_DROP, why);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

/* The winner's value with its type, which a name has lost: copied from the record that has it. */
static int copy_value(const struct vote *vote, xy_job *job, xy_dataset *input, size_t from,
                      xy_value *value)
{
    memset(value, 0, sizeof(*value));
    const xy_record *record = input->api->at(input, from);
    record->api->get(record, vote->field, value);
    if (value->type != XY_TEXT)
        return XY_OK;
    char *copy = job->api->alloc(job, value->text.len + 1);
    memcpy(copy, value->text.ptr, value->text.len);
    value->text.ptr = copy;
    return XY_OK;
}

static int keep_all(const struct vote *vote, xy_job *job, xy_dataset *input,
                    const struct ballots *ballots, uint32_t group, const struct outcome *outcome)
{
    xy_value value;
    int code = XY_OK;
    if (outcome->label != NAMES_NONE)
        code = copy_value(vote, job, input, outcome->first, &value);
    for (size_t i = ballots->starts[group]; i < ballots->starts[group + 1] && code >= 0; i++) {
        xy_record *record = input->api->edit(input, ballots->members[i]);
        code = annotate(vote, record, outcome);
        if (code >= 0 && outcome->label != NAMES_NONE)
            code = record->api->set(record, vote->field, &value);
    }
    return code < 0 ? code : XY_OK;
}

static int count_all(const struct vote *vote, xy_job *job, xy_dataset *input,
                     const struct ballots *ballots)
{
    bool one = strcmp(vote->keep, "one") == 0;
    double *totals = calloc((size_t)ballots->labels.count + 1, sizeof(*totals));
    if (!totals)
        return XY_ENOMEM;
    int code = XY_OK;
    for (uint32_t group = 0; group < ballots->groups.count && code == XY_OK; group++) {
        struct outcome outcome = ballots_count(ballots, group, totals);
        code = one ? keep_one(vote, input, ballots, group, &outcome)
                   : keep_all(vote, job, input, ballots, group, &outcome);
    }
    free(totals);
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct vote *vote = state;
    struct ballots ballots;
    int code = ballots_init(&ballots, input->api->count(input));
    if (code == XY_OK)
        code = read_ballots(vote, job, input, &ballots);
    if (code == XY_OK)
        code = count_all(vote, job, input, &ballots);
    ballots_free(&ballots);
    return code;
}

static const xy_stage vote_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct vote),
    .id = "vote",
    .version = "1.0.0",
    .summary = "One label from several samples, by the majority of their votes",
    .options = options,
    .run = run,
    .fields = "reads `field`, `by` and `weight`; sets `field`, `share`, `votes` and `vote_entropy`",
};

XY_PLUGIN("vote", "1.0.0", "Apache-2.0", &vote_stage)
