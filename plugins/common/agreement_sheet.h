/* SPDX-License-Identifier: Apache-2.0 */
/* agreement_sheet.h - who gave which item which label, once for each annotator and item, and how
 * far they agree beyond chance. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_AGREEMENT_SHEET_H
#define XYLEM_PLUGINS_COMMON_AGREEMENT_SHEET_H

#include "panel.h"
#include "text.h"

enum agreement_level { LEVEL_NOMINAL, LEVEL_ORDINAL, LEVEL_INTERVAL };

/* What counts as distance between labels. */
struct scale { /* zeroed: nominal */
    enum agreement_level level;
    double *values;  /* classes: where each stands (ordinal, interval) */
    uint32_t *order; /* classes, from the lowest value to the highest (ordinal, interval) */
};

/* Values by the place in `order`, or, without it, the labels read as numbers. XY_OK, XY_ENOMEM, or
 * XY_EINVAL with the reason: a label that is not in `order`, or that is no number. */
int scale_init(struct scale *scale, enum agreement_level level, const char *const *order,
               const struct names *labels, xy_job *job);
void scale_free(struct scale *scale);

struct mark {
    uint32_t annotator, label;
};

struct sheet { /* zeroed: empty */
    const struct scale *scale;
    uint32_t annotators, classes;
    size_t items;
    struct mark *marks; /* item by item */
    size_t *starts;     /* items + 1 */
    uint64_t repeated;  /* votes left out: the annotator's second and later ones for an item */
    /* Room to count in. */
    double *tally, *counts, *positions; /* classes */
    /* Of two annotators, a x annotators + b: items that both marked, and alike; and how often a
     * gave each label there. NULL where there are too many. */
    double *both, *alike, *margins;
};

enum { SHEET_OBSERVED, SHEET_ALPHA, SHEET_FLEISS, SHEET_COHEN, SHEET_COEFFICIENTS };

/* The votes of the panel for which wanted[] is set (NULL: all). XY_OK or XY_ENOMEM. */
int sheet_init(struct sheet *sheet, const struct panel *panel, const bool *wanted,
               const struct scale *scale);
/* How many items have two marks or more: only these can be compared. */
uint64_t sheet_comparable(const struct sheet *sheet);
/* Observed agreement (mean over items of the share of equal pairs), Krippendorff's alpha (2011),
 * Fleiss' kappa (1971; for unequal numbers of marks as in Fleiss, Levin, Paik 2003), and the mean
 * of Cohen's kappa (1960) over pairs of annotators (Light 1971). Item i counts times[i] times
 * (NULL: once). NaN where a coefficient is not defined: too few marks, or one label only. */
void sheet_measure(struct sheet *sheet, const uint32_t *times, double out[SHEET_COEFFICIENTS]);
/* Cohen's kappa of two annotators as of the last sheet_measure(). */
double sheet_pair(const struct sheet *sheet, uint32_t a, uint32_t b);
/* [{"first", "second", "n", "agreement", "kappa"}] of the annotators that share items, kappa null
 * where it is not defined; as of the last sheet_measure(), and only where there is `both`. */
void sheet_write_pairs(const struct sheet *sheet, const struct names *annotators,
                       struct text *json);
void sheet_free(struct sheet *sheet);

#endif
