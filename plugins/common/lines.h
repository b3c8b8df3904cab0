/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h - a file's lines, read a block at a time and handed out where they lie. [any], one thread
 * at a time. */
#ifndef XYLEM_PLUGINS_COMMON_LINES_H
#define XYLEM_PLUGINS_COMMON_LINES_H

#include <xylem/plugin.h>

struct lines {
    int file;
    char *bytes;           /* the block; grows to the longest line */
    size_t at, end, capacity;
    uint64_t number;       /* of the line handed out last, or of the one that could not be */
    int over;              /* the file has no more bytes than those in the block */
};

/* 0, or the errno; `lines` may then be closed, or not. */
int lines_open(struct lines *lines, const char *path);
/* The next line without its "\n", valid until the next call. XY_OK, XY_END, or XY_EIO with errno
 * set, ENOMEM included. */
int lines_next(struct lines *lines, xy_str *line);
/* A zeroed struct is fine. */
void lines_close(struct lines *lines);

#endif
