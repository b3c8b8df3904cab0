/* SPDX-License-Identifier: Apache-2.0 */
/* exec_learner.h - a learner that is another program: its lines, and the process behind them.
 *
 *   exec_learner.c        options, fit, trace, predict; what the lines say
 *   exec_learner_talk.c   one process: start, send and receive, end
 *
 * One thread at a time for one process; [worker]. */
#ifndef XYLEM_PLUGINS_EXEC_EXEC_LEARNER_H
#define XYLEM_PLUGINS_EXEC_EXEC_LEARNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "json_reader.h"
#include "text.h"

struct talk { /* zeroed: no process */
    pid_t pid;           /* 0: none */
    int line, errors;    /* its stdin and stdout, one socket; its stderr */
    struct text received, complaint; /* what is not yet a whole line */
    size_t taken;        /* bytes of `received` that were given out */
    uint32_t logged;
    char last[200];      /* the last line it wrote to stderr */
};

struct talk_terms {
    const xy_host *host;
    xy_job *job;
    const char *const *command;
    double seconds; /* for one exchange; 0: as long as it takes */
};

/* Starts the program. XY_OK, or XY_EIO with the reason. */
int talk_start(struct talk *talk, const struct talk_terms *terms);
/* Sends `out` (may be NULL: nothing more) while it reads, until a whole line is there; *line is
 * valid until the next call. XY_OK, XY_ECANCELED, XY_ENOMEM, or explained XY_EIO and
 * XY_ETIMEOUT. */
int talk_exchange(struct talk *talk, const struct talk_terms *terms, const struct text *out,
                  xy_str *line);
/* Lets it end for a second, then kills it and all it started. */
void talk_end(struct talk *talk);

extern const xy_stage exec_learner_stage;

#endif
