/* SPDX-License-Identifier: Apache-2.0 */
#include "agreement_sheet.h"

#include <math.h>
#include <stdlib.h>

#include "json_reader.h"

enum { PAIR_CELLS_MAX = 4 << 20 };

static double place_in(const char *const *order, xy_str label)
{
    for (size_t i = 0; order[i]; i++)
        if (strlen(order[i]) == label.len && memcmp(order[i], label.ptr, label.len) == 0)
            return (double)i;
    return NAN;
}

/* Insertion by value keeps labels of one value ("1" and "1.0") in the order of first sight. */
static void sort_labels(struct scale *scale, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 0 && scale->values[scale->order[at - 1]] > scale->values[i]; at--)
            scale->order[at] = scale->order[at - 1];
        scale->order[at] = i;
    }
}

int scale_init(struct scale *scale, enum agreement_level level, const char *const *order,
               const struct names *labels, xy_job *job)
{
    *scale = (struct scale){.level = level};
    if (level == LEVEL_NOMINAL)
        return XY_OK;
    scale->values = calloc((size_t)labels->count + 1, sizeof(*scale->values));
    scale->order = calloc((size_t)labels->count + 1, sizeof(*scale->order));
    if (!scale->values || !scale->order)
        return XY_ENOMEM;
    for (uint32_t j = 0; j < labels->count; j++) {
        xy_str label = names_at(labels, j);
        bool given = order && order[0];
        scale->values[j] = given ? place_in(order, label) : json_number(json_check(label), NAN);
        if (isfinite(scale->values[j]))
            continue;
        return xy_fail(job, XY_EINVAL, given ? "the label `%.80s` is not in `order`"
                                             : "the label `%.80s` is no number: an ordinal or "
                                               "interval level needs numbers, or `order`",
                       label.ptr);
    }
    sort_labels(scale, labels->count);
    return XY_OK;
}

void scale_free(struct scale *scale)
{
    free(scale->values);
    free(scale->order);
    memset(scale, 0, sizeof(*scale));
}

static bool has_mark(const struct sheet *sheet, size_t from, size_t end, uint32_t annotator)
{
    for (size_t i = from; i < end; i++)
        if (sheet->marks[i].annotator == annotator)
            return true;
    return false;
}

int sheet_init(struct sheet *sheet, const struct panel *panel, const bool *wanted,
               const struct scale *scale)
{
    size_t classes = panel->labels.count, annotators = panel->annotators.count, count = 0;
    *sheet = (struct sheet){.scale = scale, .annotators = panel->annotators.count,
                            .classes = panel->labels.count, .items = panel->items.count};
    sheet->marks = calloc(panel->count + 1, sizeof(*sheet->marks));
    sheet->starts = calloc(sheet->items + 1, sizeof(*sheet->starts));
    sheet->tally = calloc(classes + 1, sizeof(*sheet->tally));
    sheet->counts = calloc(classes + 1, sizeof(*sheet->counts));
    sheet->positions = calloc(classes + 1, sizeof(*sheet->positions));
    if (!sheet->marks || !sheet->starts || !sheet->tally || !sheet->counts || !sheet->positions)
        return XY_ENOMEM;
    for (size_t i = 0; i < sheet->items; i++) {
        sheet->starts[i] = count;
        for (size_t v = panel->starts[i]; v < panel->starts[i + 1]; v++) {
            const struct panel_vote *vote = &panel->votes[v];
            if (wanted && !wanted[v])
                continue;
            if (has_mark(sheet, sheet->starts[i], count, vote->annotator))
                sheet->repeated++;
            else
                sheet->marks[count++] = (struct mark){vote->annotator, vote->label};
        }
    }
    sheet->starts[sheet->items] = count;
    if (annotators * annotators * (classes + 2) > PAIR_CELLS_MAX)
        return XY_OK;
    sheet->both = calloc(annotators * annotators + 1, sizeof(*sheet->both));
    sheet->alike = calloc(annotators * annotators + 1, sizeof(*sheet->alike));
    sheet->margins = calloc(annotators * annotators * classes + 1, sizeof(*sheet->margins));
    return sheet->both && sheet->alike && sheet->margins ? XY_OK : XY_ENOMEM;
}

uint64_t sheet_comparable(const struct sheet *sheet)
{
    uint64_t items = 0;
    for (size_t i = 0; i < sheet->items; i++)
        items += sheet->starts[i + 1] - sheet->starts[i] > 1;
    return items;
}

void sheet_free(struct sheet *sheet)
{
    free(sheet->marks);
    free(sheet->starts);
    free(sheet->tally);
    free(sheet->counts);
    free(sheet->positions);
    free(sheet->both);
    free(sheet->alike);
    free(sheet->margins);
    memset(sheet, 0, sizeof(*sheet));
}
