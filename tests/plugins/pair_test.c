/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs and preferences by hand, and the pairs of 198 rankings of four models by people. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "pair");
}

static void make(const char *options, const char *lines, struct stage_result *result)
{
    struct instance *instance = stage_host_open(&host, XY_ENHANCER, "pair", options);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, result);
    CU_ASSERT_EQUAL(result->verdict, XY_OK);
    instance_close(instance);
}

/* The pair that a record is: "chosen > rejected", or why it is none. */
static const char *pair_of(const struct stage_result *result, size_t index)
{
    static char text[300];
    if (result->verdicts[index] == XY_DROP)
        return result->reasons[index];
    size_t length = (size_t)snprintf(text, sizeof(text), "%s > ",
                                     stage_text(result->records[index], "chosen"));
    snprintf(text + length, sizeof(text) - length, "%s",
             stage_text(result->records[index], "rejected"));
    return text;
}

/* Two prompts with samples that came mixed, one alone, and what cannot be compared. */
static const char mixed[] =
    "{\"@parent\":5,\"text\":\"fair\",\"score\":5}\n"         /* 0 */
    "{\"@parent\":6,\"text\":\"left\",\"score\":7}\n"         /* 1 */
    "{\"@parent\":5,\"text\":\"good\",\"score\":8.5}\n"       /* 2 */
    "{\"@parent\":5,\"text\":\"bad\",\"score\":1}\n"          /* 3 */
    "{\"@parent\":6,\"text\":\"right\",\"score\":7}\n"        /* 4 */
    "{\"@parent\":7,\"text\":\"alone\",\"score\":9}\n"        /* 5 */
    "{\"@parent\":5,\"text\":\"unjudged\"}\n"                 /* 6 */
    "{\"@parent\":5,\"score\":9}\n"                           /* 7 */
    "{\"@parent\":5,\"text\":\"words\",\"score\":\"10\"}\n"   /* 8 */
    "{\"@parent\":8,\"text\":\"only one judged\",\"score\":3}\n"
    "{\"@parent\":8,\"text\":\"the other is not\"}\n";

static void best_and_worst(void)
{
    static const char *const expected[] = {
        "neither the best nor the worst of its group: the scores go from 1 to 8.5",
        "no pair, a tie: the scores are 7 and 7",
        "good > bad",
        "it is the rejected answer of a pair",
        "no pair, a tie: the scores are 7 and 7",
        "it is alone: no other answer of its group can be compared with it",
        "it has no number `score`",
        "it has no text `text`",
        "it has no number `score`",
        "it is alone: no other answer of its group can be compared with it",
        "it has no number `score`",
    };
    start();
    struct stage_result result;
    make(NULL, mixed, &result);
    CU_ASSERT_EQUAL_FATAL(result.count, 11);
    for (size_t i = 0; i < result.count; i++)
        CHECK_TEXT(pair_of(&result, i), expected[i]);
    CU_ASSERT_EQUAL(stage_number(result.records[2], "chosen_score"), 8.5);
    CU_ASSERT_EQUAL(stage_number(result.records[2], "rejected_score"), 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "pairs").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "groups_paired").value, 0.25); /* 1 of 5 6 7 8 */
    CU_ASSERT_EQUAL(stage_host_score(&host, "mean_margin").value, 7.5);
    stage_result_free(&result);
    stage_host_free(&host);
}

/* Scores 9, 6, 6, 2 in the order a b c d of rank; b and c tie. */
static const char ranked[] =
    "{\"q\":1,\"answer\":\"d\",\"s\":2}\n{\"q\":1,\"answer\":\"a\",\"s\":9}\n"
    "{\"q\":1,\"answer\":\"b\",\"s\":6}\n{\"q\":1,\"answer\":\"c\",\"s\":6}\n";

static void emitted_pairs(const struct stage_result *result, char out[200])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < result->job->emitted_count; i++) {
        length += (size_t)snprintf(out + length, 200 - length, "%s%s > ", length ? ", " : "",
                                   stage_text(result->job->emitted[i], "chosen"));
        length += (size_t)snprintf(out + length, 200 - length, "%s",
                                   stage_text(result->job->emitted[i], "rejected"));
    }
}

static void every_method(void)
{
    static const struct {
        const char *options, *a, *b, *c, *d, *emitted;
    } cases[] = {
        /* The first of equals is the better one: b, so that the pairs are a b, b c (a tie), c d. */
        {"{by: q, field: answer, score: s, method: adjacent}", "a > b",
         "it is the rejected answer of a pair", "c > d", "it is the rejected answer of a pair", ""},
        {"{by: q, field: answer, score: s, method: all}", "a > b", "b > d", "c > d",
         "it is the rejected answer of a pair", "a > c, a > d"},
        {"{by: q, field: answer, score: s, method: all, margin: 4}", "a > d", "b > d", "c > d",
         "it is the rejected answer of a pair", ""},
        {"{by: q, field: answer, score: s, margin: 7.5}",
         "no pair, less than the margin apart: the scores are 9 and 2",
         "neither the best nor the worst of its group: the scores go from 2 to 9",
         "neither the best nor the worst of its group: the scores go from 2 to 9",
         "no pair, less than the margin apart: the scores are 2 and 9", ""},
    };
    start();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stage_result result;
        char emitted[200];
        make(cases[i].options, ranked, &result);
        CHECK_TEXT(pair_of(&result, 1), cases[i].a);
        CHECK_TEXT(pair_of(&result, 2), cases[i].b);
        CHECK_TEXT(pair_of(&result, 3), cases[i].c);
        CHECK_TEXT(pair_of(&result, 0), cases[i].d);
        emitted_pairs(&result, emitted);
        CHECK_TEXT(emitted, cases[i].emitted);
        stage_result_free(&result);
    }
    stage_host_free(&host);
}

static void odd_input(void)
{
    start();
    struct stage_result result;
    make("{by: q}", "{\"text\":\"a\",\"score\":1}\n{\"q\":1,\"text\":\"a\",\"score\":1}\n"
                    "{\"q\":1,\"text\":\"a\",\"score\":2}\n", &result);
    CHECK_TEXT(pair_of(&result, 0), "it has no `q` to be compared by");
    CHECK_TEXT(pair_of(&result, 1), "no pair, the same text: the scores are 1 and 2");
    CHECK_TEXT(pair_of(&result, 2), "no pair, the same text: the scores are 2 and 1");
    stage_result_free(&result);
    make(NULL, "", &result);
    CU_ASSERT_EQUAL(result.count, 0);
    CU_ASSERT_EQUAL(stage_host_score(&host, "pairs").value, 0);
    stage_result_free(&result);
    CU_ASSERT(stage_host_open(&host, XY_ENHANCER, "pair", "{method: worst}") == NULL);
    CU_ASSERT(stage_host_open(&host, XY_ENHANCER, "pair", "{margin: -1}") == NULL);
    stage_host_free(&host);
}

/* ---- rankings by people ---------------------------------------------------------------------- */

enum { ROOM = 1000 };

/* One record for each answer: its model as the text, its rank turned round as the score. */
static size_t make_answers(const char *lines, struct record **records)
{
    struct arena arena = {0};
    size_t made = 0;
    for (int64_t row = 0; *lines; row++) {
        size_t length = strcspn(lines, "\n");
        struct value value;
        struct error error;
        CU_ASSERT_EQUAL_FATAL(json_parse(&arena, (xy_str){lines, length}, &value, &error), 0);
        const struct value *models = value_member(&value, STR("models"));
        const struct value *ranks = value_member(&value, STR("ranks"));
        for (size_t m = 0; m < models->list.count && made < ROOM; m++) {
            struct value number = value_int(row);
            struct value score = value_int(-ranks->list.items[m].integer);
            records[made] = record_create(made + 1);
            record_set_tree(records[made], "row", &number);
            record_set_tree(records[made], "score", &score);
            record_set_tree(records[made++], "text", &models->list.items[m]);
        }
        lines += length + (lines[length] == '\n');
    }
    arena_free(&arena);
    return made;
}

static size_t chosen(const struct stage_result *result, const char *model)
{
    size_t count = 0;
    for (size_t i = 0; i < result->count; i++)
        count += result->verdicts[i] == XY_OK &&
                 strcmp(stage_text(result->records[i], "chosen"), model) == 0;
    for (size_t i = 0; i < result->job->emitted_count; i++)
        count += strcmp(stage_text(result->job->emitted[i], "chosen"), model) == 0;
    return count;
}

/* 198 rankings of four models without ties: 6 pairs each with `all`, 3 with `adjacent`, 1 with
 * `best_worst`. How often each model is the chosen one was counted by a few lines of Python over
 * the ranks. */
static void rankings(void)
{
    static const struct {
        const char *method;
        double pairs;
        size_t human, baseline, davinci, chatgpt;
    } cases[] = {
        {"{by: row, method: all}", 1188, 442, 311, 258, 177},
        {"{by: row, method: adjacent}", 594, 0, 0, 0, 0},
        {"{by: row}", 198, 0, 0, 0, 0},
    };
    start();
    const char *lines = stage_host_reference(&host, "human-ranking-css/flute.jsonl.gz");
    for (size_t i = 0; lines && i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record **records = calloc(ROOM, sizeof(*records));
        char name[16];
        struct stage_result result;
        size_t count = make_answers(lines, records);
        CU_ASSERT_EQUAL(count, 792);
        snprintf(name, sizeof(name), "answers%zu", i);
        stage_host_add_records(&host, name, records, count);
        struct instance *instance = stage_host_open(&host, XY_ENHANCER, "pair", cases[i].method);
        CU_ASSERT_FATAL(instance != NULL);
        stage_host_run_dataset(&host, instance, name, &result);
        CU_ASSERT_EQUAL(stage_host_score(&host, "pairs").value, cases[i].pairs);
        CU_ASSERT_EQUAL(stage_host_score(&host, "groups_paired").value, 1);
        if (cases[i].human) {
            CU_ASSERT_EQUAL(chosen(&result, "human"), cases[i].human);
            CU_ASSERT_EQUAL(chosen(&result, "baseline"), cases[i].baseline);
            CU_ASSERT_EQUAL(chosen(&result, "text-davinci-003"), cases[i].davinci);
            CU_ASSERT_EQUAL(chosen(&result, "chatgpt"), cases[i].chatgpt);
        }
        stage_result_free(&result);
        instance_close(instance);
        for (size_t r = 0; r < count; r++)
            record_destroy(records[r]);
        free(records);
    }
    stage_host_free(&host);
}

/* ---- prefer ---------------------------------------------------------------------------------- */

struct choice {
    const char *options, *record;
    const char *expected; /* the chosen text, or why there is no pair */
    double preference;
};

#define BOTH "\"first\":\"one\",\"second\":\"two\""

static const struct choice choices[] = {
    {NULL, "{" BOTH ",\"preferred\":\"A\"}", "one", 1},
    {NULL, "{" BOTH ",\"preferred\":\"B\"}", "two", 1},
    {"{clamp: 0.6}", "{" BOTH ",\"preferred\":\"B\"}", "two", 0.6},
    /* 0.3 and 0.1 of what other candidates share: 3 to 1. */
    {NULL, "{" BOTH ",\"preferred\":\"A\",\"preferred_probabilities\":{\"A\":0.3,\"B\":0.1}}",
     "one", 0.75},
    {"{clamp: 0.6}",
     "{" BOTH ",\"preferred\":\"B\",\"preferred_probabilities\":{\"A\":0.02,\"B\":0.98}}", "two",
     0.6},
    {"{clamp: 0.6}", /* within: nothing to hold */
     "{" BOTH ",\"preferred\":\"A\",\"preferred_probabilities\":{\"A\":0.55,\"B\":0.45}}", "one",
     0.55},
    /* Two judges, one of them saw the answers the other way round: (0.9 + (1 - 0.4)) / 2. */
    {"{judged: x, swapped: [y]}",
     "{" BOTH ",\"x_probabilities\":{\"A\":0.9,\"B\":0.1},"
     "\"y_probabilities\":{\"A\":0.4,\"B\":0.6}}",
     "one", 0.75},
    /* Whoever is shown first wins: it cancels out. */
    {"{judged: x, swapped: y}", "{" BOTH ",\"x\":\"A\",\"y\":\"A\"}",
     "no pair, a tie: the judges find none better", 0},
    {"{judged: [x, y, z]}", "{" BOTH ",\"x\":\"A\",\"y\":\"tie\",\"z\":\"A\"}", "one", 2.5 / 3},
    {NULL, "{" BOTH ",\"preferred\":\"tie\"}", "no pair, a tie: the judges find none better", 0},
    {"{margin: 0.2}", "{" BOTH ",\"preferred_probabilities\":{\"A\":0.55,\"B\":0.45}}",
     "no pair, less than the margin apart: the probabilities are 0.55 and 0.45", 0},
    {"{labels: [1, 2], judged: best}", "{" BOTH ",\"best\":2}", "two", 1},
    {NULL, "{" BOTH ",\"preferred\":\"Both are good.\"}",
     "the judge did not answer in form: `preferred` is \"Both are good.\", expected A, B or tie",
     0},
    {NULL, "{" BOTH "}", "the judge did not say: there is no `preferred`", 0},
    {NULL, "{" BOTH ",\"preferred_probabilities\":{\"A\":\"x\",\"B\":1}}",
     "the judge did not say: there is no `preferred`", 0},
    {NULL, "{" BOTH ",\"preferred_probabilities\":{\"A\":0,\"B\":0}}",
     "the judge did not say: there is no `preferred`", 0},
    {NULL, "{\"first\":\"one\",\"preferred\":\"A\"}", "it has no text `second`", 0},
    {NULL, "{\"first\":\"one\",\"second\":\"one\",\"preferred\":\"A\"}", "no pair, the same text",
     0},
};

static void preferences(void)
{
    start();
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        const struct choice *choice = &choices[i];
        struct stage_result result;
        struct instance *instance =
            stage_host_open(&host, XY_ENHANCER, "prefer", choice->options);
        CU_ASSERT_FATAL(instance != NULL);
        stage_host_process(&host, instance, choice->record, &result);
        if (result.verdict == XY_OK) {
            CHECK_TEXT(stage_text(result.input, "chosen"), choice->expected);
            CHECK_TEXT(stage_text(result.input, "rejected"),
                       strcmp(choice->expected, "one") == 0 ? "two" : "one");
            CU_ASSERT(fabs(stage_number(result.input, "preference") - choice->preference) < 1e-12);
        } else {
            CU_ASSERT_EQUAL(result.verdict, XY_DROP);
            CHECK_TEXT(result.why, choice->expected);
            CU_ASSERT_EQUAL(choice->preference, 0);
        }
        stage_result_free(&result);
        instance_close(instance);
    }
    stage_host_free(&host);
}

static void bad_options(void)
{
    static const char *const options[] = {"{labels: [A]}", "{labels: [A, B, C]}",
                                          "{labels: [A, A]}", "{clamp: 0.4}", "{clamp: 1.1}"};
    start();
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        CU_ASSERT(stage_host_open(&host, XY_ENHANCER, "prefer", options[i]) == NULL);
    CU_ASSERT(stage_host_open(&host, XY_ENHANCER, "prefer", options[0]) == NULL);
    CU_ASSERT(strstr(host.error.text, "expected two different names, as in [A, B]") != NULL);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"the best and the worst answer", best_and_worst},
        {"every method, ties and margins", every_method},
        {"odd input", odd_input},
        {"rankings by people", rankings},
        {"a judge's choice", preferences},
        {"options that make no sense", bad_options},
        {NULL, NULL},
    };
    return check_main("pair", checks);
}
