/* SPDX-License-Identifier: Apache-2.0 */
/* How texts are cut. Documents of all formats, their spans and what is wrong with them are tested
 * from outside, in tests/e2e/chunks_test.py. */
#include "check.h"
#include "stage_host.h"

#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;

/* The chunks of a text, joined by '|'. The text stands in JSON. */
static const char *chunks_of(const char *yaml, const char *text)
{
    static char joined[4096];
    char json[4096];
    size_t length = 0;
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "chunks.field", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    snprintf(json, sizeof(json), "{\"text\":\"%s\",\"kept\":1}", text);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    joined[0] = '\0';
    for (size_t i = 0; i < result.count; i++)
        length += (size_t)snprintf(joined + length, sizeof(joined) - length, "%s%s", i ? "|" : "",
                                   stage_text(result.records[i], "text"));
    return joined;
}

static void cuts_words(void)
{
    CHECK_TEXT(chunks_of("{size: 2}", "  a b  c\\nd e "), "a b|c\nd|e");
    CHECK_TEXT(chunks_of("{size: 3, overlap: 2}", "a b c d e"), "a b c|b c d|c d e");
    CHECK_TEXT(chunks_of("{size: 3, overlap: 1}", "a b c d e"), "a b c|c d e");
    CHECK_TEXT(chunks_of("{size: 9}", "a"), "a");
    CHECK_TEXT(chunks_of("{size: 1}", "a\\u00a0b\\u3000c\\u2003d"), "a\xc2\xa0" "b|c|d");
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CHECK_TEXT(stage_text(result.records[1], "kept"), "1");
    CHECK_TEXT(stage_text(result.records[1], "chunk"), "1");
}

static void cuts_characters(void)
{
    CHECK_TEXT(chunks_of("{by: characters, size: 2}", "\\u00e9\\u4e2d\\ud83c\\udf31x"),
               "\xc3\xa9\xe4\xb8\xad|\xf0\x9f\x8c\xb1x");
    CHECK_TEXT(chunks_of("{by: characters, size: 3, overlap: 1}", "abcdefg"), "abc|cde|efg");
    CHECK_TEXT(chunks_of("{by: characters, size: 3}", "ab cd    x"), "ab|cd|x");
}

static void cuts_sentences(void)
{
    static const char yaml[] = "{by: sentences, size: 1}";
    CHECK_TEXT(chunks_of(yaml, "One. Two! Three? Four"), "One.|Two!|Three?|Four");
    CHECK_TEXT(chunks_of(yaml, "Dr. Who met J. Smith at 3.14 p.m. yesterday."),
               "Dr. Who met J. Smith at 3.14 p.m. yesterday.");
    CHECK_TEXT(chunks_of(yaml, "He left (at last!) \\\"Why?\\\" Nobody knew... Or so."),
               "He left (at last!)|\"Why?\"|Nobody knew...|Or so.");
    CHECK_TEXT(chunks_of(yaml, "A line\\nthat goes on\\n\\nA title\\n\\nMore."),
               "A line\nthat goes on|A title|More.");
    CHECK_TEXT(chunks_of("{by: sentences, size: 2, overlap: 1}", "A b. C d. E f."),
               "A b. C d.|C d. E f.");
}

static void cuts_lines_and_paragraphs(void)
{
    CHECK_TEXT(chunks_of("{by: lines, size: 2}", "\\tif (a)\\n\\t\\tb();\\r\\n\\n\\n  end\\n"),
               "\tif (a)\n\t\tb();|  end");
    CHECK_TEXT(chunks_of("{by: paragraphs}", "a\\nb\\n \\t\\n\\nc\\n"), "a\nb|c");
    CHECK_TEXT(chunks_of("{by: words, size: 2, within: paragraphs}", "a b c\\n\\nd"), "a b|c|d");
    CHECK_TEXT(chunks_of("{by: document}", " \\n all of it \\n"), "all of it");
}

static void cuts_sections(void)
{
    static const char yaml[] = "{by: headings, format: markdown}";
    CHECK_TEXT(chunks_of(yaml, "# A\\na\\n## B\\n### C\\nc\\n# D #"), "# A\na|### C\nc");
    CHECK_TEXT(stage_text(result.records[1], "title"), "A > B > C");
    /* What looks like a heading and is none. */
    CHECK_TEXT(chunks_of(yaml, "#no\\n    # no\\n####### no\\n- a\\n---\\n~~~\\n# no\\n~~~"),
               "#no\n    # no\n####### no\n- a\n---\n~~~\n# no\n~~~");
    CHECK_TEXT(stage_text(result.records[0], "title"), "");
    CHECK_TEXT(chunks_of(yaml, "Big\\ntitle\\n===\\nx\\n\\nSmall\\n-\\ny"),
               "Big\ntitle\n===\nx|Small\n-\ny");
    CHECK_TEXT(stage_text(result.records[1], "title"), "Big title > Small");
    CHECK_TEXT(chunks_of(yaml, "# C\\\\# ##\\n\\nx\\n#\\ty\\nz"), "# C\\# ##\n\nx|#\ty\nz");
    CHECK_TEXT(stage_text(result.records[0], "title"), "C\\#");
    CHECK_TEXT(stage_text(result.records[1], "title"), "y");
}

static void tells_places(void)
{
    chunks_of("{size: 1}", "\\u00e9 \\u4e2d\\nz");
    CU_ASSERT_EQUAL_FATAL(result.count, 3);
    CHECK_TEXT(stage_text(result.records[2], "source"),
               "{\"start\":4,\"end\":5,\"start_byte\":7,\"end_byte\":8,\"line\":2,\"end_line\":2}");
    chunks_of("{size: 1}", "a\\u0000b c");
    CU_ASSERT_EQUAL(result.count, 2); /* a record's text may hold NUL */
}

/* Places far into a text, where they are counted from the last mark: "0123456 " again and again. */
static void tells_places_in_long_texts(void)
{
    enum { WORDS = 20000 };
    char *json = memory_zeroed(WORDS * 8 + 32, 1);
    size_t length = (size_t)snprintf(json, 16, "{\"text\":\"");
    for (size_t i = 0; i < WORDS; i++)
        length += (size_t)snprintf(json + length, 16, "%07zu ", i);
    snprintf(json + length, 4, "\"}");
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "chunks.field", "{size: 1}");
    CU_ASSERT_FATAL(instance != NULL);
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
    CU_ASSERT_EQUAL_FATAL(result.count, WORDS);
    for (size_t i = 0; i < WORDS; i++) {
        char start[32];
        snprintf(start, sizeof(start), "{\"start\":%zu,\"end\":%zu,", i * 8, i * 8 + 7);
        CU_ASSERT_FATAL(strncmp(stage_text(result.records[i], "source"), start, strlen(start)) ==
                        0);
    }
    instance_close(instance);
    free(json);
}

static void draws_runs(void)
{
    chunks_of("{by: lines, size: 3, draw: 6, smallest: 2}", "a\\nb\\nc\\nd\\ne");
    CU_ASSERT_EQUAL(result.count, 6); /* of the 4 + 3 that there are */
    for (size_t i = 0; i < result.count; i++) {
        const char *text = stage_text(result.records[i], "text");
        CU_ASSERT_TRUE(strlen(text) == 3 || strlen(text) == 5);
        CU_ASSERT_PTR_NOT_NULL(strstr("a\nb\nc\nd\ne", text));
    }
    chunks_of("{by: lines, size: 3, draw: 60}", "a\\n\\nc");
    CU_ASSERT_TRUE(result.count == 5); /* a, c, "a\n", "\nc", all; the blank line alone is none */
    CHECK_TEXT(chunks_of("{by: sentences, size: 5, draw: 1}", "Only one."), "Only one.");
}

static void drops_what_is_empty(void)
{
    chunks_of("{}", " \\n ");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "the field `text` has no text but white space or markup");
    chunks_of("{field: other}", "a");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "`other` is missing"));
}

static void refuses_options(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "chunks.field",
                                       "{size: 5, overlap: 5}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "chunks.field", "{by: verses}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "chunks", "{path: not/there}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "cannot be read"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "chunks", "{}"));
}

static const struct check checks[] = {
    {"words", cuts_words},
    {"characters", cuts_characters},
    {"sentences", cuts_sentences},
    {"lines and paragraphs", cuts_lines_and_paragraphs},
    {"sections", cuts_sections},
    {"places", tells_places},
    {"places in long texts", tells_places_in_long_texts},
    {"random runs", draws_runs},
    {"empty fields", drops_what_is_empty},
    {"bad options", refuses_options},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "chunks");
    int failed = check_main("chunks", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
