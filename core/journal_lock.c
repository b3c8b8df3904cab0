/* SPDX-License-Identifier: Apache-2.0 */
/* journal_lock.c - one process at a time, by flock(): the kernel releases it with the process,
 * however that ends, so that no lock is ever stale. The text in the file only tells who holds
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "journal_internal.h"

int journal_io_error(struct error *error, const char *path, const char *what)
{
    int number = errno;
    error_set(error, XY_EIO, "%s: %s", what, strerror(number));
    error_at(error, path, 0, 0);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        error_hint(error, "make room and run the same command again: what was paid is kept");
    return XY_EIO;
}

static int held(int lock, const char *path, struct error *error)
{
    char holder[128];
    ssize_t length = pread(lock, holder, sizeof(holder) - 1, 0);
    holder[length > 0 ? length : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    error_set(error, XY_EIO, "the journal is in use by %s",
              holder[0] ? holder : "a process that is just starting");
    error_at(error, path, 0, 0);
    return error_hint(error, "wait for it to end, or give this run a folder of its own");
}

int journal_lock(const char *path, struct error *error)
{
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0)
        return journal_io_error(error, path, "cannot open the journal's lock");
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        int rc = errno == EWOULDBLOCK ? held(lock, path, error)
                                      : journal_io_error(error, path, "cannot lock the journal");
        close(lock);
        return rc;
    }
    char since[32], text[96];
    time_t now = time(NULL);
    struct tm utc;
    strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    int length = snprintf(text, sizeof(text), "process %ld since %s\n", (long)getpid(), since);
    /* Without the text the lock holds all the same: a full disk must not hide behind it. */
    if (ftruncate(lock, 0) != 0 || pwrite(lock, text, (size_t)length, 0) != length) {
        int rc = journal_io_error(error, path, "cannot write the journal's lock");
        close(lock);
        return rc;
    }
    return lock;
}

void journal_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
