/* SPDX-License-Identifier: Apache-2.0 */
#include "format_host.h"

static struct stage_host host;

static const char *load(const char *yaml, const char *text)
{
    return format_read(&host, "jsonl", yaml, text);
}

static const char *save(const char *yaml, const char *const *fields, const char *lines)
{
    return format_write(&host, "jsonl", yaml, fields, lines);
}

static void reads(void)
{
    CHECK_TEXT(load(NULL, "\xef\xbb\xbf{\"a\": \"x\\u00e9\\n\"}\r\n\n  \n "
                          "{\"b\":[1, {}],\"c\":null}"),
               "{\"a\":\"x\xc3\xa9\\n\"}\n{\"b\":[1, {}]}\n");
    CHECK_TEXT(load(NULL, "{\"i\":9223372036854775807,\"j\":-9223372036854775808,\"k\":1e2,"
                          "\"t\":true,\"z\":-0.5}\n"),
               "{\"i\":9223372036854775807,\"j\":-9223372036854775808,\"k\":100.0,\"t\":true,"
               "\"z\":-0.5}\n");
    CHECK_TEXT(load(NULL, "{\"_id\":\"00ff\",\"a\":1}\n{}\n"), "{\"a\":1}\n{}\n");
    CHECK_TEXT(load(NULL, ""), "");
}

static void tells_where_it_is_broken(void)
{
    CHECK_TEXT(load(NULL, "{\"a\":1}\n\n{\"a\":\n"), "{\"a\":1}\nerror: FILE:3: this line is not "
               "valid JSON (one object a line)");
    CHECK_TEXT(load(NULL, "[1]\n"), "error: FILE:1: expected a JSON object, found another JSON "
               "value");
    CHECK_TEXT(load(NULL, "{\"a\":\"\xfc\"}\n"), "error: FILE:1: this line is not valid JSON (one "
               "object a line)");
    CHECK_TEXT(load(NULL, "{\"\":1}\n"), "error: FILE:1: the field ``: its name is empty or longer "
               "than 127 bytes, or its value cannot be kept (a number past 1.8e308, half a pair of "
               "surrogates)");
    CHECK_TEXT(load(NULL, "{\"a\\u0000b\":1}\n"), "error: FILE:1: the field `a\\u0000b`: its name "
               "is empty or longer than 127 bytes, or its value cannot be kept (a number past "
               "1.8e308, half a pair of surrogates)");
    CHECK_TEXT(load(NULL, "{\"ok\":1,\"loss\":-1e999}\n"), "error: FILE:1: the field `loss`: its "
               "name is empty or longer than 127 bytes, or its value cannot be kept (a number past "
               "1.8e308, half a pair of surrogates)");
    CHECK_TEXT(load(NULL, "{\"loss\":NaN}\n"), "error: FILE:1: this line is not valid JSON (one "
               "object a line): NaN and Infinity are no JSON; write null, or leave the field out");
    CHECK_TEXT(format_read_bytes(&host, "jsonl", NULL, "{}\0{}\n", 6), "error: FILE:1: this line "
               "is not valid JSON (one object a line)");
}

/* One pass checks and reads: what is no JSON is found wherever it stands. */
static void refuses_what_is_not_json(void)
{
    static const char *const lines[] = {
        "{,}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{", "{\"a",
        "{\"a\":\"b", "{\"a\":\"\\x\"}", "{a:1}", "{\"a\":1}}", "{\"a\":1} 2", "{\"a\":[1,]}",
        "{\"a\":\"\t\"}", "{\"\xff\":1}", "{\"a\":01}", "{\"a\":tru}"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        CHECK_TEXT(load(NULL, lines[i]), "error: FILE:1: this line is not valid JSON (one object a "
                   "line)");
    CHECK_TEXT(load(NULL, " { \"a\" : 1 , \"b\\n\" : \"x\" , \"a\" : 2 } \n{ }"),
               "{\"a\":2,\"b\\n\":\"x\"}\n{}\n");
}

/* Lines of every length around that of a block, and one of several blocks: none is lost, and the
 * error behind them names its line. */
static void reads_lines_of_any_length(void)
{
    enum { BLOCK = 256 << 10 };
    struct buffer text, expected;
    buffer_init(&text, 1 << 30);
    buffer_init(&expected, 1 << 30);
    static const size_t lengths[] = {1, BLOCK - 20, BLOCK - 9, BLOCK - 8, BLOCK - 7, 3, BLOCK,
                                     BLOCK / 2, BLOCK / 2 + 1, 5 * BLOCK + 3, 2};
    size_t count = sizeof(lengths) / sizeof(lengths[0]);
    for (size_t i = 0; i < count; i++) {
        char *value = memory_resize(NULL, lengths[i] + 1, 1);
        memset(value, (int)('a' + i), lengths[i]);
        value[lengths[i]] = '\0';
        buffer_printf(&text, "{\"t\":\"%s\"}%s", value, i + 1 < count ? "\n" : "");
        buffer_printf(&expected, "{\"t\":\"%s\"}\n", value);
        free(value);
    }
    CU_ASSERT_EQUAL(strcmp(load(NULL, text.bytes), expected.bytes), 0);
    buffer_append_text(&text, "\n{\n{}\n");
    buffer_append_text(&expected,
                       "error: FILE:12: this line is not valid JSON (one object a line)");
    CU_ASSERT_EQUAL(strcmp(load(NULL, text.bytes), expected.bytes), 0);
    buffer_free(&text);
    buffer_free(&expected);
}

static void writes(void)
{
    static const char *const fields[] = {"b", "none", NULL};
    CHECK_TEXT(save(NULL, NULL, "{\"a\":\"q\\\"\\n\",\"b\":1,\"c\":2.5,"
                                "\"d\":false,\"e\":[1]}\n{}\n"),
               "{\"a\":\"q\\\"\\n\",\"b\":1,\"c\":2.5,\"d\":false,\"e\":[1]}\n{}\n");
    CHECK_TEXT(save(NULL, fields, "{\"a\":1,\"b\":2}\n"), "{\"b\":2,\"none\":null}\n");
    CHECK_TEXT(save(NULL, NULL, "{\"#v\":[1,0.5]}\n{\"#v\":[]}\n"),
               "{\"v\":[1,0.5]}\n{\"v\":[]}\n");
    CHECK_TEXT(save("{id: true, weight: true}", NULL, "{\"@weight\":0.25,\"a\":1}\n{}\n"),
               "{\"_id\":\"00000000000003e8\",\"a\":1,\"_weight\":0.25}\n"
               "{\"_id\":\"00000000000003e9\",\"_weight\":1}\n");
    CU_ASSERT_EQUAL(format_read_weight(&host, "jsonl", "weight: true", "{\"_weight\":0.25}\n"),
                    0.25);
    CU_ASSERT_EQUAL(format_read_weight(&host, "jsonl", NULL, "{\"_weight\":0.25}\n"), 1);
}

/* The i-th name is remembered from the line before: it may be another one. */
static void writes_other_names(void)
{
    static const char lines[] = "{\"a\":1,\"b\":-9223372036854775808}\n"
                                "{\"b\":0,\"q\\\"\":\"a\\\\0123456789abcdef\\u0001\"}\n"
                                "{\"a\":-1}\n";
    CHECK_TEXT(save(NULL, NULL, lines), lines);
}

static const struct check checks[] = {
    {"reading", reads},
    {"broken files", tells_where_it_is_broken},
    {"what is not JSON", refuses_what_is_not_json},
    {"lines of any length", reads_lines_of_any_length},
    {"writing", writes},
    {"writing other names", writes_other_names},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "jsonl");
    int failed = check_main("jsonl", checks);
    stage_host_free(&host);
    return failed;
}
