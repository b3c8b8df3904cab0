/* SPDX-License-Identifier: Apache-2.0 */
/* novelty_texts.h - texts as sequences of numbered words, all in memory. One thread at a time. */
#ifndef XYLEM_PLUGINS_NOVELTY_NOVELTY_TEXTS_H
#define XYLEM_PLUGINS_NOVELTY_NOVELTY_TEXTS_H

#include "names.h"
#include "text.h"

enum unit {
    UNIT_ROUGE = 1,  /* runs of a-z and 0-9 after lower-casing, as the rouge_score package has it */
    UNIT_WORDS = 2,  /* runs of letters, marks and digits of any script, case folded */
    UNIT_CHARACTERS = 3 /* each character of these */
};

/* One bit for each word, by its number: two texts share at most so many words as the bits allow. */
struct signature {
    uint64_t bits[2];
};

struct texts { /* zeroed: empty */
    uint32_t *words;      /* of all texts, one after another */
    size_t word_count, word_room;
    size_t *starts;       /* of each text in `words`; count + 1 of them */
    struct signature *signatures;
    size_t count, room;
    struct names vocabulary;
    struct text folded;   /* scratch */
};

/* Appends a text; {NULL, 0} is one without words. XY_OK or XY_ENOMEM. */
int texts_add(struct texts *texts, xy_str text, enum unit unit);
static inline size_t texts_length(const struct texts *texts, size_t index)
{
    return texts->starts ? texts->starts[index + 1] - texts->starts[index] : 0;
}
void texts_free(struct texts *texts);

/* A text's words as they are compared, separated by one space: what texts_add() counts. */
void texts_fold(struct text *out, xy_str text, enum unit unit);

#endif
