/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "agreement_sheet.h"
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

/* The labels that people gave, as a panel's votes; what is no label of a record is none. The names
 * stay `work`'s. */
static int make_panel(const struct work *work, struct panel *panel)
{
    *panel = (struct panel){.labels = work->labels, .annotators = work->annotators,
                            .items = work->keys};
    const xy_job_api *api = work->job->api;
    panel->votes = api->alloc(work->job, (work->answer_count + 1) * sizeof(*panel->votes));
    panel->starts = api->alloc(work->job, (work->keys.count + 1) * sizeof(*panel->starts));
    if (!panel->votes || !panel->starts)
        return XY_ENOMEM;
    for (uint32_t i = 0; i < work->keys.count; i++) {
        for (uint32_t at = work->items[i].first; at != NO_ITEM; at = work->answers[at].next) {
            const struct answer *answer = &work->answers[at];
            if (answer->label != NAMES_NONE)
                panel->votes[panel->count++] = (struct panel_vote){
                    .item = i, .annotator = answer->annotator, .label = answer->label};
        }
        panel->starts[i + 1] = panel->count;
    }
    return XY_OK;
}

static void tell_reliability(const struct work *work, const struct score_sink *sink)
{
    const struct scale nominal = {.level = LEVEL_NOMINAL};
    struct panel panel;
    struct sheet sheet = {0};
    double values[SHEET_COEFFICIENTS];
    uint64_t items = 0;
    if (make_panel(work, &panel) == XY_OK && sheet_init(&sheet, &panel, NULL, &nominal) == XY_OK)
        items = sheet_comparable(&sheet);
    if (items) {
        sheet_measure(&sheet, NULL, values);
        scores_value(sink, "annotator_agreement", values[SHEET_OBSERVED], "share", items,
                     "mean over records of the share of pairs of answers that are the same");
        scores_value(sink, "krippendorff_alpha", values[SHEET_ALPHA], "", items,
                     "reliability of people's labels (Krippendorff, nominal)");
        scores_value(sink, "fleiss_kappa", values[SHEET_FLEISS], "", items,
                     "agreement of people beyond chance (Fleiss 1971)");
    }
    sheet_free(&sheet);
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
