/* SPDX-License-Identifier: Apache-2.0 */
/* vote - one label from several: the majority of the samples, or of the fields, of one record. */
#include <math.h>
#include <stdlib.h>

#include "scores.h"
#include "vote_groups.h"

enum { POLL = 4096 };

struct vote {
    const xy_host *host;
    const char *field, *by, *weight, *keep, *share;
    const char *const *fields, *const *abstain;
    const xy_report *report;
};

/* Over all groups. */
struct figures {
    uint64_t groups, voted, unanimous, ballots, votes, weightless;
    double entropy, equal, pairs;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct vote, field),
     .def = "label", .help = "The field whose values are the votes; it takes the winner's value."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = offsetof(struct vote, fields),
     .help = "Several fields of a record, in place of `field`, each a vote: the answers to several "
             "prompts."},
    {.name = "abstain", .type = XY_OPT_LIST, .offset = offsetof(struct vote, abstain),
     .help = "Values that are no votes, such as `unknown`."},
    {.name = "by", .type = XY_OPT_FIELD, .offset = offsetof(struct vote, by),
     .help = "Records with the same value of this vote together; otherwise the samples that were "
             "made from one record do, or, with `fields`, each record's own."},
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

static int open_vote(void *state, const xy_host *host)
{
    struct vote *vote = state;
    vote->host = host;
    vote->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    return XY_OK;
}

/* The fields that vote, and how many. */
static const char *const *voters(const struct vote *vote, size_t *count)
{
    *count = 1;
    if (!vote->fields || !vote->fields[0])
        return &vote->field;
    while (vote->fields[*count])
        ++*count;
    return vote->fields;
}

static xy_str group_of(const struct vote *vote, const xy_record *record,
                       char scratch[NAMES_SCRATCH])
{
    xy_str value = {NULL, 0};
    if (vote->by)
        value = names_label(record, vote->by, scratch);
    if (value.ptr)
        return value;
    /* A record that nothing connects to others is a group of its own. */
    bool alone = vote->by || (vote->fields && vote->fields[0]);
    uint64_t parent = alone ? 0 : record->api->parent(record);
    snprintf(scratch, NAMES_SCRATCH, "%s%016llx", vote->by ? "\x01" : "",
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

/* The label that a field votes for; {NULL, 0} when it does not vote. */
static xy_str vote_of(const struct vote *vote, const xy_record *record, const char *field,
                      char scratch[NAMES_SCRATCH])
{
    xy_str label = names_label(record, field, scratch);
    for (size_t i = 0; label.ptr && vote->abstain && vote->abstain[i]; i++)
        if (strlen(vote->abstain[i]) == label.len &&
            memcmp(vote->abstain[i], label.ptr, label.len) == 0)
            return (xy_str){NULL, 0};
    return label;
}

static int read_record(const struct vote *vote, const xy_record *record, size_t ballot,
                       struct ballots *ballots)
{
    size_t count;
    const char *const *fields = voters(vote, &count);
    char scratch[NAMES_SCRATCH];
    uint32_t group = names_add(&ballots->groups, group_of(vote, record, scratch));
    if (group == NAMES_NONE)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++, ballot++) {
        xy_str label = vote_of(vote, record, fields[i], scratch);
        ballots->group[ballot] = group;
        ballots->label[ballot] = label.ptr ? names_add(&ballots->labels, label) : NAMES_NONE;
        ballots->weight[ballot] = weight_of(vote, record);
        if (label.ptr && ballots->label[ballot] == NAMES_NONE)
            return XY_ENOMEM;
    }
    return XY_OK;
}

static int read_ballots(const struct vote *vote, xy_job *job, xy_dataset *input,
                        struct ballots *ballots)
{
    uint64_t count = input->api->count(input);
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        int code = read_record(vote, input->api->at(input, i), i * ballots->each, ballots);
        if (code < 0)
            return code;
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

/* The winner's value with its type, which a name has lost: copied from the record that has it. */
static void copy_value(const struct vote *vote, xy_job *job, xy_dataset *input,
                       const struct ballots *ballots, size_t ballot, xy_value *value)
{
    size_t count;
    const char *const *fields = voters(vote, &count);
    memset(value, 0, sizeof(*value));
    const xy_record *record = input->api->at(input, ballot / ballots->each);
    record->api->get(record, fields[ballot % ballots->each], value);
    if (value->type != XY_TEXT)
        return;
    char *copy = job->api->alloc(job, value->text.len + 1);
    memcpy(copy, value->text.ptr, value->text.len);
    value->text.ptr = copy;
}

static int drop(const struct vote *vote, xy_dataset *input, const struct ballots *ballots,
                size_t record, const struct outcome *outcome)
{
    char why[320];
    bool won = false;
    for (size_t i = 0; i < ballots->each; i++)
        won = won || ballots->label[record * ballots->each + i] == outcome->label;
    if (outcome->label == NAMES_NONE)
        snprintf(why, sizeof(why), "no record of its group has a %s`%.100s`",
                 ballots->each > 1 ? "vote for " : "", vote->field);
    else
        snprintf(why, sizeof(why), "%s: \"%.100s\" has %.3g of %zu votes",
                 won ? "another record stands for its vote" : "outvoted",
                 names_at(&ballots->labels, outcome->label).ptr, outcome->share, outcome->votes);
    return input->api->verdict(input, record, XY_DROP, why);
}

static int settle(const struct vote *vote, xy_job *job, xy_dataset *input,
                  const struct ballots *ballots, uint32_t group, const struct outcome *outcome)
{
    bool one = strcmp(vote->keep, "one") == 0, decided = outcome->label != NAMES_NONE;
    xy_value value;
    if (decided)
        copy_value(vote, job, input, ballots, outcome->first, &value);
    int code = XY_OK;
    for (size_t i = ballots->starts[group]; i < ballots->starts[group + 1] && code >= 0; i++) {
        if (ballots->members[i] % ballots->each > 0)
            continue; /* another vote of the same record */
        size_t index = ballots->members[i] / ballots->each;
        if (one && (!decided || index != outcome->first / ballots->each)) {
            code = drop(vote, input, ballots, index, outcome);
            continue;
        }
        xy_record *record = input->api->edit(input, index);
        code = annotate(vote, record, outcome);
        if (code >= 0 && decided)
            code = record->api->set(record, vote->field, &value);
    }
    return code < 0 ? code : XY_OK;
}

static void add_figures(struct figures *figures, const struct outcome *outcome, size_t ballots)
{
    double votes = (double)outcome->votes;
    figures->groups++;
    figures->voted += outcome->votes > 0;
    figures->weightless += outcome->votes > 0 && !(outcome->share > 0);
    figures->ballots += ballots;
    figures->votes += outcome->votes;
    figures->entropy += outcome->entropy;
    figures->equal += outcome->equal;
    figures->pairs += votes * (votes - 1) / 2;
    figures->unanimous += outcome->votes > 0 && outcome->equal >= votes * (votes - 1) / 2;
}

static void report(const struct vote *vote, xy_job *job, const struct figures *figures)
{
    const struct score_sink sink = {vote->report, job, NULL};
    if (figures->weightless)
        xy_log_line(vote->host, XY_LOG_WARNING, "the votes of %llu of %llu groups all count 0 by "
                    "`%s`: the first one wins, with a share of 0",
                    (unsigned long long)figures->weightless, (unsigned long long)figures->voted,
                    vote->weight);
    if (!vote->report || figures->groups == 0)
        return;
    scores_value(&sink, "undecided", (double)(figures->groups - figures->voted), "groups",
                 figures->groups, "groups in which nobody voted");
    scores_value(&sink, "abstained", (double)(figures->ballots - figures->votes), "votes",
                 figures->ballots, "votes that were not given");
    if (figures->voted == 0)
        return;
    scores_value(&sink, "unanimous", (double)figures->unanimous / (double)figures->voted, "share",
                 figures->voted, "share of groups in which all votes are the same");
    scores_value(&sink, "mean_entropy", figures->entropy / (double)figures->voted, "bits",
                 figures->voted, "mean over groups of the entropy of their votes");
    if (figures->pairs > 0)
        scores_value(&sink, "pair_agreement", figures->equal / figures->pairs, "share",
                     figures->voted, "share of pairs of votes within a group that are the same");
}

static int count_all(const struct vote *vote, xy_job *job, xy_dataset *input,
                     const struct ballots *ballots)
{
    struct tally *tallies = calloc((size_t)ballots->labels.count + 1, sizeof(*tallies));
    struct figures figures = {.groups = 0};
    if (!tallies)
        return XY_ENOMEM;
    int code = XY_OK;
    for (uint32_t group = 0; group < ballots->groups.count && code == XY_OK; group++) {
        struct outcome outcome = ballots_count(ballots, group, tallies);
        add_figures(&figures, &outcome, ballots->starts[group + 1] - ballots->starts[group]);
        code = settle(vote, job, input, ballots, group, &outcome);
    }
    free(tallies);
    if (code == XY_OK)
        report(vote, job, &figures);
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct vote *vote = state;
    struct ballots ballots;
    size_t each;
    voters(vote, &each);
    int code = ballots_init(&ballots, input->api->count(input), each);
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
    .version = "1.1.0",
    .summary = "One label from several samples or fields, by the majority of their votes",
    .options = options,
    .open = open_vote,
    .run = run,
    .fields = "reads `field` or `fields`, `by` and `weight`; sets `field`, `share`, `votes` and "
              "vote_entropy",
};

XY_PLUGIN("vote", "1.1.0", "Apache-2.0", &vote_stage)
