/* SPDX-License-Identifier: Apache-2.0 */
#include "format_host.h"

static struct stage_host host;

static const char *load(const char *yaml, const char *text)
{
    return format_read(&host, "label_studio", yaml, text);
}

static const char *save(const char *yaml, const char *lines)
{
    return format_write(&host, "label_studio", yaml, NULL, lines);
}

/* The form of Label Studio's documentation ("Task format"), with a classification's results. */
static const char exported[] =
    "[\n"
    " {\"id\": 7, \"created_at\": \"2024-03-09T21:52:49.513742Z\", \"project\": 83,\n"
    "  \"data\": {\"id\": \"00ab\", \"text\": \"A \\u00e9t\\u00e9.\", \"n\": 3},\n"
    "  \"annotations\": [\n"
    "   {\"id\": 1001, \"result\": [{\"from_name\": \"label\", \"id\": \"Dx_aB91ISN\",\n"
    "     \"to_name\": \"text\", \"type\": \"choices\", \"value\": {\"choices\": [\"good\"]}},\n"
    "     {\"from_name\": \"revision\", \"id\": \"x\", \"to_name\": \"text\",\n"
    "      \"type\": \"textarea\", \"value\": {\"text\": [\"A summer.\"]}}],\n"
    "    \"was_cancelled\": false, \"ground_truth\": false,\n"
    "    \"created_at\": \"2024-03-09T22:16:08Z\", \"updated_at\": \"2024-03-09T22:17:00Z\",\n"
    "    \"lead_time\": 4.288, \"result_count\": 0, \"task\": 7, \"completed_by\": 10},\n"
    "   {\"id\": 1002, \"result\": [], \"was_cancelled\": true,\n"
    "    \"created_at\": \"2024-03-10T00:00:00Z\", \"completed_by\": {\"id\": 4,\n"
    "    \"email\": \"ben@example.org\", \"first_name\": \"\"}}],\n"
    "  \"predictions\": [{\"model_version\": \"m\", \"score\": 0.75, \"result\": [\n"
    "    {\"from_name\": \"label\", \"id\": \"t\", \"to_name\": \"text\", \"type\": \"choices\",\n"
    "     \"value\": {\"choices\": [\"bad\"]}}]}]},\n"
    " {\"id\": 8, \"data\": {\"text\": \"B\"}, \"annotations\": [], \"predictions\": []}\n"
    "]\n";

static void reads_exports(void)
{
    CHECK_TEXT(load("score: p", exported),
               "{\"id\":\"00ab\",\"text\":\"A \xc3\xa9t\xc3\xa9.\",\"n\":3,\"suggestion\":\"bad\","
               "\"p\":0.75,\"label\":\"good\",\"revision\":\"A summer.\",\"annotator\":\"10\","
               "\"time\":\"2024-03-09T22:17:00Z\",\"lead_time\":4.288}\n"
               "{\"id\":\"00ab\",\"text\":\"A \xc3\xa9t\xc3\xa9.\",\"n\":3,\"suggestion\":\"bad\","
               "\"p\":0.75,\"discard\":true,\"annotator\":\"ben@example.org\","
               "\"time\":\"2024-03-10T00:00:00Z\"}\n"
               "{\"text\":\"B\",\"id\":\"8\"}\n");
    CHECK_TEXT(load(NULL, "[]"), "");
    CHECK_TEXT(load(NULL, " \n"), "");
    CHECK_TEXT(load(NULL, "[\n]"), "");
}

static void reads_other_forms(void)
{
    /* JSON-MIN, one object a line, and what older versions wrote. */
    CHECK_TEXT(load(NULL, "{\"text\":\"a\",\"id\":1,\"label\":\"good\",\"annotator\":3,"
                          "\"updated_at\":\"t\"}\n\n{\"text\":\"b\"}\n"),
               "{\"text\":\"a\",\"id\":1,\"label\":\"good\",\"annotator\":3,\"updated_at\":\"t\","
               "\"time\":\"t\"}\n{\"text\":\"b\"}\n");
    CHECK_TEXT(load(NULL, "[{\"data\":{\"id\":\"1\"},\"completions\":[{\"result\":[{\"from_name\":"
                          "\"stars\",\"type\":\"rating\",\"value\":{\"rating\":4}},{\"from_name\":"
                          "\"many\",\"type\":\"choices\",\"value\":{\"choices\":[\"a\",\"b\"]}},"
                          "{\"type\":\"relation\",\"from_id\":\"x\"}],\"completed_by\":null,"
                          "\"created_username\":\"anna\"}]}]"),
               "{\"id\":\"1\",\"stars\":4,\"many\":[\"a\",\"b\"],\"annotator\":\"anna\"}\n");
    /* Two spans of one tag, as a list. */
    CHECK_TEXT(load(NULL, "[{\"data\":{\"id\":\"1\"},\"annotations\":[{\"result\":[{\"from_name\":"
                          "\"ner\",\"type\":\"labels\",\"value\":{\"start\":0,\"labels\":[\"P\"]}},"
                          "{\"from_name\":\"ner\",\"type\":\"labels\",\"value\":{\"start\":5,"
                          "\"labels\":[\"Q\"]}}]}]}]"),
               "{\"id\":\"1\",\"ner\":[{\"start\":0,\"labels\":[\"P\"]},{\"start\":5,"
               "\"labels\":[\"Q\"]}]}\n");
}

static void tells_where_it_is_broken(void)
{
    CHECK_TEXT(load(NULL, "[{\"data\":{\"a\":1}},\n 5]"),
               "{\"a\":1}\nerror: FILE:2: expected an object");
    CHECK_TEXT(load(NULL, "\n[{\"data\":{\"a\":1}},"), "error: FILE:2: the list that begins here "
               "is no JSON, or not UTF-8: is the file cut off?");
    CHECK_TEXT(load(NULL, "{\"data\":\n"), "error: FILE:1: expected a list of JSON objects, or one "
               "JSON object a line; found neither");
    CHECK_TEXT(load(NULL, "[\n\n{\"data\":[1]}]"), "error: FILE:3: `data` is no object");
    CHECK_TEXT(load(NULL, "[{\"data\":{},\"annotations\":[{\"result\":[{\"from_name\":"
                          "\"l\"}]}]}]"),
               "error: FILE:1: an annotation has a result without `value`, or with a `from_name` "
               "of more than 127 bytes");
    CHECK_TEXT(load(NULL, "[{\"data\":{\"\":1}}]"), "error: FILE:1: a field's name is empty or "
               "longer than 127 bytes, or its value has a key twice");
    const char *text = format_read_bytes(&host, "label_studio", NULL, "{}\n\0{}", 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "FILE:2: a byte 0: is this a text file?"));
}

static void writes_tasks(void)
{
    CHECK_TEXT(save("{suggestion: label, score: p, model_version: m}",
                    "{\"text\":\"x\",\"label\":\"good\",\"p\":0.5,\"n\":[1]}\n{\"text\":\"y\"}\n"
                    "{\"label\":1}\n"),
               "[\n{\"data\":{\"text\":\"x\",\"n\":[1]},\"predictions\":[{\"model_version\":\"m\","
               "\"score\":0.5,\"result\":[{\"id\":\"00000000000003e8\",\"from_name\":\"label\","
               "\"to_name\":\"text\",\"type\":\"choices\",\"value\":{\"choices\":[\"good\"]}}]}]}"
               ",\n"
               "{\"data\":{\"text\":\"y\"}},\n"
               "{\"data\":{},\"predictions\":[{\"model_version\":\"m\",\"result\":[{\"id\":"
               "\"00000000000003ea\",\"from_name\":\"label\",\"to_name\":\"text\",\"type\":"
               "\"choices\",\"value\":{\"choices\":[\"1\"]}}]}]}\n]\n");
    CHECK_TEXT(save(NULL, ""), "[]\n");
    /* Two answers to one task. */
    CHECK_TEXT(save(NULL, "{\"id\":\"a\",\"label\":\"x\",\"annotator\":\"12\"}\n"
                          "{\"id\":\"a\",\"label\":\"\",\"discard\":true,\"annotator\":\"b@c\","
                          "\"time\":\"t\"}\n{\"id\":\"b\",\"label\":\"\",\"discard\":false}\n"),
               "[\n{\"data\":{\"id\":\"a\"},\"annotations\":[{\"result\":[{\"id\":"
               "\"00000000000003e8\",\"from_name\":\"label\",\"to_name\":\"text\",\"type\":"
               "\"choices\",\"value\":{\"choices\":[\"x\"]}}],\"was_cancelled\":false,"
               "\"completed_by\":12},{\"result\":[],\"was_cancelled\":true,\"completed_by\":"
               "{\"email\":\"b@c\"},\"created_at\":\"t\"}]},\n{\"data\":{\"id\":\"b\"}}\n]\n");
}

static void brings_answers_back(void)
{
    static const char lines[] =
        "{\"id\":\"1\",\"text\":\"a \\\"q\\\" \\n b\",\"suggestion\":\"x\",\"label\":\"y\","
        "\"revision\":\"other\",\"annotator\":\"anna\",\"time\":\"2024-01-01T00:00:00Z\"}\n"
        "{\"id\":\"1\",\"text\":\"a \\\"q\\\" \\n b\",\"suggestion\":\"x\",\"label\":\"x\","
        "\"annotator\":\"ben@c.org\",\"time\":\"2024-01-01T00:00:01Z\",\"lead_time\":2.5}\n"
        "{\"id\":\"2\",\"text\":\"b\",\"list\":[1,{\"a\":null}],\"suggestion\":\"x\","
        "\"discard\":true,\"annotator\":\"5\"}\n"
        "{\"id\":\"3\",\"text\":\"c\"}\n";
    CHECK_TEXT(load(NULL, save(NULL, lines)), format_read(&host, "jsonl", NULL, lines));
    /* And what was read of an export is the same after one more turn. */
    const char *read = load("score: p", exported);
    CHECK_TEXT(load("score: p", save("score: p", read)), read);
}

static const struct check checks[] = {
    {"reading an export", reads_exports},
    {"other forms", reads_other_forms},
    {"broken files", tells_where_it_is_broken},
    {"writing tasks", writes_tasks},
    {"there and back", brings_answers_back},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "label_studio");
    stage_host_load(&host, "jsonl");
    int failed = check_main("label_studio", checks);
    stage_host_free(&host);
    return failed;
}
