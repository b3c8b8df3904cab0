/* SPDX-License-Identifier: Apache-2.0 */
/* minhash_shingle.h - a text as the set of its overlapping runs of words or characters (Broder
 * 1997, "On the resemblance and containment of documents", section 2). One thread at a time. */
#ifndef XYLEM_PLUGINS_MINHASH_MINHASH_SHINGLE_H
#define XYLEM_PLUGINS_MINHASH_MINHASH_SHINGLE_H

#include "fold.h"

/* A zeroed struct is ready for use; memory is kept from text to text. */
struct shingles {
    uint32_t *hashes;   /* one for each shingle, in the order of the text; repeated ones repeat */
    size_t count, capacity;
    struct text folded;
    size_t *starts;     /* of each word or character in `folded`; one more than there are */
    size_t starts_capacity;
};

/* Shingles of `length` words (or characters, when `characters` is set) of the text, folded to its
 * words. A text with fewer is one shingle, one with none has no shingles. 0 or XY_ENOMEM. */
int shingles_of(struct shingles *shingles, xy_str text, size_t length, bool characters);
/* Sorts the hashes and drops the repeated ones: the form that shingles_jaccard() wants. */
void shingles_sort(struct shingles *shingles);
/* Size of the intersection over size of the union, of two sorted sets; 0 when both are empty. */
double shingles_jaccard(const struct shingles *a, const struct shingles *b);
void shingles_free(struct shingles *shingles);

#endif
