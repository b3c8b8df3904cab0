/* SPDX-License-Identifier: Apache-2.0 */
#include "format_host.h"

static struct stage_host host;

static const char *load(const char *yaml, const char *text)
{
    return format_read(&host, "csv", yaml, text);
}

static const char *save(const char *yaml, const char *const *fields, const char *lines)
{
    return format_write(&host, "csv", yaml, fields, lines);
}

/* The cases of RFC 4180, section 2, in its order, and what files in the wild do besides. */
static void reads(void)
{
    CHECK_TEXT(load(NULL, "a,b\r\naaa,bbb\r\nzzz,yyy\r\n"),
               "{\"a\":\"aaa\",\"b\":\"bbb\"}\n{\"a\":\"zzz\",\"b\":\"yyy\"}\n");
    CHECK_TEXT(load(NULL, "a,b\nzzz,yyy"), "{\"a\":\"zzz\",\"b\":\"yyy\"}\n");
    CHECK_TEXT(load(NULL, "a\r1\r2\r"), "{\"a\":\"1\"}\n{\"a\":\"2\"}\n");
    CHECK_TEXT(load(NULL, "a,b\n\"aaa\",\"b \r\nbb\"\n"),
               "{\"a\":\"aaa\",\"b\":\"b \\r\\nbb\"}\n");
    CHECK_TEXT(load(NULL, "a,b\n\"a\"\"aa\",\",\"\n\"\"\"\",\n"),
               "{\"a\":\"a\\\"aa\",\"b\":\",\"}\n{\"a\":\"\\\"\",\"b\":\"\"}\n");
    CHECK_TEXT(load(NULL, "\xef\xbb\xbf" "a\n\n\n x \n\n"), "{\"a\":\" x \"}\n");
    CHECK_TEXT(load(NULL, "a,b\n,\n"), "{\"a\":\"\",\"b\":\"\"}\n");
    CHECK_TEXT(load(NULL, "_id,a\n00ff,x\n"), "{\"a\":\"x\"}\n");
    CHECK_TEXT(load(NULL, ""), "");
    CHECK_TEXT(load(NULL, "a,b\n"), "");
    CHECK_TEXT(load("delimiter: tab", "a\tb\n1,2\t3\n"), "{\"a\":\"1,2\",\"b\":\"3\"}\n");
    CHECK_TEXT(load("delimiter: ';'", "a;b\n\"1;2\";3\n"), "{\"a\":\"1;2\",\"b\":\"3\"}\n");
    CHECK_TEXT(load("columns: [x, y]", "a,b\n1,2\n"),
               "{\"x\":\"a\",\"y\":\"b\"}\n{\"x\":\"1\",\"y\":\"2\"}\n");
}

static void guesses_types(void)
{
    CHECK_TEXT(load("types: guess", "a,b,c,d,e,f\n1,-2.5,true,,x,\"\"\n"),
               "{\"a\":1,\"b\":-2.5,\"c\":true,\"e\":\"x\",\"f\":\"\"}\n");
    CHECK_TEXT(load("types: guess", "a,b,c,d,e,f\n007,+1,\"1\",1e3,null,1 \n"),
               "{\"a\":\"007\",\"b\":\"+1\",\"c\":\"1\","
               "\"d\":1000.0,\"e\":\"null\",\"f\":\"1 \"}\n");
    CHECK_TEXT(load("types: guess", "a,b,c\n9223372036854775807,-9223372036854775808,"
                                    "9223372036854775808\n"),
               "{\"a\":9223372036854775807,\"b\":-9223372036854775808,"
               "\"c\":\"9223372036854775808\"}\n");
}

static void tells_where_it_is_broken(void)
{
    CHECK_TEXT(load(NULL, "a,b\n1,2\n3\n"), "{\"a\":\"1\",\"b\":\"2\"}\n"
               "error: FILE:3: 1 values, expected 2 as the header has");
    CHECK_TEXT(load(NULL, "a\n\"x\ny\"\n\"open\n\n"), "{\"a\":\"x\\ny\"}\n"
               "error: FILE:4: a quote that opens in this row is never closed");
    CHECK_TEXT(load(NULL, "a\n\"x\"y\n"), "error: FILE:2: something other than a delimiter follows "
               "a closing quote; a quote within a quoted value is written twice");
    CHECK_TEXT(load(NULL, "a\nx\"y\n"), "error: FILE:2: a quote stands within an unquoted value; "
               "such a value is put in quotes, and the quote written twice");
    CHECK_TEXT(load(NULL, "a,b,a\n"), "error: FILE: two columns are named `a`");
    CHECK_TEXT(load(NULL, "a,,b\n"),
               "error: FILE: column 2 has no name, or one longer than 127 bytes");
    CHECK_TEXT(load(NULL, "a\nM\xfcnchen\n"),
               "error: FILE:2: the value of `a` is not UTF-8; convert the file first");
}

static void writes(void)
{
    static const char *const fields[] = {"b", "none", "a", NULL};
    CHECK_TEXT(save(NULL, NULL, "{\"a\":\"x\",\"b\":1}\n{\"b\":2.5,\"a\":\"y,z\"}\n{\"a\":\"\"}\n"),
               "a,b\r\nx,1\r\n\"y,z\",2.5\r\n,\r\n");
    CHECK_TEXT(save("newline: lf", fields, "{\"a\":\"q\\\"q\",\"b\":true,\"c\":1}\n"),
               "b,none,a\ntrue,,\"q\"\"q\"\n");
    CHECK_TEXT(save("newline: lf", NULL, "{\"a\":\"two\\nlines\",\"b\":[1,\"x\"],\"c\":\" s\"}\n"),
               "a,b,c\n\"two\nlines\",\"[1,\"\"x\"\"]\",\" s\"\n");
    CHECK_TEXT(save("{newline: lf, id: true}", NULL, "{\"a\":1}\n"),
               "_id,a\n00000000000003e8,1\n");
    CHECK_TEXT(save("{newline: lf, delimiter: tab, columns: [a]}", NULL, "{\"a\":\"x,y\"}\n"),
               "x,y\n");
    CHECK_TEXT(save("newline: lf", NULL, "{\"a\":\"\"}\n"), "a\n\"\"\n");
    CHECK_TEXT(save(NULL, NULL, ""), "");
}

/* A field that only later records have gets a column; the earlier rows are filled up. */
static void adds_columns(void)
{
    CHECK_TEXT(save("newline: lf", NULL, "{\"a\":1}\n{\"b\":2,\"a\":1}\n{\"c\":\"x\"}\n{}\n"),
               "a,b,c\n1,,\n1,2,\n,,x\n,,\n");
    CHECK_TEXT(save("{newline: lf, id: true, weight: true}", NULL,
                    "{\"a\":1}\n{\"@weight\":0.5,\"b\":2}\n"),
               "_id,a,b,_weight\n00000000000003e8,1,,1\n00000000000003e9,,2,0.5\n");
    CHECK_TEXT(save("newline: lf", NULL, "{}\n{\"a\":\"\"}\n"), "a\n\"\"\n\"\"\n");
    static char lines[40000] = "{\"a\":\"";
    memset(lines + 6, 'y', 9000);
    memcpy(lines + 9006, "\"}\n{\"b\":1}\n", 12);
    const char *csv = save("newline: lf", NULL, lines);
    CU_ASSERT_EQUAL(strlen(csv), 4 + 9002 + 3);
    CU_ASSERT_STRING_EQUAL(csv + 4 + 8997, "yyy,\n,1\n");
}

/* Any text comes back as it was. */
static void brings_texts_back(void)
{
    static const char letters[][8] = {"a", ",", "\\\"", "\\n", "\\r", " ", "\\u00e9", ""};
    uint64_t random = 5;
    for (int i = 0; i < 500; i++) {
        char lines[512] = "";
        size_t length = 0;
        for (int row = 0; row < 3; row++) {
            for (int cell = 0; cell < 2; cell++) {
                length += (size_t)snprintf(lines + length, sizeof(lines) - length, "%s",
                                           cell ? "\",\"b\":\"" : "{\"a\":\"");
                for (int at = 0; at < 5; at++)
                    length += (size_t)snprintf(lines + length, sizeof(lines) - length, "%s",
                                               letters[xy_random_below(&random, 8)]);
            }
            length += (size_t)snprintf(lines + length, sizeof(lines) - length, "\"}\n");
        }
        const char *csv = save(NULL, NULL, lines), *back = load(NULL, csv);
        const char *expected = format_read(&host, "jsonl", NULL, lines);
        CU_ASSERT_STRING_EQUAL_FATAL(back, expected);
    }
}

static void keeps_weights(void)
{
    CHECK_TEXT(save("{weight: true, newline: lf}", NULL, "{\"@weight\":0.25,\"a\":1}\n"
                                                         "{\"a\":2}\n"),
               "a,_weight\n1,0.25\n2,1\n");
    static const char lines[] = "a,_weight\nx,0.25\ny,\nz,-1\n";
    CHECK_TEXT(load(NULL, lines), "{\"a\":\"x\",\"_weight\":\"0.25\"}\n"
               "{\"a\":\"y\",\"_weight\":\"\"}\n{\"a\":\"z\",\"_weight\":\"-1\"}\n");
    CHECK_TEXT(load("weight: true", lines), "{\"a\":\"x\"}\n{\"a\":\"y\"}\n"
               "error: FILE:4: `_weight` is no finite number of at least 0");
    CU_ASSERT_EQUAL(format_read_weight(&host, "csv", "weight: true", lines), 0.25);
}

static void refuses(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FORMAT, "csv", "delimiter: ab"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FORMAT, "csv", "delimiter: '\"'"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FORMAT, "csv", "columns: []"));
}

static const struct check checks[] = {
    {"reading", reads},
    {"types", guesses_types},
    {"broken files", tells_where_it_is_broken},
    {"writing", writes},
    {"columns of later records", adds_columns},
    {"there and back", brings_texts_back},
    {"weights", keeps_weights},
    {"options", refuses},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "csv");
    stage_host_load(&host, "jsonl");
    int failed = check_main("csv", checks);
    stage_host_free(&host);
    return failed;
}
