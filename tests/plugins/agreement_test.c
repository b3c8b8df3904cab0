/* SPDX-License-Identifier: Apache-2.0 */
/* Figures by hand, from Fleiss, Levin, Paik (2003), table 18.1, and from recorded annotations. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static bool near(double a, double b, double within)
{
    if (fabs(a - b) <= within)
        return true;
    printf("\n    got %.10g, expected %.10g\n", a, b);
    return false;
}

/* ---- filter ---------------------------------------------------------------------------------- */

static void expect(struct stage_host *host, struct instance *instance, const char *json,
                   int verdict, const char *why)
{
    struct stage_result result;
    stage_host_process(host, instance, json, &result);
    CU_ASSERT_EQUAL(result.verdict, verdict);
    if (why)
        CHECK_TEXT(result.why, why);
    else
        CU_ASSERT_PTR_NULL(result.why);
    stage_result_free(&result);
}

static void filter_compares(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "agreement");
    struct instance *filter =
        stage_host_open(&host, XY_FILTER, "agreement",
                        "{left: label, right: predicted, confidence: p, least: 0.8}");
    CU_ASSERT_FATAL(filter != NULL);
    expect(&host, filter, "{\"label\":\"a\",\"predicted\":\"a\",\"p\":0.8}", XY_OK, NULL);
    expect(&host, filter, "{\"label\":1,\"predicted\":\"1\",\"p\":1}", XY_OK, NULL);
    expect(&host, filter, "{\"label\":\"a\",\"predicted\":\"b\",\"p\":1}", XY_DROP,
           "`label` is \"a\", `predicted` is \"b\"");
    expect(&host, filter, "{\"label\":\"a\",\"predicted\":\"A\",\"p\":1}", XY_DROP,
           "`label` is \"a\", `predicted` is \"A\"");
    expect(&host, filter, "{\"label\":\"a\",\"p\":1}", XY_DROP, "there is no `predicted`");
    expect(&host, filter, "{\"predicted\":\"a\",\"p\":1}", XY_DROP, "there is no `label`");
    expect(&host, filter, "{\"label\":\"a\",\"predicted\":\"a\",\"p\":0.79}", XY_DROP,
           "`p` is 0.79, less than 0.8");
    expect(&host, filter, "{\"label\":\"a\",\"predicted\":\"a\"}", XY_DROP,
           "there is no number `p`");
    instance_close(filter);
    filter = stage_host_open(&host, XY_FILTER, "agreement",
                             "{left: label, right: predicted, ignore_case: true}");
    CU_ASSERT_FATAL(filter != NULL);
    expect(&host, filter, "{\"label\":\"STRASSE \xc3\x89\",\"predicted\":\"stra\xc3\x9f"
           "e e\xcc\x81\"}", XY_OK, NULL);
    instance_close(filter);
    stage_host_free(&host);
}

/* ---- evaluator ------------------------------------------------------------------------------- */

static void add_pairs(struct buffer *lines, const char *gold, const char *predicted, int times)
{
    for (int i = 0; i < times; i++)
        buffer_printf(lines, "{\"gold\":\"%s\",\"label\":\"%s\"}\n", gold, predicted);
}

/* 100 diagnoses; the book has kappa 0.68 with a standard error of 0.087 for intervals. */
static void worked_example(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "agreement");
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    add_pairs(&lines, "psychotic", "psychotic", 75);
    add_pairs(&lines, "psychotic", "neurotic", 1);
    add_pairs(&lines, "psychotic", "organic", 4);
    add_pairs(&lines, "neurotic", "psychotic", 5);
    add_pairs(&lines, "neurotic", "neurotic", 4);
    add_pairs(&lines, "neurotic", "organic", 1);
    add_pairs(&lines, "organic", "organic", 10);
    struct instance *evaluator = stage_host_open(&host, XY_EVALUATOR, "agreement", NULL);
    CU_ASSERT_FATAL(evaluator != NULL);
    struct stage_result result;
    stage_host_run(&host, evaluator, lines.bytes, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    struct report_score accuracy = stage_host_score(&host, "accuracy");
    CU_ASSERT(near(accuracy.value, 0.89, 1e-12));
    CU_ASSERT_EQUAL(accuracy.n, 100);
    /* Wilson by hand: (0.89 + z^2/200 +- z sqrt(0.89*0.11/100 + z^2/40000)) / (1 + z^2/100). */
    CU_ASSERT(near(accuracy.low, 0.813687, 1e-6));
    CU_ASSERT(near(accuracy.high, 0.937458, 1e-6));
    struct report_score kappa = stage_host_score(&host, "kappa");
    CU_ASSERT(near(kappa.value, 0.23 / 0.34, 1e-12));
    CU_ASSERT(near((kappa.high - kappa.low) / 2 / 1.959964, 0.0877, 5e-4));
    /* F1: 2*75/(80+80), 2*4/(10+5), 2*10/(10+15). */
    CU_ASSERT(near(stage_host_score(&host, "macro_f1").value,
                   (0.9375 + 8.0 / 15 + 0.8) / 3, 1e-12));
    CHECK_TEXT(stage_host_detail(&host, "agreement", "confusion"),
               "{\"classes\":[\"psychotic\",\"neurotic\",\"organic\"],"
               "\"rows\":[[75,1,4],[5,4,1],[0,0,10]]}");
    stage_result_free(&result);
    instance_close(evaluator);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void absent_labels(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "agreement");
    struct instance *evaluator = stage_host_open(&host, XY_EVALUATOR, "agreement", NULL);
    struct stage_result result;
    stage_host_run(&host, evaluator,
                   "{\"gold\":1,\"label\":\"1\"}\n{\"gold\":2}\n{\"label\":2}\n{\"gold\":\"2\","
                   "\"label\":2}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT(near(stage_host_score(&host, "accuracy").value, 2.0 / 3, 1e-12));
    CU_ASSERT_EQUAL(stage_host_score(&host, "without_gold").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "without_prediction").value, 1);
    /* "1": 1, "2": 2/(2+1), "(none)": 0. */
    CU_ASSERT(near(stage_host_score(&host, "macro_f1").value, (1 + 2.0 / 3 + 0) / 3, 1e-12));
    stage_result_free(&result);
    instance_close(evaluator);
    stage_host_free(&host);
}

static void joined_by_key(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "agreement");
    stage_host_add_dataset(&host, "truth", "{\"id\":1,\"y\":\"a\"}\n{\"id\":2,\"y\":\"b\"}\n"
                           "{\"id\":3}\n");
    stage_host_add_dataset(&host, "torn", "{\"id\":1,\"y\":\"a\"}\n{\"id\":1,\"y\":\"b\"}\n");
    const char *lines = "{\"id\":2,\"label\":\"b\"}\n{\"id\":1,\"label\":\"b\"}\n"
                        "{\"id\":3,\"label\":\"b\"}\n{\"id\":9,\"label\":\"b\"}\n";
    struct stage_result result;
    struct instance *evaluator = stage_host_open(&host, XY_EVALUATOR, "agreement",
                                                 "{gold: y, against: truth, key: id}");
    stage_host_run(&host, evaluator, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT(near(stage_host_score(&host, "accuracy").value, 0.5, 0));
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").n, 2);
    CU_ASSERT_EQUAL(stage_host_score(&host, "without_gold").value, 2);
    stage_result_free(&result);
    instance_close(evaluator);
    evaluator = stage_host_open(&host, XY_EVALUATOR, "agreement",
                                "{gold: y, against: torn, key: id}");
    stage_host_run(&host, evaluator, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, "`1` stands twice in `against`, with two labels");
    stage_result_free(&result);
    instance_close(evaluator);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_EVALUATOR, "agreement", "{against: truth}"));
    CU_ASSERT(strstr(host.error.text, "`against` needs `key`") != NULL);
    stage_host_free(&host);
}

static void nothing_to_judge(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "agreement");
    struct instance *evaluator = stage_host_open(&host, XY_EVALUATOR, "agreement", NULL);
    struct stage_result result;
    stage_host_run(&host, evaluator, "", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT(isnan(stage_host_score(&host, "accuracy").value));
    CU_ASSERT(strstr(host.log, "no record has a gold label") != NULL);
    stage_result_free(&result);
    stage_host_run(&host, evaluator, "{\"gold\":\"a\",\"label\":\"a\"}\n", &result);
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").high, 1);
    CU_ASSERT(isnan(stage_host_score(&host, "kappa").value));
    stage_result_free(&result);
    instance_close(evaluator);
    stage_host_free(&host);
}

/* ---- recorded annotations -------------------------------------------------------------------- */

/* Each row once for each model that answered it, with the model's answer as the label. */
static void judge_model(struct stage_host *host, const struct value *rows, size_t count,
                        xy_str model, double kappa, double hits)
{
    struct record **records = memory_zeroed(count + 1, sizeof(*records));
    for (size_t i = 0; i < count; i++) {
        records[i] = record_create(i);
        record_set_tree(records[i], "gold", value_member(&rows[i], STR("gold")));
        const struct value *label = value_member(value_member(&rows[i], STR("pred")), model);
        if (label)
            record_set_tree(records[i], "label", label);
    }
    stage_host_add_records(host, "rows", records, count);
    struct instance *evaluator = stage_host_open(host, XY_EVALUATOR, "agreement", NULL);
    struct stage_result result;
    stage_host_run_dataset(host, evaluator, "rows", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT(near(stage_host_score(host, "kappa").value, kappa, 5.1e-5));
    CU_ASSERT(near(stage_host_score(host, "accuracy").value * (double)count, hits, 1e-6));
    stage_result_free(&result);
    instance_close(evaluator);
    for (size_t i = 0; i < count; i++)
        record_destroy(records[i]);
    free(records);
}

static size_t parse_rows(struct arena *arena, const char *lines, struct value *rows, size_t room)
{
    size_t count = 0;
    struct error error;
    while (*lines && count < room) {
        size_t length = strcspn(lines, "\n");
        if (json_parse(arena, (xy_str){lines, length}, &rows[count], &error) == 0)
            count++;
        lines += length + (lines[length] == '\n');
    }
    return count;
}

static void recorded_annotations(void)
{
    struct stage_host files;
    stage_host_init(&files);
    const char *reference = stage_host_reference(&files, "reference-values.json");
    if (!reference) {
        stage_host_free(&files);
        return;
    }
    struct value values;
    struct error error;
    CU_ASSERT_EQUAL_FATAL(json_parse(&files.arena, str_of(reference), &values, &error), 0);
    const struct value *tasks = value_member(&values, STR("llm-annotations-css"));
    static struct value rows[1000];
    size_t models = 0;
    for (size_t t = 0; t < tasks->map.count; t++) {
        const struct member *task = &tasks->map.members[t];
        const char *path = arena_printf(&files.arena, "llm-annotations-css/%.*s.jsonl.gz",
                                        (int)task->key.len, task->key.ptr);
        const char *lines = stage_host_reference(&files, path);
        CU_ASSERT_FATAL(lines != NULL);
        size_t count = parse_rows(&files.arena, lines, rows, 1000);
        const struct value *kappas = value_member(&task->value, STR("kappa"));
        const struct value *hits = value_member(&task->value, STR("correct"));
        for (size_t m = 0; m < kappas->map.count; m++, models++) {
            const struct member *kappa = &kappas->map.members[m];
            struct stage_host host;
            stage_host_init(&host);
            stage_host_load(&host, "agreement");
            judge_model(&host, rows, count, kappa->key, kappa->value.number,
                        (double)value_member(hits, kappa->key)->integer);
            stage_host_free(&host);
        }
    }
    CU_ASSERT_EQUAL(models, 50);
    stage_host_free(&files);
}

int main(void)
{
    static const struct check checks[] = {
        {"the filter compares", filter_compares},
        {"a worked example", worked_example},
        {"absent labels", absent_labels},
        {"joined by key", joined_by_key},
        {"nothing to judge", nothing_to_judge},
        {"recorded annotations", recorded_annotations},
        {NULL, NULL},
    };
    return check_main("agreement", checks);
}
