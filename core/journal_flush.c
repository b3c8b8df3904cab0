/* SPDX-License-Identifier: Apache-2.0 */
/* journal_flush.c - the thread that makes written entries safe from a loss of power and moves
 * them from memory into the index. The log is always flushed before the index may point into
 * it, so that an index never knows an entry that a loss of power took. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal_internal.h"

enum { DROP_AT_ONCE = 512 }; /* recent entries forgotten in one go: the loop waits for one */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int journal_fail(struct journal *journal, const struct error *error)
{
    pthread_mutex_lock(&journal->mutex);
    if (journal->failure.code == 0)
        journal->failure = *error;
    atomic_store(&journal->failed, true);
    pthread_cond_broadcast(&journal->done);
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->mutex);
    return error->code;
}

/* ---- flushing -------------------------------------------------------------------------------- */

/* Under the mutex. */
static bool flush_due(const struct journal *journal)
{
    if (journal->flushed == journal->written)
        return false;
    return journal->written_count - journal->flushed_count >= JOURNAL_FLUSH_ENTRIES ||
           journal->sync_count > journal->flushed_count || journal->stop ||
           now_ms() >= journal->unflushed_since_ms + JOURNAL_FLUSH_MS;
}

/* Called and left with the mutex held. A failed fdatasync() is final: the kernel may have
 * dropped the pages, so that a second one would succeed without having written them. */
static void flush_log(struct journal *journal)
{
    uint64_t end = journal->written, count = journal->written_count;
    pthread_mutex_unlock(&journal->mutex);
    if (fdatasync(journal->log.file) != 0) {
        struct error error;
        journal_io_error(&error, journal->log_path, "cannot flush the journal");
        journal_fail(journal, &error);
    }
    pthread_mutex_lock(&journal->mutex);
    if (journal->failure.code != 0)
        return;
    journal->flushed = end;
    journal->flushed_count = count;
    journal->unflushed_since_ms = now_ms();
    pthread_cond_broadcast(&journal->done);
}

/* In the middle of long work, so that the flush does not wait for its end. */
static void flush_if_due(void *data)
{
    struct journal *journal = data;
    pthread_mutex_lock(&journal->mutex);
    if (journal->failure.code == 0 && flush_due(journal))
        flush_log(journal);
    pthread_mutex_unlock(&journal->mutex);
}

/* ---- indexing -------------------------------------------------------------------------------- */

/* Under the mutex. */
static bool index_due(const struct journal *journal)
{
    uint64_t tail = journal->recent->tail;
    return journal->written_count - tail >= JOURNAL_BATCH || journal->sync_count > tail ||
           (journal->stop && journal->written_count > tail);
}

/* Copies the oldest flushed entries. There is at least one whenever no flush is due and a batch is:
 * what makes a batch due makes the flush of its entries due first. Under the mutex. */
static size_t take_batch(const struct journal *journal)
{
    const struct journal_recent *recent = journal->recent;
    uint64_t until = journal->flushed_count;
    if (until > recent->tail + JOURNAL_BATCH)
        until = recent->tail + JOURNAL_BATCH;
    size_t count = until - recent->tail;
    for (size_t i = 0; i < count; i++)
        journal->batch[i] = recent->places[(recent->tail + i) % JOURNAL_RECENT];
    return count;
}

/* Called and left with the mutex held. */
static void index_batch(struct journal *journal)
{
    struct journal_position position = journal->position;
    struct error error;
    size_t count = take_batch(journal);
    pthread_mutex_unlock(&journal->mutex);
    position.entries += count;
    int rc = 0;
    if (!journal_log_position(&journal->log, journal->batch[count - 1].offset, &position)) {
        rc = error_set(&error, XY_EIO, "what was written to the journal cannot be read back");
        error_at(&error, journal->log_path, 0, 0);
    }
    if (rc == 0)
        rc = journal_index_add(&journal->writer, journal->batch, count, &position, flush_if_due,
                               journal, &error);
    atomic_fetch_add(&journal->generation, rc == 0);
    if (rc == 0)
        journal->position = position;
    else if (error.code == XY_EINVAL)
        journal_index_remove(journal->index_path); /* damaged: the next open builds it anew */
    if (rc != 0)
        journal_fail(journal, &error);
    pthread_mutex_lock(&journal->mutex);
    while (rc == 0 && count > 0) {
        size_t some = count < DROP_AT_ONCE ? count : DROP_AT_ONCE;
        journal_recent_drop(journal->recent, some);
        count -= some;
        pthread_mutex_unlock(&journal->mutex);
        pthread_mutex_lock(&journal->mutex);
    }
    pthread_cond_broadcast(&journal->done);
}

/* ---- the filter of an index that was there before -------------------------------------------- */

struct filling {
    struct journal *journal;
    size_t count;
    uint64_t key_sum;
    bool stopped;
};

static bool fill_one(void *data, struct journal_key key)
{
    struct filling *filling = data;
    journal_filter_add(&filling->journal->filter, key);
    filling->key_sum = journal_index_sum(filling->key_sum, key);
    if (++filling->count % 4096 != 0)
        return true;
    flush_if_due(filling->journal);
    pthread_mutex_lock(&filling->journal->mutex);
    filling->stopped = filling->journal->stop;
    pthread_mutex_unlock(&filling->journal->mutex);
    return !filling->stopped;
}

/* Done here and not on open: a journal of millions must not delay the first request. */
static void fill_filter(struct journal *journal)
{
    struct filling filling = {.journal = journal};
    int rc = journal_index_keys(&journal->writer, fill_one, &filling);
    if (filling.stopped)
        return;
    if (rc != 0 || filling.key_sum != journal->position.key_sum)
        journal_index_remove(journal->index_path); /* damaged: the next open builds it anew */
    else
        atomic_store_explicit(&journal->filter.complete, true, memory_order_release);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Under the mutex: waits for work, or until what is written has waited long enough. */
static void wait_for_work(struct journal *journal)
{
    if (journal->flushed == journal->written) {
        pthread_cond_wait(&journal->work, &journal->mutex);
        return;
    }
    uint64_t until = journal->unflushed_since_ms + JOURNAL_FLUSH_MS;
    struct timespec deadline = {.tv_sec = (time_t)(until / 1000),
                                .tv_nsec = (long)(until % 1000) * 1000000};
    pthread_cond_timedwait(&journal->work, &journal->mutex, &deadline);
}

static void *flusher(void *data)
{
    struct journal *journal = data;
    if (!atomic_load(&journal->filter.complete))
        fill_filter(journal);
    pthread_mutex_lock(&journal->mutex);
    while (journal->failure.code == 0) {
        if (flush_due(journal))
            flush_log(journal);
        else if (index_due(journal))
            index_batch(journal);
        else if (journal->stop)
            break;
        else
            wait_for_work(journal);
    }
    pthread_mutex_unlock(&journal->mutex);
    return NULL;
}

int journal_flusher_start(struct journal *journal, struct error *error)
{
    journal->batch = memory_zeroed(JOURNAL_BATCH, sizeof(*journal->batch));
    /* Signals are for the thread of the loop. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&journal->thread, NULL, flusher, journal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return error_set(error, XY_EIO, "cannot start the journal's thread: %s", strerror(code));
    journal->running = true;
    return 0;
}

void journal_flusher_stop(struct journal *journal)
{
    if (journal->running) {
        pthread_mutex_lock(&journal->mutex);
        journal->stop = true;
        pthread_cond_signal(&journal->work);
        pthread_mutex_unlock(&journal->mutex);
        pthread_join(journal->thread, NULL);
    }
    free(journal->batch);
}

void journal_flusher_written(struct journal *journal, uint64_t end)
{
    pthread_mutex_lock(&journal->mutex);
    bool idle = journal->flushed == journal->written;
    if (idle)
        journal->unflushed_since_ms = now_ms();
    journal->written = end;
    journal->written_count = journal->recent->head;
    if (idle || flush_due(journal) || index_due(journal))
        pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->mutex);
}

int journal_sync(struct journal *journal, struct error *error)
{
    pthread_mutex_lock(&journal->mutex);
    uint64_t target = journal->written_count;
    if (journal->sync_count < target)
        journal->sync_count = target;
    pthread_cond_signal(&journal->work);
    while (journal->failure.code == 0 && journal->recent->tail < target)
        pthread_cond_wait(&journal->done, &journal->mutex);
    int rc = journal->failure.code;
    if (rc != 0)
        *error = journal->failure;
    pthread_mutex_unlock(&journal->mutex);
    return rc;
}
