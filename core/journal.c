/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_internal.h"

enum { QUEUE_FULL = 4 << 20 }; /* bytes after which entries are written without being asked to */

/* ---- opening --------------------------------------------------------------------------------- */

static char *path_in(const char *folder, const char *name)
{
    struct buffer path;
    buffer_init(&path, 1 << 16);
    buffer_printf(&path, "%s/%s", folder, name);
    char *copy = memory_copy_text(buffer_str(&path).ptr, path.length);
    buffer_free(&path);
    return copy;
}

/* Makes the folder and those above it. */
static int make_folder(const char *folder, struct error *error)
{
    char *path = memory_copy_text(folder, strlen(folder));
    struct stat status;
    for (char *slash = path + 1; *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        mkdir(path, 0777); /* whatever is wrong shows below */
        *slash = '/';
    }
    int rc = 0;
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        rc = journal_io_error(error, folder, "cannot make the journal's folder");
    else if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        error_set(error, XY_EINVAL, "not a folder, expected the folder of a journal");
        rc = error_at(error, folder, 0, 0);
    }
    free(path);
    return rc;
}

/* Does the index speak of this log? The log may have been replaced or restored from a copy. */
static bool fits(const struct journal *journal)
{
    const struct journal_position *position = &journal->position;
    struct journal_position there;
    if (position->end == 0)
        return true;
    return position->identity == journal->log.identity &&
           journal_log_position(&journal->log, position->last_offset, &there) &&
           there.end == position->end && there.last_checksum == position->last_checksum;
}

static int open_index(struct journal *journal, struct error *error)
{
    int rc = journal_index_open(&journal->writer, journal->index_path, &journal->position, error);
    if (rc == 0 && !fits(journal)) {
        journal_index_close(&journal->writer);
        rc = XY_EINVAL;
    }
    if (rc == XY_EINVAL) { /* damaged or of another log: it is only a copy of what the log says */
        journal_index_remove(journal->index_path);
        journal->stats.rebuilt = true;
        rc = journal_index_open(&journal->writer, journal->index_path, &journal->position, error);
    }
    if (rc == 0 && journal->position.end == 0) {
        journal->position.identity = journal->log.identity;
        journal->position.end = JOURNAL_HEAD;
    }
    return rc;
}

/* Entries of the log that the index lacks, collected until they make a batch. */
struct catching_up {
    struct journal *journal;
    struct journal_place *places;
    size_t count;
    struct error *error;
};

static int add_batch(struct catching_up *state)
{
    struct journal *journal = state->journal;
    struct journal_position *position = &journal->position;
    position->entries += state->count;
    if (!journal_log_position(&journal->log, state->places[state->count - 1].offset, position))
        return error_set(state->error, XY_EIO, "the journal's log changed while it was read");
    int rc = journal_index_add(&journal->writer, state->places, state->count, position, NULL, NULL,
                               state->error);
    state->count = 0;
    return rc;
}

static int catch_one(void *data, const struct journal_place *place)
{
    struct catching_up *state = data;
    state->places[state->count++] = *place;
    journal_filter_add(&state->journal->filter, place->key);
    return state->count == JOURNAL_REBUILD ? add_batch(state) : 0;
}

/* What was left is few enough to stay in memory until the thread indexes it. */
static void keep_recent(struct journal *journal, const struct catching_up *state)
{
    for (size_t i = 0; i < state->count; i++)
        journal_recent_push(journal->recent, &state->places[i]);
    journal->written_count = journal->flushed_count = journal->recent->head;
}

/* Reads the log from where the index stands, cuts its torn tail, and brings the index up to
 * date. */
static int catch_up(struct journal *journal, struct error *error)
{
    struct catching_up state = {.journal = journal, .error = error};
    struct journal_scan scan = {.entry = catch_one, .data = &state};
    uint64_t from = journal->position.end;
    state.places = memory_resize(NULL, JOURNAL_REBUILD, sizeof(*state.places));
    /* What a killed process wrote may not be flushed yet; the index must not be ahead of it. */
    int rc = journal->log.size > from && fdatasync(journal->log.file) != 0
                 ? journal_io_error(error, journal->log_path, "cannot flush the journal")
                 : 0;
    if (rc == 0)
        rc = journal_log_scan(&journal->log, from, &scan, error);
    if (rc == 0 && state.count > JOURNAL_BATCH)
        rc = add_batch(&state);
    if (rc == 0 && scan.end < journal->log.size) {
        journal->stats.cut_bytes = journal->log.size - scan.end;
        if (ftruncate(journal->log.file, (off_t)scan.end) != 0)
            rc = journal_io_error(error, journal->log_path, "cannot cut the journal's torn end");
    }
    if (rc == 0) {
        journal->end = journal->written = journal->flushed = scan.end;
        keep_recent(journal, &state);
        journal->stats.damaged_bytes = scan.damaged_bytes;
        journal->stats.entries = journal->position.entries + state.count;
        journal->stats.bytes = scan.end;
        atomic_store(&journal->filter.complete, from == JOURNAL_HEAD);
    }
    free(state.places);
    return rc;
}

static struct journal *allocate(const char *folder)
{
    struct journal *journal = memory_zeroed(1, sizeof(*journal));
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&journal->mutex, NULL);
    pthread_cond_init(&journal->work, &monotonic);
    pthread_cond_init(&journal->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    journal->log_path = path_in(folder, "answers.log");
    journal->index_path = path_in(folder, "index.db");
    journal->lock = journal->log.file = -1;
    journal->recent = memory_zeroed(1, sizeof(*journal->recent));
    journal_filter_init(&journal->filter);
    buffer_init(&journal->queue, QUEUE_FULL + JOURNAL_ENTRY + (size_t)JOURNAL_PAYLOAD);
    buffer_init(&journal->scratch, JOURNAL_ENTRY + (size_t)JOURNAL_PAYLOAD + 4096);
    return journal;
}

static void release(struct journal *journal)
{
    journal_flusher_stop(journal);
    journal_index_close(&journal->reader);
    journal_index_close(&journal->writer);
    if (journal->log.file >= 0)
        close(journal->log.file);
    journal_unlock(journal->lock); /* last: whoever comes next finds everything closed */
    journal_filter_finish(&journal->filter);
    buffer_free(&journal->queue);
    buffer_free(&journal->scratch);
    free(journal->recent);
    free(journal->log_path);
    free(journal->index_path);
    pthread_mutex_destroy(&journal->mutex);
    pthread_cond_destroy(&journal->work);
    pthread_cond_destroy(&journal->done);
    free(journal);
}

struct journal *journal_open(const char *folder, struct error *error)
{
    struct journal *journal = allocate(folder);
    int rc = make_folder(folder, error);
    if (rc == 0) {
        char *lock_path = path_in(folder, "lock");
        journal->lock = journal_lock(lock_path, error);
        free(lock_path);
        rc = journal->lock < 0 ? journal->lock : 0;
    }
    if (rc == 0)
        rc = journal_log_open(&journal->log, journal->log_path, error);
    if (rc == 0)
        rc = open_index(journal, error);
    if (rc == 0)
        rc = catch_up(journal, error);
    if (rc == 0)
        rc = journal_index_open_reader(&journal->reader, journal->index_path, error);
    if (rc == 0)
        rc = journal_flusher_start(journal, error);
    if (rc == 0)
        return journal;
    release(journal);
    return NULL;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    struct error error;
    journal_write(journal, &error); /* a failure was told before, or nothing of it is used */
    release(journal);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int failure(struct journal *journal, struct error *error)
{
    pthread_mutex_lock(&journal->mutex);
    *error = journal->failure;
    pthread_mutex_unlock(&journal->mutex);
    return error->code;
}

int journal_write(struct journal *journal, struct error *error)
{
    if (atomic_load_explicit(&journal->failed, memory_order_relaxed))
        return failure(journal, error);
    size_t done = 0, length = journal->queue.length;
    if (length == 0)
        return 0;
    journal_index_rest(&journal->reader);
    while (done < length) {
        ssize_t got = pwrite(journal->log.file, journal->queue.bytes + done, length - done,
                             (off_t)(journal->end + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            journal_io_error(error, journal->log_path, "cannot write the journal");
            /* Not needed, since the next open cuts it; but a full disk gets its room back. */
            if (ftruncate(journal->log.file, (off_t)journal->end) != 0)
                error_hint(error, "its torn end will be cut by the next run");
            return journal_fail(journal, error);
        }
        done += (size_t)got;
    }
    journal->end += length;
    journal->stats.bytes = journal->end;
    buffer_clear(&journal->queue);
    journal_flusher_written(journal, journal->end);
    return 0;
}

/* Waits until the index took some of the recent entries: this is what bounds the memory when
 * the disk is slower than the answers. */
static void make_room(struct journal *journal)
{
    struct error error;
    if (journal_write(journal, &error) != 0)
        return;
    pthread_mutex_lock(&journal->mutex);
    while (journal->failure.code == 0 &&
           journal->recent->head - journal->recent->tail == JOURNAL_RECENT)
        pthread_cond_wait(&journal->done, &journal->mutex);
    pthread_mutex_unlock(&journal->mutex);
}

void journal_append(struct journal *journal, struct journal_key key, xy_str payload)
{
    struct buffer *queue = &journal->queue;
    struct error error;
    if (payload.len > JOURNAL_PAYLOAD) {
        error_set(&error, XY_EIO, "an answer of %zu bytes, the journal takes at most 1 GiB",
                  payload.len);
        journal_fail(journal, &error);
        return;
    }
    if (queue->length >= QUEUE_FULL)
        journal_write(journal, &error);
    /* Only this thread adds entries, so what is read here without the mutex can only have
     * shrunk. */
    if (atomic_load_explicit(&journal->failed, memory_order_relaxed))
        return;
    uint64_t offset = journal->end + queue->length;
    struct journal_place place = {.key = key, .offset = offset};
    char *to = buffer_reserve(queue, JOURNAL_ENTRY + payload.len);
    if (payload.len)
        memcpy(to + JOURNAL_ENTRY, payload.ptr, payload.len);
    journal_log_seal(&journal->log, to, offset, key, payload.len);
    queue->length += JOURNAL_ENTRY + payload.len;
    journal->stats.entries++;
    journal_filter_add(&journal->filter, key);
    pthread_mutex_lock(&journal->mutex);
    journal_recent_push(journal->recent, &place);
    bool full = journal->recent->head - journal->recent->tail == JOURNAL_RECENT;
    pthread_mutex_unlock(&journal->mutex);
    if (full)
        make_room(journal);
}

/* ---- finding --------------------------------------------------------------------------------- */

/* Where the newest entry of that key lies; an entry that is still queued is written first, because
 * nothing may use it before. */
static bool locate(struct journal *journal, struct journal_key key, uint64_t *offset)
{
    struct error error;
    pthread_mutex_lock(&journal->mutex);
    bool recent = journal_recent_find(journal->recent, key, offset);
    pthread_mutex_unlock(&journal->mutex);
    if (recent)
        return *offset < journal->end || journal_write(journal, &error) == 0;
    uint64_t generation = atomic_load(&journal->generation);
    int found = journal_index_find(&journal->reader, generation, key, offset);
    if (found < 0)
        journal_index_remove(journal->index_path);
    return found > 0;
}

bool journal_find(struct journal *journal, struct journal_key key, struct buffer *out)
{
    uint64_t offset;
    xy_str payload;
    buffer_clear(out);
    bool found = journal_filter_may_have(&journal->filter, key) &&
                 locate(journal, key, &offset) && offset >= journal->least;
    if (found && !journal_log_read(&journal->log, offset, key, &journal->scratch, &payload)) {
        /* The log is damaged here, or the index points to a wrong place. */
        journal->stats.damaged_finds++;
        journal_index_remove(journal->index_path);
        found = false;
    }
    found = found && buffer_append_str(out, payload);
    if (found)
        journal->stats.hits++;
    else
        journal->stats.misses++;
    return found;
}

void journal_start_afresh(struct journal *journal)
{
    journal->least = journal->end + journal->queue.length;
}

struct journal_stats journal_stats(const struct journal *journal)
{
    return journal->stats;
}
