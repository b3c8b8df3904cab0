/* SPDX-License-Identifier: Apache-2.0 */
/* demos_pool.h - the demonstrations to choose from, in memory: each as the JSON object that goes
 * into a record, with what tells whether it may be chosen. Filled once in prepare(), then only
 * read. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_POOL_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_POOL_H

#include "names.h"
#include "text.h"

struct demo {
    size_t json, json_length;   /* in the pool's `json` */
    size_t text, text_length;   /* in the pool's `texts` */
    uint64_t id, text_hash;
    uint32_t match, balance;    /* numbers of the values of those fields; 0 without the field */
};

struct pool {
    struct demo *demos;         /* by match, then by balance, then as the data set has them */
    size_t count;
    struct text json, texts;
    struct names match_values, balance_values;
    _Atomic int said_short;     /* the line about too few demonstrations was written */
};

/* What both stages are told alike. */
struct pool_options {
    xy_dataset *dataset;
    int64_t k;
    const char *match, *balance, *text_field, *into, *ids;
    const char *const *fields;
    int32_t exclude_self;
};

/* Reads the whole data set. 0, or an error with its text on the job. [worker] */
int pool_read(struct pool *pool, xy_job *job, const struct pool_options *options);
void pool_free(struct pool *pool);

/* Indices of the demos that this record may have, in the pool's order: those whose `match` field
 * agrees and that are not the record itself (the same id, or the very same text). The array is the
 * job's. [any] */
const uint32_t *pool_candidates(const struct pool *pool, xy_job *job,
                                const struct pool_options *options, const xy_record *record,
                                xy_str text, size_t *count);

/* Sets the chosen demos, and their ids, on the record; says once when they are fewer than
 * wanted. */
int pool_set(struct pool *pool, xy_job *job, const xy_host *host,
             const struct pool_options *options, xy_record *record, const uint32_t *chosen,
             size_t count);

#endif
