/* SPDX-License-Identifier: Apache-2.0 */
/* replay_internal.h - the recorded answers of one file, found by key or by prompt. */
#ifndef XYLEM_PLUGINS_REPLAY_REPLAY_INTERNAL_H
#define XYLEM_PLUGINS_REPLAY_REPLAY_INTERNAL_H

#include "json_reader.h"

enum answer_kind { ANSWER_TEXT = 1, ANSWER_SCORES, ANSWER_VECTOR };

enum { SAMPLE_ANY = -1 };

/* One way to one line's answer. */
struct entry {
    uint64_t hash;      /* of what it is found by; 0: a free place of the table */
    xy_str line, by;    /* the line's object; the raw string it is found by */
    enum answer_kind kind;
    int64_t sample;     /* SAMPLE_ANY: whichever was not recorded by itself */
    size_t number;      /* of the line, from 1 */
    bool by_key;
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
