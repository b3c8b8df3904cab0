/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - runs one program to its end, within limits, and keeps what it wrote. */
#ifndef XYLEM_PLUGINS_CODE_PROGRAM_H
#define XYLEM_PLUGINS_CODE_PROGRAM_H

#include "text.h"

enum program_end {
    PROGRAM_EXITED = 0, /* by itself, or by a signal: see `status` */
    PROGRAM_LATE,       /* killed at the deadline */
    PROGRAM_LOUD,       /* killed when it had written more than `most_output` */
    PROGRAM_CANCELLED,  /* killed because the run is being stopped */
    PROGRAM_FAILED      /* could not be started: `status` is errno */
};

struct program {
    const char *const *arguments; /* NULL-terminated; the first is looked for in PATH */
    const char *folder;           /* to start in; NULL: as it is */
    int input, file;              /* become descriptors 0 and 3; file -1: none */
    double seconds;
    size_t most_output;           /* bytes, of each of the two */
    int (*cancelled)(void *data);
    void *data;
    /* results */
    enum program_end end;
    int status;                   /* exit code, or 128 + the signal */
    struct text output, errors;   /* as written; freed by the caller */
};

/* [worker] Waits until the program, and all of its process group, is gone. */
void program_run(struct program *program);

/* A file in memory with that content, for `input` and `file`; -1 when there is none. */
int program_file(const char *bytes, size_t length);

#endif
