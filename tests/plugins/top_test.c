/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>

#include "json.h"

static struct stage_host host;
static struct stage_result result;

static struct instance *open_top(const char *yaml)
{
    stage_result_free(&result);
    host.log[0] = '\0';
    struct instance *instance = stage_host_open(&host, XY_FILTER, "top", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

/* "110" says keep, keep, drop. */
static const char *kept(const char *yaml, const char *lines)
{
    static char marks[256];
    struct instance *instance = open_top(yaml);
    stage_host_run(&host, instance, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.verdicts[i] == XY_OK ? '1' : '0';
    marks[result.count] = '\0';
    instance_close(instance);
    return marks;
}

static const char scored[] = "{\"s\":1,\"l\":\"a\"}\n{\"s\":3,\"l\":\"b\"}\n"
                             "{\"s\":2.5,\"l\":\"a\"}\n{\"s\":2.5,\"l\":\"a\"}\n"
                             "{\"s\":-1,\"l\":\"b\"}\n{\"s\":0,\"l\":\"a\"}\n";

static void keeps_the_best(void)
{
    CHECK_TEXT(kept("{by: s, k: 2}", scored), "011000"); /* of the tie the first */
    CHECK_TEXT(result.reasons[3], "place 3 of 6 by 2.5; the first 2 stay");
    CHECK_TEXT(kept("{by: s, k: 2, order: lowest}", scored), "000011");
    CHECK_TEXT(kept("{by: '-s', k: 2}", scored), "000011");
    CHECK_TEXT(kept("{by: s, k: 2, per: l}", scored), "011110");
    CHECK_TEXT(result.reasons[0], "place 3 of 4 by 1 in `a`; the first 2 stay");
    CHECK_TEXT(kept("{k: 2, per: l, order: first}", scored), "111010");
    CHECK_TEXT(result.reasons[3], "place 3 of 4 in `a`; the first 2 stay");
}

static void ranks(void)
{
    kept("{by: s, k: 9, per: l, rank_into: place}", scored);
    static const char *const places[] = {"3", "1", "1", "2", "2", "4"};
    for (size_t i = 0; i < 6; i++)
        CHECK_TEXT(stage_text(result.records[i], "place"), places[i]);
}

static void keeps_a_share(void)
{
    CHECK_TEXT(kept("{by: s, share: 0.5}", scored), "011100");
    CHECK_TEXT(kept("{by: s, share: 0.5, per: l}", scored), "011100"); /* 2 of 4, 1 of 2 */
    CHECK_TEXT(kept("{by: s, share: 0.1, per: l}", scored), "011000"); /* at least one */
    CHECK_TEXT(kept("{by: s, share: 1}", scored), "111111");
    CHECK_TEXT(kept("{by: s, share: 0.5, k: 2}", scored), "011000");
    CHECK_TEXT(kept("{by: s, share: 0.5, k: 5}", scored), "011100");
    /* FreeAL keeps floor(0.2 x agreeing rows) of each class; 0.2 x 15 must be 3, not 2. */
    char lines[1024] = "";
    for (int i = 0; i < 15; i++)
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "{\"s\":%d}\n", i);
    CHECK_TEXT(kept("{by: s, share: 0.2, order: lowest}", lines), "111000000000000");
}

/* Each record is as likely; the same draw every time; another one for another record's id. */
static void draws_at_random(void)
{
    enum { COUNT = 2000, KEPT = 500, GROUPS = 4 };
    struct record **records = calloc(COUNT, sizeof(*records));
    char json[32];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(json, sizeof(json), "{\"l\":%zu}", i % GROUPS);
        records[i] = stage_host_record(json, i * 7919 + 1);
    }
    stage_host_add_records(&host, "many", records, COUNT);
    size_t first_half = 0, per_group[GROUPS] = {0};
    bool again[COUNT];
    for (int run = 0; run < 2; run++) {
        struct instance *instance = open_top("{k: 125, per: l, order: random}");
        stage_host_run_dataset(&host, instance, "many", &result);
        instance_close(instance);
        for (size_t i = 0; i < COUNT; i++) {
            bool stays = result.verdicts[i] == XY_OK;
            if (run) {
                CU_ASSERT_EQUAL(again[i], stays);
                continue;
            }
            again[i] = stays;
            per_group[i % GROUPS] += stays;
            first_half += stays && i < COUNT / 2;
        }
    }
    for (size_t g = 0; g < GROUPS; g++)
        CU_ASSERT_EQUAL(per_group[g], KEPT / GROUPS);
    /* Hypergeometric, mean 250: five standard deviations are 48. */
    CU_ASSERT(first_half > 250 - 48 && first_half < 250 + 48);
    for (size_t i = 0; i < COUNT; i++)
        record_destroy(records[i]);
    free(records);
}

static void says_what_is_short(void)
{
    CHECK_TEXT(kept("{by: s, k: 3, per: l}", scored), "111110");
    CU_ASSERT(strstr(host.log, "1 of 2 groups have fewer than 3: `b` 2") != NULL);
    CU_ASSERT_EQUAL(stage_host_score(&host, "short_groups").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "least_kept").value, 2);
    CHECK_TEXT(kept("{by: s, k: 1}", ""), "");
    kept("{by: s, k: 9}", scored);
    CU_ASSERT(strstr(host.log, "there are 6 records, fewer than the 9 to keep") != NULL);
}

static void drops_what_has_no_worth(void)
{
    CHECK_TEXT(kept("{by: s, k: 2}", "{\"s\":1}\n{\"x\":1}\n{\"s\":\"9\"}\n{\"s\":true}\n"),
               "1001");
    CHECK_TEXT(result.reasons[1], "no number to be ranked by: s");
    CHECK_TEXT(result.reasons[2], "no number to be ranked by: s");
    CU_ASSERT(strstr(host.log, "2 records were dropped: no number for `s`") != NULL);
    /* Records without the group's field are a group of their own; 1 and "1" are one. */
    CHECK_TEXT(kept("{by: s, k: 1, per: l}",
                    "{\"s\":1}\n{\"s\":2}\n{\"s\":0,\"l\":\"\"}\n{\"s\":5,\"l\":1}\n"
                    "{\"s\":4,\"l\":\"1\"}\n"), "01010");
}

static void refused(const char *yaml, const char *why)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "top", yaml));
    bool said = strstr(host.error.text, why) != NULL;
    CU_ASSERT(said);
    if (!said)
        printf("\n    got \"%s\", expected \"%s\"\n", host.error.text, why);
}

static void refuses_bad_options(void)
{
    refused("by: s", "give `k`, `share` or both");
    refused("k: 3", "give `by`");
    refused("{k: 3, by: s, order: random}", "`by` has no meaning");
    refused("{k: 3, by: 's +'}", "option `by`: found the end of the template");
    refused("{share: 1.5, by: s}", "share");
}

static void stops_when_canceled(void)
{
    struct instance *instance = open_top("{by: s, k: 1}");
    host.cancelled = 1;
    stage_host_run(&host, instance, "{\"s\":1}\n", &result);
    host.cancelled = 0;
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    instance_close(instance);
}

/* ---- SuperGen's recorded sets ---------------------------------------------------------------- */

static int compare_scores(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first < second) - (first > second); /* highest first */
}

enum { PER_LABEL = 3000, LABELS = 2, WORSE = 2 };

/* The published sets hold the best 3,000 of each label. Each of their records comes with two worse
 * candidates, some of them better than other originals: what stays must be the order statistics of
 * the scores, which plain sorting tells. */
static void supergen_keeps_3000_per_label(const char *file_name, const char *const *labels)
{
    const char *file = stage_host_reference(&host, file_name);
    if (!file)
        return;
    enum { MOST = PER_LABEL * LABELS * (WORSE + 1) };
    struct record **records = calloc(MOST, sizeof(*records));
    double *scores[LABELS] = {calloc(MOST, sizeof(double)), calloc(MOST, sizeof(double))};
    size_t counts[LABELS] = {0}, stay[LABELS] = {0}, count = 0;
    uint64_t random = 5;
    for (const char *at = file; *at && count < MOST; at += strcspn(at, "\n") + 1) {
        struct arena arena = {0};
        struct error error = {0};
        struct value value;
        CU_ASSERT_EQUAL_FATAL(
            json_parse(&arena, (xy_str){at, strcspn(at, "\n")}, &value, &error), XY_OK);
        xy_str label = value_member(&value, STR("label"))->text;
        size_t group = !str_is(label, labels[0]);
        CU_ASSERT_FATAL(str_is(label, labels[group]));
        for (int k = 0; k <= WORSE; k++) {
            double score = value_member(&value, STR("score"))->number -
                           (k ? xy_random_unit(&random) * 0.2 : 0);
            records[count] = record_create(count + 1);
            xy_record_set_text(&records[count]->base, "label", label);
            xy_record_set_number(&records[count++]->base, "score", score);
            scores[group][counts[group]++] = score;
        }
        arena_free(&arena);
    }
    CU_ASSERT_EQUAL_FATAL(count, MOST);
    for (size_t g = 0; g < LABELS; g++)
        qsort(scores[g], counts[g], sizeof(double), compare_scores);
    stage_host_add_records(&host, labels[0], records, count);
    struct instance *instance = open_top("{by: score, per: label, k: 3000}");
    stage_host_run_dataset(&host, instance, labels[0], &result);
    instance_close(instance);
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        size_t group = !str_is(xy_record_text(&records[i]->base, "label"), labels[0]);
        double score = stage_number(records[i], "score");
        bool stays = result.verdicts[i] == XY_OK;
        stay[group] += stays;
        wrong += stays ? score < scores[group][PER_LABEL - 1] : score > scores[group][PER_LABEL];
        record_destroy(records[i]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (size_t g = 0; g < LABELS; g++) {
        CU_ASSERT_EQUAL(counts[g], PER_LABEL * (WORSE + 1));
        CU_ASSERT_EQUAL(stay[g], PER_LABEL);
        free(scores[g]);
    }
    free(records);
}

static void selects_as_supergen(void)
{
    static const char *const sentiment[] = {"0", "1"};
    static const char *const entailment[] = {"entailment", "not_entailment"};
    supergen_keeps_3000_per_label("supergen/SST-2_train_generated.jsonl.gz", sentiment);
    supergen_keeps_3000_per_label("supergen/RTE_train_generated.jsonl.gz", entailment);
}

/* Of weights 1, 3 and 0, the second is drawn three times in four, the third never: among 1,200
 * groups the share lies within four standard deviations, 0.0125 each. */
static void draws_by_weight(void)
{
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (int i = 0; i < 1200; i++)
        for (int weight = 1; weight <= 3; weight++)
            buffer_printf(&lines, "{\"g\":%d,\"@weight\":%d}\n", i,
                          weight == 3 ? 0 : weight == 2 ? 3 : 1);
    struct instance *instance = open_top("{k: 1, per: g, order: weighted}");
    stage_host_run(&host, instance, lines.bytes, &result);
    size_t drawn[3] = {0};
    for (size_t i = 0; i < result.count; i++)
        drawn[i % 3] += result.verdicts[i] == XY_OK;
    CU_ASSERT_EQUAL(drawn[0] + drawn[1], 1200);
    CU_ASSERT_DOUBLE_EQUAL((double)drawn[1] / 1200, 0.75, 0.05);
    CHECK_TEXT(result.reasons[2], "weight 0: never drawn");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "1200 records were dropped: their weight is 0"));
    buffer_free(&lines);
    instance_close(instance);
}

int main(void)
{
    static const struct check checks[] = {
        {"the best", keeps_the_best},
        {"places", ranks},
        {"a share", keeps_a_share},
        {"a random draw", draws_at_random},
        {"a draw by weight", draws_by_weight},
        {"groups that are short", says_what_is_short},
        {"records without a worth", drops_what_has_no_worth},
        {"bad options", refuses_bad_options},
        {"cancellation", stops_when_canceled},
        {"3,000 per label of SuperGen", selects_as_supergen},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "top");
    int failed = check_main("top", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
