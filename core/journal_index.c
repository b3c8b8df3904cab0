/* SPDX-License-Identifier: Apache-2.0 */
/* journal_index.c - index.db: SQLite in WAL mode, keys in batches sorted by key, because random keys
 * one at a time split pages all over the tree. The index may be lost at any time: synchronous=NORMAL
 * keeps it sound through a loss of power, and what it then lacks is read from the log. */
#include <endian.h>
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
               "CREATE TABLE entries(key BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;"
               "CREATE TABLE position(one INTEGER PRIMARY KEY CHECK(one = 1), identity INTEGER,"
               " log_end INTEGER, entries INTEGER, last_place INTEGER, last_checksum INTEGER);"
               "INSERT INTO position VALUES(1, 0, 0, 0, 0, 0);"
               "PRAGMA user_version = 1;"
               "COMMIT",
               error);
}

static int read_position(struct journal_index *index, struct journal_position *position,
                         struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare(index,
                     "SELECT identity, log_end, entries, last_place, last_checksum FROM position",
                     &statement, error);
    if (rc == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        position->identity = (uint64_t)sqlite3_column_int64(statement, 0);
        position->end = (uint64_t)sqlite3_column_int64(statement, 1);
        position->entries = (uint64_t)sqlite3_column_int64(statement, 2);
        position->last_offset = (uint64_t)sqlite3_column_int64(statement, 3);
        position->last_checksum = (uint64_t)sqlite3_column_int64(statement, 4);
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
        rc = prepare(index, "INSERT OR REPLACE INTO entries VALUES(?1, ?2)", &index->insert, error);
    if (rc == 0)
        rc = prepare(index,
                     "UPDATE position SET identity = ?1, log_end = ?2, entries = ?3,"
                     " last_place = ?4, last_checksum = ?5",
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
        rc = prepare(index, "SELECT place FROM entries WHERE key = ?1", &index->find, error);
    if (rc != 0) {
        error_at(error, path, 0, 0);
        journal_index_close(index);
    }
    return rc;
}

/* Big-endian, so that SQLite's order of bytes is the order of numbers. */
static void key_bytes(struct journal_key key, uint64_t bytes[2])
{
    bytes[0] = htobe64(key.high);
    bytes[1] = htobe64(key.low);
}

/* By key, and of one key the newer last, so that it wins. */
static int compare(const void *left, const void *right)
{
    const struct journal_place *a = left, *b = right;
    if (a->key.high != b->key.high)
        return a->key.high < b->key.high ? -1 : 1;
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

int journal_index_add(struct journal_index *index, struct journal_place *places, size_t count,
                      const struct journal_position *position, void (*tick)(void *), void *data,
                      struct error *error)
{
    qsort(places, count, sizeof(*places), compare);
    if (run(index, "BEGIN IMMEDIATE", error) != 0)
        return error->code;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        uint64_t bytes[2];
        key_bytes(places[i].key, bytes);
        sqlite3_bind_blob(index->insert, 1, bytes, sizeof(bytes), SQLITE_STATIC);
        sqlite3_bind_int64(index->insert, 2, (int64_t)places[i].offset);
        good = step(index->insert);
        if (tick && i % TICK == TICK - 1)
            tick(data);
    }
    if (good) {
        sqlite3_bind_int64(index->set_position, 1, (int64_t)position->identity);
        sqlite3_bind_int64(index->set_position, 2, (int64_t)position->end);
        sqlite3_bind_int64(index->set_position, 3, (int64_t)position->entries);
        sqlite3_bind_int64(index->set_position, 4, (int64_t)position->last_offset);
        sqlite3_bind_int64(index->set_position, 5, (int64_t)position->last_checksum);
        good = step(index->set_position);
    }
    if (good && run(index, "COMMIT", error) == 0)
        return 0;
    if (!good)
        index_error(error, index->database, "cannot write the journal's index");
    sqlite3_exec(index->database, "ROLLBACK", NULL, NULL, NULL);
    return error->code;
}

int journal_index_find(struct journal_index *index, struct journal_key key, uint64_t *offset)
{
    uint64_t bytes[2];
    key_bytes(key, bytes);
    sqlite3_bind_blob(index->find, 1, bytes, sizeof(bytes), SQLITE_STATIC);
    int code = sqlite3_step(index->find);
    if (code == SQLITE_ROW)
        *offset = (uint64_t)sqlite3_column_int64(index->find, 0);
    sqlite3_reset(index->find);
    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : XY_EINVAL;
}

int journal_index_keys(struct journal_index *index, bool (*each)(void *, struct journal_key),
                       void *data)
{
    sqlite3_stmt *statement = NULL;
    struct error error;
    int code = SQLITE_ROW;
    bool more = prepare(index, "SELECT key FROM entries", &statement, &error) == 0;
    while (more) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        uint64_t bytes[2];
        if (sqlite3_column_bytes(statement, 0) != sizeof(bytes)) {
            code = SQLITE_CORRUPT;
            break;
        }
        memcpy(bytes, sqlite3_column_blob(statement, 0), sizeof(bytes));
        more = each(data, (struct journal_key){be64toh(bytes[0]), be64toh(bytes[1])});
    }
    bool prepared = statement != NULL;
    sqlite3_finalize(statement);
    return prepared && (code == SQLITE_DONE || code == SQLITE_ROW) ? 0 : XY_EINVAL;
}

void journal_index_close(struct journal_index *index)
{
    sqlite3_finalize(index->insert);
    sqlite3_finalize(index->set_position);
    sqlite3_finalize(index->find);
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
