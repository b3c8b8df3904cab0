/* SPDX-License-Identifier: Apache-2.0 */
/* journal_internal.h - the parts of the journal, one concept each.
 *
 * log      answers.log: the form of its entries, reading one, scanning all, cutting a torn tail
 * index    index.db: key -> offset, with the log position up to which it is complete
 * recent   the entries that the index does not have yet, in memory
 * filter   says of most keys at once that they are nowhere (Bloom filter)
 * flusher  the thread that flushes the log and moves recent entries into the index
 * lock     one process at a time
 */
#ifndef XYLEM_CORE_JOURNAL_INTERNAL_H
#define XYLEM_CORE_JOURNAL_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "journal.h"

enum {
    JOURNAL_HEAD = 32,              /* bytes before the first entry of the log */
    JOURNAL_ENTRY = 32,             /* bytes before each payload */
    JOURNAL_PAYLOAD = 1 << 30,      /* bytes of one payload */
    JOURNAL_FLUSH_MS = 100,
    JOURNAL_FLUSH_ENTRIES = 1000,
    JOURNAL_RECENT = 131072,        /* entries in memory: 5.5 MiB once all were used */
    JOURNAL_BATCH = 65536,          /* recent entries that make a batch for the index: a batch of
                                       random keys touches most pages, however small it is */
    JOURNAL_REBUILD = 262144        /* the same while the log is scanned on open */
};

/* Where an entry lies. */
struct journal_place {
    struct journal_key key;
    uint64_t offset;
};

/* What the index knows about the log: written in the transaction that adds the entries. */
struct journal_position {
    uint64_t identity;
    uint64_t end;           /* every entry before this is in the index */
    uint64_t entries;
    uint64_t last_offset;   /* the entry that ends there, to recognise the log; 0: none */
    uint64_t last_checksum;
    uint64_t key_sum;       /* of the keys in the index, in any order: SQLite has no checksums, and
                               a damaged page may look like one that lacks some rows */
};

/* ---- log ------------------------------------------------------------------------------------- */

struct journal_log {
    int file;
    uint64_t identity; /* drawn when the log was made, to refuse the index of another log */
    uint64_t size;     /* of the file when it was opened */
};

int journal_log_open(struct journal_log *log, const char *path, struct error *error);

/* Fills the bytes before a payload that lies right behind `to` and will stand at `offset`. */
void journal_log_seal(const struct journal_log *log, char *to, uint64_t offset,
                      struct journal_key key, size_t length);

/* Reads the entry at `offset` into `scratch`; false when it is damaged or of another key. */
bool journal_log_read(const struct journal_log *log, uint64_t offset, struct journal_key key,
                      struct buffer *scratch, xy_str *payload);

/* Makes `position` stand right behind the entry at `offset`; false when there is no sound one. */
bool journal_log_position(const struct journal_log *log, uint64_t offset,
                          struct journal_position *position);

struct journal_scan {
    /* Called for each sound entry, in order. A negative answer ends the scan with it. */
    int (*entry)(void *data, const struct journal_place *place);
    void *data;
    uint64_t end;           /* out: behind the last sound entry */
    uint64_t damaged_bytes; /* out: skipped between sound entries */
};

int journal_log_scan(const struct journal_log *log, uint64_t from, struct journal_scan *scan,
                     struct error *error);

/* ---- index ----------------------------------------------------------------------------------- */

struct journal_index {
    sqlite3 *database;
    sqlite3_stmt *insert, *update, *insert_twin, *update_twin, *set_position; /* the writer's */
    sqlite3_stmt *find, *find_twin, *begin, *end;                             /* the reader's */
    bool reading;        /* a read transaction is open */
    uint64_t generation; /* which state of the index it sees */
};

/* Opens for writing, creating what is missing. XY_EINVAL: not a sound index, delete it; XY_EIO. */
int journal_index_open(struct journal_index *index, const char *path,
                       struct journal_position *position, struct error *error);
/* A second connection that only reads. */
int journal_index_open_reader(struct journal_index *index, const char *path, struct error *error);
/* Adds places (sorted here, by key) and the position, with its key_sum brought up to date, in one
 * transaction. `tick` is called now and then in between. */
int journal_index_add(struct journal_index *index, struct journal_place *places, size_t count,
                      struct journal_position *position, void (*tick)(void *), void *data,
                      struct error *error);
/* Adds one key to a `key_sum`. */
uint64_t journal_index_sum(uint64_t sum, struct journal_key key);
/* 1 with the offset, 0 absent, negative when the index is damaged. `generation` counts the batches
 * added: finds of one generation share a read transaction, since taking its locks costs more
 * than the search. */
int journal_index_find(struct journal_index *index, uint64_t generation, struct journal_key key,
                       uint64_t *offset);
/* Ends that transaction, so that the write-ahead log can be taken into the database. */
void journal_index_rest(struct journal_index *index);
/* Calls `each` with every key until it answers false. Negative when the index is damaged. */
int journal_index_keys(struct journal_index *index, bool (*each)(void *, struct journal_key),
                       void *data);
void journal_index_close(struct journal_index *index);
/* Removes the files: whoever has them open goes on, the next open builds the index anew. */
void journal_index_remove(const char *path);

/* ---- recent ---------------------------------------------------------------------------------- */

/* A ring in the order of appending, with chains through it by key. Entry number n lies at place
 * n % JOURNAL_RECENT; `tail` is the first that is still here, `head` the next to come. */
struct journal_recent {
    uint64_t tail, head;
    struct journal_place places[JOURNAL_RECENT];
    uint32_t older[JOURNAL_RECENT];  /* the next older of the chain, as place + 1; 0 ends it */
    uint32_t newest[JOURNAL_RECENT]; /* the start of each chain */
};

void journal_recent_push(struct journal_recent *recent, const struct journal_place *place);
/* The newest entry of that key. */
bool journal_recent_find(const struct journal_recent *recent, struct journal_key key,
                         uint64_t *offset);
/* Forgets the oldest `count`. */
void journal_recent_drop(struct journal_recent *recent, size_t count);

/* ---- filter ---------------------------------------------------------------------------------- */

enum { JOURNAL_FILTER_BLOCKS = 131072 }; /* of 64 bytes: 8 MiB, 1 % false for 6 million keys */

struct journal_filter {
    _Atomic uint64_t *words;
    atomic_bool complete; /* until then every key may be there */
};

void journal_filter_init(struct journal_filter *filter);
void journal_filter_add(struct journal_filter *filter, struct journal_key key);       /* [any] */
bool journal_filter_may_have(struct journal_filter *filter, struct journal_key key);  /* [any] */
void journal_filter_finish(struct journal_filter *filter);

/* ---- the whole ------------------------------------------------------------------------------- */

struct journal {
    char *log_path, *index_path;
    int lock;
    struct journal_log log;
    struct journal_filter filter;
    atomic_bool failed;            /* `failure` is set and final */
    _Atomic uint64_t generation;   /* batches in the index; counted before they leave `recent` */

    /* [loop] only. */
    struct buffer queue;           /* entries to be written */
    struct buffer scratch;
    uint64_t end;                  /* offset behind what was written: where `queue` will go */
    uint64_t least;                /* entries before this offset are not looked at */
    struct journal_index reader;
    struct journal_stats stats;

    /* The flusher's own. */
    pthread_t thread;
    bool running;
    struct journal_index writer;
    struct journal_position position;
    struct journal_place *batch;

    /* Under `mutex`. Counts are numbers of entries as in `recent`. */
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    struct journal_recent *recent;
    uint64_t written, written_count;
    uint64_t flushed, flushed_count;
    uint64_t unflushed_since_ms;
    uint64_t sync_count;           /* somebody waits for the index to have so many */
    bool stop;
    struct error failure;
};

/* Keeps the first failure: what is lost cannot be won back by trying again. [any] */
int journal_fail(struct journal *journal, const struct error *error);

/* Starts and stops the thread; stopping flushes and indexes what was written. */
int journal_flusher_start(struct journal *journal, struct error *error);
void journal_flusher_stop(struct journal *journal);
/* Tells it that everything up to `end` and the newest recent entry was written. [loop] */
void journal_flusher_written(struct journal *journal, uint64_t end);

/* The descriptor that holds the lock, or XY_EIO with who holds it. */
int journal_lock(const char *path, struct error *error);
void journal_unlock(int lock);

/* An error from errno, with the file; always XY_EIO. */
int journal_io_error(struct error *error, const char *path, const char *what);

#endif
