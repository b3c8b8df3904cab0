/* SPDX-License-Identifier: Apache-2.0 */
/* demos_pool.h - the demonstrations to choose from, in memory: each as the JSON object that goes
 * into a record, with what tells whether it may be chosen. Filled once in prepare(), then only
 * read. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_POOL_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_POOL_H

#include <pthread.h>

#include "names.h"
#include "text.h"

struct demo {
    size_t json, json_length;   /* in the pool's `json` */
    size_t text, text_length;   /* in the pool's `texts` */
    uint64_t id, text_hash;
    uint32_t match, balance;    /* numbers of the values of those fields; 0 without the field */
    uint32_t row;               /* place in the order of reading, `second_pool` after `pool` */
    uint64_t position;          /* of its record in its data set */
    double weight;              /* its record's */
    bool second;                /* from `second_pool` */
};

struct pool {
    struct demo *demos;         /* by match, pool, balance, then as the data set has them */
    size_t count;
    size_t read;                /* how many were read: rows, of which a stage may keep some */
    struct text json, texts;
    struct names match_values, balance_values;
    pthread_mutex_t lock;       /* of the members below */
    bool has_lock;
    uint64_t short_of;          /* records that got fewer than k */
    struct names said;          /* values of `match` that the log has told of */
};

/* What all stages are told alike; the first member of each stage's state. See demos_options.h. */
struct pool_options {
    xy_dataset *dataset, *second;
    int64_t k, second_k, least, max_bytes;
    const char *match, *balance, *text_field, *query_field, *into, *ids;
    const char *const *fields, *const *require;
    int32_t exclude_self;
    int32_t weighted;           /* drawn in proportion to weight, so that 0 is never drawn */
};

/* Indices of demos that a record may have, in the pool's order. */
struct candidates {
    uint32_t *items; /* the job's */
    size_t count;
    size_t own;      /* the first so many are of `pool`, the others of `second_pool` */
};

/* Reads the data sets whole. 0, or an error with its text on the job. [worker] */
int pool_read(struct pool *pool, xy_job *job, const struct pool_options *options);
void pool_free(struct pool *pool);

/* Keeps only the demos that `kept` is true for (by row). [worker] */
void pool_keep(struct pool *pool, const bool *kept);

/* Those whose `match` field agrees and that are not the record itself (the same id, or the very
 * same text). XY_OK or XY_ENOMEM. [any] */
int pool_candidates(const struct pool *pool, xy_job *job, const struct pool_options *options,
                    const xy_record *record, xy_str text, struct candidates *candidates);

/* How many to choose: `k` in all, at most `second_k` of them from the second pool. */
struct shares {
    size_t own, second;
};
struct shares pool_shares(const struct pool_options *options, const struct candidates *candidates);

enum pool_order { ORDER_AS_CHOSEN, ORDER_REVERSED, ORDER_RANDOM };

/* What a stage chose for a record, the best first. */
struct choice {
    uint32_t *demos;        /* reordered in place */
    size_t count;
    enum pool_order order;  /* how they stand in the list */
    uint64_t random;        /* the stream of ORDER_RANDOM */
    bool none;              /* none were wanted for this record: no shortfall */
};

/* Sets the chosen demos, and their ids, on the record, as far as `max_bytes` goes. Fewer than
 * `k` are counted and told of; fewer than `least` are XY_DROP with the reason. [any] */
int pool_give(struct pool *pool, xy_job *job, const xy_host *host,
              const struct pool_options *options, xy_record *record, struct choice *choice);

/* The first `k` become a random draw without replacement, in random order (Fisher and Yates). */
void pool_draw(uint32_t *items, size_t count, size_t k, uint64_t *random);
/* The same in proportion to the demos' weights, all above 0: each draw among those left. */
void pool_draw_weighted(const struct pool *pool, uint32_t *items, size_t count, size_t k,
                        uint64_t *random);

#endif
