/* SPDX-License-Identifier: Apache-2.0 */
/* minhash_index.h - locality-sensitive hashing of signatures (Indyk and Motwani 1998; the bands of
 * Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4): two signatures meet when
 * they agree on all rows of at least one band. One thread at a time. */
#ifndef XYLEM_PLUGINS_MINHASH_MINHASH_INDEX_H
#define XYLEM_PLUGINS_MINHASH_MINHASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct banding {
    size_t bands, rows; /* bands * rows is at most the number of permutations */
};

/* The banding that makes the weighted sum of two areas least: of false positives (the chance to
 * meet, over similarities below the threshold) and of false negatives (not to meet, above it). */
struct banding banding_choose(double threshold, size_t permutations, double false_positive_weight);
/* 1 - (1 - similarity^rows)^bands: the chance that two signatures meet. */
double banding_chance(struct banding banding, double similarity);

/* Open addressing with linear probing for each band. A slot is a tag of one byte, looked at first,
 * and an entry's number: at 1.5 slots for an entry 7.5 bytes for each band of each entry, and one
 * signature byte for each permutation. */
struct minhash_index {
    struct banding banding;
    size_t permutations;
    uint64_t slots;       /* of each band */
    uint8_t *tags;        /* bands x slots; 0: empty */
    uint32_t *entries;    /* bands x slots */
    uint8_t *signatures;  /* entry x permutations */
    uint64_t *rows;       /* entry -> the caller's row */
    size_t count, capacity;
    uint64_t *places;     /* for each band, where the last signature asked for would be put */
    uint8_t *own_tags;
    uint8_t *shortened;   /* the last signature asked for */
    uint32_t *found;      /* entries it met, ascending, each once */
    size_t found_count, found_capacity;
};

/* For at most `most` entries. 0, XY_ENOMEM, or XY_EUNSUPPORTED past 2^32 - 2. */
int minhash_index_init(struct minhash_index *index, struct banding banding, size_t permutations,
                       uint64_t most);
void minhash_index_free(struct minhash_index *index);
/* Fills `found` with the entries that the full signature meets. 0 or XY_ENOMEM. */
int minhash_index_find(struct minhash_index *index, const uint32_t *least);
/* Adds the signature that was asked for last, for the caller's `row`. 0 or XY_ENOMEM. */
int minhash_index_add(struct minhash_index *index, uint64_t row);

#endif
