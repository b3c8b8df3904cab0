/* SPDX-License-Identifier: Apache-2.0 */
#include "format_host.h"

static struct stage_host host;

static const char *load(const char *yaml, const char *text)
{
    return format_read(&host, "argilla", yaml, text);
}

static const char *save(const char *yaml, const char *lines)
{
    return format_write(&host, "argilla", yaml, NULL, lines);
}

/* What Argilla 2's records.to_json() writes. */
static const char exported[] =
    "[{\"id\": \"00ab\", \"fields\": {\"text\": \"Hello\"}, \"metadata\": {\"n\": 3},\n"
    "  \"suggestions\": {\"label\": {\"value\": \"bad\", \"score\": 0.25, \"agent\": \"m\"}},\n"
    "  \"responses\": {\"label\": [{\"value\": \"good\", \"user_id\": \"u1\"},\n"
    "                             {\"value\": \"bad\", \"user_id\": \"u2\"}],\n"
    "                \"revision\": [{\"value\": \"Hi\", \"user_id\": \"u2\"}]},\n"
    "  \"vectors\": {}, \"_server_id\": \"3a6f0d4c\"},\n"
    " {\"id\": \"00ac\", \"fields\": {\"text\": \"B\"}, \"metadata\": {}, \"suggestions\": {},\n"
    "  \"responses\": {}, \"vectors\": {}, \"_server_id\": null}]\n";

static void reads_exports(void)
{
    CHECK_TEXT(load("score: p", exported),
               "{\"id\":\"00ab\",\"text\":\"Hello\",\"n\":3,\"suggestion\":\"bad\",\"p\":0.25,"
               "\"annotator\":\"u1\",\"label\":\"good\"}\n"
               "{\"id\":\"00ab\",\"text\":\"Hello\",\"n\":3,\"suggestion\":\"bad\",\"p\":0.25,"
               "\"annotator\":\"u2\",\"label\":\"bad\",\"revision\":\"Hi\"}\n"
               "{\"id\":\"00ac\",\"text\":\"B\"}\n");
    CHECK_TEXT(load(NULL, "[]"), "");
}

/* The server's form, and that of Argilla 1. */
static void reads_lists(void)
{
    CHECK_TEXT(load(NULL, "{\"id\":\"3a6f\",\"external_id\":\"7\",\"fields\":{\"text\":\"x\"},"
                          "\"metadata\":null,\"suggestions\":[{\"question_name\":\"other\","
                          "\"value\":1},{\"question_name\":\"label\",\"value\":\"a\"}],"
                          "\"responses\":[{\"user_id\":\"u\",\"status\":\"submitted\","
                          "\"values\":{\"label\":{\"value\":\"b\"}},\"updated_at\":\"t\"},"
                          "{\"user_id\":\"v\",\"status\":\"discarded\",\"values\":null},"
                          "{\"user_id\":\"w\",\"status\":\"draft\",\"values\":{\"label\":"
                          "{\"value\":\"c\"}}}]}\n"),
               "{\"id\":\"7\",\"text\":\"x\",\"suggestion\":\"a\",\"annotator\":\"u\","
               "\"time\":\"t\",\"label\":\"b\"}\n"
               "{\"id\":\"7\",\"text\":\"x\",\"suggestion\":\"a\",\"annotator\":\"v\","
               "\"discard\":true}\n{\"id\":\"7\",\"text\":\"x\",\"suggestion\":\"a\"}\n");
}

static void tells_where_it_is_broken(void)
{
    CHECK_TEXT(load(NULL, "[{\"fields\":{}},\n{\"text\":\"x\"}]"),
               "{}\nerror: FILE:2: expected a record of Argilla, with `fields`");
    CHECK_TEXT(load(NULL, "[{\"fields\":{}}"), "error: FILE:1: the list that begins here is no "
               "JSON, or not UTF-8: is the file cut off?");
    CHECK_TEXT(load(NULL, "{\"fields\":{\"\":1}}"), "error: FILE:1: a value of this record cannot "
               "be kept: a name that is empty or longer than 127 bytes, or a key twice");
}

static void writes_records(void)
{
    CHECK_TEXT(save("{suggestion: label, score: p, agent: m, show: [title, text]}",
                    "{\"text\":\"x\",\"title\":1,\"label\":\"good\",\"p\":0.5,\"n\":2,\"b\":true,"
                    "\"l\":[\"a\"],\"o\":{\"a\":1}}\n{\"id\":\"q\"}\n"),
               "[\n{\"id\":\"00000000000003e8\",\"fields\":{\"text\":\"x\",\"title\":\"1\"},"
               "\"metadata\":{\"n\":2,\"b\":\"true\",\"l\":[\"a\"],\"o\":\"{\\\"a\\\":1}\"},"
               "\"suggestions\":{\"label\":{\"value\":\"good\",\"score\":0.5,\"agent\":\"m\"}},"
               "\"responses\":{},\"vectors\":{}},\n"
               "{\"id\":\"q\",\"fields\":{},\"metadata\":{},\"suggestions\":{},\"responses\":{},"
               "\"vectors\":{}}\n]\n");
    CHECK_TEXT(save(NULL, ""), "[]\n");
}

static void brings_answers_back(void)
{
    static const char lines[] =
        "{\"id\":\"1\",\"text\":\"a \\\"q\\\"\",\"n\":5,\"suggestion\":\"x\",\"annotator\":\"u\","
        "\"label\":\"y\",\"revision\":\"other\"}\n"
        "{\"id\":\"1\",\"text\":\"a \\\"q\\\"\",\"n\":5,\"suggestion\":\"x\",\"annotator\":\"v\","
        "\"label\":\"x\"}\n"
        "{\"id\":\"2\",\"text\":\"b\",\"list\":[\"a\"],\"annotator\":\"v\",\"label\":\"z\"}\n"
        "{\"id\":\"3\",\"text\":\"c\"}\n";
    CHECK_TEXT(load(NULL, save(NULL, lines)), format_read(&host, "jsonl", NULL, lines));
    CHECK_TEXT(load(NULL, save(NULL, "{\"id\":\"1\",\"discard\":true,\"annotator\":\"u\"}\n")),
               "{\"id\":\"1\",\"annotator\":\"u\",\"discard\":true,\"label\":\"\"}\n");
    const char *read = load("score: p", exported);
    CHECK_TEXT(load("score: p", save("score: p", read)), read);
}

static const struct check checks[] = {
    {"reading an export", reads_exports},
    {"lists of responses", reads_lists},
    {"broken files", tells_where_it_is_broken},
    {"writing records", writes_records},
    {"there and back", brings_answers_back},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "argilla");
    stage_host_load(&host, "jsonl");
    int failed = check_main("argilla", checks);
    stage_host_free(&host);
    return failed;
}
