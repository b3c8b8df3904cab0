/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_learner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec_spawn.h"

enum { PIECE = 65536, TICK_MS = 100, LOGGED_MAX = 1000, LINE_MAX_BYTES = 256 << 20 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int talk_start(struct talk *talk, const struct talk_terms *terms)
{
    int lines[2], errors[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) != 0)
        return xy_fail(terms->job, XY_EIO, "no socket to a program: %s", strerror(errno));
    if (pipe2(errors, O_CLOEXEC) != 0) {
        close(lines[0]);
        close(lines[1]);
        return xy_fail(terms->job, XY_EIO, "no pipe to a program: %s", strerror(errno));
    }
    const int far_ends[] = {lines[1], lines[1], errors[1]};
    int failed = exec_spawn(terms->command, far_ends, &talk->pid);
    close(lines[1]);
    close(errors[1]);
    talk->line = lines[0];
    talk->errors = errors[0];
    fcntl(talk->line, F_SETFL, O_NONBLOCK);
    fcntl(talk->errors, F_SETFL, O_NONBLOCK);
    if (!failed)
        return XY_OK;
    talk->pid = 0;
    close(talk->line);
    close(talk->errors);
    return xy_fail(terms->job, XY_EIO, "`%s` cannot be started: %s", terms->command[0],
                   strerror(failed));
}

/* Lets it end for a second, then kills it, and all that it started. The status with which it ended;
 * 0 where it had to be killed. */
static int reap(struct talk *talk)
{
    int status = 0;
    bool gone = false;
    close(talk->line); /* the end of its stdin */
    if (talk->errors >= 0)
        close(talk->errors);
    for (int i = 0; i < 100 && !gone; i++) {
        gone = waitpid(talk->pid, &status, WNOHANG) != 0;
        if (!gone)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    kill(-talk->pid, SIGKILL);
    if (!gone)
        waitpid(talk->pid, NULL, 0);
    talk->pid = 0;
    return gone ? status : 0;
}

void talk_end(struct talk *talk)
{
    text_free(&talk->received);
    text_free(&talk->complaint);
    if (talk->pid != 0)
        reap(talk);
}

/* ---- reading and writing --------------------------------------------------------------------- */

/* Its stderr goes to the log, line by line. */
static void hear_errors(struct talk *talk, const struct talk_terms *terms)
{
    char piece[4096];
    ssize_t got = talk->errors < 0 ? -1 : read(talk->errors, piece, sizeof(piece));
    if (got == 0) { /* it closed it; polled on, it would be heard forever */
        close(talk->errors);
        talk->errors = -1;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (piece[i] != '\n') {
            if (talk->complaint.length < sizeof(talk->last) - 1)
                text_add(&talk->complaint, &piece[i], 1);
            continue;
        }
        snprintf(talk->last, sizeof(talk->last), "%s",
                 talk->complaint.bytes ? talk->complaint.bytes : "");
        if (talk->logged++ < LOGGED_MAX && talk->last[0])
            xy_log_line(terms->host, XY_LOG_INFO, "%s: %s", terms->command[0], talk->last);
        text_clear(&talk->complaint);
    }
}

/* A whole line, if there is one. */
static bool take_line(struct talk *talk, xy_str *line)
{
    struct text *received = &talk->received;
    const char *from = received->bytes ? received->bytes + talk->taken : NULL;
    const char *end = from ? memchr(from, '\n', received->length - talk->taken) : NULL;
    if (!end)
        return false;
    *line = (xy_str){from, (size_t)(end - from)};
    talk->taken += line->len + 1;
    return true;
}

/* Forgets what was given out, so that the buffer holds one unfinished line at most. */
static void forget(struct talk *talk)
{
    struct text *received = &talk->received;
    if (!talk->taken)
        return;
    received->length -= talk->taken;
    memmove(received->bytes, received->bytes + talk->taken, received->length);
    talk->taken = 0;
}

/* A program may say why it ends, and not read what it is told. */
static int ended(struct talk *talk, const struct talk_terms *terms, xy_str *line)
{
    if (take_line(talk, line))
        return XY_OK;
    hear_errors(talk, terms);
    if (!talk->last[0] && talk->complaint.length)
        snprintf(talk->last, sizeof(talk->last), "%s", talk->complaint.bytes);
    char how[40] = "ended";
    int status = reap(talk);
    if (WIFSIGNALED(status)) /* 9 is often the system's, for memory */
        snprintf(how, sizeof(how), "was ended by signal %d", WTERMSIG(status));
    return xy_fail(terms->job, XY_EIO, "`%s` %s before it had answered%s%s", terms->command[0],
                   how, talk->last[0] ? "; the last that it said: " : "", talk->last);
}

/* What it has written; XY_OK with *line set when that was its last. */
static int hear(struct talk *talk, const struct talk_terms *terms, xy_str *line)
{
    char *piece = malloc(PIECE);
    if (!piece)
        return XY_ENOMEM;
    ssize_t got = recv(talk->line, piece, PIECE, 0);
    if (got > 0)
        text_add(&talk->received, piece, (size_t)got);
    free(piece);
    if (talk->received.failed)
        return XY_ENOMEM;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        return ended(talk, terms, line);
    if (talk->received.length > LINE_MAX_BYTES)
        return xy_fail(terms->job, XY_EIO, "`%s` wrote a line of more than %d bytes",
                       terms->command[0], LINE_MAX_BYTES);
    return XY_OK;
}

/* Sends what it can of what is left after the first `sent` bytes; how many bytes that was.
 * There is something left. */
static size_t tell(const struct talk *talk, const struct text *out, size_t sent)
{
    ssize_t wrote = send(talk->line, out->bytes + sent, out->length - sent, MSG_NOSIGNAL);
    return wrote > 0 ? (size_t)wrote : 0;
}

/* Waits a little, and hears or tells what can be; *sent grows. */
static int attend(struct talk *talk, const struct talk_terms *terms, const struct text *out,
                  size_t *sent, xy_str *line)
{
    bool more = out && *sent < out->length;
    struct pollfd polled[] = {
        {.fd = talk->line, .events = (short)(POLLIN | (more ? POLLOUT : 0))},
        {.fd = talk->errors, .events = POLLIN}};
    if (poll(polled, 2, TICK_MS) < 0 && errno != EINTR)
        return xy_fail(terms->job, XY_EIO, "poll: %s", strerror(errno));
    if (polled[1].revents)
        hear_errors(talk, terms);
    if (more && polled[0].revents & POLLOUT)
        *sent += tell(talk, out, *sent);
    return polled[0].revents & (POLLIN | POLLHUP | POLLERR) ? hear(talk, terms, line) : XY_OK;
}

int talk_exchange(struct talk *talk, const struct talk_terms *terms, const struct text *out,
                  xy_str *line)
{
    double due = terms->seconds > 0 ? now() + terms->seconds : 0;
    size_t sent = 0, length = out ? out->length : 0;
    *line = (xy_str){NULL, 0};
    if (talk->pid == 0)
        return xy_fail(terms->job, XY_EIO, "`%s` has ended", terms->command[0]);
    forget(talk);
    while (sent < length || !take_line(talk, line)) {
        if (terms->job->api->cancelled(terms->job))
            return XY_ECANCELED;
        if (due > 0 && now() > due)
            return xy_fail(terms->job, XY_ETIMEOUT, "`%s` has not answered within %g seconds",
                           terms->command[0], terms->seconds);
        int code = attend(talk, terms, out, &sent, line);
        if (code < 0 || line->ptr)
            return code;
    }
    return XY_OK;
}
