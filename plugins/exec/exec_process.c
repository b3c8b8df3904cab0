/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec_spawn.h"

enum {
    READ_SIZE = 64 << 10,
    LOG_LINES = 1000,     /* of the program's stderr that are passed on */
    LOG_WIDTH = 500,
    FIRST_PAUSE_MS = 100, /* before a restart, doubled with each failure in a row */
    LONGEST_PAUSE_MS = 5000,
    GRACE_MS = 1000       /* between closing its stdin and killing it */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void process_wake(struct process *process)
{
    ssize_t written = write(process->wake[1], "", 1);
    (void)written; /* a full pipe wakes as well */
}

/* ---- start ----------------------------------------------------------------------------------- */

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool start(struct process *process, char *why, size_t why_size)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int failed = 0;
    for (int i = 0; i < 3 && !failed; i++)
        failed = pipe2(pipes[i], O_CLOEXEC) == 0 ? 0 : errno;
    const int far_ends[] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    if (!failed)
        failed = exec_spawn(process->exec->command, far_ends, &process->pid);
    close_one(&pipes[0][0]);
    close_one(&pipes[1][1]);
    close_one(&pipes[2][1]);
    process->input = pipes[0][1];
    process->output = pipes[1][0];
    process->errors = pipes[2][0];
    text_clear(&process->outgoing);
    text_clear(&process->incoming);
    text_clear(&process->complaint);
    process->sent = 0;
    if (!failed) {
        fcntl(process->input, F_SETFL, O_NONBLOCK);
        return true;
    }
    process->pid = 0;
    close_one(&process->input);
    close_one(&process->output);
    close_one(&process->errors);
    snprintf(why, why_size, "`%s` cannot be started: %s",
             process->exec->command[0], strerror(failed));
    return false;
}

/* ---- end ------------------------------------------------------------------------------------- */

static void fail_all(struct process *process, struct exchange_list *list, int32_t status,
                     bool retryable, const char *error)
{
    pthread_mutex_lock(&process->lock);
    struct exchange *exchange = list->first;
    *list = (struct exchange_list){NULL, NULL, 0};
    pthread_mutex_unlock(&process->lock);
    while (exchange) {
        struct exchange *next = exchange->next;
        if (exchange->status == XY_OK) { /* one that timed out says so itself */
            exchange->status = status;
            snprintf(exchange->error, sizeof(exchange->error), "%s", error);
        }
        exchange->retryable = retryable;
        exchange_post(exchange);
        exchange = next;
    }
}

static int reap(struct process *process, bool kill_it)
{
    int status = 0;
    uint64_t until = now_ms() + GRACE_MS;
    close_one(&process->input);
    bool ended = false;
    while (!kill_it && !ended) {
        const struct timespec pause = {.tv_nsec = 5000000};
        ended = waitpid(process->pid, &status, WNOHANG) != 0;
        kill_it = !ended && now_ms() > until;
        if (!ended)
            nanosleep(&pause, NULL);
    }
    if (!ended) {
        kill(-process->pid, SIGKILL);
        waitpid(process->pid, &status, 0);
    }
    close_one(&process->output);
    close_one(&process->errors);
    process->pid = 0;
    return status;
}

/* The program is gone, or must go: its calls may be tried again, in a new process. */
static void end(struct process *process, bool kill_it, const char *why)
{
    char text[ERROR_SIZE];
    int status = reap(process, kill_it);
    if (why)
        snprintf(text, sizeof(text), "%s", why);
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "`%s` was ended by signal %d", process->exec->command[0],
                 WTERMSIG(status));
    else
        snprintf(text, sizeof(text), "`%s` ended with exit status %d", process->exec->command[0],
                 WEXITSTATUS(status));
    xy_log_line(process->exec->host, XY_LOG_WARNING, "exec: process %zu: %s", process->number,
                text);
    snprintf(process->last_end, sizeof(process->last_end), "%s", text);
    process->failures++;
    fail_all(process, &process->active, XY_EUPSTREAM, true, text);
}

/* ---- lines in -------------------------------------------------------------------------------- */

static struct exchange *take_active(struct process *process, uint64_t id)
{
    pthread_mutex_lock(&process->lock);
    struct exchange *exchange = process->active.first;
    while (exchange && exchange->id != id)
        exchange = exchange->next;
    if (exchange)
        exchange_remove(&process->active, exchange);
    pthread_mutex_unlock(&process->lock);
    return exchange;
}

/* False when the line is no answer to any call. */
static bool on_line(struct process *process, xy_str line)
{
    if (line.len == 0 || (line.len == 1 && *line.ptr == '\r'))
        return true;
    uint64_t id = protocol_id(line);
    struct exchange *exchange = id ? take_active(process, id) : NULL;
    if (!exchange)
        return false;
    process->failures = 0;
    text_clear(&exchange->line);
    text_add_str(&exchange->line, line);
    exchange_post(exchange);
    return true;
}

static void log_line(struct process *process, xy_str line)
{
    if (process->logged > LOG_LINES)
        return;
    if (process->logged++ == LOG_LINES)
        xy_log_line(process->exec->host, XY_LOG_WARNING, "exec: process %zu: further lines of its "
                    "stderr are dropped", process->number);
    else
        xy_log_line(process->exec->host, XY_LOG_INFO, "exec: process %zu: %.*s", process->number,
                    line.len < LOG_WIDTH ? (int)line.len : LOG_WIDTH, line.ptr);
}

/* Keeps what is left of a line that has not ended. False when it is longer than a line may be. */
static bool keep_rest(struct text *text, size_t start, bool answers)
{
    if (start) {
        /* A line was found, so there are bytes.
         * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
        memmove(text->bytes, text->bytes + start, text->length - start);
        text->length -= start;
        return true;
    }
    if (!answers && text->length > LOG_WIDTH) {
        text_clear(text); /* no end of line in sight: its beginning is enough */
        return true;
    }
    return !text->failed && text->length <= LINE_LIMIT;
}

/* Reads what is there and gives each whole line to the stream's function. False at its end, or
 * after a line that is no answer (then `bad` holds its beginning). */
static bool read_lines(struct process *process, bool answers, char *bad, size_t bad_size)
{
    struct text *text = answers ? &process->incoming : &process->complaint;
    char bytes[READ_SIZE];
    ssize_t count = read(answers ? process->output : process->errors, bytes, sizeof(bytes));
    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    text_add(text, bytes, (size_t)count);
    size_t start = 0;
    for (;;) {
        char *line = text->bytes ? text->bytes + start : NULL;
        char *newline = line ? memchr(line, '\n', text->length - start) : NULL;
        if (!newline)
            break;
        xy_str found = {line, (size_t)(newline - line)};
        start += found.len + 1;
        if (!answers) {
            log_line(process, found);
        } else if (!on_line(process, found)) {
            snprintf(bad, bad_size, "%.*s", found.len < 80 ? (int)found.len : 80, found.ptr);
            return false;
        }
    }
    if (!keep_rest(text, start, answers)) {
        snprintf(bad, bad_size, "(a line of more than 64 MiB)");
        return false;
    }
    return count > 0;
}

/* ---- lines out ------------------------------------------------------------------------------- */

/* Moves waiting calls to the program's stdin while it has fewer than `parallel`. */
static void feed(struct process *process)
{
    pthread_mutex_lock(&process->lock);
    while (process->waiting.first && process->active.count < (size_t)process->exec->parallel) {
        struct exchange *exchange = process->waiting.first;
        exchange_remove(&process->waiting, exchange);
        exchange->due_ms = now_ms() + exchange->timeout_ms;
        exchange_append(&process->active, exchange);
        text_add(&process->outgoing, exchange->line.bytes, exchange->line.length);
    }
    pthread_mutex_unlock(&process->lock);
}

static void write_some(struct process *process)
{
    ssize_t count = write(process->input, process->outgoing.bytes + process->sent,
                          process->outgoing.length - process->sent);
    if (count > 0)
        process->sent += (size_t)count;
    if (process->sent == process->outgoing.length) {
        text_clear(&process->outgoing);
        process->sent = 0;
    }
    /* A broken pipe shows as the end of its stdout, where the exit status is reported. */
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        close_one(&process->input);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Marks the first call that is past its time; how long until the next one is, -1: none. */
static int next_due(struct process *process, bool *late)
{
    uint64_t now = now_ms(), first = UINT64_MAX;
    *late = false;
    pthread_mutex_lock(&process->lock);
    for (struct exchange *exchange = process->active.first; exchange; exchange = exchange->next) {
        first = exchange->due_ms < first ? exchange->due_ms : first;
        if (exchange->due_ms <= now && !*late) {
            *late = true;
            exchange->status = XY_ETIMEOUT;
            snprintf(exchange->error, sizeof(exchange->error), "no answer within %.1f s",
                     exchange->timeout_ms / 1e3);
        }
    }
    pthread_mutex_unlock(&process->lock);
    if (first == UINT64_MAX)
        return -1;
    return first <= now ? 0 : first - now > INT32_MAX ? INT32_MAX : (int)(first - now);
}

static void turn(struct process *process)
{
    bool late;
    char bad[128] = "", why[ERROR_SIZE];
    feed(process);
    int timeout = next_due(process, &late);
    if (late) {
        end(process, true, "another call to the same process got no answer in time");
        return;
    }
    bool pending = process->outgoing.length > process->sent;
    struct pollfd fds[] = {
        {.fd = process->wake[0], .events = POLLIN},
        {.fd = process->output, .events = POLLIN},
        {.fd = process->errors, .events = POLLIN},
        {.fd = pending ? process->input : -1, .events = POLLOUT},
    };
    if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout) < 0)
        return;
    char drain[64];
    if (fds[0].revents && read(process->wake[0], drain, sizeof(drain)) < 0)
        return;
    if (fds[2].revents && !read_lines(process, false, bad, sizeof(bad)))
        close_one(&process->errors);
    if (fds[3].revents)
        write_some(process);
    if (!fds[1].revents || read_lines(process, true, bad, sizeof(bad)))
        return;
    snprintf(why, sizeof(why), "`%s` wrote a line that is no answer to a call in flight: %s",
             process->exec->command[0], bad);
    end(process, *bad != '\0', *bad ? why : NULL);
}

static void give_up(struct process *process, const char *why)
{
    pthread_mutex_lock(&process->lock);
    snprintf(process->last_end, sizeof(process->last_end), "%s", why);
    process->hopeless = true;
    pthread_mutex_unlock(&process->lock);
    xy_log_line(process->exec->host, XY_LOG_ERROR, "exec: process %zu: %s", process->number, why);
}

/* Milliseconds to wait before the next start; -1 for none. */
static int pause_before_start(const struct process *process)
{
    if (!process->failures)
        return -1;
    uint32_t doublings = process->failures < 10 ? process->failures - 1 : 9;
    int pause = FIRST_PAUSE_MS << doublings;
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

/* No program is running: waits for a call, then starts one, later and later after failures. */
static void idle(struct process *process)
{
    pthread_mutex_lock(&process->lock);
    bool wanted = process->waiting.first != NULL, stopping = process->stopping;
    pthread_mutex_unlock(&process->lock);
    if (stopping)
        return;
    if (wanted && !process->hopeless && process->failures > (uint64_t)process->exec->restarts) {
        char text[ERROR_SIZE];
        snprintf(text, sizeof(text), "given up after %u starts in a row without an answer: %.200s",
                 process->failures, process->last_end);
        give_up(process, text);
    }
    if (process->hopeless) {
        fail_all(process, &process->waiting, XY_EUPSTREAM, false, process->last_end);
        wanted = false;
    }
    int pause = wanted ? pause_before_start(process) : -1;
    struct pollfd fd = {.fd = process->wake[0], .events = POLLIN};
    char drain[64];
    if ((!wanted || pause > 0) && poll(&fd, 1, pause) > 0 &&
        read(process->wake[0], drain, sizeof(drain)) > 0 && !wanted)
        return;
    char why[ERROR_SIZE];
    if (wanted && !start(process, why, sizeof(why)))
        give_up(process, why); /* what is not there will not start later either */
}

void *process_run(void *data)
{
    struct process *process = data;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the host's; a broken pipe is an errno */
    for (;;) {
        pthread_mutex_lock(&process->lock);
        bool stopping = process->stopping;
        pthread_mutex_unlock(&process->lock);
        if (stopping)
            break;
        if (process->pid)
            turn(process);
        else
            idle(process);
    }
    if (process->pid)
        reap(process, false);
    return NULL;
}
