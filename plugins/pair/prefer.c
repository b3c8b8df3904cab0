/* SPDX-License-Identifier: Apache-2.0 */
/* prefer - a judge's choice between two answers of one record as a pair with a soft label: AI
 * feedback in the manner of Constitutional AI (Bai et al. 2022, section 4.1). */
#include "pair.h"

#include <math.h>

#include "json_reader.h"
#include "names.h"

struct prefer {
    const char *first, *second;
    const char *const *judged, *const *swapped, *const *labels;
    const char *tie;
    double clamp, margin;
};

static const xy_option options[] = {
    {.name = "first", .type = XY_OPT_FIELD, .offset = offsetof(struct prefer, first),
     .def = "first", .help = "The field with the answer that was shown first."},
    {.name = "second", .type = XY_OPT_FIELD, .offset = offsetof(struct prefer, second),
     .def = "second", .help = "The field with the other answer."},
    {.name = "judged", .type = XY_OPT_LIST, .offset = offsetof(struct prefer, judged),
     .def = "preferred",
     .help = "Fields with a judge's choice, each one of `labels` or `tie`; where a `score` step "
             "wrote it, its probabilities beside it, in NAME_probabilities, count in its place."},
    {.name = "swapped", .type = XY_OPT_LIST, .offset = offsetof(struct prefer, swapped),
     .help = "The same of judges that were shown the answers the other way round; all judges count "
             "alike."},
    {.name = "labels", .type = XY_OPT_LIST, .offset = offsetof(struct prefer, labels),
     .def = "[A, B]", .help = "What a judge calls the answer shown first, and the other."},
    {.name = "tie", .type = XY_OPT_TEXT, .offset = offsetof(struct prefer, tie), .def = "tie",
     .help = "What a judge says who finds none better."},
    {.name = "clamp", .type = XY_OPT_NUMBER, .offset = offsetof(struct prefer, clamp), .def = "1",
     .low = 0.5, .high = 1,
     .help = "Holds the label's probability to at most this: 0.6 for a judge that reasons first "
             "and is then too sure of itself."},
    {.name = "margin", .type = XY_OPT_NUMBER, .offset = offsetof(struct prefer, margin),
     .def = "0", .low = 0, .high = 1,
     .help = "Drops the record when the two probabilities are less than this apart; even ones are "
             "always dropped."},
    {0},
};

static int open_prefer(void *state, const xy_host *host)
{
    const struct prefer *prefer = state;
    size_t labels = 0;
    while (prefer->labels && prefer->labels[labels])
        labels++;
    if (labels == 2 && strcmp(prefer->labels[0], prefer->labels[1]) != 0)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`labels`: expected two different names, as in [A, B]");
    return XY_EINVAL;
}

/* The probability that NAME_probabilities gives to the answer shown first; NaN: it says nothing. */
static double from_probabilities(const struct prefer *prefer, const xy_record *record,
                                 const char *name)
{
    char field[160];
    snprintf(field, sizeof(field), "%.127s_probabilities", name);
    xy_str map = json_check(xy_record_text(record, field));
    double shares[2];
    for (size_t i = 0; i < 2; i++) {
        shares[i] = json_number(json_member(map, prefer->labels[i]), NAN);
        if (!(shares[i] >= 0) || !isfinite(shares[i]))
            return NAN;
    }
    double sum = shares[0] + shares[1];
    return sum > 0 ? shares[0] / sum : NAN;
}

static bool same(xy_str text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

/* The probability that the answer shown first is the better one; NaN, explained, when the judge did
 * not say. */
static double judgement(const struct prefer *prefer, xy_job *job, const char *name)
{
    const xy_record *record = job->api->input(job, 0);
    char scratch[NAMES_SCRATCH];
    double share = from_probabilities(prefer, record, name);
    if (!isnan(share))
        return share;
    xy_str said = names_label(record, name, scratch);
    if (!said.ptr)
        xy_drop(job, "the judge did not say: there is no `%.100s`", name);
    else if (same(said, prefer->labels[0]))
        share = 1;
    else if (same(said, prefer->labels[1]))
        share = 0;
    else if (same(said, prefer->tie))
        share = 0.5;
    else
        xy_drop(job, "the judge did not answer in form: `%.100s` is \"%.*s\", expected %.40s, "
                "%.40s or %.40s", name, (int)(said.len < 60 ? said.len : 60), said.ptr,
                prefer->labels[0], prefer->labels[1], prefer->tie);
    return share;
}

/* The mean of all judges; NaN, explained, when one of them did not say. */
static double mean_judgement(const struct prefer *prefer, xy_job *job)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; prefer->judged && prefer->judged[i]; i++, count++)
        sum += judgement(prefer, job, prefer->judged[i]);
    for (size_t i = 0; prefer->swapped && prefer->swapped[i]; i++, count++)
        sum += 1 - judgement(prefer, job, prefer->swapped[i]);
    return count ? sum / (double)count : 0.5;
}

static bool are_equal(xy_str a, xy_str b)
{
    return a.len == b.len && a.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static int process(void *state, xy_job *job)
{
    const struct prefer *prefer = state;
    xy_record *record = job->api->input(job, 0);
    const char *names[] = {prefer->first, prefer->second};
    for (size_t i = 0; i < 2; i++) {
        if (xy_record_text(record, names[i]).len == 0)
            return xy_drop(job, "it has no text `%.100s`", names[i]);
    }
    xy_str first = xy_record_text(record, names[0]), second = xy_record_text(record, names[1]);
    if (are_equal(first, second))
        return xy_drop(job, "no pair, the same text");
    double share = mean_judgement(prefer, job);
    if (isnan(share))
        return XY_DROP;
    double apart = fabs(2 * share - 1);
    if (apart < 1e-12)
        return xy_drop(job, "no pair, a tie: the judges find none better");
    if (apart < prefer->margin)
        return xy_drop(job, "no pair, less than the margin apart: the probabilities are %.3g and "
                       "%.3g", share, 1 - share);
    bool is_first = share > 0.5;
    double label = is_first ? share : 1 - share;
    if (label > prefer->clamp)
        label = prefer->clamp;
    int code = xy_record_set_text(record, "chosen", is_first ? first : second);
    if (code >= 0)
        code = xy_record_set_text(record, "rejected", is_first ? second : first);
    if (code >= 0)
        code = xy_record_set_number(record, "preference", label);
    return code < 0 ? code : XY_OK;
}

const xy_stage prefer_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct prefer),
    .id = "prefer",
    .version = "1.0.0",
    .summary = "A judge's choice between two answers as a pair with a soft label",
    .options = options,
    .open = open_prefer,
    .process = process,
    .fields = "reads `first`, `second`, `judged` and `swapped`; sets `chosen`, `rejected` and "
              "`preference`",
};
