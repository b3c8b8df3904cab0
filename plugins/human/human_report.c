/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "human.h"
#include "scores.h"

/* ---- with the model's suggestion, seen and not seen ------------------------------------------ */

/* The number of the model's label among people's; NAMES_NONE when nobody knows it. */
static uint32_t suggestion_of(const struct work *work, const struct item *item)
{
    const struct human *human = work->human;
    const xy_record *record = work->input->api->at(work->input, item->index);
    char scratch[NAMES_SCRATCH];
    if (!record)
        return NAMES_NONE;
    xy_str label = names_label(record, human->suggestion ? human->suggestion : human->label,
                               scratch);
    return label.len ? names_find(&work->labels, label) : NAMES_NONE;
}

static void tell_agreement(const struct work *work, const struct score_sink *sink, int shown,
                           const char *share, const char *kappa)
{
    struct confusion confusion;
    if (!work->labels.count || confusion_init(&confusion, work->labels.count) < 0)
        return;
    for (uint32_t i = 0; i < work->keys.count; i++) {
        uint32_t suggestion = suggestion_of(work, &work->items[i]);
        for (uint32_t at = work->items[i].first; at != NO_ITEM; at = work->answers[at].next) {
            const struct answer *answer = &work->answers[at];
            bool counts = answer->label != NAMES_NONE && suggestion != NAMES_NONE;
            if (counts && (shown < 0 || (int)answer->shown == shown))
                confusion_add(&confusion, answer->label, suggestion);
        }
    }
    if (confusion.total) {
        scores_estimate(sink, share, confusion_accuracy(&confusion), "share", confusion.total,
                        "share of people's labels that are the model's");
        scores_estimate(sink, kappa, confusion_kappa(&confusion), "", confusion.total,
                        "the same beyond chance (Cohen 1960)");
    }
    confusion_free(&confusion);
}

/* ---- between people -------------------------------------------------------------------------- */

/* Counts over the items with at least two labels; `row` has room for every label. */
struct reliability {
    double labels;      /* in all these items */
    double observed;    /* pairs that agree, each item's divided by its labels - 1 */
    double equal, pairs;
    uint64_t items;
    double *totals;     /* of each label */
};

static void add_item(const struct work *work, const struct item *item, struct reliability *sums,
                     double *row)
{
    double count = 0, equal = 0;
    for (uint32_t i = 0; i < work->labels.count; i++)
        row[i] = 0;
    for (uint32_t at = item->first; at != NO_ITEM; at = work->answers[at].next) {
        if (work->answers[at].label != NAMES_NONE) {
            row[work->answers[at].label]++;
            count++;
        }
    }
    if (count < 2)
        return;
    for (uint32_t i = 0; i < work->labels.count; i++) {
        equal += row[i] * (row[i] - 1);
        sums->totals[i] += row[i];
    }
    sums->items++;
    sums->labels += count;
    sums->observed += equal / (count - 1);
    sums->equal += equal / 2;
    sums->pairs += count * (count - 1) / 2;
}

/* Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C, nominal data: 1 -
 * (n - 1) (n - sum of o_cc) / (n^2 - sum of n_c^2). */
static double alpha(const struct reliability *sums, uint32_t labels)
{
    double expected = sums->labels * sums->labels;
    for (uint32_t i = 0; i < labels; i++)
        expected -= sums->totals[i] * sums->totals[i];
    return expected > 0 ? 1 - (sums->labels - 1) * (sums->labels - sums->observed) / expected : NAN;
}

/* Fleiss 1971, "Measuring nominal scale agreement among many raters", equations 3 to 7; where items
 * have unequal numbers of labels, the share of equal pairs stands for their mean agreement. */
static double fleiss(const struct reliability *sums, double mean_agreement, uint32_t labels)
{
    double chance = 0;
    for (uint32_t i = 0; i < labels; i++)
        chance += sums->totals[i] / sums->labels * (sums->totals[i] / sums->labels);
    return chance < 1 ? (mean_agreement - chance) / (1 - chance) : NAN;
}

static void tell_reliability(const struct work *work, const struct score_sink *sink)
{
    uint32_t labels = work->labels.count;
    double *memory = work->job->api->alloc(work->job, (2 * (size_t)labels + 1) * sizeof(double));
    struct reliability sums = {.totals = memory};
    if (!memory)
        return;
    for (uint32_t i = 0; i < work->keys.count; i++)
        add_item(work, &work->items[i], &sums, memory + labels);
    if (!sums.items)
        return;
    scores_value(sink, "annotator_agreement", sums.equal / sums.pairs, "share", sums.items,
                 "share of pairs of answers to one record that are the same");
    scores_value(sink, "krippendorff_alpha", alpha(&sums, labels), "", sums.items,
                 "reliability of people's labels (Krippendorff, nominal)");
    scores_value(sink, "fleiss_kappa", fleiss(&sums, sums.equal / sums.pairs, labels), "",
                 sums.items, "agreement of people beyond chance (Fleiss 1971)");
}

/* ---- all ------------------------------------------------------------------------------------- */

static void tell_counts(const struct work *work, const struct score_sink *sink)
{
    uint64_t decided = 0, undecided = 0, discarded = 0, changed = 0, labelled = 0;
    for (uint32_t i = 0; i < work->keys.count; i++) {
        struct judgement judgement = work_judge(work, &work->items[i]);
        decided += judgement.outcome != OUTCOME_WAITS;
        undecided += judgement.outcome == OUTCOME_UNDECIDED;
        discarded += judgement.outcome == OUTCOME_DISCARD;
        if (judgement.outcome == OUTCOME_LABEL) {
            labelled++;
            changed += suggestion_of(work, &work->items[i]) != judgement.answer->label;
        }
    }
    scores_value(sink, "queued", work->keys.count, "records", work->count,
                 "records that people look at");
    scores_value(sink, "waiting", (double)(work->keys.count - decided), "records",
                 work->keys.count, "of these, without enough answers");
    scores_value(sink, "undecided", (double)undecided, "records", work->keys.count,
                 "on which the annotators' answers decide nothing");
    scores_value(sink, "discarded", (double)discarded, "records", work->keys.count,
                 "that people discarded");
    scores_value(sink, "changed", labelled ? (double)changed / (double)labelled : NAN, "share",
                 labelled, "share of people's labels that are not the model's");
    scores_value(sink, "unknown_answers", (double)work->unknown, "answers", 0,
                 "answers for records that are not here");
}

void work_report(const struct work *work)
{
    const struct score_sink sink = {.report = work->human->report, .job = work->job};
    if (!sink.report)
        return;
    tell_counts(work, &sink);
    tell_agreement(work, &sink, -1, "model_agreement", "model_kappa");
    if (work->human->show_suggestion[0] == 'h') {
        tell_agreement(work, &sink, 1, "model_agreement_shown", "model_kappa_shown");
        tell_agreement(work, &sink, 0, "model_agreement_hidden", "model_kappa_hidden");
    }
    tell_reliability(work, &sink);
}
