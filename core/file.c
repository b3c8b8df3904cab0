/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFERED = 1 << 18,       /* bytes collected before a write() */
    BEHIND_FROM = 1 << 20,    /* bytes after which a file is worth a thread */
    START_OUT = 8 << 20       /* bytes after which the disk is set to work */
};

/* Past its first megabyte a file is written by a thread: while one buffer is filled, the other one
 * is on its way. The disk is set to work meanwhile, so that little is left to wait for at the
 * end. */
struct file_writer {
    int fd;
    char *path, *fresh;
    struct buffer buffer;     /* being filled */
    uint64_t written, started_out;
    int problem;              /* errno of the first write that failed */
    /* The lock is for what follows, and for the members above from `written` on, once there is a
     * thread. */
    bool behind;              /* there is a thread */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buffer handed;     /* the thread's while `busy` */
    bool busy, over;
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

/* The errno, or 0. */
static int write_out(struct file_writer *writer, const struct buffer *buffer)
{
    size_t done = 0;
    while (done < buffer->length) {
        ssize_t part = write(writer->fd, buffer->bytes + done, buffer->length - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return errno;
        done += (size_t)part;
    }
    writer->written += done;
    if (writer->written - writer->started_out >= START_OUT) {
        /* A wish: what the disk has not taken by then is waited for at the end. */
        sync_file_range(writer->fd, (off_t)writer->started_out,
                        (off_t)(writer->written - writer->started_out), SYNC_FILE_RANGE_WRITE);
        writer->started_out = writer->written;
    }
    return 0;
}

static void *write_behind(void *data)
{
    struct file_writer *writer = data;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (!writer->busy && !writer->over)
            pthread_cond_wait(&writer->changed, &writer->lock);
        if (!writer->busy)
            break;
        int problem = writer->problem;
        pthread_mutex_unlock(&writer->lock);
        if (!problem)
            problem = write_out(writer, &writer->handed);
        pthread_mutex_lock(&writer->lock);
        writer->problem = problem;
        writer->busy = false;
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

static void begin_behind(struct file_writer *writer)
{
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    buffer_init(&writer->handed, writer->buffer.ceiling);
    writer->behind = pthread_create(&writer->thread, NULL, write_behind, writer) == 0;
    if (writer->behind)
        return;
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
}

/* Gives the thread the buffer that is full for the one that it has written. */
static void hand_over(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->busy)
        pthread_cond_wait(&writer->changed, &writer->lock);
    struct buffer full = writer->buffer;
    writer->buffer = writer->handed;
    writer->handed = full;
    writer->busy = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

static void end_behind(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->over = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    buffer_free(&writer->handed);
    writer->behind = false;
}

/* What went wrong may be an earlier write. */
static int flush(struct file_writer *writer, struct error *error)
{
    int problem;
    if (!writer->behind && writer->written >= BEHIND_FROM)
        begin_behind(writer);
    if (writer->behind) {
        hand_over(writer);
        pthread_mutex_lock(&writer->lock);
        problem = writer->problem;
        pthread_mutex_unlock(&writer->lock);
    } else {
        problem = writer->problem = write_out(writer, &writer->buffer);
    }
    buffer_clear(&writer->buffer);
    errno = problem;
    return problem ? failed(error, "write", writer->fresh) : XY_OK;
}

int file_writer_append(struct file_writer *writer, const void *bytes, size_t length,
                       struct error *error)
{
    if (!buffer_append(&writer->buffer, bytes, length))
        return error_set(error, XY_EINVAL, "one piece of `%s` is over a gigabyte", writer->path);
    return writer->buffer.length < BUFFERED ? XY_OK : flush(writer, error);
}

/* All that was appended is with the system, or the error is told. */
static int complete(struct file_writer *writer, struct error *error)
{
    int code = flush(writer, error);
    if (!writer->behind)
        return code;
    end_behind(writer);
    errno = writer->problem;
    return code < 0 || !writer->problem ? code : failed(error, "write", writer->fresh);
}

int file_writer_close(struct file_writer *writer, bool keep, struct error *error)
{
    int code = XY_OK;
    if (keep) {
        code = complete(writer, error);
        if (code == XY_OK && fsync(writer->fd) < 0)
            code = failed(error, "flush", writer->fresh);
        if (code == XY_OK && rename(writer->fresh, writer->path) < 0)
            code = failed(error, "rename to", writer->path);
    }
    if (writer->behind)
        end_behind(writer);
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
        char chunk[1 << 16];
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
