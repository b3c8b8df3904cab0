/* SPDX-License-Identifier: Apache-2.0 */
/* Statements by hand on a small database: results, hashes, and everything that a statement may not
 * do. GeoQuery's gold queries: how many run, how many give nothing. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;
static char path[64];

static void make_database(void)
{
    sqlite3 *database;
    snprintf(path, sizeof(path), P_tmpdir "/sql-%ld.sqlite", (long)getpid());
    unlink(path);
    static const char content[] =
        "CREATE TABLE city(name TEXT, people INTEGER, area REAL);"
        "INSERT INTO city VALUES('Graz', 3, 1.0), ('Linz', 2, 2.5), ('Wels', 1, NULL);"
        "CREATE TABLE secret(word); INSERT INTO secret VALUES(x'00ff')";
    if (sqlite3_open(path, &database) != SQLITE_OK ||
        sqlite3_exec(database, content, NULL, NULL, NULL) != SQLITE_OK)
        abort();
    sqlite3_close(database);
}

static struct instance *open_with(const char *options)
{
    char yaml[256];
    stage_host_init(&host);
    stage_host_load(&host, "sql");
    snprintf(yaml, sizeof(yaml), "{database: %s%s%s}", path, *options ? ", " : "", options);
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "sql", yaml);
    if (!instance)
        printf("\n    %s\n", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

static void close_it(struct instance *instance)
{
    instance_close(instance);
    stage_host_free(&host);
}

static const char *field_of(struct instance *instance, const char *query, const char *field)
{
    static char text[4096];
    struct stage_result result;
    struct buffer json;
    buffer_init(&json, 1 << 22);
    buffer_append_text(&json, "{\"query\":");
    json_write_text(&json, str_of(query));
    buffer_append_char(&json, '}');
    stage_host_process(&host, instance, json.bytes, &result);
    CU_ASSERT(result.verdict == XY_OK || result.verdict == XY_DROP);
    snprintf(text, sizeof(text), "%s", result.verdict == XY_OK ? stage_text(result.input, field)
                                                               : result.why);
    stage_result_free(&result);
    buffer_free(&json);
    return text;
}

static void results(void)
{
    struct instance *instance = open_with("");
    CHECK_TEXT(field_of(instance, "SELECT name, people FROM city WHERE people > 1", "result"),
               "{\"columns\":[\"name\",\"people\"],\"rows\":[[\"Graz\",3],[\"Linz\",2]]}");
    CHECK_TEXT(field_of(instance, "SELECT area, 0.5, 'a\"b' FROM city ; \n", "result"),
               "{\"columns\":[\"area\",\"0.5\",\"'a\\\"b'\"],\"rows\":[[1,0.5,\"a\\\"b\"],"
               "[2.5,0.5,\"a\\\"b\"],[null,0.5,\"a\\\"b\"]]}");
    CHECK_TEXT(field_of(instance, "SELECT word FROM secret", "result"),
               "{\"columns\":[\"word\"],\"rows\":[[\"00ff\"]]}");
    CHECK_TEXT(field_of(instance, "SELECT name FROM city WHERE people > 9", "row_count"), "0");
    CHECK_TEXT(field_of(instance, "SELECT 1 AS a, 2 AS a", "result"),
               "{\"columns\":[\"a\",\"a\"],\"rows\":[[1,2]]}");
    CHECK_TEXT(field_of(instance, "SELECT sql FROM sqlite_master WHERE name = 'secret'", "result"),
               "{\"columns\":[\"sql\"],\"rows\":[[\"CREATE TABLE secret(word)\"]]}");
    close_it(instance);
}

static bool same(struct instance *instance, const char *a, const char *b)
{
    char first[64];
    snprintf(first, sizeof(first), "%s", field_of(instance, a, "result_hash"));
    CU_ASSERT_EQUAL(strlen(first), 16);
    return strcmp(first, field_of(instance, b, "result_hash")) == 0;
}

static void hashes(void)
{
    struct instance *instance = open_with("");
    CU_ASSERT_TRUE(same(instance, "SELECT name FROM city ORDER BY name",
                        "SELECT city.name AS x FROM city ORDER BY people"));
    CU_ASSERT_TRUE(same(instance, "SELECT 1", "SELECT 1.0"));
    CU_ASSERT_FALSE(same(instance, "SELECT 1", "SELECT '1'"));
    CU_ASSERT_FALSE(same(instance, "SELECT 1", "SELECT 1 UNION ALL SELECT 1"));
    CU_ASSERT_FALSE(same(instance, "SELECT 1, 2", "SELECT 2, 1"));
    CU_ASSERT_FALSE(same(instance, "SELECT 1 WHERE 0", "SELECT NULL"));
    close_it(instance);
    instance = open_with("ordered: true");
    CU_ASSERT_FALSE(same(instance, "SELECT name FROM city ORDER BY name",
                         "SELECT name FROM city ORDER BY people"));
    close_it(instance);
}

static void refusals(void)
{
    static const char *const cases[][2] = {
        {"", "the query is empty"},
        {" ; ", "the query is empty"},
        {"-- nothing", "the query is empty"},
        {"SELEC 1", "near \"SELEC\": syntax error"},
        {"SELECT cty FROM city", "no such column: cty"},
        {"SELECT 1; SELECT 2", "more than one statement"},
        {"INSERT INTO city VALUES('X', 1, 1)", "not allowed here: only reading is"},
        {"DELETE FROM city", "not allowed here: only reading is"},
        {"DROP TABLE city", "not allowed here: only reading is"},
        {"ATTACH 'other.sqlite' AS other", "not allowed here: only reading is"},
        {"VACUUM INTO 'other.sqlite'", "not allowed here: only reading is"},
        {"PRAGMA journal_mode = DELETE", "not allowed here: only reading is"},
        {"SELECT load_extension('x.so')", "not authorized to use function: load_extension"},
        {"SELECT randomblob(2000000000)", "string or blob too big"},
    };
    struct instance *instance = open_with("drop_empty: true");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = field_of(instance, cases[i][0], "result");
        if (strncmp(got, "not allowed", 11) != 0 || strncmp(cases[i][1], "not auth", 8) != 0)
            CHECK_TEXT(got, cases[i][1]);
    }
    CHECK_TEXT(field_of(instance, "SELECT 1 WHERE 0", "result"), "the query gives no row");
    CHECK_TEXT(field_of(instance, "SELECT count(*) FROM city", "result"),
               "{\"columns\":[\"count(*)\"],\"rows\":[[3]]}"); /* nothing was changed */
    close_it(instance);
}

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "

static void bounds(void)
{
    struct instance *instance = open_with("timeout: 100ms, most_rows: 5");
    CHECK_TEXT(field_of(instance, ENDLESS "SELECT count(*) FROM n", "result"),
               "no result within 0.1 s");
    CHECK_TEXT(field_of(instance, ENDLESS "SELECT i FROM n", "result"), "more than 5 rows");
    CHECK_TEXT(field_of(instance, ENDLESS "SELECT i FROM n LIMIT 5", "row_count"), "5");
    CHECK_TEXT(field_of(instance, "SELECT hex(zeroblob(600000))", "row_count"),
               "string or blob too big");
    CHECK_TEXT(field_of(instance, ENDLESS "SELECT hex(zeroblob(400000)) FROM n LIMIT 4", "result"),
               "a result of more than 1 MiB");
    host.cancelled = 1;
    struct stage_result result;
    stage_host_process(&host, instance, "{\"query\":\"" ENDLESS "SELECT count(*) FROM n\"}",
                       &result);
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    stage_result_free(&result);
    close_it(instance);
}

/* A change is seen by nobody, not even by the next statement. */
static void writing(void)
{
    struct instance *instance = open_with("write: true");
    CHECK_TEXT(field_of(instance, "INSERT INTO city VALUES('X', 1, 1) RETURNING people", "result"),
               "{\"columns\":[\"people\"],\"rows\":[[1]]}");
    CHECK_TEXT(field_of(instance, "DROP TABLE city", "result"), "{\"columns\":[],\"rows\":[]}");
    CHECK_TEXT(field_of(instance, "SELECT count(*) FROM city", "result"),
               "{\"columns\":[\"count(*)\"],\"rows\":[[3]]}");
    CHECK_TEXT(field_of(instance, "ATTACH 'other.sqlite' AS other", "result"),
               "not allowed here: only the data may be changed");
    close_it(instance);
}

static void databases(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "sql");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sql", "{database: /nowhere/x.db}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "the database /nowhere/x.db cannot be read: "));
    char yaml[256];
    snprintf(yaml, sizeof(yaml), "{database: %s}", TEST_SOURCE_DIR "/README.md");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sql", yaml));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "file is not a database"));
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "sql", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    CHECK_TEXT(field_of(instance, "SELECT 6 * 7 AS n", "result"),
               "{\"columns\":[\"n\"],\"rows\":[[42]]}");
    close_it(instance);
}

static void scripts(void)
{
    char file[80], yaml[256];
    snprintf(file, sizeof(file), P_tmpdir "/sql-%ld.sql", (long)getpid());
    FILE *script = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    fputs("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2);\n", script);
    fclose(script);
    stage_host_init(&host);
    stage_host_load(&host, "sql");
    snprintf(yaml, sizeof(yaml), "{script: %s}", file);
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "sql", yaml);
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    CHECK_TEXT(field_of(instance, "SELECT sum(a) FROM t", "result"),
               "{\"columns\":[\"sum(a)\"],\"rows\":[[3]]}");
    CHECK_TEXT(field_of(instance, "DELETE FROM t", "result"), "not allowed here: only reading is");
    instance_close(instance);
    script = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    fputs("CREATE TABEL t(a);", script);
    fclose(script);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sql", yaml));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "near \"TABEL\": syntax error"));
    unlink(file);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "sql", yaml));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "unable to open database file"));
    stage_host_free(&host);
}

/* Published with the data: 600 gold queries, of which 598 run and 23 of these give no row. */
static void geoquery(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "sql");
    const char *lines = stage_host_reference(&host, "geoquery-sql/train.jsonl.gz");
    const char *folder = getenv("XYLEM_REFERENCE_DATA");
    if (!lines) {
        stage_host_free(&host);
        return;
    }
    const char *yaml =
        arena_printf(&host.arena, "{database: '%s/geoquery-sql/geography_db.sqlite'}",
                     folder ? folder : TEST_SOURCE_DIR "/../shared/data");
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "sql", yaml);
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    int count = 0, run = 0, empty = 0;
    for (; *lines; count++) {
        size_t length = strcspn(lines, "\n");
        char *line = arena_copy(&host.arena, lines, length);
        struct stage_result result;
        stage_host_process(&host, instance, line, &result);
        run += result.verdict == XY_OK;
        empty += result.verdict == XY_OK && stage_number(result.input, "row_count") == 0;
        stage_result_free(&result);
        lines += length + (lines[length] == '\n');
    }
    CU_ASSERT_EQUAL(count, 600);
    CU_ASSERT_EQUAL(run, 598);
    CU_ASSERT_EQUAL(empty, 23);
    close_it(instance);
}

int main(void)
{
    static const struct check checks[] = {
        {"results", results},
        {"hashes", hashes},
        {"refusals", refusals},
        {"bounds", bounds},
        {"writing", writing},
        {"databases", databases},
        {"scripts", scripts},
        {"GeoQuery", geoquery},
        {NULL, NULL},
    };
    make_database();
    unsigned failures = check_main("sql", checks);
    unlink(path);
    return (int)failures;
}
