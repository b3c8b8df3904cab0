/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <unistd.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

static void open_words(const char *yaml)
{
    instance_close(instance);
    instance = stage_host_open(&host, XY_CONDITION, "words", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
}

static const char *draw(const char *json, const char *field)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
    return result.input ? stage_text(result.input, field) : "";
}

/* Three of five letters in 5,000 records: each pair of place and letter 1,000 times. */
static void draws_evenly(void)
{
    size_t counts[3][5] = {{0}}, repeated = 0;
    open_words("{list: [a, b, c, d, e], count: 5000, into: [x, y, z]}");
    draw("{}", "x");
    CU_ASSERT_EQUAL_FATAL(result.count, 5000);
    for (size_t i = 0; i < result.count; i++) {
        char words[3];
        static const char *const fields[] = {"x", "y", "z"};
        for (size_t f = 0; f < 3; f++) {
            const char *text = stage_text(result.records[i], fields[f]);
            CU_ASSERT_FATAL(strlen(text) == 1 && text[0] >= 'a' && text[0] <= 'e');
            words[f] = text[0];
            counts[f][text[0] - 'a']++;
        }
        repeated += words[0] == words[1] || words[1] == words[2] || words[0] == words[2];
    }
    CU_ASSERT_EQUAL(repeated, 0);
    for (size_t f = 0; f < 3; f++)
        for (size_t w = 0; w < 5; w++)
            CU_ASSERT_TRUE(fabs((double)counts[f][w] - 1000) < 5 * sqrt(5000 * 0.2 * 0.8));
}

static void sets_fields(void)
{
    open_words("{list: [\"say \\\"hi\\\"\"], n: 1}");
    CHECK_TEXT(draw("{\"kept\":1}", "words"), "say \"hi\"");
    CHECK_TEXT(stage_text(result.input, "kept"), "1");
    open_words("{list: [one], n: 2, distinct: false}");
    CHECK_TEXT(draw("{}", "words"), "[\"one\",\"one\"]");
    open_words("{list: [one, one], n: 2}");
    CHECK_TEXT(draw("{}", "words"), "[\"one\",\"one\"]");
}

static void reads_a_file(void)
{
    char path[64], yaml[160];
    snprintf(path, sizeof(path), P_tmpdir "/words-%ld.txt", (long)getpid());
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("\xef\xbb\xbf" "caf\xc3\xa9\r\n\n  \t\r\n two words  ", file);
    fclose(file);
    snprintf(yaml, sizeof(yaml), "{path: %s, n: 2}", path);
    open_words(yaml);
    const char *words = draw("{}", "words");
    CU_ASSERT_TRUE(!strcmp(words, "[\"caf\xc3\xa9\",\"two words\"]") ||
                   !strcmp(words, "[\"two words\",\"caf\xc3\xa9\"]"));
    snprintf(yaml, sizeof(yaml), "{path: %s, n: 3}", path);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words", yaml));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "3 distinct words are wanted and there are 2"));
    unlink(path);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words", yaml));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "cannot read"));
}

/* Sizes from 0 to 3 are as likely each, so that a word is in a subset with a chance of
 * (0 + 1 + 2 + 3) / 4 / 3 = 1/2; within five standard deviations. */
static void draws_subsets(void)
{
    enum { DRAWS = 4000 };
    static const char *const list[] = {"\"dialogue\"", "\"plot twist\"", "\"moral\""};
    size_t sizes[4] = {0}, with[3] = {0};
    open_words("{list: [dialogue, plot twist, moral], n: 3, least: 0, count: 4000}");
    draw("{}", "");
    CU_ASSERT_EQUAL_FATAL(result.count, DRAWS);
    for (size_t i = 0; i < DRAWS; i++) {
        const char *words = stage_text(result.records[i], "words");
        size_t size = 0;
        for (size_t k = 0; k < 3; k++) {
            bool in = strstr(words, list[k]) != NULL;
            with[k] += in;
            size += in;
        }
        sizes[size]++;
        if (size == 0)
            CHECK_TEXT(words, "[]");
    }
    for (size_t k = 0; k < 4; k++)
        CU_ASSERT_TRUE(fabs((double)sizes[k] - DRAWS / 4.0) < 5 * sqrt(DRAWS * 0.25 * 0.75));
    for (size_t k = 0; k < 3; k++)
        CU_ASSERT_TRUE(fabs((double)with[k] - DRAWS / 2.0) < 5 * sqrt(DRAWS * 0.25));
    open_words("{list: [a, b], n: 1, least: 1}"); /* a list, even of one */
    draw("{}", "");
    CU_ASSERT_EQUAL(stage_text(result.input, "words")[0], '[');
}

static void makes_records(void)
{
    open_words("{list: [a, b, c, d], count: 3}");
    draw(NULL, "");
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CU_ASSERT_EQUAL(result.count, 3);
    open_words("{list: [a, b, c, d]}");
    draw(NULL, "");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
}

static void refuses(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words", "n: 1"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words", "{list: [a], path: b}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words",
                                       "{list: [a, b, c], n: 3, into: [x, y]}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words", "{list: [], n: 1}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words",
                                       "{list: [a, b, c], n: 2, least: 3}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "words",
                                       "{list: [a, b, c], n: 2, least: 1, into: [x, y]}"));
}

static const struct check checks[] = {
    {"each as likely, none twice", draws_evenly},
    {"fields", sets_fields},
    {"a file", reads_a_file},
    {"subsets", draws_subsets},
    {"records out of nothing", makes_records},
    {"options", refuses},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "words");
    int failed = check_main("words", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
