/* SPDX-License-Identifier: Apache-2.0 */
/* record_names.c - the table of field names. It only grows, so readers need no lock: a name
 * that was once seen in its chain stays there, and a new one is pushed with one
 * compare-and-swap. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "record_internal.h"

enum { CHAINS = 1 << 14 };

struct name {
    struct name *next;
    uint64_t hash;
    size_t length;
    char text[];
};

/* One table for the process, because names are compared as pointers across every module. */
static _Atomic(struct name *) chains[CHAINS];

/* Names are short: a few multiplications, in place of a call, for those of at most 16 bytes. */
static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t low = 0, high = 0;
    if (length > 16)
        return XXH3_64bits(text, length);
    if (length >= 8) {
        memcpy(&low, text, 8);
        memcpy(&high, text + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&low, text, 4);
        memcpy(&high, text + length - 4, 4);
    } else if (length) {
        const unsigned char *bytes = (const unsigned char *)text;
        low = bytes[0] | (uint64_t)bytes[length / 2] << 8 | (uint64_t)bytes[length - 1] << 16;
    }
    low = (low ^ length) * UINT64_C(0x9e3779b97f4a7c15);
    high = (high ^ (low >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (low ^ high) ^ ((low ^ high) >> 32);
}

static struct name *find(struct name *first, const struct name *end, uint64_t hash,
                         const char *text, size_t length)
{
    for (struct name *name = first; name != end; name = name->next) {
        if (name->hash == hash && name->length == length && memcmp(name->text, text, length) == 0)
            return name;
    }
    return NULL;
}

const char *record_interned(const char *text, size_t length)
{
    uint64_t hash = hash_of(text, length);
    struct name *first = atomic_load_explicit(&chains[hash % CHAINS], memory_order_acquire);
    struct name *name = find(first, NULL, hash, text, length);
    return name ? name->text : NULL;
}

const char *record_intern(const char *text, size_t length)
{
    uint64_t hash = hash_of(text, length);
    _Atomic(struct name *) *chain = &chains[hash % CHAINS];
    struct name *first = atomic_load_explicit(chain, memory_order_acquire);
    struct name *known = find(first, NULL, hash, text, length);
    if (known)
        return known->text;
    struct name *name = memory_resize(NULL, sizeof(*name) + length + 1, 1);
    name->hash = hash;
    name->length = length;
    memcpy(name->text, text, length);
    name->text[length] = '\0';
    const struct name *searched = NULL;
    do {
        /* Another thread may have pushed the same name: look at what is new in the chain. */
        known = find(first, searched, hash, text, length);
        if (known) {
            free(name);
            return known->text;
        }
        searched = first;
        name->next = first;
    } while (!atomic_compare_exchange_weak_explicit(chain, &first, name, memory_order_acq_rel,
                                                    memory_order_acquire));
    return name->text;
}

size_t record_name_length(const char *interned)
{
    return ((const struct name *)(const void *)(interned - offsetof(struct name, text)))->length;
}
