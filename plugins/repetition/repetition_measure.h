/* SPDX-License-Identifier: Apache-2.0 */
/* repetition_measure.h - the figures of Rae et al. 2021 ("Scaling Language Models: Methods,
 * Analysis and Insights from Training Gopher", appendix A.1.1, table A1) of one text. [any]
 *
 * Words stand between white space; lines are what is left of lines without the white space at their
 * ends, empty ones aside; paragraphs are runs of lines without an empty one between. Lengths are in
 * code points, and shares of characters are of those in words (lines, paragraphs). */
#ifndef XYLEM_PLUGINS_REPETITION_REPETITION_MEASURE_H
#define XYLEM_PLUGINS_REPETITION_REPETITION_MEASURE_H

#include <stdbool.h>

#include <xylem/plugin.h>

enum repetition_figure {
    DUPLICATE_LINES,       /* lines that equal an earlier one / lines */
    DUPLICATE_LINE_CHARACTERS,
    DUPLICATE_PARAGRAPHS,
    DUPLICATE_PARAGRAPH_CHARACTERS,
    TOP_2,                 /* characters of words in the most frequent 2-gram / of all words */
    TOP_4 = TOP_2 + 2,
    DUPLICATE_5,           /* characters of words in any 5-gram that occurs more than once */
    DUPLICATE_10 = DUPLICATE_5 + 5,
    HASHES,                /* '#' for each word */
    ELLIPSES,              /* "..." or its one-character form, for each word */
    BULLET_LINES,          /* share of lines that begin with a bullet */
    ELLIPSIS_LINES,        /* share of lines that end with an ellipsis */
    WORD_LENGTH,           /* mean */
    ALPHABETIC,            /* share of words with a letter */
    STOP_WORDS,            /* how many of the list are there */
    WORDS,                 /* how many there are: no rule, but what a rule may depend on */
    FIGURES
};

enum { LONGEST_GRAM = 10 };

struct repetition_text {
    uint64_t *hashes;  /* of each word */
    uint32_t *lengths; /* of each word, in code points */
    size_t count, room;
    uint64_t characters;
};

/* All figures of `text`, valid UTF-8; all 0 for a text without words. `stop_words` is
 * NULL-terminated, lower case. N-grams up to `longest` are looked at. XY_OK or XY_ENOMEM. */
int repetition_measure(xy_str text, const char *const *stop_words, int longest,
                       double figures[FIGURES]);
/* TOP_2 to DUPLICATE_10 of the words. */
int repetition_grams(const struct repetition_text *words, int longest, double figures[FIGURES]);

/* A text that is repeated, among lines or among paragraphs: their hashes, in a table. */
struct repetition_seen {
    uint64_t *slots; /* 0: free */
    size_t room, count;
    uint64_t repeated, characters, repeated_characters;
};

bool repetition_see(struct repetition_seen *seen, xy_str piece, uint32_t characters);

#endif
