/* SPDX-License-Identifier: Apache-2.0 */
/* diversity_grams.h - counts over the words of a data set. A word is what stands between white
 * space (Unicode's), as it is written: what published vocabulary figures count. */
#ifndef XYLEM_PLUGINS_DIVERSITY_DIVERSITY_GRAMS_H
#define XYLEM_PLUGINS_DIVERSITY_DIVERSITY_GRAMS_H

#include "diversity_pairs.h"
#include "names.h"

/* For one number: the last record it was seen in, and in how many records. */
struct seen {
    uint32_t last, records;
};

struct grams { /* zeroed: empty */
    struct names words;
    struct pairs twos, threes, class_words;
    uint64_t totals[3];    /* words, pairs and triples of words */
    uint64_t records;
    double length_sum, length_squares;
    struct seen *seen;     /* of each pair of words */
    size_t seen_room;
    uint32_t *two_list;    /* the distinct pairs of words of each record, one after another */
    size_t *two_starts;    /* records + 1 */
    size_t two_count, two_room, start_room;
};

/* Counts one text. `class_index` is NAMES_NONE where there are no labels. XY_OK or XY_ENOMEM. */
int grams_add(struct grams *grams, xy_str text, uint32_t class_index);
/* The mean, over the records with two words or more, of the share of a record's distinct pairs of
 * words that another record has too; NaN without such records. */
double grams_overlap(const struct grams *grams);
void grams_free(struct grams *grams);

#endif
