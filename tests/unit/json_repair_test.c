/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "check.h"

struct answer {
    const char *text;
    const char *expected; /* compact JSON, NULL when nothing can be read */
    bool repaired;
};

static const struct answer answers[] = {
    /* Where the JSON is. */
    {"{\"a\": 1}", "{\"a\":1}", false},
    {"  \n[1, 2]\n", "[1,2]", false},
    {"```json\n{\"a\": 1}\n```", "{\"a\":1}", false},
    {"```\n[true]\n```\n", "[true]", false},
    {"```JSON {\"a\": 1}```", "{\"a\":1}", false},
    {"Sure! Here is the review:\n\n```json\n{\"text\": \"fine\"}\n```\nLet me know.",
     "{\"text\":\"fine\"}", false},
    {"Here you go: {\"label\": \"positive\"} Hope this helps!", "{\"label\":\"positive\"}", false},
    {"I use {name} as asked.\n{\"name\": \"Ada\"}", "{\"name\":\"Ada\"}", false},
    {"As [see below] shows: {\"a\": [1]}", "{\"a\":[1]}", false},
    {"For f(x) {return x;} the fenced one counts ```json\n{\"a\":2}\n```", "{\"a\":2}", false},
    {"{\"code\": \"```c\\nint x;\\n```\"}", "{\"code\":\"```c\\nint x;\\n```\"}", false},
    {"<think>maybe {this}?</think>{\"a\":1}", "{\"a\":1}", false},
    {"{\"a\":1}{\"b\":2}", "{\"a\":1}", false},
    {"\xef\xbb\xbf{\"a\":1}", "{\"a\":1}", false},
    /* Quotes. */
    {"{'a': 'b'}", "{\"a\":\"b\"}", true},
    {"{'text': 'it\\'s'}", "{\"text\":\"it's\"}", true},
    {"{'text': 'it's fine', 'b': 1}", "{\"text\":\"it's fine\",\"b\":1}", true},
    {"{'a': 'say \"hi\"'}", "{\"a\":\"say \\\"hi\\\"\"}", true},
    {"{\"text\": \"He said \"no\" twice\"}", "{\"text\":\"He said \\\"no\\\" twice\"}", true},
    {"{\"text\": \"He said \"no\", then left\", \"b\": 2}",
     "{\"text\":\"He said \\\"no\\\", then left\",\"b\":2}", true},
    {"{\xe2\x80\x9c"
     "a\xe2\x80\x9d: \xe2\x80\x9c"
     "b\xe2\x80\x9d}",
     "{\"a\":\"b\"}", true},
    {"{\xe2\x80\x98"
     "a\xe2\x80\x99: \xe2\x80\x98"
     "it\xe2\x80\x99s\xe2\x80\x99}",
     "{\"a\":\"it\xe2\x80\x99s\"}", true},
    {"{\"a\": \"\xe2\x80\x9cquoted\xe2\x80\x9d\",}", "{\"a\":\"\xe2\x80\x9cquoted\xe2\x80\x9d\"}",
     true},
    {"{\"a\": \"line one\nline two\t.\"}", "{\"a\":\"line one\\nline two\\t.\"}", true},
    {"{\"pattern\": \"\\d+\\s\"}", "{\"pattern\":\"\\\\d+\\\\s\"}", true},
    {"{\"a\": \"\\u00e9\\ud83d\\ude00\",}", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}", true},
    {"{\"a\": \"x\\ud83dy\"}", "{\"a\":\"x\xef\xbf\xbdy\"}", true},
    {"{\"a\": \"caf\xe9 noir\"}", "{\"a\":\"caf\xef\xbf\xbd noir\"}", true},
    /* Commas. */
    {"[1, 2, 3,]", "[1,2,3]", true},
    {"{\"a\": 1, \"b\": 2,\n}", "{\"a\":1,\"b\":2}", true},
    {"[1,, 2]", "[1,2]", true},
    {"[, 1]", "[1]", true},
    {"[1 2]", "[1,2]", true},
    {"{\"a\": 1 \"b\": 2}", "{\"a\":1,\"b\":2}", true},
    {"{\"a\": \"x\"\n \"b\": \"y\"}", "{\"a\":\"x\",\"b\":\"y\"}", true},
    {"[{\"a\": 1} {\"a\": 2}]", "[{\"a\":1},{\"a\":2}]", true},
    {"[\"a\" \"b\"]", "[\"a\",\"b\"]", true},
    /* Keys, words, numbers. */
    {"{a: 1, b_2: \"x\", $c-d: null}", "{\"a\":1,\"b_2\":\"x\",\"$c-d\":null}", true},
    {"{1: \"one\", 2: \"two\"}", "{\"1\":\"one\",\"2\":\"two\"}", true},
    {"{'ok': True, 'no': False, 'none': None}", "{\"ok\":true,\"no\":false,\"none\":null}", true},
    {"[NaN, Infinity, -Infinity, undefined, 1e999]", "[null,null,null,null,null]", true},
    {"[TRUE, nUll]", "[true,null]", true},
    {"[+1, .5, -.5, 5., 007, 1_000, -0012.50]", "[1,0.5,-0.5,5.0,7,1000,-12.5]", true},
    {"{\"a\": 1, \"a\": 2, \"b\": 3}", "{\"a\":2,\"b\":3}", true},
    /* Comments and fillers. */
    {"{\"a\": 1, // the first\n \"b\": 2 /* the second */}", "{\"a\":1,\"b\":2}", true},
    {"{\"a\": 1 # python\n}", "{\"a\":1}", true},
    {"{\"url\": \"http://x.y/z\",}", "{\"url\":\"http://x.y/z\"}", true},
    {"[1, 2, ...]", "[1,2]", true},
    {"{\"a\":\xc2\xa0"
     "1}",
     "{\"a\":1}", true},
    /* Brackets. */
    {"{\"a\": [1, 2}", "{\"a\":[1,2]}", true},
    {"[{\"a\": 1]", "[{\"a\":1}]", true},
    {"[1, 2}", "[1,2]", true},
    /* Cut off. */
    {"{\"a\": 1", "{\"a\":1}", true},
    {"{\"text\": \"a long stor", "{\"text\":\"a long stor\"}", true},
    {"{\"text\": \"it ends in an escape\\", "{\"text\":\"it ends in an escape\"}", true},
    {"{\"text\": \"half \\u00", "{\"text\":\"half \"}", true},
    {"{\"text\": \"half \xf0\x9f\x98", "{\"text\":\"half \"}", true},
    {"{\"items\": [{\"a\": 1}, {\"a\": 2", "{\"items\":[{\"a\":1},{\"a\":2}]}", true},
    {"{\"a\": 1, \"b\":", "{\"a\":1}", true},
    {"{\"a\": 1, \"b", "{\"a\":1}", true},
    {"{\"a\": 1, ", "{\"a\":1}", true},
    {"{\"a\": tru", "{\"a\":true}", true},
    {"[1.5, 2.", "[1.5,2.0]", true},
    {"[1, 2e", "[1,2]", true},
    {"[1, -", "[1]", true},
    {"```json\n{\"a\": [1, 2", "{\"a\":[1,2]}", true},
    {"```json\n{\"a\": [1, 2\n```\nThat is all.", "{\"a\":[1,2]}", true},
    {"```json\n{\"a\": \"cut\n```", "{\"a\":\"cut\\n\"}", true},
    {"{\"a\": , \"b\": 2}", "{\"b\":2}", true},
    /* Nothing to be read, or nothing that could be read without guessing. */
    {"", NULL, false},
    {"I am sorry, I cannot do that.", NULL, false},
    {"\"just a text\"", NULL, false},
    {"Answer: [", NULL, false},
    {"{", NULL, false},
    {"{name}", NULL, false},
    {"[see above]", NULL, false},
    {"{\"date\": 2024-01-01}", NULL, false},
    {"{\"share\": 30%}", NULL, false},
    {"{\"a\" 1}", NULL, false},
    {"{\"a\": \"one\" two\" three", NULL, false},
};

static void test_answers(void)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        const struct answer *answer = &answers[i];
        struct arena arena = {0};
        struct value value;
        struct error error = {0};
        struct buffer buffer;
        buffer_init(&buffer, 10000);
        bool repaired = false;
        int code = json_repair(&arena, str_of(answer->text), &value, &repaired, &error);
        CU_ASSERT_EQUAL(code, answer->expected ? 0 : XY_EINVAL);
        if (code == 0)
            json_write(&buffer, &value);
        bool same = code == 0 ? answer->expected && str_is(buffer_str(&buffer), answer->expected)
                              : !answer->expected && error.text[0];
        CU_ASSERT_TRUE(same);
        CU_ASSERT_EQUAL(repaired, answer->repaired);
        if (!same || repaired != answer->repaired)
            printf("\n    %s: got %s, mended %d (%s)\n", answer->text,
                   buffer.bytes ? buffer.bytes : "nothing", repaired, error.text);
        buffer_free(&buffer);
        arena_free(&arena);
    }
}

/* Whatever the answer, what comes out can be written and read back strictly, and an answer that is
 * strict JSON comes out as it is. */
static void test_every_cut(void)
{
    static const char whole[] =
        "{\"text\": \"It\\u2019s \\\"fine\\\", \\ud83d\\ude00 \xc3\xa9\", \"n\": [1, -2.5e3, true],"
        " \"o\": {\"k\": null, \"l\": [[], {}]}}";
    for (size_t length = 0; length < sizeof(whole); length++) {
        struct arena arena = {0};
        struct value value;
        struct error error = {0};
        bool repaired = false;
        int code = json_repair(&arena, (xy_str){whole, length}, &value, &repaired, &error);
        if (length >= 12) /* from the first text's first letter on there is something to keep */
            CU_ASSERT_EQUAL(code, 0);
        if (code == 0) {
            struct buffer buffer;
            buffer_init(&buffer, 10000);
            CU_ASSERT_TRUE(json_write(&buffer, &value));
            CU_ASSERT_TRUE(json_valid(buffer_str(&buffer)));
            CU_ASSERT_EQUAL(repaired, length != sizeof(whole) - 1);
            buffer_free(&buffer);
        }
        arena_free(&arena);
    }
}

static void test_deep_and_long(void)
{
    enum { LENGTH = 100000 };
    static char text[LENGTH];
    static const char *const patterns[] = {"[",    "{\"a\":", "[1,", "{'",
                                           "[\"[", "```{",    "/*[", "[[],"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        size_t length = strlen(patterns[i]);
        for (size_t at = 0; at + length <= LENGTH; at += length)
            memcpy(text + at, patterns[i], length);
        struct arena arena = {0};
        struct value value;
        struct error error = {0};
        bool repaired;
        int code = json_repair(&arena, (xy_str){text, LENGTH / length * length}, &value, &repaired,
                               &error);
        CU_ASSERT_TRUE(code == 0 || code == XY_EINVAL);
        arena_free(&arena);
    }
}

int main(void)
{
    static const struct check checks[] = {
        {"answers", test_answers},
        {"every_cut", test_every_cut},
        {"deep_and_long", test_deep_and_long},
        {NULL, NULL},
    };
    return check_main("json_repair", checks);
}
