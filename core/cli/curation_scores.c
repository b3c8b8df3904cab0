/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms of the numbers on records, and yields by label. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curation.h"
#include "json.h"

static const char weight_name[] = "(weight)";

/* The step that set a field on most records: where in the run the score was made. */
static const struct curation_step *setter(const struct curation *curation, const char *field)
{
    const struct curation_step *best = NULL;
    double most = 0;
    for (size_t i = 0; i < curation->step_count; i++) {
        const struct value *fields =
            curation->steps[i].counts ? value_member(curation->steps[i].counts, STR("fields"))
                                      : NULL;
        for (size_t k = 0; fields && k < fields->list.count; k++) {
            const struct value *entry = &fields->list.items[k];
            double added = curation_figure(entry, "added");
            if (added > most && str_is(curation_text(entry, "field"), field)) {
                most = added;
                best = &curation->steps[i];
            }
        }
    }
    return best;
}

/* What a source counts is no score of a filter or an enhancer; a fraction that it reads may be. */
static bool from_source(const struct curation_step *step)
{
    const struct value *from = NULL;
    if (step && step->counts)
        from = value_member(step->counts, STR("from"));
    return from && from->type == VALUE_LIST && from->list.count == 0;
}

static struct curation_score *score_entry(struct curation *curation, const char *field, bool add)
{
    for (size_t i = 0; i < curation->score_count; i++) {
        if (curation->scores[i].field == field)
            return &curation->scores[i];
    }
    if (!add)
        return NULL;
    if (curation->score_count == CURATION_SCORES) {
        curation->score_skipped++;
        return NULL;
    }
    if (!curation->scores)
        curation->scores = memory_zeroed(CURATION_SCORES, sizeof(*curation->scores));
    const struct curation_step *step = setter(curation, field);
    struct curation_score *score = &curation->scores[curation->score_count++];
    *score = (struct curation_score){
        .field = field,
        .step = step ? step->id : "",
        .low = INFINITY,
        .high = -INFINITY,
        .whole = true,
        .source = from_source(step),
    };
    return score;
}

static size_t bin_of(const struct curation_score *score, double value)
{
    if (score->whole && score->high - score->low < CURATION_BINS)
        return (size_t)(value - score->low);
    size_t bin = 0;
    while (bin + 1 < score->bins && value >= curation_edge(score, bin + 1))
        bin++;
    return bin;
}

static void take_number(struct curation *curation, const char *field, double value,
                        const struct curation_step *dropped, bool bins)
{
    struct curation_score *score = score_entry(curation, field, !bins);
    if (!score)
        return;
    if (!isfinite(value)) {
        score->not_finite += bins;
        return;
    }
    if (!bins) {
        score->low = fmin(score->low, value);
        score->high = fmax(score->high, value);
        score->whole = score->whole && value == floor(value);
        return;
    }
    size_t bin = bin_of(score, value);
    if (dropped) {
        score->dropped[bin]++;
        score->dropped_count++;
        score->dropped_sum += value;
        score->dropped_by[dropped - curation->steps]++;
    } else {
        score->kept[bin]++;
        score->kept_count++;
        score->kept_sum += value;
    }
}

static void take_label(struct curation *curation, const xy_value *value,
                       const struct curation_step *dropped)
{
    xy_str name = value->type == XY_TEXT ? value->text : STR("");
    char number[32];
    if (value->type == XY_INT)
        name = (xy_str){number, (size_t)snprintf(number, sizeof(number), "%lld",
                                                 (long long)value->integer)};
    struct curation_label *label = NULL;
    for (size_t i = 0; i < curation->label_count && !label; i++) {
        if (str_is(name, curation->labels[i].value))
            label = &curation->labels[i];
    }
    if (!label && (!name.len || curation->label_count == CURATION_LABELS))
        return;
    if (!label) {
        if (!curation->labels)
            curation->labels = memory_zeroed(CURATION_LABELS, sizeof(*curation->labels));
        label = &curation->labels[curation->label_count++];
        label->value = arena_copy(&curation->arena, name.ptr, name.len);
    }
    label->kept += !dropped;
    label->dropped += dropped != NULL;
}

void curation_take_scores(struct curation *curation, const struct record *record,
                          const struct curation_step *dropped, bool bins)
{
    xy_value value;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const struct record_field *field = &record->fields[i];
        if (field->value.type == XY_NUMBER)
            take_number(curation, field->name, field->value.number, dropped, bins);
        else if (field->value.type == XY_INT)
            take_number(curation, field->name, (double)field->value.integer, dropped, bins);
    }
    take_number(curation, weight_name, record->weight, dropped, bins);
    if (bins && record_get(record, "label", &value) != XY_NULL)
        take_label(curation, &value, dropped);
}

void curation_set_bins(struct curation *curation)
{
    size_t count = 0;
    for (size_t i = 0; i < curation->score_count; i++) {
        struct curation_score *score = &curation->scores[i];
        bool flat_weight = score->field == weight_name && score->low == 1 && score->high == 1;
        if (!(score->low <= score->high) || flat_weight || (score->source && score->whole))
            continue;
        /* Only now: in the first pass steps may be met that the summary did not name. */
        score->dropped_by = memory_zeroed(curation->step_count, sizeof(uint64_t));
        double width = score->high - score->low;
        score->bins = score->whole && width < CURATION_BINS ? (size_t)width + 1
                      : width > 0                          ? CURATION_BINS
                                                           : 1;
        curation->scores[count++] = *score;
    }
    curation->score_count = count;
}
