/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <ctype.h>
#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;

/* Runs `exact` with the options over the lines; "110" says keep, keep, drop. */
static const char *kept(const char *yaml, const char *lines)
{
    static char marks[64];
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "exact", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.verdicts[i] == XY_OK ? '1' : '0';
    marks[result.count] = '\0';
    instance_close(instance);
    return marks;
}

static void normalises_case(void)
{
    CHECK_TEXT(kept(NULL, "{\"text\":\"A  good film.\"}\n"
                          "{\"text\":\"\\ta good\\nFILM. \"}\n"
                          "{\"text\":\"a good film\"}\n"
                          "{\"text\":\"agood film.\"}\n"
                          "{\"text\":\"a\\u00a0good\\u3000film.\"}\n"), "10110");
    /* The stage host numbers records from 1000. */
    CHECK_TEXT(result.reasons[1], "equals 00000000000003e8");
}

static void folds_as_unicode_says(void)
{
    /* Sharp s folds to ss; e with a combining acute is the letter e acute; sigma has two forms. */
    CHECK_TEXT(kept(NULL, "{\"text\":\"STRASSE\"}\n{\"text\":\"stra\\u00dfe\"}\n"
                          "{\"text\":\"cafe\\u0301 x\"}\n{\"text\":\"CAF\\u00c9 x\"}\n"
                          "{\"text\":\"cafe x\"}\n"
                          "{\"text\":\"\\u03a3\\u03c2\"}\n{\"text\":\"\\u03c3\\u03c3\"}\n"
                          "{\"text\":\"soft\\u00adhyphen\"}\n{\"text\":\"softhyphen\"}\n"),
               "101011010");
}

/* Between two letters, each ASCII character is a separator, a letter, or itself, as ctype.h says in
 * the C locale; and a long text is cut where a block ends. */
static void folds_all_of_ascii(void)
{
    for (int c = 1; c < 128; c++) {
        char lines[1200], filler[400];
        memset(filler, 'x', sizeof(filler) - 1);
        filler[sizeof(filler) - 1] = '\0';
        snprintf(lines, sizeof(lines), "{\"text\":\"%s a b\"}\n{\"text\":\"%s a\\u%04xb\"}\n",
                 filler + c, filler + c, (unsigned)c);
        CHECK_TEXT(kept("normalise: case", lines), isspace(c) ? "10" : "11");
        CHECK_TEXT(kept("normalise: words", lines), isalnum(c) ? "11" : "10");
        snprintf(lines, sizeof(lines), "{\"text\":\"a\\u%04xb\"}\n{\"text\":\"a\\u%04xb\"}\n",
                 (unsigned)tolower(c), (unsigned)c);
        CHECK_TEXT(kept("normalise: words", lines), "10");
    }
}

static void normalises_none_and_words(void)
{
    const char *lines = "{\"text\":\"Well, done!\"}\n{\"text\":\"well done\"}\n"
                        "{\"text\":\"Well, done!\"}\n"
                        "{\"text\":\"\\u00a1well \\u2014 done\\u2026\"}\n"
                        "{\"text\":\"welldone\"}\n{\"text\":\"well done 2\"}\n";
    CHECK_TEXT(kept("normalise: none", lines), "110111");
    CHECK_TEXT(kept("normalise: words", lines), "100011");
    CHECK_TEXT(kept("normalise: case", lines), "110111");
}

static void compares_several_fields(void)
{
    CHECK_TEXT(kept("field: [text, label]",
                    "{\"text\":\"ab\",\"label\":\"c\"}\n{\"text\":\"a\",\"label\":\"bc\"}\n"
                    "{\"text\":\"AB\",\"label\":\"C\"}\n{\"text\":\"ab\"}\n{\"text\":\"ab\"}\n"
                    "{\"text\":\"ab\",\"label\":\"\"}\n"), "110101");
    CHECK_TEXT(kept("field: n", "{\"n\":1}\n{\"n\":1.5}\n{\"n\":1}\n{\"n\":\"1\"}\n{\"n\":true}\n"),
               "11011");
}

static void keeps_what_it_cannot_compare(void)
{
    CHECK_TEXT(kept(NULL, "{\"other\":\"a\"}\n{\"other\":\"a\"}\n{\"text\":\"\"}\n"
                          "{\"text\":\" \"}\n"), "1110");
    CHECK_TEXT(kept(NULL, ""), "");
}

static void compares_against_a_corpus(void)
{
    stage_host_add_dataset(&host, "gold", "{\"text\":\"One\"}\n{\"text\":\"one\"}\n"
                                          "{\"text\":\"two\"}\n");
    CHECK_TEXT(kept("against: gold", "{\"text\":\"three\"}\n{\"text\":\"ONE\"}\n"
                                     "{\"text\":\"Two\"}\n{\"text\":\"three\"}\n"), "1000");
    CHECK_TEXT(result.reasons[1], "equals 00000000000003e8 of `against`");
    CHECK_TEXT(result.reasons[2], "equals 00000000000003ea of `against`");
    CHECK_TEXT(result.reasons[3], "equals 00000000000003e8");
}

/* 20,000 records, the number of distinct texts known: the table grows past one page and wraps. */
static void counts_many(void)
{
    enum { ALL = 20000, DISTINCT = 7919 };
    struct record **records = calloc(ALL, sizeof(*records));
    for (size_t i = 0; i < ALL; i++) {
        char json[64];
        snprintf(json, sizeof(json), "{\"text\":\"text number %zu\"}", i * 31 % DISTINCT);
        records[i] = stage_host_record(json, i + 1);
    }
    stage_host_add_records(&host, "many", records, ALL);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "exact", NULL);
    CU_ASSERT_FATAL(instance != NULL);
    stage_result_free(&result);
    stage_host_run_dataset(&host, instance, "many", &result);
    size_t wrong = 0;
    for (size_t i = 0; i < ALL; i++) /* 31 and 7919 are coprime: the first 7919 are all distinct */
        wrong += (result.verdicts[i] == XY_OK) != (i < DISTINCT);
    CU_ASSERT_EQUAL(wrong, 0);
    instance_close(instance);
    for (size_t i = 0; i < ALL; i++)
        record_destroy(records[i]);
    free(records);
}

static void stops_when_canceled(void)
{
    struct instance *instance = stage_host_open(&host, XY_FILTER, "exact", NULL);
    CU_ASSERT_FATAL(instance != NULL);
    stage_result_free(&result);
    host.cancelled = 1;
    stage_host_run(&host, instance, "{\"text\":\"a\"}\n", &result);
    host.cancelled = 0;
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    instance_close(instance);
}

static void refuses_no_field(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "exact", "field: []"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "exact", "normalise: letters"));
}

static const struct check checks[] = {
    {"case and white space", normalises_case},
    {"Unicode case folding and NFC", folds_as_unicode_says},
    {"all of ASCII", folds_all_of_ascii},
    {"none and words", normalises_none_and_words},
    {"several fields, other types", compares_several_fields},
    {"nothing to compare", keeps_what_it_cannot_compare},
    {"against a corpus", compares_against_a_corpus},
    {"20,000 records", counts_many},
    {"cancellation", stops_when_canceled},
    {"no field", refuses_no_field},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "exact");
    int failed = check_main("exact", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
