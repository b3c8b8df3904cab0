/* SPDX-License-Identifier: Apache-2.0 */
/* sql - runs a query on an SQLite database; a tool, and the executor of text-to-SQL methods. */
#include <stdlib.h>

#include <sqlite3.h>

#include "sql_internal.h"

static const xy_option options[] = {
    {.name = "database", .type = XY_OPT_PATH, .offset = offsetof(struct sql, database),
     .help = "The SQLite file; an empty database in memory when left out."},
    {.name = "script", .type = XY_OPT_PATH, .offset = offsetof(struct sql, script),
     .help = "A file of SQL statements that make the database, in memory."},
    {.name = "query", .type = XY_OPT_FIELD, .offset = offsetof(struct sql, query), .def = "query",
     .help = "The field with the statement."},
    {.name = "result", .type = XY_OPT_FIELD, .offset = offsetof(struct sql, result),
     .def = "result", .help = "The field for {\"columns\": [...], \"rows\": [[...]]}."},
    {.name = "hash", .type = XY_OPT_FIELD, .offset = offsetof(struct sql, hash),
     .def = "result_hash",
     .help = "The field for a hash of the rows: two queries with one result have one hash."},
    {.name = "ordered", .type = XY_OPT_BOOL, .offset = offsetof(struct sql, ordered),
     .def = "false", .help = "The hash depends on the order of the rows."},
    {.name = "drop_empty", .type = XY_OPT_BOOL, .offset = offsetof(struct sql, drop_empty),
     .def = "false", .help = "Drops records whose query gives no row."},
    {.name = "write", .type = XY_OPT_BOOL, .offset = offsetof(struct sql, write), .def = "false",
     .help = "Statements may change the data: each works on a copy of its own in memory, which is "
             "then thrown away."},
    {.name = "most_rows", .type = XY_OPT_INT, .offset = offsetof(struct sql, most_rows),
     .def = "1000", .low = 1, .high = 1e6, .help = "A result with more rows is refused."},
    {.name = "timeout", .type = XY_OPT_SECONDS, .offset = offsetof(struct sql, timeout),
     .def = "5s", .low = 0.001, .high = 3600, .help = "Longest time for one statement."},
    {0},
};

/* ---- life ------------------------------------------------------------------------------------ */

static void sql_close(void *state)
{
    struct sql *sql = state;
    sqlite3_free(sql->image);
    sql->image = NULL;
}

static int run_script(sqlite3 *database, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct text script = {0};
    char chunk[4096];
    size_t got;
    if (!file)
        return SQLITE_CANTOPEN;
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        text_add(&script, chunk, got);
    fclose(file);
    int code = script.failed ? SQLITE_NOMEM
                             : sqlite3_exec(database, script.length ? script.bytes : "", NULL, NULL,
                                            NULL);
    text_free(&script);
    return code;
}

/* Opens the file, or makes what the script says; *database is the caller's also on an error. */
static int open_source(const struct sql *sql, sqlite3 **database)
{
    int code = sql->script ? sqlite3_open(":memory:", database)
                           : sqlite3_open_v2(sql->database, database, SQLITE_OPEN_READONLY, NULL);
    if (code != SQLITE_OK)
        return code;
    if (sql->script)
        return run_script(*database, sql->script);
    return sqlite3_exec(*database, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
}

/* Can it be opened or made, and is it a database? What is not read from the file each time is kept
 * as bytes, for a copy in each call. */
static int prepare(void *state, xy_job *job)
{
    struct sql *sql = state;
    const char *path = sql->script ? sql->script : sql->database;
    sqlite3 *database = NULL;
    sqlite3_int64 length = 0;
    if (sql->script && sql->database)
        return xy_fail(job, XY_EINVAL, "give `database` or `script`, not both");
    if (!path)
        return XY_OK;
    int code = open_source(sql, &database);
    if (code == SQLITE_OK && (sql->write || sql->script)) {
        sql->image = sqlite3_serialize(database, "main", &length, 0);
        sql->image_length = length;
        code = sql->image ? SQLITE_OK : SQLITE_NOMEM;
    }
    bool own = database && sqlite3_errcode(database) == code; /* else it is no error of SQLite's */
    if (code != SQLITE_OK)
        xy_fail(job, XY_EIO, "the database %.300s cannot be read: %s", path,
                own ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    sqlite3_close(database);
    return code == SQLITE_OK ? XY_OK : XY_EIO;
}

/* ---- one record ------------------------------------------------------------------------------ */

static int set_results(const struct sql *sql, xy_job *job, xy_record *record,
                       const struct outcome *outcome)
{
    char hash[17];
    snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)outcome->hash);
    xy_str json = {outcome->json.bytes, outcome->json.length};
    if (xy_record_set_json(record, sql->result, json) < 0)
        return xy_drop(job, "the result is not valid UTF-8");
    int code = xy_record_set_text(record, sql->hash, xy_text(hash));
    return code < 0 ? code : xy_record_set_int(record, "row_count", (int64_t)outcome->rows);
}

static int process(void *state, xy_job *job)
{
    const struct sql *sql = state;
    xy_record *record = job->api->input(job, 0);
    xy_str query = xy_record_text(record, sql->query);
    struct outcome outcome = {.sql = sql, .job = job};
    if (!query.ptr)
        return xy_drop(job, "there is no text in `%.100s`", sql->query);
    int code = sql_execute(&outcome, query);
    if (code == XY_OK && sql->drop_empty && outcome.rows == 0)
        code = xy_drop(job, "the query gives no row");
    else if (code == XY_OK)
        code = set_results(sql, job, record, &outcome);
    else if (code == XY_DROP)
        xy_drop(job, "%s", outcome.why);
    text_free(&outcome.json);
    return code;
}

static const void *extension(const char *id)
{
    static const xy_tool tool = {
        .size = sizeof(tool),
        .description = "Runs one SQL statement on an SQLite database and gives its columns and "
                       "rows. SELECT sql FROM sqlite_master shows the tables.",
        .parameters = "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\"}},"
                      "\"required\":[\"query\"],\"additionalProperties\":false}",
        .result = "result",
    };
    return strcmp(id, XY_TOOL) == 0 ? &tool : NULL;
}

static const xy_stage sql_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct sql),
    .id = "sql",
    .version = "1.0.0",
    .summary = "Runs a query on an SQLite database, read-only and within limits; a tool",
    .options = options,
    .prepare = prepare,
    .close = sql_close,
    .process = process,
    .extension = extension,
    .fields = "reads `query`; sets `result`, `hash` and `row_count`",
};

XY_PLUGIN_SINCE(1, "sql", "1.0.0", "Apache-2.0", &sql_stage)
