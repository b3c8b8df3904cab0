/* SPDX-License-Identifier: Apache-2.0 */
/* journal_index.c - index.db: SQLite in WAL mode, keys in batches sorted by key, because random
 * keys one at a time split pages all over the tree. The index may be lost at any time:
 * synchronous=NORMAL keeps it sound through a loss of power, and what it then lacks is read
 * from the log. The upper half of a key is the row's number, which makes rows half as dear as
 * with a key of 16 bytes. Keys that share it (one pair in 2^64) have their twins in a table of
 * their own. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_internal.h"

enum { INDEX_VERSION = 1, TICK = 1024 };

static int index_error(struct error *error, sqlite3 *database, const char *what)
{
    int code = sqlite3_extended_errcode(database);
    int primary = code & 0xff;
    bool unsound = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
                   primary == SQLITE_ERROR || primary == SQLITE_SCHEMA ||
                   code == SQLITE_IOERR_SHORT_READ;
    error_set(error, unsound ? XY_EINVAL : XY_EIO, "%s: %s", what, sqlite3_errmsg(database));
    if (primary == SQLITE_FULL)
        error_hint(error, "make room and run the same command again: what was paid is kept");
    return error->code;
}

static int prepare(struct journal_index *index, const char *sql, sqlite3_stmt **statement,
                   struct error *error)
{
    if (sqlite3_prepare_v3(index->database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) !=
        SQLITE_OK)
        return index_error(error, index->database, "cannot use the journal's index");
    return 0;
}

static int run(struct journal_index *index, const char *sql, struct error *error)
{
    if (sqlite3_exec(index->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return index_error(error, index->database, "cannot use the journal's index");
    return 0;
}

static int connect(struct journal_index *index, const char *path, struct error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &index->database, flags, NULL) != SQLITE_OK)
        return index_error(error, index->database, "cannot open the journal's index");
    sqlite3_busy_timeout(index->database, 10000);
    return 0;
}

/* The version of the tables, 0 for a new file; negative on an error. */
static int read_version(struct journal_index *index, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int version = prepare(index, "PRAGMA user_version", &statement, error);
    if (version == 0)
        version = sqlite3_step(statement) == SQLITE_ROW
                      ? sqlite3_column_int(statement, 0)
                      : index_error(error, index->database, "cannot read the journal's index");
    sqlite3_finalize(statement);
    return version;
}

static int create_tables(struct journal_index *index, struct error *error)
{
    return run(index,
               "BEGIN IMMEDIATE;"
               "CREATE TABLE entries(high INTEGER PRIMARY KEY, low INTEGER, place INTEGER);"
               "CREATE TABLE twins(high INTEGER, low INTEGER, place INTEGER,"
               " PRIMARY KEY(high, low)) WITHOUT ROWID;"
               "CREATE TABLE position(one INTEGER PRIMARY KEY CHECK(one = 1), identity INTEGER,"
               " log_end INTEGER, entries INTEGER, last_place INTEGER, last_checksum INTEGER,"
               " key_sum INTEGER);"
               "INSERT INTO position VALUES(1, 0, 0, 0, 0, 0, 0);"
               "PRAGMA user_version = 1;"
               "COMMIT",
               error);
}

static int read_position(struct journal_index *index, struct journal_position *position,
                         struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare(index,
                     "SELECT identity, log_end, entries, last_place, last_checksum, key_sum"
                     " FROM position",
                     &statement, error);
    if (rc == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        position->identity = (uint64_t)sqlite3_column_int64(statement, 0);
        position->end = (uint64_t)sqlite3_column_int64(statement, 1);
        position->entries = (uint64_t)sqlite3_column_int64(statement, 2);
        position->last_offset = (uint64_t)sqlite3_column_int64(statement, 3);
        position->last_checksum = (uint64_t)sqlite3_column_int64(statement, 4);
        position->key_sum = (uint64_t)sqlite3_column_int64(statement, 5);
    } else if (rc == 0) {
        rc = error_set(error, XY_EINVAL, "the journal's index has no position");
    }
    sqlite3_finalize(statement);
    return rc;
}

int journal_index_open(struct journal_index *index, const char *path,
                       struct journal_position *position, struct error *error)
{
    *position = (struct journal_position){0};
    int rc = connect(index, path, error);
    if (rc == 0)
        rc = run(index,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                 "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192",
                 error);
    int version = rc == 0 ? read_version(index, error) : rc;
    if (version == 0)
        rc = create_tables(index, error);
    else if (version > 0 && version != INDEX_VERSION)
        rc = error_set(error, XY_EINVAL, "an index of version %d", version);
    else
        rc = version < 0 ? version : 0;
    if (rc == 0)
        rc = read_position(index, position, error);
    if (rc == 0)
        rc = prepare(index,
                     "INSERT OR IGNORE INTO entries VALUES(?1, ?2, ?3)",
                     &index->insert, error);
    if (rc == 0)
        rc = prepare(index, "UPDATE entries SET place = ?3 WHERE high = ?1 AND low = ?2",
                     &index->update, error);
    if (rc == 0)
        rc = prepare(index, "INSERT OR IGNORE INTO twins VALUES(?1, ?2, ?3)", &index->insert_twin,
                     error);
    if (rc == 0)
        rc = prepare(index, "UPDATE twins SET place = ?3 WHERE high = ?1 AND low = ?2",
                     &index->update_twin, error);
    if (rc == 0)
        rc = prepare(index,
                     "UPDATE position SET identity = ?1, log_end = ?2, entries = ?3,"
                     " last_place = ?4, last_checksum = ?5, key_sum = ?6",
                     &index->set_position, error);
    if (rc != 0) {
        error_at(error, path, 0, 0);
        journal_index_close(index);
    }
    return rc;
}

int journal_index_open_reader(struct journal_index *index, const char *path, struct error *error)
{
    int rc = connect(index, path, error);
    if (rc == 0)
        rc = run(index, "PRAGMA cache_size = -4096; PRAGMA query_only = 1", error);
    if (rc == 0)
        rc = prepare(index, "SELECT low, place FROM entries WHERE high = ?1", &index->find, error);
    if (rc == 0)
        rc = prepare(index, "SELECT low, place FROM twins WHERE high = ?1 AND low = ?2",
                     &index->find_twin, error);
    if (rc == 0)
        rc = prepare(index, "BEGIN", &index->begin, error);
    if (rc == 0)
        rc = prepare(index, "COMMIT", &index->end, error);
    if (rc != 0) {
        error_at(error, path, 0, 0);
        journal_index_close(index);
    }
    return rc;
}

/* By key as SQLite orders it, signed, and of one key the newer last, so that it wins. */
static int compare(const void *left, const void *right)
{
    const struct journal_place *a = left, *b = right;
    if (a->key.high != b->key.high)
        return (int64_t)a->key.high < (int64_t)b->key.high ? -1 : 1;
    if (a->key.low != b->key.low)
        return a->key.low < b->key.low ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static bool step(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE;
}

/* Runs one of the statements that take (high, low, place): 1 when a row changed, 0 when none did,
 * negative on an error. */
static int apply(struct journal_index *index, sqlite3_stmt *statement,
                 const struct journal_place *place)
{
    sqlite3_bind_int64(statement, 1, (int64_t)place->key.high);
    sqlite3_bind_int64(statement, 2, (int64_t)place->key.low);
    sqlite3_bind_int64(statement, 3, (int64_t)place->offset);
    return step(statement) ? sqlite3_changes(index->database) > 0 : XY_EIO;
}

uint64_t journal_index_sum(uint64_t sum, struct journal_key key)
{
    uint64_t state = key.high ^ key.low << 1;
    return sum + xy_random_next(&state);
}

/* A key that is new nearly always takes one statement: the others are for a newer entry of a
 * known key and for twins. */
static bool add_one(struct journal_index *index, const struct journal_place *place, uint64_t *sum)
{
    int changed = apply(index, index->insert, place);
    bool fresh = changed > 0;
    if (changed == 0)
        changed = apply(index, index->update, place);
    if (changed == 0) {
        changed = apply(index, index->insert_twin, place);
        fresh = changed > 0;
    }
    if (changed == 0)
        changed = apply(index, index->update_twin, place);
    if (fresh)
        *sum = journal_index_sum(*sum, place->key);
    return changed > 0;
}

int journal_index_add(struct journal_index *index, struct journal_place *places, size_t count,
                      struct journal_position *position, void (*tick)(void *), void *data,
                      struct error *error)
{
    qsort(places, count, sizeof(*places), compare);
    if (run(index, "BEGIN IMMEDIATE", error) != 0)
        return error->code;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        good = add_one(index, &places[i], &position->key_sum);
        if (tick && i % TICK == TICK - 1)
            tick(data);
    }
    if (good) {
        sqlite3_bind_int64(index->set_position, 1, (int64_t)position->identity);
        sqlite3_bind_int64(index->set_position, 2, (int64_t)position->end);
        sqlite3_bind_int64(index->set_position, 3, (int64_t)position->entries);
        sqlite3_bind_int64(index->set_position, 4, (int64_t)position->last_offset);
        sqlite3_bind_int64(index->set_position, 5, (int64_t)position->last_checksum);
        sqlite3_bind_int64(index->set_position, 6, (int64_t)position->key_sum);
        good = step(index->set_position);
    }
    if (good && run(index, "COMMIT", error) == 0)
        return 0;
    if (!good)
        index_error(error, index->database, "cannot write the journal's index");
    sqlite3_exec(index->database, "ROLLBACK", NULL, NULL, NULL);
    return error->code;
}

/* 1 when the statement has a row of that lower half, 0 when not, negative on an error. `*other`
 * is set when there is a row of another. */
static int look(sqlite3_stmt *statement, struct journal_key key, uint64_t *offset, bool *other)
{
    sqlite3_bind_int64(statement, 1, (int64_t)key.high);
    if (sqlite3_bind_parameter_count(statement) == 2)
        sqlite3_bind_int64(statement, 2, (int64_t)key.low);
    int code = sqlite3_step(statement), rc = code == SQLITE_DONE ? 0 : XY_EINVAL;
    *other = false;
    if (code == SQLITE_ROW) {
        rc = (uint64_t)sqlite3_column_int64(statement, 0) == key.low;
        *other = rc == 0;
        *offset = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    return rc;
}

int journal_index_find(struct journal_index *index, uint64_t generation, struct journal_key key,
                       uint64_t *offset)
{
    bool other;
    if (index->reading && index->generation != generation)
        journal_index_rest(index);
    if (!index->reading)
        index->reading = step(index->begin);
    index->generation = generation;
    int found = look(index->find, key, offset, &other);
    return other ? look(index->find_twin, key, offset, &other) : found;
}

void journal_index_rest(struct journal_index *index)
{
    if (index->reading)
        index->reading = !step(index->end);
}

int journal_index_keys(struct journal_index *index, bool (*each)(void *, struct journal_key),
                       void *data)
{
    sqlite3_stmt *statement = NULL;
    struct error error;
    if (prepare(index, "SELECT high, low FROM entries UNION ALL SELECT high, low FROM twins",
                &statement, &error) != 0)
        return error.code;
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW &&
           each(data, (struct journal_key){(uint64_t)sqlite3_column_int64(statement, 0),
                                           (uint64_t)sqlite3_column_int64(statement, 1)}))
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : XY_EINVAL;
}

void journal_index_close(struct journal_index *index)
{
    sqlite3_stmt *const statements[] = {
        index->insert,    index->update, index->insert_twin, index->update_twin,
        index->set_position, index->find, index->find_twin,  index->begin,
        index->end,
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(index->database);
    *index = (struct journal_index){0};
}

void journal_index_remove(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct buffer name;
    buffer_init(&name, 1 << 16);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        buffer_clear(&name);
        buffer_printf(&name, "%s%s", path, endings[i]);
        unlink(name.bytes);
    }
    buffer_free(&name);
}
