/* SPDX-License-Identifier: Apache-2.0 */
/* confusion.h - how often each gold class was called each predicted class, and the figures that
 * follow from these counts. One thread at a time. */
#ifndef XYLEM_PLUGINS_COMMON_CONFUSION_H
#define XYLEM_PLUGINS_COMMON_CONFUSION_H

#include "names.h"
#include "text.h"

struct confusion {
    uint32_t classes;
    uint64_t total;
    uint64_t *cells; /* classes x classes: row gold, column predicted */
};

/* A figure with its interval; NaN where it is not defined. */
struct estimate {
    double value, low, high;
};

/* Zeroed counts, or XY_ENOMEM. */
int confusion_init(struct confusion *confusion, uint32_t classes);
void confusion_add(struct confusion *confusion, uint32_t gold, uint32_t predicted);
void confusion_free(struct confusion *confusion);

uint64_t confusion_hits(const struct confusion *confusion);
uint64_t confusion_gold(const struct confusion *confusion, uint32_t class_index);
uint64_t confusion_predicted(const struct confusion *confusion, uint32_t class_index);

/* The 95 % score interval of a proportion (Wilson 1927): sound for small n and near 0 and 1. */
struct estimate confusion_wilson(uint64_t hits, uint64_t n);
/* Share of hits, with that interval. */
struct estimate confusion_accuracy(const struct confusion *confusion);
/* Harmonic mean of precision and recall, as 2 hits / (gold + predicted); 0 when there is no hit. */
double confusion_f1(const struct confusion *confusion, uint32_t class_index);
/* The mean of F1 over the classes that occur, in gold or as predictions. */
double confusion_macro_f1(const struct confusion *confusion);
/* Chance-corrected agreement (Cohen 1960) with the 95 % interval of the large-sample standard error
 * (Fleiss, Cohen, Everitt 1969, equation 13), cut to [-1, 1]. NaN when both sides know only one and
 * the same class: agreement by chance is then certain. */
struct estimate confusion_kappa(const struct confusion *confusion);

/* [{"class", "gold", "predicted", "hits", "precision", "recall", "f1"}]; null where undefined. */
void confusion_write_classes(const struct confusion *confusion, const struct names *names,
                             struct text *out);
/* {"classes": [...], "rows": [[...]]}: row gold, column predicted. */
void confusion_write_matrix(const struct confusion *confusion, const struct names *names,
                            struct text *out);

#endif
