/* SPDX-License-Identifier: Apache-2.0 */
/* counts.h - what the test server counts, and the table of request bodies it has seen.
 *
 * With `--count-file` the struct counts lies in that file, mapped and shared, so that a test can
 * read it while the server runs and after it was killed. A body is told apart by a 64-bit hash of
 * its path and bytes.
 */
#ifndef XYLEM_TESTS_SERVER_COUNTS_H
#define XYLEM_TESTS_SERVER_COUNTS_H

#include <stdint.h>

#include "out.h"

enum { STATUS_LIMIT = 600 };
#define COUNTS_MAGIC UINT64_C(0x31746e756f437958) /* "XyCount1", little-endian */

struct counts {
    uint64_t magic;
    uint64_t requests;        /* all but /stats and /reset */
    uint64_t by_status[STATUS_LIMIT]; /* answers sent, also truncated and malformed ones */
    uint64_t distinct_bodies;
    uint64_t in_flight, in_flight_max;
    uint64_t connections, connections_open, connections_open_max;
    uint64_t early;           /* attempts for a body before its Retry-After was over */
    uint64_t answered_max;    /* most good answers that one body got: above 1 is paid twice */
    uint64_t answered_again;  /* good answers to bodies that had one already */
    uint64_t attempts_max;    /* most attempts for one body */
    uint64_t resets, truncated, malformed, slow;
    uint64_t proxied;         /* requests with an absolute URL, as a proxy gets them */
    uint64_t limited;         /* 429 by --limit or --max-in-flight */
    uint64_t compressed;      /* answers sent in gzip */
};

/* One request body's history. */
struct body {
    uint64_t hash; /* 0: an empty place */
    uint32_t attempts, answered;
    uint64_t not_before_us; /* its Retry-After, on the monotonic clock */
};

struct body_table {
    struct body *bodies; /* open addressing, at most three quarters full */
    size_t count, capacity;
};

/* The counts, zeroed, in `path` when that is not NULL. NULL with a line printed when it fails. */
struct counts *counts_open(const char *path);
/* All but what is open right now starts again from 0. */
void counts_reset(struct counts *counts);
void counts_write(const struct counts *counts, struct out *out);

/* Finds or adds; valid until the next call. NULL when BODY_LIMIT are known: the caller then treats
 * the request as one never seen. */
struct body *body_find(struct body_table *table, uint64_t hash);
void body_table_free(struct body_table *table);

#endif
