/* SPDX-License-Identifier: Apache-2.0 */
/* launch.h - starts build/bin/test_server for a test, and stops it.
 *
 *     struct test_server server;
 *     if (!test_server_start(&server, (const char *[]){"--latency-ms", "5", NULL}))
 *         ...
 *     ... server.url is "http://127.0.0.1:PORT" ...
 *     test_server_stop(&server);
 *
 * The server ends with the test, also when that crashes. test_server_stat() asks GET /stats.
 */
#ifndef XYLEM_TESTS_SERVER_LAUNCH_H
#define XYLEM_TESTS_SERVER_LAUNCH_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct test_server {
    pid_t pid;
    int port;
    char url[64];
};

static inline bool test_server_start(struct test_server *server, const char *const *arguments)
{
    extern char **environ;
    enum { ARGUMENTS_LIMIT = 40 };
    const char *argv[ARGUMENTS_LIMIT + 3] = {TEST_BUILD_DIR "/bin/test_server",
                                             "--die-with-parent"};
    size_t count = 2;
    while (arguments && *arguments && count < ARGUMENTS_LIMIT + 2)
        argv[count++] = *arguments++;
    *server = (struct test_server){.pid = -1};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int failed = posix_spawn(&server->pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    char line[16] = "";
    size_t length = 0;
    while (!failed && length + 1 < sizeof(line) && read(ends[0], line + length, 1) == 1 &&
           line[length] != '\n')
        length++;
    close(ends[0]);
    server->port = (int)strtol(line, NULL, 10);
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", server->port);
    if (failed || server->port <= 0)
        fprintf(stderr, "cannot start %s\n", argv[0]);
    return !failed && server->port > 0;
}

static inline void test_server_stop(struct test_server *server)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    server->pid = -1;
}

/* Sends one request without a body and reads the answer's body into `body`; false when it fails. */
static inline bool test_server_ask(const struct test_server *server, const char *method,
                                   const char *path, char *body, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[8192];
    size_t length = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int sent = snprintf(answer, sizeof(answer), "%s %s HTTP/1.0\r\n\r\n", method, path);
    bool good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                send(fd, answer, (size_t)sent, MSG_NOSIGNAL) == sent;
    ssize_t count = 1;
    while (good && count > 0 && length + 1 < sizeof(answer)) {
        count = read(fd, answer + length, sizeof(answer) - 1 - length);
        length += count > 0 ? (size_t)count : 0;
    }
    close(fd);
    answer[length] = '\0';
    const char *start = good ? strstr(answer, "\r\n\r\n") : NULL;
    if (start)
        snprintf(body, size, "%s", start + 4);
    return start != NULL;
}

/* One number of GET /stats, for example "requests" or "429"; -1 when it is not there. A status that
 * was never sent is not there either. */
static inline long long test_server_stat(const struct test_server *server, const char *name)
{
    char body[4096], quoted[64];
    snprintf(quoted, sizeof(quoted), "\"%s\":", name);
    if (!test_server_ask(server, "GET", "/stats", body, sizeof(body)))
        return -1;
    const char *place = strstr(body, quoted);
    return place ? strtoll(place + strlen(quoted), NULL, 10) : -1;
}

#endif
