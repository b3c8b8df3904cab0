/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Small enough to stay in a core's cache between the read and the use. */
enum { BLOCK = 256 << 10 };

int lines_open(struct lines *lines, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    *lines = (struct lines){.file = file};
    if (file < 0)
        return errno;
    lines->capacity = BLOCK;
    lines->bytes = malloc(lines->capacity);
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    return lines->bytes ? 0 : ENOMEM;
}

/* Moves the line that has begun to the front and reads on behind it. False: errno. */
static int refill(struct lines *lines)
{
    size_t begun = lines->end - lines->at;
    if (begun > lines->capacity / 2) {
        char *larger = realloc(lines->bytes, lines->capacity * 2);
        if (!larger)
            return 0;
        lines->bytes = larger;
        lines->capacity *= 2;
    }
    memmove(lines->bytes, lines->bytes + lines->at, begun);
    lines->at = 0;
    lines->end = begun;
    ssize_t got;
    do
        got = read(lines->file, lines->bytes + lines->end, lines->capacity - lines->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return 0;
    lines->end += (size_t)got;
    lines->over = got == 0;
    return 1;
}

int lines_next(struct lines *lines, xy_str *line)
{
    size_t searched = 0; /* bytes of the line without an end */
    lines->number++;
    for (;;) {
        const char *start = lines->bytes + lines->at;
        size_t length = lines->end - lines->at;
        const char *stop = memchr(start + searched, '\n', length - searched);
        if (!stop && !lines->over) {
            searched = length;
            if (!refill(lines))
                return XY_EIO;
            continue;
        }
        if (!stop && length == 0)
            return XY_END;
        *line = (xy_str){start, stop ? (size_t)(stop - start) : length};
        lines->at += line->len + (stop != NULL);
        return XY_OK;
    }
}

void lines_close(struct lines *lines)
{
    if (lines->bytes && lines->file >= 0)
        close(lines->file);
    free(lines->bytes);
    *lines = (struct lines){.file = -1};
}
