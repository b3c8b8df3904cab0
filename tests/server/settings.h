/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - the test server's command line. */
#ifndef XYLEM_TESTS_SERVER_SETTINGS_H
#define XYLEM_TESTS_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAILURE_LIMIT = 16 };

/* What a request may get in place of its answer. A status of 100 or more is an HTTP status. */
enum failure_kind {
    FAIL_NONE = 0,
    FAIL_RESET = 1,     /* the connection is reset, nothing is sent */
    FAIL_TRUNCATE = 2,  /* half of the body, then the connection is closed */
    FAIL_MALFORMED = 3, /* 200 with a body that is not JSON */
    FAIL_SLOW = 4       /* the answer comes `slow_ms` later */
};

struct failure {
    int kind;
    double probability;
};

struct settings {
    uint16_t port;
    uint32_t latency_ms, jitter_ms, slow_ms;
    struct failure failures[FAILURE_LIMIT];
    size_t failure_count;
    uint64_t seed;
    double retry_after;    /* seconds; negative: the header is not sent */
    bool retry_after_date; /* as an HTTP date, in whole seconds */
    double limit;          /* requests a second; 0: any */
    uint32_t max_in_flight; /* 0: any */
    const char *key, *count_file;
    bool gzip, die_with_parent;
};

/* Fills `settings`; on a mistake prints one line and returns false. `--help` prints and ends. */
bool settings_parse(struct settings *settings, int argc, char **argv);

#endif
