/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - the test server's main: one thread, epoll, a heap of answers to come. See
 * README.md. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"

enum { EVENT_COUNT = 256, BACKLOG = 4096 };

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

uint64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* ---- answers to come ------------------------------------------------------------------------ */

static bool before(const struct connection *a, const struct connection *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void place(struct server *server, size_t index, struct connection *connection)
{
    server->heap[index] = connection;
    connection->heap_index = index;
}

static void sift(struct server *server, size_t index, struct connection *connection)
{
    while (index > 0 && before(connection, server->heap[(index - 1) / 2])) {
        place(server, index, server->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * index + 1;
        if (child + 1 < server->heap_count && before(server->heap[child + 1], server->heap[child]))
            child++;
        if (child >= server->heap_count || !before(server->heap[child], connection))
            break;
        place(server, index, server->heap[child]);
        index = child;
    }
    place(server, index, connection);
}

void delayed_add(struct server *server, struct connection *connection)
{
    if (server->heap_count == server->heap_capacity) {
        server->heap_capacity = server->heap_capacity ? server->heap_capacity * 2 : 256;
        server->heap = realloc(server->heap, server->heap_capacity * sizeof(*server->heap));
        if (!server->heap) {
            fprintf(stderr, "test_server: out of memory\n");
            exit(71);
        }
    }
    connection->order = server->order++;
    size_t index = server->heap_count++;
    place(server, index, connection);
    sift(server, index, connection);
}

void delayed_remove(struct server *server, struct connection *connection)
{
    struct connection *last = server->heap[--server->heap_count];
    if (last != connection)
        sift(server, connection->heap_index, last);
    connection->waits = false;
}

/* Sends what is due and returns how long epoll may wait, in milliseconds. */
static int send_due(struct server *server)
{
    uint64_t now = now_us();
    while (server->heap_count && server->heap[0]->due_us <= now) {
        struct connection *connection = server->heap[0];
        delayed_remove(server, connection);
        connection_due(server, connection);
    }
    if (!server->heap_count)
        return -1;
    uint64_t due = server->heap[0]->due_us;
    return due > now ? (int)((due - now) / 1000) + 1 : 0;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void accept_all(struct server *server)
{
    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct connection *connection = calloc(1, sizeof(*connection));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (!connection || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            free(connection);
            close(fd);
            continue;
        }
        connection->fd = fd;
        connection->next = server->connections;
        if (connection->next)
            connection->next->previous = connection;
        server->connections = connection;
        struct counts *counts = server->counts;
        counts->connections++;
        if (++counts->connections_open > counts->connections_open_max)
            counts->connections_open_max = counts->connections_open;
    }
}

static bool listen_on(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server->settings.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int on = 1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->listener < 0 || server->epoll < 0)
        return false;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, BACKLOG) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) != 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) != 0)
        return false;
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return true;
}

/* Answers before reads, and one event per connection and turn: a connection that one event frees is
 * in no other event of the same batch. */
static void serve(struct server *server)
{
    struct epoll_event events[EVENT_COUNT];
    while (!stopped) {
        int timeout = send_due(server);
        int count = epoll_wait(server->epoll, events, EVENT_COUNT, timeout);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection)
                accept_all(server);
            else if (events[i].events & EPOLLOUT)
                connection_writable(server, connection);
            else
                connection_readable(server, connection);
        }
    }
}

int main(int argc, char **argv)
{
    struct server server = {0};
    if (!settings_parse(&server.settings, argc, argv))
        return 2;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = stop}; /* without SA_RESTART: epoll_wait returns */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (server.settings.die_with_parent)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    server.counts = counts_open(server.settings.count_file);
    if (!server.counts)
        return 1;
    if (!listen_on(&server)) {
        perror("test_server: cannot listen on 127.0.0.1");
        return 1;
    }
    serve(&server);
    while (server.connections)
        connection_close(&server, server.connections, false);
    body_table_free(&server.bodies);
    out_free(&server.scratch);
    free(server.heap);
    return 0;
}
