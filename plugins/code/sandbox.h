/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h - the command line that runs a program where it can do no harm. */
#ifndef XYLEM_PLUGINS_CODE_SANDBOX_H
#define XYLEM_PLUGINS_CODE_SANDBOX_H

#include "program.h"

struct sandbox {
    const char *const *command;  /* the interpreter; NULL-terminated */
    const char *const *mounts;   /* further folders that it may read; NULL-terminated or NULL */
    const char *file;            /* the name of the code's file */
    bool isolated;               /* false: limits only */
    bool proc;                   /* can /proc be mounted here? Found out by sandbox_probe() */
    int64_t memory, disk, processes;
    double seconds;
};

enum { SANDBOX_ARGUMENTS = 256, SANDBOX_TEXTS = 1024 };

/* A command line, and the memory of those of its words that are put together. */
struct sandbox_line {
    const char *arguments[SANDBOX_ARGUMENTS];
    char texts[SANDBOX_TEXTS];
    size_t count, used;
    bool full;
};

/* `command`: what runs inside; its file comes from descriptor 3. */
void sandbox_line(const struct sandbox *sandbox, const char *const *command,
                  struct sandbox_line *line);

/* [worker] Does the sandbox work here, and is the interpreter in it? XY_OK, or XY_EUNSUPPORTED with
 * what is missing in `why`. */
int sandbox_probe(struct sandbox *sandbox, char *why, size_t size);

#endif
