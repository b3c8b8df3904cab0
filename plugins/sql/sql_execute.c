/* SPDX-License-Identifier: Apache-2.0 */
/* One statement on a connection of its own: what it may do is decided by SQLite's authorizer, how
 * long by its progress handler, how large by its limits (sqlite.org/security.html, "Untrusted SQL
 * Inputs"). */
#include <stdlib.h>
#include <time.h>

#include <sqlite3.h>

#include "sql_internal.h"

enum {
    STEPS = 1000,            /* instructions between two looks at the clock */
    RESULT_BYTES = 1 << 20,
    VALUE_BYTES = 1 << 20,
    STATEMENT_BYTES = 100000
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int refuse(struct outcome *outcome, const char *why)
{
    snprintf(outcome->why, sizeof(outcome->why), "%s", why);
    return XY_DROP;
}

/* SQLite's own words, but for what the fence below keeps out. */
static int refuse_by(struct outcome *outcome, sqlite3 *database)
{
    if ((sqlite3_errcode(database) & 0xff) != SQLITE_AUTH)
        return refuse(outcome, sqlite3_errmsg(database));
    return refuse(outcome, outcome->sql->write ? "not allowed here: only the data may be changed"
                                               : "not allowed here: only reading is");
}

/* ---- the fence ------------------------------------------------------------------------------- */

/* Reading only; with `write` also changes, but nothing that reaches another file or the connection
 * itself. */
static int authorize(void *data, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    const struct outcome *outcome = data;
    (void)first, (void)database, (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
        return second && sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE: return SQLITE_DENY;
    default: return outcome->sql->write ? SQLITE_OK : SQLITE_DENY;
    }
}

static int look_at_clock(void *data)
{
    struct outcome *outcome = data;
    outcome->late = now() > outcome->deadline;
    return outcome->late || outcome->job->api->cancelled(outcome->job);
}

static void limit(sqlite3 *database, struct outcome *outcome)
{
    static const struct {
        int what, most;
    } limits[] = {{SQLITE_LIMIT_LENGTH, VALUE_BYTES},
                  {SQLITE_LIMIT_SQL_LENGTH, STATEMENT_BYTES},
                  {SQLITE_LIMIT_EXPR_DEPTH, 200},
                  {SQLITE_LIMIT_COMPOUND_SELECT, 50},
                  {SQLITE_LIMIT_VDBE_OP, 250000},
                  {SQLITE_LIMIT_FUNCTION_ARG, 32},
                  {SQLITE_LIMIT_ATTACHED, 0},
                  {SQLITE_LIMIT_TRIGGER_DEPTH, 10},
                  {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        sqlite3_limit(database, limits[i].what, limits[i].most);
    sqlite3_set_authorizer(database, authorize, outcome);
    sqlite3_progress_handler(database, STEPS, look_at_clock, outcome);
}

static sqlite3 *open_database(const struct sql *sql)
{
    sqlite3 *database = NULL;
    bool memory = !sql->database || sql->image; /* without `database`: empty, or the copy */
    int flags = memory ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY : SQLITE_OPEN_READONLY;
    int code = sqlite3_open_v2(memory ? ":memory:" : sql->database, &database,
                               flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK && sql->image) {
        unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)sql->image_length);
        if (copy)
            memcpy(copy, sql->image, (size_t)sql->image_length);
        code = copy ? sqlite3_deserialize(database, "main", copy, sql->image_length,
                                          sql->image_length, SQLITE_DESERIALIZE_FREEONCLOSE |
                                          SQLITE_DESERIALIZE_RESIZEABLE) : SQLITE_NOMEM;
    }
    if (code == SQLITE_OK)
        return database;
    sqlite3_close(database);
    return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* 1 and 1.0 are one value, as they are in a comparison. */
static void add_real(struct text *out, double number)
{
    char integer[32];
    bool whole = number > -9e15 && number < 9e15 && number == (double)(int64_t)number;
    snprintf(integer, sizeof(integer), "%lld", whole ? (long long)number : 0);
    if (whole)
        text_add_literal(out, integer);
    else
        text_add_number(out, number);
}

static void add_value(struct text *out, sqlite3_stmt *statement, int column)
{
    static const char digits[] = "0123456789abcdef";
    char integer[32];
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        snprintf(integer, sizeof(integer), "%lld",
                 (long long)sqlite3_column_int64(statement, column));
        text_add_literal(out, integer);
        break;
    case SQLITE_FLOAT: add_real(out, sqlite3_column_double(statement, column)); break;
    case SQLITE_TEXT:
        text_add_json(out, (xy_str){(const char *)sqlite3_column_text(statement, column),
                                    (size_t)sqlite3_column_bytes(statement, column)});
        break;
    case SQLITE_BLOB: {
        const unsigned char *bytes = sqlite3_column_blob(statement, column);
        text_add_literal(out, "\"");
        for (int i = 0; i < sqlite3_column_bytes(statement, column); i++) {
            char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
            text_add(out, pair, 2);
        }
        text_add_literal(out, "\"");
        break;
    }
    default: text_add_literal(out, "null");
    }
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Rows in any order, but each as often as it comes: the sorted hashes of the rows, hashed. */
static uint64_t hash_rows(const struct sql *sql, uint64_t *hashes, size_t count)
{
    static const uint64_t start = UINT64_C(0xcbf29ce484222325);
    if (!sql->ordered && count)
        qsort(hashes, count, sizeof(*hashes), compare_hashes);
    return hash_bytes(start, count ? (const char *)hashes : "", count * sizeof(*hashes));
}

static int read_rows(struct outcome *outcome, sqlite3 *database, sqlite3_stmt *statement,
                     uint64_t *hashes)
{
    const struct sql *sql = outcome->sql;
    struct text *out = &outcome->json;
    int columns = sqlite3_column_count(statement), code;
    text_add_literal(out, "{\"columns\":[");
    for (int i = 0; i < columns; i++) {
        text_add_literal(out, i ? "," : "");
        text_add_json(out, xy_text(sqlite3_column_name(statement, i)));
    }
    text_add_literal(out, "],\"rows\":[");
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (outcome->rows == (size_t)sql->most_rows) {
            snprintf(outcome->why, sizeof(outcome->why), "more than %lld rows",
                     (long long)sql->most_rows);
            return XY_DROP;
        }
        text_add_literal(out, outcome->rows ? "," : "");
        size_t start = out->length;
        for (int i = 0; i < columns; i++) {
            text_add_literal(out, i ? "," : "[");
            add_value(out, statement, i);
        }
        text_add_literal(out, columns ? "]" : "[]");
        if (out->failed)
            return XY_ENOMEM;
        if (out->length > RESULT_BYTES)
            return refuse(outcome, "a result of more than 1 MiB");
        hashes[outcome->rows++] = hash_bytes(UINT64_C(0xcbf29ce484222325), out->bytes + start,
                                             out->length - start);
    }
    text_add_literal(out, "]}");
    outcome->hash = hash_rows(sql, hashes, outcome->rows);
    return code == SQLITE_DONE ? XY_OK : refuse_by(outcome, database);
}

/* ---- the statement --------------------------------------------------------------------------- */

static bool is_blank(const char *tail, const char *end)
{
    while (tail < end && (strchr(" \t\r\n;", *tail) && *tail))
        tail++;
    return tail >= end;
}

static int run(struct outcome *outcome, sqlite3 *database, xy_str query)
{
    sqlite3_stmt *statement = NULL;
    const char *tail = query.ptr;
    if (query.len > STATEMENT_BYTES)
        return refuse(outcome, "a statement of more than 100000 bytes");
    if (sqlite3_prepare_v2(database, query.ptr, (int)query.len, &statement, &tail) != SQLITE_OK)
        return refuse_by(outcome, database);
    int code = XY_OK;
    uint64_t *hashes = NULL;
    if (!statement)
        code = refuse(outcome, "the query is empty");
    else if (!is_blank(tail, query.ptr + query.len))
        code = refuse(outcome, "more than one statement");
    else if (!(hashes = calloc((size_t)outcome->sql->most_rows + 1, sizeof(*hashes))))
        code = XY_ENOMEM;
    else
        code = read_rows(outcome, database, statement, hashes);
    free(hashes);
    sqlite3_finalize(statement);
    return code;
}

int sql_execute(struct outcome *outcome, xy_str query)
{
    sqlite3 *database = open_database(outcome->sql);
    if (!database)
        return refuse(outcome, "the database cannot be opened");
    outcome->deadline = now() + outcome->sql->timeout;
    limit(database, outcome);
    int code = run(outcome, database, query);
    sqlite3_close(database);
    if (outcome->job->api->cancelled(outcome->job))
        return XY_ECANCELED;
    if (code == XY_DROP && outcome->late)
        snprintf(outcome->why, sizeof(outcome->why), "no result within %g s",
                 outcome->sql->timeout);
    return code;
}
