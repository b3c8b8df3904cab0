/* SPDX-License-Identifier: Apache-2.0 */
#include "minhash_signature.h"

#include <xylem/plugin.h>

void permutations_init(struct permutations *permutations, size_t count)
{
    uint64_t random = UINT64_C(0x6d696e68617368); /* any number, as long as it never changes */
    *permutations = (struct permutations){.count = count};
    for (size_t i = 0; i < count; i++) {
        permutations->flip[i] = (uint32_t)(xy_random_next(&random) >> 32);
        permutations->factor[i] = (uint32_t)(xy_random_next(&random) >> 32) | 1;
    }
}

/* SIGNATURE_STEP permutations at a time: their least values and their constants then fit into the
 * vector registers for the whole walk over the hashes. */
static inline __attribute__((always_inline)) void walk(const struct permutations *permutations,
                                                       const uint32_t *hashes, size_t count,
                                                       uint32_t *least)
{
    for (size_t from = 0; from < permutations->count; from += SIGNATURE_STEP) {
        const uint32_t *flip = permutations->flip + from, *factor = permutations->factor + from;
        uint32_t best[SIGNATURE_STEP];
        for (int i = 0; i < SIGNATURE_STEP; i++)
            best[i] = UINT32_MAX;
        for (size_t k = 0; k < count; k++) {
            for (int i = 0; i < SIGNATURE_STEP; i++) {
                uint32_t value = (hashes[k] ^ flip[i]) * factor[i];
                best[i] = value < best[i] ? value : best[i];
            }
        }
        for (int i = 0; i < SIGNATURE_STEP; i++)
            least[from + (size_t)i] = best[i];
    }
}

#if defined(__x86_64__)
/* Two plain functions and a question to the processor, not target_clones: a clone's resolver runs
 * inside the dynamic linker, before a sanitizer has set itself up. */
__attribute__((target("avx2"))) static void walk_avx2(const struct permutations *permutations,
                                                      const uint32_t *hashes, size_t count,
                                                      uint32_t *least)
{
    walk(permutations, hashes, count, least);
}

void signature_of(const struct permutations *permutations, const uint32_t *hashes, size_t count,
                  uint32_t *least)
{
    if (__builtin_cpu_supports("avx2"))
        walk_avx2(permutations, hashes, count, least);
    else
        walk(permutations, hashes, count, least);
}
#else
void signature_of(const struct permutations *permutations, const uint32_t *hashes, size_t count,
                  uint32_t *least)
{
    walk(permutations, hashes, count, least);
}
#endif

void signature_shorten(const uint32_t *least, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)least[i];
}

double signature_similarity(const uint8_t *a, const uint8_t *b, size_t count)
{
    size_t equal = 0;
    for (size_t i = 0; i < count; i++)
        equal += a[i] == b[i];
    double share = (double)equal / (double)count;
    double similarity = (share - 1.0 / 256) / (1 - 1.0 / 256);
    return similarity > 0 ? similarity : 0;
}
