/* SPDX-License-Identifier: Apache-2.0 */
/* learner_words.h - the n-grams of a text, each as a 64-bit hash.
 *
 * A text is composed and case-folded by Unicode's rules (utf8proc). A word is a run of letters,
 * marks, digits and '_'; each other character but white space is a word of its own, since "!" and
 * ":(" tell much about short texts. [any], one thread for one struct. */
#ifndef XYLEM_PLUGINS_COMMON_LEARNER_WORDS_H
#define XYLEM_PLUGINS_COMMON_LEARNER_WORDS_H

#include <stdbool.h>

#include <xylem/plugin.h>

struct words { /* zeroed: empty; memory is reused from text to text */
    uint64_t *grams;
    size_t count, room;
    size_t *starts, *ends; /* of each unit: a word, or a character */
    size_t unit_count, unit_room;
};

/* Fills `grams` with the hashes of all n-grams for n from `least` to `most`, of words, or of the
 * characters of the folded text with runs of white space as one blank. 0 or XY_ENOMEM. */
int words_split(struct words *words, xy_str text, bool characters, int least, int most);
void words_free(struct words *words);

#endif
