/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFERED = 1 << 16 };

struct file_writer {
    int fd;
    char *path, *fresh;
    struct buffer buffer;
};

static int failed(struct error *error, const char *verb, const char *path)
{
    return error_set(error, XY_EIO, "cannot %s `%s`: %s", verb, path, strerror(errno));
}

const char *file_path(struct arena *arena, const char *folder, const char *path)
{
    return path[0] == '/' || !folder ? path : arena_printf(arena, "%s/%s", folder, path);
}

int file_make_folder(const char *path, struct error *error)
{
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof(part))
        return error_set(error, XY_EINVAL, "the path `%.60s...` is too long", path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return failed(error, "make the folder", part);
    }
    return XY_OK;
}

struct file_writer *file_writer_open(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        char *folder = memory_copy_text(path, (size_t)(slash - path));
        int code = file_make_folder(folder, error);
        free(folder);
        if (code < 0)
            return NULL;
    }
    struct file_writer *writer = memory_zeroed(1, sizeof(*writer));
    writer->path = memory_copy_text(path, strlen(path));
    writer->fresh = memory_resize(NULL, strlen(path) + 5, 1);
    snprintf(writer->fresh, strlen(path) + 5, "%s.new", path);
    buffer_init(&writer->buffer, (size_t)1 << 30);
    writer->fd = open(writer->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd >= 0)
        return writer;
    failed(error, "write", writer->fresh);
    file_writer_close(writer, false, error);
    return NULL;
}

static int flush(struct file_writer *writer, struct error *error)
{
    size_t written = 0;
    while (written < writer->buffer.length) {
        ssize_t part = write(writer->fd, writer->buffer.bytes + written,
                             writer->buffer.length - written);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return failed(error, "write", writer->fresh);
        written += (size_t)part;
    }
    buffer_clear(&writer->buffer);
    return XY_OK;
}

int file_writer_append(struct file_writer *writer, const void *bytes, size_t length,
                       struct error *error)
{
    if (!buffer_append(&writer->buffer, bytes, length))
        return error_set(error, XY_EINVAL, "one piece of `%s` is over a gigabyte", writer->path);
    return writer->buffer.length < BUFFERED ? XY_OK : flush(writer, error);
}

int file_writer_close(struct file_writer *writer, bool keep, struct error *error)
{
    int code = XY_OK;
    if (keep) {
        code = flush(writer, error);
        if (code == XY_OK && fsync(writer->fd) < 0)
            code = failed(error, "flush", writer->fresh);
        if (code == XY_OK && rename(writer->fresh, writer->path) < 0)
            code = failed(error, "rename to", writer->path);
    }
    if (writer->fd >= 0) {
        close(writer->fd);
        if (!keep || code < 0)
            unlink(writer->fresh);
    }
    buffer_free(&writer->buffer);
    free(writer->path);
    free(writer->fresh);
    free(writer);
    return code;
}

int file_read(const char *path, size_t ceiling, struct buffer *out, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(error, "read", path);
    int code = XY_OK;
    for (;;) {
        char chunk[BUFFERED];
        ssize_t part = read(fd, chunk, sizeof(chunk));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            code = failed(error, "read", path);
        if (part <= 0)
            break;
        if (out->length + (size_t)part > ceiling || !buffer_append(out, chunk, (size_t)part)) {
            code = error_set(error, XY_EINVAL, "`%s` is over %zu bytes", path, ceiling);
            break;
        }
    }
    close(fd);
    return code;
}
