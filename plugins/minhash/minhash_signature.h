/* SPDX-License-Identifier: Apache-2.0 */
/* minhash_signature.h - the least value of a set under each of many permutations: the share on
 * which two sets agree estimates their Jaccard similarity (Broder 1997, section 3). [any] */
#ifndef XYLEM_PLUGINS_MINHASH_MINHASH_SIGNATURE_H
#define XYLEM_PLUGINS_MINHASH_MINHASH_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_STEP = 32, SIGNATURE_MOST = 512 }; /* permutations come in multiples of the step */

/* Permutation i of the 32-bit numbers is x -> (x ^ flip[i]) * factor[i], with an odd factor. */
struct permutations {
    uint32_t flip[SIGNATURE_MOST], factor[SIGNATURE_MOST];
    size_t count;
};

/* The same permutations in every run, on every machine. `count` is a multiple of SIGNATURE_STEP. */
void permutations_init(struct permutations *permutations, size_t count);

/* least[i] is the least value that permutation i gives to any of the hashes; at least one. */
void signature_of(const struct permutations *permutations, const uint32_t *hashes, size_t count,
                  uint32_t *least);

/* The low bits that are kept of a signature (b-bit minwise hashing, Li and König 2010, b = 8). */
void signature_shorten(const uint32_t *least, size_t count, uint8_t *out);
/* Estimated Jaccard similarity from two shortened signatures, in [0, 1]: the share of equal bytes,
 * less the 1 in 256 that agree by chance. Its standard error at similarity J is
 * sqrt(J (1 - J) / count), and a little more. */
double signature_similarity(const uint8_t *a, const uint8_t *b, size_t count);

#endif
