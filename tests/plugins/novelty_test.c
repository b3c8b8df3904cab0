/* SPDX-License-Identifier: Apache-2.0 */
/* The reference here is plain: a word at a time, a table of all prefixes, every pair. */
#include "check.h"
#include "stage_host.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "json.h"

static struct stage_host host;
static struct stage_result result;

static struct instance *open_novelty(const char *yaml)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "novelty", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

/* "110" says keep, keep, drop. */
static const char *kept(const char *yaml, const char *lines)
{
    static char marks[64];
    struct instance *instance = open_novelty(yaml);
    stage_host_run(&host, instance, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.verdicts[i] == XY_OK ? '1' : '0';
    marks[result.count] = '\0';
    instance_close(instance);
    return marks;
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* 10 words each: an LCS of 7 is an F1 of 0.7, which stays; one of 8 goes. */
static void drops_above_the_threshold(void)
{
    CHECK_TEXT(kept(NULL, "{\"text\":\"a b c d e f g h i j\"}\n"
                          "{\"text\":\"A, b! c-d e f g x y z\"}\n"
                          "{\"text\":\"a b c d e f g h y z\"}\n"
                          "{\"text\":\"j i h g f e d c b a\"}\n"), "1101");
    /* 8 words in common with the first, 9 with the second: the most similar one is named. */
    CHECK_TEXT(result.reasons[2], "ROUGE-L 0.900 with 00000000000003e9");
    /* Of equally similar ones the earlier. */
    CHECK_TEXT(kept(NULL, "{\"text\":\"a b c d e f 1 2\"}\n{\"text\":\"3 4 c d e f g h\"}\n"
                          "{\"text\":\"a b c d e f g h\"}\n"), "110");
    CHECK_TEXT(result.reasons[2], "ROUGE-L 0.750 with 00000000000003e8");
    CHECK_TEXT(kept("threshold: 0.8", "{\"text\":\"a b c d e f g h i j\"}\n"
                                      "{\"text\":\"a b c d e f g h y z\"}\n"), "11");
    CHECK_TEXT(kept("threshold: 0", "{\"text\":\"a b\"}\n{\"text\":\"c d\"}\n"
                                    "{\"text\":\"d e f g h i j k l\"}\n"), "110");
}

/* A dropped record is no member of the pool: C resembles B only. */
static void compares_with_the_pool_alone(void)
{
    CHECK_TEXT(kept(NULL, "{\"text\":\"a b c d e f g h i j\"}\n"
                          "{\"text\":\"a b c d e f g h 1 2\"}\n"
                          "{\"text\":\"3 4 c d e f g h 1 2\"}\n"), "101");
}

static void compares_against_a_data_set(void)
{
    stage_host_add_dataset(&host, "seeds", "{\"text\":\"sort a list of words\"}\n"
                                           "{\"text\":\"sort a list of words\"}\n{\"n\":1}\n");
    CHECK_TEXT(kept("against: seeds", "{\"text\":\"Sort the list of words.\"}\n"
                                      "{\"text\":\"Name a river.\"}\n"
                                      "{\"text\":\"Name a  RIVER\"}\n"), "010");
    CHECK_TEXT(result.reasons[0], "ROUGE-L 0.800 with 00000000000003e8 of `against`");
    CHECK_TEXT(result.reasons[2], "ROUGE-L 1.000 with 00000000000003e9");
}

static void tells_the_nearest(void)
{
    CHECK_TEXT(kept("{into: most, nearest_into: near, nearest: 2}",
                    "{\"text\":\"a b c d\"}\n{\"text\":\"a b x y\"}\n{\"text\":\"a q\"}\n"
                    "{\"text\":\"a b c z\"}\n"), "1110");
    CHECK_TEXT(stage_text(result.records[0], "most"), "0");
    CHECK_TEXT(stage_text(result.records[0], "near"), "[]");
    CHECK_TEXT(stage_text(result.records[1], "most"), "0.5");
    CHECK_TEXT(stage_text(result.records[2], "near"),
               "[{\"id\":\"00000000000003e8\",\"text\":\"a b c d\",\"similarity\":"
               "0.3333333333333333},{\"id\":\"00000000000003e9\",\"text\":\"a b x y\","
               "\"similarity\":0.3333333333333333}]");
    CHECK_TEXT(stage_text(result.records[3], "most"), "0.75");
    CHECK_TEXT(stage_text(result.records[3], "near"),
               "[{\"id\":\"00000000000003e8\",\"text\":\"a b c d\",\"similarity\":0.75},"
               "{\"id\":\"00000000000003e9\",\"text\":\"a b x y\",\"similarity\":0.5}]");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "too_similar").value, 0.25, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "mean_similarity").value,
                           (0 + 0.5 + 1.0 / 3 + 0.75) / 4, 1e-12);
}

/* By rouge_score's rule: text.lower(), then anything but a-z and 0-9 parts words. So an accented
 * letter parts words, the Kelvin sign is a k, and I with a dot is an i that ends a word. */
static void folds_as_rouge_does(void)
{
    CHECK_TEXT(kept(NULL, "{\"text\":\"caf\xc3\xa9 au lait\"}\n{\"text\":\"caf au lait\"}\n"
                          "{\"text\":\"5\xe2\x84\xaa\"}\n{\"text\":\"5k\"}\n"
                          "{\"text\":\"\xc4\xb0zmir\"}\n{\"text\":\"i zmir\"}\n"
                          "{\"text\":\"izmir\"}\n{\"text\":\"a_b\"}\n{\"text\":\"a b\"}\n"),
               "101010110");
    CHECK_TEXT(kept("unit: words", "{\"text\":\"caf\xc3\xa9 au lait noir\"}\n"
                                   "{\"text\":\"CAF\xc3\x89, au lait noir!\"}\n"
                                   "{\"text\":\"caf ole lait\"}\n"), "101");
    /* Six characters, five of them in common. */
    CHECK_TEXT(kept("unit: characters",
                    "{\"text\":\"\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b\xe4\xba\x94"
                    "\xe5\x85\xad\"}\n{\"text\":\"\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b"
                    "\xe4\xba\x94 \xe4\xb8\x83\"}\n"), "10");
}

static void keeps_what_it_cannot_compare(void)
{
    host.log[0] = '\0';
    CHECK_TEXT(kept(NULL, "{\"text\":\"\"}\n{\"text\":\"...\"}\n{\"other\":\"a\"}\n"
                          "{\"text\":\"...\"}\n"), "1111");
    CU_ASSERT(strstr(host.log, "4 records have no word in `text`") != NULL);
    CHECK_TEXT(kept(NULL, ""), "");
}

static void stops_when_canceled(void)
{
    struct instance *instance = open_novelty(NULL);
    host.cancelled = 1;
    stage_host_run(&host, instance, "{\"text\":\"a\"}\n", &result);
    host.cancelled = 0;
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    instance_close(instance);
}

static void refuses_bad_options(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "novelty", "threshold: 1.5"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "novelty", "unit: sentences"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "novelty", "nearest: 0"));
}

/* ---- against the plain table ----------------------------------------------------------------- */

enum { LONGEST = 300 };

struct plain {
    uint16_t words[LONGEST];
    size_t length;
};

static double plain_rouge(const struct plain *a, const struct plain *b)
{
    static uint16_t table[LONGEST + 1][LONGEST + 1];
    for (size_t i = 1; i <= a->length; i++) {
        for (size_t j = 1; j <= b->length; j++) {
            uint16_t up = table[i - 1][j], left = table[i][j - 1];
            table[i][j] = a->words[i - 1] == b->words[j - 1] ? table[i - 1][j - 1] + 1
                          : up > left                        ? up
                                                             : left;
        }
    }
    return a->length && b->length
               ? 2.0 * table[a->length][b->length] / (double)(a->length + b->length) : 0;
}

/* The gate over all texts, judged by the plain table: verdicts, and each one's best similarity. */
static void plain_gate(const struct plain *texts, size_t count, double threshold, bool *passes,
                       double *best)
{
    for (size_t i = 0; i < count; i++) {
        best[i] = 0;
        for (size_t j = 0; j < i; j++) {
            double similarity = passes[j] ? plain_rouge(&texts[i], &texts[j]) : 0;
            best[i] = similarity > best[i] ? similarity : best[i];
        }
        passes[i] = best[i] <= threshold;
    }
}

/* Runs the filter over the texts and holds each verdict and similarity against the plain gate. */
static size_t differences(const struct plain *texts, size_t count, double threshold, bool exact)
{
    struct record **records = calloc(count, sizeof(*records));
    bool *passes = calloc(count, sizeof(*passes));
    double *best = calloc(count, sizeof(*best));
    char json[LONGEST * 8 + 32], yaml[64], name[32];
    static unsigned number;
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)snprintf(json, sizeof(json), "{\"text\":\"");
        for (size_t w = 0; w < texts[i].length; w++)
            at += (size_t)snprintf(json + at, sizeof(json) - at, "w%u ", texts[i].words[w]);
        snprintf(json + at, sizeof(json) - at, "\"}");
        records[i] = stage_host_record(json, i + 1);
    }
    snprintf(name, sizeof(name), "random%u", number++);
    stage_host_add_records(&host, name, records, count);
    snprintf(yaml, sizeof(yaml), "{threshold: %g%s}", threshold, exact ? ", into: most" : "");
    struct instance *instance = open_novelty(yaml);
    stage_host_run_dataset(&host, instance, name, &result);
    instance_close(instance);
    plain_gate(texts, count, threshold, passes, best);
    size_t different = 0;
    for (size_t i = 0; i < count; i++) {
        different += (result.verdicts[i] == XY_OK) != passes[i];
        if (exact)
            different += texts[i].length > 0 &&
                         fabs(stage_number(result.records[i], "most") - best[i]) > 1e-12;
        record_destroy(records[i]);
    }
    free(records);
    free(passes);
    free(best);
    return different;
}

/* Texts of few words resemble each other: every block count, every bound is met. A third of them
 * are edited copies of an earlier one. */
static void agrees_with_the_plain_table(void)
{
    enum { COUNT = 250 };
    struct plain *texts = calloc(COUNT, sizeof(*texts));
    uint64_t random = 11;
    static const double thresholds[] = {0.7, 0.5, 0.3};
    for (size_t trial = 0; trial < 6; trial++) {
        size_t longest = trial < 3 ? 20 : LONGEST;
        uint64_t vocabulary = trial % 2 ? 400 : 12;
        for (size_t i = 0; i < COUNT; i++) {
            if (i > 10 && i % 3 == 0) {
                texts[i] = texts[xy_random_below(&random, i)];
                for (size_t e = xy_random_below(&random, texts[i].length + 1); e > 0; e--)
                    texts[i].words[xy_random_below(&random, texts[i].length)] =
                        (uint16_t)xy_random_below(&random, vocabulary);
                continue;
            }
            texts[i].length = xy_random_below(&random, longest + 1);
            for (size_t w = 0; w < texts[i].length; w++)
                texts[i].words[w] = (uint16_t)xy_random_below(&random, vocabulary);
        }
        CU_ASSERT_EQUAL(differences(texts, COUNT, thresholds[trial / 2], trial % 2), 0);
    }
    free(texts);
}

/* ---- against recorded data ------------------------------------------------------------------- */

/* The field's text of each line as a record with that text; at most `most`. */
static size_t read_instructions(const char *file, struct record **records, struct plain *plain,
                                size_t most)
{
    size_t count = 0;
    char *words[40000];
    size_t vocabulary = 0;
    for (const char *at = file; *at && count < most; at += strcspn(at, "\n") + 1) {
        struct arena arena = {0};
        struct error error = {0};
        struct value value;
        CU_ASSERT_EQUAL_FATAL(
            json_parse(&arena, (xy_str){at, strcspn(at, "\n")}, &value, &error), XY_OK);
        xy_str text = value_member(&value, STR("instruction"))->text;
        records[count] = record_create(count + 1);
        xy_record_set_text(&records[count]->base, "instruction", text);
        for (size_t i = 0, length = 0; plain && i < text.len; i += length + 1) {
            for (length = 0; i + length < text.len && isalnum((unsigned char)text.ptr[i + length]);)
                length++;
            char word[128];
            if (length == 0)
                continue;
            snprintf(word, sizeof(word), "%.*s", (int)length, text.ptr + i);
            for (char *letter = word; *letter; letter++)
                *letter = (char)tolower((unsigned char)*letter);
            size_t number = 0;
            while (number < vocabulary && strcmp(words[number], word) != 0)
                number++;
            if (number == vocabulary)
                words[vocabulary++] = memory_copy_text(word, strlen(word));
            plain[count].words[plain[count].length++] = (uint16_t)number;
        }
        arena_free(&arena);
        count++;
    }
    for (size_t i = 0; i < vocabulary; i++)
        free(words[i]);
    return count;
}

static size_t dropped_of(const char *name, struct record **records, size_t count, const char *yaml)
{
    size_t dropped = 0;
    stage_host_add_records(&host, name, records, count);
    struct instance *instance = open_novelty(yaml);
    stage_host_run_dataset(&host, instance, name, &result);
    instance_close(instance);
    CU_ASSERT_EQUAL(result.count, count);
    for (size_t i = 0; i < result.count; i++)
        dropped += result.verdicts[i] == XY_DROP;
    return dropped;
}

/* Published with the data: none of the 12,497,500 pairs of these instructions lies above 0.7, since
 * Alpaca's own gate had been there. Below that the first 600 are held against the plain table. */
static void alpaca_passes(void)
{
    enum { ALL = 5000, SOME = 600 };
    const char *file = stage_host_reference(&host, "alpaca/alpaca_5000.jsonl.gz");
    if (!file)
        return;
    struct record **records = calloc(ALL, sizeof(*records));
    struct plain *plain = calloc(ALL, sizeof(*plain));
    bool *passes = calloc(SOME, sizeof(*passes));
    double *best = calloc(SOME, sizeof(*best));
    CU_ASSERT_EQUAL(read_instructions(file, records, plain, SOME), SOME);
    dropped_of("alpaca_some", records, SOME, "{field: instruction, threshold: 0.45, into: most}");
    plain_gate(plain, SOME, 0.45, passes, best);
    size_t different = 0, dropped = 0;
    for (size_t i = 0; i < SOME; i++) {
        dropped += !passes[i];
        different += passes[i] != (result.verdicts[i] == XY_OK);
        different += fabs(best[i] - stage_number(result.records[i], "most")) > 1e-12;
        record_destroy(records[i]);
    }
    CU_ASSERT_EQUAL(different, 0);
    CU_ASSERT(dropped > 20);
    CU_ASSERT_EQUAL(read_instructions(file, records, NULL, ALL), ALL);
    CU_ASSERT_EQUAL(dropped_of("alpaca", records, ALL, "field: instruction"), 0);
    /* The gate is not asleep: a copy of one of them does not pass. */
    xy_record_set_text(&records[ALL - 1]->base, "instruction",
                       xy_record_text(&records[17]->base, "instruction"));
    CU_ASSERT_EQUAL(dropped_of("alpaca_copy", records, ALL, "field: instruction"), 1);
    for (size_t i = 0; i < ALL; i++)
        record_destroy(records[i]);
    free(records);
    free(plain);
    free(passes);
    free(best);
}

/* 2 of the 15,225 pairs of Self-Instruct's 175 seeds lie above 0.7. */
static void self_instruct_seeds_have_two_pairs(void)
{
    enum { SEEDS = 175 };
    const char *file = stage_host_reference(&host, "self-instruct/seed_tasks.jsonl");
    if (!file)
        return;
    struct record *records[SEEDS];
    CU_ASSERT_EQUAL(read_instructions(file, records, NULL, SEEDS), SEEDS);
    dropped_of("tasks", records, SEEDS,
               "{field: instruction, threshold: 1, nearest_into: near, nearest: 174}");
    size_t above = 0;
    for (size_t i = 0; i < SEEDS; i++) {
        const char *near = stage_text(result.records[i], "near");
        for (const char *at = near; (at = strstr(at, "\"similarity\":")); at++)
            above += strtod(at + strlen("\"similarity\":"), NULL) > 0.7;
        record_destroy(records[i]);
    }
    CU_ASSERT_EQUAL(above, 2);
}

int main(void)
{
    static const struct check checks[] = {
        {"above the threshold", drops_above_the_threshold},
        {"the pool alone", compares_with_the_pool_alone},
        {"against a data set", compares_against_a_data_set},
        {"the nearest", tells_the_nearest},
        {"words", folds_as_rouge_does},
        {"nothing to compare", keeps_what_it_cannot_compare},
        {"cancellation", stops_when_canceled},
        {"bad options", refuses_bad_options},
        {"random texts against the plain table", agrees_with_the_plain_table},
        {"5,000 Alpaca instructions", alpaca_passes},
        {"175 Self-Instruct seeds", self_instruct_seeds_have_two_pairs},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "novelty");
    int failed = check_main("novelty", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
