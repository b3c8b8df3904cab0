/* SPDX-License-Identifier: Apache-2.0 */
/* replay_internal.h - the recorded answers of one file, found by key or by prompt. */
#ifndef XYLEM_PLUGINS_REPLAY_REPLAY_INTERNAL_H
#define XYLEM_PLUGINS_REPLAY_REPLAY_INTERNAL_H

#include "json_reader.h"

enum answer_kind { ANSWER_TEXT = 1, ANSWER_SCORES, ANSWER_VECTOR };

enum { SAMPLE_ANY = -1, REPLAY_KEY = 17 };

/* The key of an exact request: FNV-1a 64 (Fowler, Noll, Vo) over role 0x1f content 0x1e for each
 * message, then each candidate or text 0x1e, then the sample's decimal digits 0x1e; 16 hexadecimal
 * digits and a NUL in `out` (REPLAY_KEY bytes). */
uint64_t replay_key_start(void);
uint64_t replay_key_add(uint64_t hash, xy_str text, char end);
void replay_key_end(uint64_t hash, uint32_t sample, char *out);

/* One way to one line's answer. */
struct entry {
    uint64_t hash;      /* of what it is found by; 0: a free place of the table */
    xy_str line, by;    /* the line's object; the raw string it is found by */
    enum answer_kind kind;
    int64_t sample;     /* SAMPLE_ANY: whichever was not recorded by itself */
    size_t number;      /* of the line, from 1 */
    bool by_key;
    char *made_key;     /* what `by` points into, where the line has messages; owned */
};

struct recording {
    char *bytes;
    struct entry *table; /* open addressing; size is a power of two */
    size_t size, count;
};

/* Reads and checks the whole file. 0, or XY_EIO, XY_EINVAL, XY_ENOMEM with one sentence in
 * `error`. */
int recording_read(struct recording *recording, const char *path, char *error, size_t error_size);
void recording_free(struct recording *recording);

/* The answer recorded for `text` (a key, or a prompt) and `sample`; NULL when there is none. A
 * prompt recorded without a sample stands for all samples that have no line of their own. */
const struct entry *recording_find(const struct recording *recording, bool by_key, xy_str text,
                                   enum answer_kind kind, int64_t sample);

#endif
