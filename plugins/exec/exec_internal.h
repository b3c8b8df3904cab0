/* SPDX-License-Identifier: Apache-2.0 */
/* exec_internal.h - processes that speak JSON lines, each with a thread that feeds and reads it.
 *
 *   exec.c           options, open, submit, cancel, completing on the loop
 *   exec_process.c   the thread of a process: spawn, poll, time out, restart
 *   exec_protocol.c  a request as a line, a line as a reply
 *
 * An exchange belongs to the process's lists under its lock until its thread (or cancel()) takes it
 * off and posts it to the loop, which completes the call and frees it.
 */
#ifndef XYLEM_PLUGINS_EXEC_EXEC_INTERNAL_H
#define XYLEM_PLUGINS_EXEC_EXEC_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "json_reader.h"
#include "text.h"

enum { LINE_LIMIT = 64 << 20, ERROR_SIZE = 320 };

struct exec;

struct exchange {
    struct exec *exec;
    xy_call *call;            /* NULL: cancelled while with the program, its answer is dropped */
    struct exchange *next;
    uint64_t id;
    uint32_t timeout_ms;
    uint64_t due_ms;          /* monotonic; set when the line is sent */
    struct text line;         /* the request; then the answer, when status is XY_OK */
    int32_t status;
    bool retryable;
    char error[ERROR_SIZE];
};

struct exchange_list {
    struct exchange *first, *last;
    size_t count;
};

struct process {
    struct exec *exec;
    size_t number;
    pthread_t thread;
    bool started;             /* the thread; [loop] only */
    int wake[2];              /* a pipe: a byte says that a list or `stopping` has changed */
    pthread_mutex_t lock;
    struct exchange_list waiting, active; /* under the lock */
    bool stopping;            /* under the lock */
    /* The thread's own. */
    pid_t pid;                /* 0: not running */
    int input, output, errors; /* the program's stdin, stdout, stderr; -1: closed */
    struct text outgoing, incoming, complaint;
    size_t sent;              /* bytes of `outgoing` that are written */
    uint32_t failures;        /* ends in a row without any answer between */
    uint32_t logged;
    bool hopeless;            /* under the lock: not started any more; `last_end` says why */
    char last_end[ERROR_SIZE];
};

struct exec {
    /* Options. */
    const char *const *command;
    const char *const *operations;
    int64_t processes, parallel, restarts;
    double timeout;
    /* The rest. */
    const xy_host *host;
    const xy_loop *loop;
    struct process *pool;
    uint64_t next_id;
    uint32_t can;
};

void exchange_append(struct exchange_list *list, struct exchange *exchange);
/* Takes it off; false when it is not there. */
bool exchange_remove(struct exchange_list *list, struct exchange *exchange);
/* Hands it to the loop, which completes its call and frees it. [any], without the lock. */
void exchange_post(struct exchange *exchange);
void exchange_free(struct exchange *exchange);

/* The body of a process's thread. */
void *process_run(void *process);
/* Tells the thread to look at its lists. [any] */
void process_wake(struct process *process);

/* Writes the request's line, newline included. */
void protocol_write(struct text *out, uint64_t id, const xy_request *request);
/* The id of an answer's line; 0 when it is none. */
uint64_t protocol_id(xy_str line);
/* Fills the reply from an answer's line; what it points to is the call's. */
void protocol_read(xy_call *call, xy_str line, xy_reply *reply);

#endif
