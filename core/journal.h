/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - every paid answer, on disk before anything uses it.
 *
 * FOLDER/answers.log is append-only: entries of (length, kind, XXH3 checksum, key, payload). An
 * entry is written (safe from a kill of the process) by journal_write() and flushed (safe from
 * a loss of power) by a thread of its own each 100 ms or 1,000 entries, whichever is first. A
 * torn tail is cut on open. FOLDER/index.db (SQLite, WAL) maps keys to offsets in batches
 * sorted by key; entries newer than its last batch are found in memory and, after a kill, by
 * reading the log from where the index stands. The index may be deleted: it is rebuilt from the
 * log. One process at a time may hold a journal: FOLDER/lock names it. [loop] for everything,
 * but for journal_sync(). */
#ifndef XYLEM_CORE_JOURNAL_H
#define XYLEM_CORE_JOURNAL_H

#include "error.h"

struct journal;

struct journal_key {
    uint64_t high, low; /* XXH3-128 of a request */
};

struct journal_stats {
    uint64_t entries, bytes, cut_bytes; /* cut_bytes: a torn tail that was dropped on open */
    uint64_t hits, misses;
    uint64_t damaged_bytes; /* skipped on open between sound entries of the part that was read */
    uint64_t damaged_finds; /* entries that the index knew and whose checksum did not match */
    bool rebuilt;           /* the index was unusable on open and was built anew from the log */
};

/* Opens or creates. NULL with the error: somebody else holds it (which process, since when), not a
 * journal, a newer version, no room. */
struct journal *journal_open(const char *folder, struct error *error);

/* Is there an answer for `key`? On true its payload is in `out` (replaced), checksum verified. One
 * that is still queued is written first. `out`'s ceiling must hold the largest answer: past it the
 * answer counts as missing and `out` says that it overflowed. */
bool journal_find(struct journal *journal, struct journal_key key, struct buffer *out);

/* From now on only entries that are appended after this are found: the older ones stay on disk for
 * whoever opens the journal next. */
void journal_start_afresh(struct journal *journal);

/* Queues an entry; journal_write() must come before anything uses the answer. A key that is there
 * already gets a newer entry, which wins. A payload of more than 1 GiB fails the next
 * journal_write(). Waits when 131,072 entries are not in the index yet: memory stays bounded. */
void journal_append(struct journal *journal, struct journal_key key, xy_str payload);

/* Writes everything queued with one system call. 0, or XY_EIO (disk full ...): nothing that was
 * queued may be used then, and the run must stop. The engine calls it once per turn of the loop. */
int journal_write(struct journal *journal, struct error *error);

/* Waits until everything written is flushed and indexed. [any] Before a result is committed. */
int journal_sync(struct journal *journal, struct error *error);

struct journal_stats journal_stats(const struct journal *journal);

/* Syncs, releases the lock, frees. */
void journal_close(struct journal *journal);

#endif
