/* SPDX-License-Identifier: Apache-2.0 */
/* phrases.h - finds any of many words and phrases in a text, in one pass. In plugin_fold.
 *
 * What is compared are words, as FOLD_WORDS of fold.h makes them: runs of letters, marks and
 * digits, case folded, so that "I'm sorry, but" and "I'm SORRY -- but" are the same phrase, and a
 * phrase never begins or ends inside a word. Scripts without spaces between words have no words to
 * find.
 *
 * Words are compared by 64-bit hashes: two words that differ are taken for the same once in 2^64.
 * A set is read-only once it is filled, so that any number of threads may search in it, each with a
 * scan of its own. */
#ifndef XYLEM_PLUGINS_COMMON_PHRASES_H
#define XYLEM_PLUGINS_COMMON_PHRASES_H

#include "text.h"

#define PHRASES_NONE UINT32_MAX

/* Optional: what a folded word is compared by, such as its stem. The answer is valid until the next
 * call. It must keep the first two bytes of a word that is ASCII (as suffix stemmers do) when
 * `prefix_kept` is set; words that cannot match are then not stemmed at all. */
struct phrases_stem {
    xy_str (*stem)(void *data, xy_str word);
    void *data;
    bool prefix_kept;
};

struct phrases { /* zeroed: empty */
    struct phrases_node *nodes; /* open addressing by (parent, word) */
    size_t count, room;
    uint64_t first[64];    /* a filter over the hashes of first words: 4,096 bits */
    uint64_t prefix[1024]; /* the same over the first two bytes of first words */
};

/* Adds a phrase under a number of the caller's. XY_OK, XY_EINVAL when it has no word, XY_ENOMEM.
 * The number of a phrase that is there already stays. */
int phrases_add(struct phrases *phrases, xy_str phrase, uint32_t number,
                const struct phrases_stem *stem);
void phrases_free(struct phrases *phrases);

struct phrases_scan { /* zeroed but for `text` and `stem` */
    xy_str text;      /* valid UTF-8, as every text of a record is */
    const struct phrases_stem *stem; /* that of phrases_add(), or NULL; for this thread alone */
    size_t at;
    struct text scratch;
};

struct phrases_hit {
    size_t start, end; /* bytes of the text */
    uint32_t number;
};

/* The next phrase, the longest of those that begin at the same word; hits do not overlap. 1: found,
 * 0: no more, XY_ENOMEM. Then phrases_scan_free(). */
int phrases_next(const struct phrases *phrases, struct phrases_scan *scan,
                 struct phrases_hit *hit);
void phrases_scan_free(struct phrases_scan *scan);

#endif
