/* SPDX-License-Identifier: Apache-2.0 */
/* A student's mistakes on data small enough to foresee, and on S3's recorded rounds for RTE. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "errors");
    stage_host_load(&host, "linear");
}

static const char *const colours =
    "{\"text\":\"a red car\",\"label\":\"warm\"}\n{\"text\":\"the red house\",\"label\":\"warm\"}\n"
    "{\"text\":\"red wine\",\"label\":\"warm\"}\n{\"text\":\"a blue car\",\"label\":\"cold\"}\n"
    "{\"text\":\"the blue house\",\"label\":\"cold\"}\n{\"text\":\"blue ice\",\"label\":\"cold\"}\n"
    "{\"text\":\"no label here\"}\n";

/* Right; wrong by its label; no label; a label that training never saw; no text; right. */
static const char *const validation =
    "{\"text\":\"red rose\",\"label\":\"warm\"}\n"
    "{\"text\":\"blue moon\",\"label\":\"warm\",\"source\":\"people\"}\n"
    "{\"text\":\"unlabelled\"}\n{\"text\":\"red\",\"label\":\"new\"}\n{\"label\":\"cold\"}\n"
    "{\"text\":\"blue sky\",\"label\":\"cold\"}\n";

static void only_what_is_wrong(void)
{
    start();
    stage_host_add_dataset(&host, "seen", colours);
    struct instance *errors =
        stage_host_open(&host, XY_FILTER, "errors", "{train: seen, learner: linear}");
    CU_ASSERT_FATAL(errors != NULL);
    struct stage_result result;
    stage_host_run(&host, errors, validation, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    const int verdicts[] = {XY_DROP, XY_OK, XY_DROP, XY_OK, XY_DROP, XY_DROP};
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], verdicts[i]);
    CU_ASSERT(strstr(result.reasons[0], "the student is right: \"warm\" with 0.") != NULL);
    CHECK_TEXT(result.reasons[2], "there is no `label`");
    CHECK_TEXT(result.reasons[4], "there is no `text`");
    CHECK_TEXT(stage_text(result.records[1], "label"), "warm"); /* people's label, copied */
    CHECK_TEXT(stage_text(result.records[1], "predicted"), "cold");
    CHECK_TEXT(stage_text(result.records[1], "source"), "people");
    double confidence = stage_number(result.records[1], "predicted_confidence");
    CU_ASSERT(confidence > 0.5 && confidence <= 1);
    CHECK_TEXT(stage_text(result.records[3], "predicted"), "warm");
    CHECK_TEXT(stage_text(result.records[0], "predicted"), "");
    struct report_score accuracy = stage_host_score(&host, "accuracy");
    CU_ASSERT(fabs(accuracy.value - 0.5) < 1e-12);
    CU_ASSERT_EQUAL(accuracy.n, 4);
    CU_ASSERT_EQUAL(stage_host_score(&host, "errors").value, 2);
    CU_ASSERT_EQUAL(stage_host_score(&host, "train_count").value, 6);
    stage_result_free(&result);
    instance_close(errors);
    stage_host_free(&host);
}

static void other_names_and_a_bound(void)
{
    start();
    stage_host_add_dataset(&host, "seen", colours);
    const char *options = "{train: seen, learner: linear, text: t, label: y, train_text: text, "
                          "train_label: label, max: 2, predicted: guess, confidence: sure, "
                          "name: round}";
    const char *lines = "{\"t\":\"blue 1\",\"y\":\"warm\"}\n{\"t\":\"blue 2\",\"y\":\"warm\"}\n"
                        "{\"t\":\"blue 3\",\"y\":\"warm\"}\n{\"t\":\"blue 4\",\"y\":\"warm\"}\n"
                        "{\"t\":\"blue 5\",\"y\":\"cold\"}\n";
    uint32_t masks[2] = {0};
    for (size_t time = 0; time < 2; time++) {
        struct instance *errors = stage_host_open(&host, XY_FILTER, "errors", options);
        CU_ASSERT_FATAL(errors != NULL);
        struct stage_result result;
        stage_host_run(&host, errors, lines, &result);
        size_t kept = 0;
        for (size_t i = 0; i < 4; i++) {
            masks[time] |= (uint32_t)(result.verdicts[i] == XY_OK) << i;
            kept += result.verdicts[i] == XY_OK;
            if (result.verdicts[i] == XY_OK)
                CHECK_TEXT(stage_text(result.records[i], "guess"), "cold");
            else
                CHECK_TEXT(result.reasons[i],
                           "2 of 4 errors were drawn, and this is not one of them");
        }
        CU_ASSERT_EQUAL(kept, 2);
        CU_ASSERT_EQUAL(result.verdicts[4], XY_DROP);
        CU_ASSERT_EQUAL(stage_host_score(&host, "round_errors").value, 4);
        stage_result_free(&result);
        instance_close(errors);
    }
    CU_ASSERT_EQUAL(masks[0], masks[1]);
    stage_host_free(&host);
}

static void nothing_is_wrong(void)
{
    start();
    stage_host_add_dataset(&host, "seen", colours);
    struct instance *errors =
        stage_host_open(&host, XY_FILTER, "errors", "{train: seen, learner: linear}");
    struct stage_result result;
    stage_host_run(&host, errors, "{\"text\":\"red\",\"label\":\"warm\"}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[0], XY_DROP);
    CU_ASSERT_EQUAL(stage_host_score(&host, "errors").value, 0);
    CU_ASSERT(strstr(host.log, "the student gets all 1 records right") != NULL);
    stage_result_free(&result);
    instance_close(errors);
    stage_host_free(&host);
}

static void vectors_teach(void)
{
    start();
    stage_host_add_dataset(&host, "seen", "{\"label\":\"up\",\"#v\":[1,1]}\n"
                           "{\"label\":\"down\",\"#v\":[1,-1]}\n");
    struct instance *errors =
        stage_host_open(&host, XY_FILTER, "errors", "{train: seen, learner: linear, vector: v}");
    struct stage_result result;
    stage_host_run(&host, errors, "{\"label\":\"down\",\"#v\":[0,2]}\n"
                   "{\"label\":\"down\",\"#v\":[0,-2]}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[0], XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[1], XY_DROP);
    CHECK_TEXT(stage_text(result.records[0], "predicted"), "up");
    stage_result_free(&result);
    instance_close(errors);
    stage_host_free(&host);
}

static void refuse(const char *train, const char *lines, const char *why)
{
    start();
    stage_host_add_dataset(&host, "seen", train);
    struct instance *errors =
        stage_host_open(&host, XY_FILTER, "errors", "{train: seen, learner: linear}");
    struct stage_result result;
    stage_host_run(&host, errors, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, why);
    stage_result_free(&result);
    instance_close(errors);
    stage_host_free(&host);
}

static void clear_errors(void)
{
    refuse("{\"text\":\"a\",\"label\":\"warm\"}\n{\"text\":\"b\",\"label\":\"warm\"}\n", validation,
           "all 2 records of `train` have the label `warm`: a student needs two labels at least");
    refuse("", validation, "no record of `train` has both a `text` and a `label`: there is nothing "
           "to learn from");
    refuse(colours, "", "no record has both a `text` and a `label`: the student cannot be asked "
           "about any");
    refuse(colours, "{\"text\":\"red\"}\n", "no record has both a `text` and a `label`: the "
           "student cannot be asked about any");
    start();
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "errors", "{learner: linear}"));
    CU_ASSERT(strstr(host.error.text, "train") != NULL);
    stage_host_free(&host);
}

/* ---- S3's rounds for RTE --------------------------------------------------------------------- */

enum { ROOM = 4000 };

/* The records of a file of sentence pairs: both sentences as one text, the label as it is. */
static size_t read_pairs(const char *name, struct record **records, size_t made)
{
    const char *lines = stage_host_reference(&host, name);
    struct arena arena = {0};
    while (lines && *lines && made < ROOM) {
        size_t length = strcspn(lines, "\n");
        struct value value;
        struct error error;
        CU_ASSERT_EQUAL_FATAL(json_parse(&arena, (xy_str){lines, length}, &value, &error), 0);
        xy_str premise = value_member(&value, STR("text1"))->text;
        xy_str hypothesis = value_member(&value, STR("text2"))->text;
        const char *text = arena_printf(&arena, "%.*s || %.*s", (int)premise.len, premise.ptr,
                                        (int)hypothesis.len, hypothesis.ptr);
        records[made] = record_create(made);
        xy_record_set_text(&records[made]->base, "text", str_of(text));
        record_set_tree(records[made++], "label", value_member(&value, STR("label")));
        lines += length + (lines[length] == '\n');
    }
    arena_free(&arena);
    return made;
}

/* One round: what the student of `train` misses of the gold rows. The figures are held against
 * those that follow from the records themselves. */
static size_t round_of_rte(const char *train)
{
    const char *options = arena_printf(&host.arena, "{train: %s, learner: linear}", train);
    struct instance *errors = stage_host_open(&host, XY_FILTER, "errors", options);
    CU_ASSERT_FATAL(errors != NULL);
    struct stage_result result;
    stage_host_run_dataset(&host, errors, "gold", &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(result.count, 277);
    size_t kept = 0;
    for (size_t i = 0; i < result.count; i++) {
        if (result.verdicts[i] != XY_OK) {
            CU_ASSERT(strstr(result.reasons[i], "the student is right: ") != NULL);
            continue;
        }
        char predicted[8];
        snprintf(predicted, sizeof(predicted), "%s", stage_text(result.records[i], "predicted"));
        CU_ASSERT(strcmp(predicted, stage_text(result.records[i], "label")) != 0);
        kept++;
    }
    CU_ASSERT_EQUAL(stage_host_score(&host, "errors").value, (double)kept);
    CU_ASSERT(fabs(stage_host_score(&host, "accuracy").value - (double)(277 - kept) / 277) < 1e-12);
    stage_result_free(&result);
    instance_close(errors);
    return kept;
}

static void recorded_rounds(void)
{
    start();
    static struct record *gold[ROOM], *rounds[ROOM];
    size_t gold_count = read_pairs("s3/rte_test_gold.jsonl.gz", gold, 0);
    if (gold_count > 0) {
        size_t first = read_pairs("s3/rte_additional_1.jsonl.gz", rounds, 0);
        size_t both = read_pairs("s3/rte_additional_2.jsonl.gz", rounds, first);
        CU_ASSERT_EQUAL(first, 883);
        CU_ASSERT_EQUAL(both - first, 639);
        stage_host_add_records(&host, "gold", gold, gold_count);
        stage_host_add_records(&host, "first", rounds, first);
        stage_host_add_records(&host, "both", rounds, both);
        size_t before = round_of_rte("first");
        CU_ASSERT_EQUAL(stage_host_score(&host, "train_count").value, 883);
        size_t after = round_of_rte("both");
        CU_ASSERT_EQUAL(stage_host_score(&host, "train_count").value, 1522);
        printf("(a student of words misses %zu, then %zu of 277) ", before, after);
        for (size_t i = 0; i < both; i++)
            record_destroy(rounds[i]);
    }
    for (size_t i = 0; i < gold_count; i++)
        record_destroy(gold[i]);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"only what is wrong", only_what_is_wrong},
        {"other names and a bound", other_names_and_a_bound},
        {"nothing is wrong", nothing_is_wrong},
        {"vectors teach", vectors_teach},
        {"clear errors", clear_errors},
        {"recorded rounds", recorded_rounds},
        {NULL, NULL},
    };
    return check_main("errors", checks);
}
