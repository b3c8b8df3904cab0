/* SPDX-License-Identifier: Apache-2.0 */
/* agreement_coefficients.c - agreement beyond chance among several annotators. */
#include <math.h>

#include "agreement_sheet.h"

static double times_of(const uint32_t *times, size_t item)
{
    return times ? times[item] : 1;
}

/* How often each label was given, in items with two marks or more: only these can be compared. */
static double count_labels(struct sheet *sheet, const uint32_t *times)
{
    double all = 0;
    memset(sheet->counts, 0, sheet->classes * sizeof(*sheet->counts));
    for (size_t i = 0; i < sheet->items; i++) {
        size_t from = sheet->starts[i], end = sheet->starts[i + 1];
        for (size_t m = from; m < end && end - from > 1; m++) {
            sheet->counts[sheet->marks[m].label] += times_of(times, i);
            all += times_of(times, i);
        }
    }
    return all;
}

/* Where each label stands, so that the squared difference is Krippendorff's: for ordinal labels the
 * middle of their ranks, for the others their value, less the mean for the sake of precision. */
static void place_labels(struct sheet *sheet, double all)
{
    const struct scale *scale = sheet->scale;
    double below = 0, mean = 0;
    for (uint32_t j = 0; j < sheet->classes; j++) {
        uint32_t label = scale->order[j];
        if (scale->level == LEVEL_ORDINAL) {
            sheet->positions[label] = below + sheet->counts[label] / 2 - all / 2;
            below += sheet->counts[label];
        } else {
            mean += all > 0 ? scale->values[label] * sheet->counts[label] / all : 0;
        }
    }
    for (uint32_t j = 0; j < sheet->classes && scale->level == LEVEL_INTERVAL; j++)
        sheet->positions[j] = scale->values[j] - mean;
}

/* Over ordered pairs of an item's marks, the number of equal ones (a mark with itself too) and the
 * sum of distances. */
struct pairs {
    double equal, distance;
};

static struct pairs compare_marks(struct sheet *sheet, size_t item)
{
    size_t from = sheet->starts[item], end = sheet->starts[item + 1];
    struct pairs pairs = {0, 0};
    double n = (double)(end - from), sum = 0, squares = 0;
    for (size_t m = from; m < end; m++) {
        double *tally = &sheet->tally[sheet->marks[m].label];
        double position = sheet->positions[sheet->marks[m].label];
        pairs.equal += 2 * *tally + 1; /* with each of those before it, both ways, and itself */
        ++*tally;
        sum += position;
        squares += position * position;
    }
    for (size_t m = from; m < end; m++)
        sheet->tally[sheet->marks[m].label] = 0; /* clean for the next item */
    bool nominal = sheet->scale->level == LEVEL_NOMINAL;
    pairs.distance = nominal ? n * n - pairs.equal : 2 * (n * squares - sum * sum);
    return pairs;
}

/* The same over all marks of all items, by the labels' counts. */
static struct pairs compare_all(const struct sheet *sheet, double all)
{
    struct pairs pairs = {0, 0};
    double sum = 0, squares = 0;
    for (uint32_t j = 0; j < sheet->classes; j++) {
        double count = sheet->counts[j], position = sheet->positions[j];
        pairs.equal += count * count;
        sum += count * position;
        squares += count * position * position;
    }
    bool nominal = sheet->scale->level == LEVEL_NOMINAL;
    pairs.distance = nominal ? all * all - pairs.equal : 2 * (all * squares - sum * sum);
    return pairs;
}

static void count_pairs(struct sheet *sheet, const uint32_t *times)
{
    size_t a_count = sheet->annotators, classes = sheet->classes;
    memset(sheet->both, 0, a_count * a_count * sizeof(*sheet->both));
    memset(sheet->alike, 0, a_count * a_count * sizeof(*sheet->alike));
    memset(sheet->margins, 0, a_count * a_count * classes * sizeof(*sheet->margins));
    for (size_t i = 0; i < sheet->items; i++) {
        double weight = times_of(times, i);
        for (size_t m = sheet->starts[i]; m < sheet->starts[i + 1] && weight > 0; m++)
            for (size_t o = sheet->starts[i]; o < sheet->starts[i + 1]; o++) {
                struct mark one = sheet->marks[m], other = sheet->marks[o];
                size_t pair = one.annotator * a_count + other.annotator;
                sheet->both[pair] += weight;
                sheet->margins[pair * classes + one.label] += weight;
                if (one.label == other.label)
                    sheet->alike[pair] += weight;
            }
    }
}

double sheet_pair(const struct sheet *sheet, uint32_t a, uint32_t b)
{
    size_t classes = sheet->classes, pair = (size_t)a * sheet->annotators + b;
    const double *first = sheet->margins + pair * classes;
    const double *second = sheet->margins + ((size_t)b * sheet->annotators + a) * classes;
    double n = sheet->both[pair], chance = 0;
    for (size_t j = 0; j < classes && n > 0; j++)
        chance += first[j] / n * (second[j] / n);
    /* Both know one and the same label only: agreement by chance is certain. */
    return n > 0 && chance < 1 - 1e-12 ? (sheet->alike[pair] / n - chance) / (1 - chance) : NAN;
}

static double mean_of_pairs(const struct sheet *sheet)
{
    double sum = 0, count = 0;
    for (uint32_t a = 0; a < sheet->annotators; a++)
        for (uint32_t b = a + 1; b < sheet->annotators; b++) {
            double kappa = sheet_pair(sheet, a, b);
            sum += isnan(kappa) ? 0 : kappa;
            count += !isnan(kappa);
        }
    return count > 0 ? sum / count : NAN;
}

void sheet_measure(struct sheet *sheet, const uint32_t *times, double out[SHEET_COEFFICIENTS])
{
    double all = count_labels(sheet, times), items = 0, agreement = 0, distance = 0;
    for (int i = 0; i < SHEET_COEFFICIENTS; i++)
        out[i] = NAN;
    if (sheet->scale->level != LEVEL_NOMINAL)
        place_labels(sheet, all);
    for (size_t i = 0; i < sheet->items; i++) {
        double n = (double)(sheet->starts[i + 1] - sheet->starts[i]), weight = times_of(times, i);
        if (n < 2 || weight == 0)
            continue;
        struct pairs pairs = compare_marks(sheet, i);
        items += weight;
        agreement += weight * (pairs.equal - n) / (n * (n - 1));
        distance += weight * pairs.distance / (n - 1);
    }
    if (items == 0)
        return;
    struct pairs chance = compare_all(sheet, all);
    double expected = chance.equal / (all * all);
    out[SHEET_OBSERVED] = agreement / items;
    if (chance.distance > 0)
        out[SHEET_ALPHA] = 1 - (all - 1) * distance / chance.distance;
    if (expected < 1)
        out[SHEET_FLEISS] = (agreement / items - expected) / (1 - expected);
    if (!sheet->both)
        return;
    count_pairs(sheet, times);
    out[SHEET_COHEN] = mean_of_pairs(sheet);
}

void sheet_write_pairs(const struct sheet *sheet, const struct names *annotators, struct text *json)
{
    const char *between = "";
    text_add_literal(json, "[");
    for (uint32_t a = 0; a < sheet->annotators; a++)
        for (uint32_t b = a + 1; b < sheet->annotators; b++) {
            size_t pair = (size_t)a * sheet->annotators + b;
            double kappa = sheet_pair(sheet, a, b);
            if (!(sheet->both[pair] > 0))
                continue;
            text_add_literal(json, between);
            text_add_literal(json, "{\"first\":");
            text_add_json(json, names_at(annotators, a));
            text_add_literal(json, ",\"second\":");
            text_add_json(json, names_at(annotators, b));
            text_add_literal(json, ",\"n\":");
            text_add_number(json, sheet->both[pair]);
            text_add_literal(json, ",\"agreement\":");
            text_add_number(json, sheet->alike[pair] / sheet->both[pair]);
            text_add_literal(json, ",\"kappa\":");
            if (isnan(kappa))
                text_add_literal(json, "null");
            else
                text_add_number(json, kappa);
            text_add_literal(json, "}");
            between = ",";
        }
    text_add_literal(json, "]");
}
