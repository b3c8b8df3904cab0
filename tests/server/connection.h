/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - one client connection of the test server and the server's shared state. */
#ifndef XYLEM_TESTS_SERVER_CONNECTION_H
#define XYLEM_TESTS_SERVER_CONNECTION_H

#include <stdbool.h>

#include "counts.h"
#include "out.h"
#include "request.h"
#include "settings.h"

struct connection {
    int fd;
    struct connection *previous, *next; /* all that are open */
    struct out in, out;
    size_t sent;
    bool waits;          /* an answer is due later; what follows in `in` waits for it */
    bool counted;        /* that answer is counted as in flight */
    bool close_after;    /* once `out` is sent */
    bool wants_output;   /* registered for EPOLLOUT */
    int kind;            /* enum failure_kind of the answer */
    int status;
    uint64_t body_hash;
    uint64_t due_us, order; /* its place in the heap of answers to come, by (due, order) */
    size_t heap_index;
};

struct server {
    struct settings settings;
    struct counts *counts;
    struct body_table bodies;
    struct out scratch;
    int epoll, listener;
    struct connection *connections;
    struct connection **heap;
    size_t heap_count, heap_capacity;
    uint64_t order;
    uint64_t window_start_us, window_requests; /* for --limit */
};

uint64_t now_us(void);

/* Reads what came, answers, and frees the connection when it is over. */
void connection_readable(struct server *server, struct connection *connection);
/* Goes on writing. */
void connection_writable(struct server *server, struct connection *connection);
/* Its answer's time has come; it has been taken off the heap. */
void connection_due(struct server *server, struct connection *connection);
void connection_close(struct server *server, struct connection *connection, bool reset);

/* The heap of answers to come (server.c). */
void delayed_add(struct server *server, struct connection *connection);
void delayed_remove(struct server *server, struct connection *connection);

#endif
