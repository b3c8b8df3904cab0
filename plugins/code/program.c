/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 20, CHUNK = 16384 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int program_file(const char *bytes, size_t length)
{
    int fd = memfd_create("xylem-code", MFD_CLOEXEC);
    while (fd >= 0 && length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0) {
            close(fd);
            return -1;
        }
        bytes += written;
        length -= (size_t)written;
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- starting -------------------------------------------------------------------------------- */

/* A program sees nothing of our environment: no key, no path but the usual ones. */
static char *const environment[] = {
    (char *)"PATH=/usr/local/bin:/usr/bin:/bin", (char *)"HOME=/box", (char *)"LANG=C.UTF-8",
    (char *)"PYTHONHASHSEED=0", (char *)"PYTHONDONTWRITEBYTECODE=1", NULL};

static int start(const struct program *program, const int pipes[2][2], pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_adddup2(&actions, program->input, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[0][1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 2);
    if (program->file >= 0)
        posix_spawn_file_actions_adddup2(&actions, program->file, 3);
    if (program->folder)
        posix_spawn_file_actions_addchdir_np(&actions, program->folder);
    int failed = posix_spawnp(child, program->arguments[0], &actions, &attributes,
                              (char *const *)(uintptr_t)program->arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Reads what is there; the descriptor becomes -1 at its end. */
static void drain(struct pollfd *source, struct text *out)
{
    char chunk[CHUNK];
    ssize_t got;
    while ((got = read(source->fd, chunk, sizeof(chunk))) > 0) {
        text_add(out, chunk, (size_t)got);
        if (got < (ssize_t)sizeof(chunk))
            return;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        source->fd = -1; /* poll() passes over it; the pipe is closed by its owner */
}

static bool is_loud(const struct program *program)
{
    return program->output.length > program->most_output ||
           program->errors.length > program->most_output;
}

/* Has it ended? It stays unreaped. */
static bool has_ended(pid_t child)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child;
}

/* Waits a little for something to read; false when there was nothing. */
static bool read_some(struct program *program, struct pollfd sources[2], int milliseconds)
{
    struct text *const texts[] = {&program->output, &program->errors};
    bool any = false;
    if (poll(sources, 2, milliseconds) <= 0)
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (sources[i].fd < 0 || !sources[i].revents)
            continue;
        drain(&sources[i], texts[i]);
        any = true;
    }
    return any;
}

/* Reads until the program has ended; says why it must be killed, or PROGRAM_EXITED. */
static enum program_end watch(struct program *program, pid_t child, const int pipes[2][2])
{
    struct pollfd sources[2] = {{.fd = pipes[0][0], .events = POLLIN},
                                {.fd = pipes[1][0], .events = POLLIN}};
    double deadline = now() + program->seconds;
    for (;;) {
        bool ended = has_ended(child);
        bool read = read_some(program, sources, ended ? 0 : LOOK_MS);
        if (is_loud(program))
            return PROGRAM_LOUD;
        if (ended && !read)
            return PROGRAM_EXITED;
        if (program->cancelled && program->cancelled(program->data))
            return PROGRAM_CANCELLED;
        if (now() > deadline)
            return PROGRAM_LATE;
    }
}

static void close_pipe(int pipe[2])
{
    for (size_t i = 0; i < 2; i++) {
        if (pipe[i] >= 0)
            close(pipe[i]);
        pipe[i] = -1;
    }
}

static int open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

void program_run(struct program *program)
{
    int pipes[2][2] = {{-1, -1}, {-1, -1}};
    pid_t child = 0;
    int status = 0, failed = open_pipe(pipes[0]);
    if (!failed)
        failed = open_pipe(pipes[1]);
    if (!failed)
        failed = start(program, pipes, &child);
    if (failed) {
        program->end = PROGRAM_FAILED;
        program->status = failed;
    } else {
        for (size_t i = 0; i < 2; i++) {
            close(pipes[i][1]);
            pipes[i][1] = -1;
        }
        program->end = watch(program, child, pipes);
        /* Also when it has ended: what it started may still run. The child is not reaped yet, so
         * that its number, and its group's, is nobody else's. */
        kill(-child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        program->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    close_pipe(pipes[0]);
    close_pipe(pipes[1]);
}
