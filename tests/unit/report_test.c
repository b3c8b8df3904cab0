/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "json.h"
#include "report.h"

static void add(struct report *report, const char *step, const char *name, uint32_t round,
                double value)
{
    report_add_score(report, step, round,
                     &(xy_score){.size = sizeof(xy_score), .name = name, .value = value,
                                 .low = NAN, .high = NAN});
}

static double evaluate(const struct report *report, const char *source)
{
    struct arena arena = {0};
    struct error error = {0};
    struct value value;
    struct scope scope = report_scope(report);
    struct expression *expression = expression_compile(str_of(source), &error);
    double number = NAN;
    if (expression && expression_evaluate(expression, &scope, &arena, &value, &error) == 0)
        number = value.type == VALUE_INT ? (double)value.integer : value.number;
    expression_free(expression);
    arena_free(&arena);
    return number;
}

static void newest_scores_are_seen_by_until(void)
{
    struct report *report = report_create();
    add(report, "quality", "accuracy", 0, 0.5);
    add(report, "quality", "kappa", 0, 0.25);
    add(report, "quality", "accuracy", 1, 0.75);
    CU_ASSERT_EQUAL(evaluate(report, "accuracy"), 0.75);
    CU_ASSERT_EQUAL(evaluate(report, "quality.accuracy"), 0.75);
    CU_ASSERT_EQUAL(evaluate(report, "quality.kappa"), 0.25);
    CU_ASSERT(isnan(evaluate(report, "nothing")));
    add(report, "quality", "accuracy", 1, 1);
    CU_ASSERT_EQUAL(report_scores(report), 3);
    CU_ASSERT_EQUAL(evaluate(report, "quality.accuracy"), 1);
    report_destroy(report);
}

static void counts_add_up_and_start_over(void)
{
    struct report *report = report_create();
    struct step_counts counts;
    report_add_counts(report, "b", &(struct step_counts){.in = 2, .seconds = 1});
    report_add_counts(report, "a", &(struct step_counts){.in = 5});
    report_add_counts(report, "b", &(struct step_counts){.in = 3, .out = 1, .seconds = 2});
    CU_ASSERT_EQUAL(report_steps(report), 2);
    CHECK_TEXT(report_step_at(report, 0, &counts), "b");
    CU_ASSERT_EQUAL(counts.in, 5);
    CU_ASSERT_EQUAL(counts.out, 1);
    report_reset_counts(report, "b");
    report_step_at(report, 0, &counts);
    CU_ASSERT_EQUAL(counts.in, 0);
    CU_ASSERT_EQUAL(counts.seconds, 3);
    report_destroy(report);
}

static void reasons_fold_digits_and_come_most_frequent_first(void)
{
    struct report *report = report_create();
    struct arena arena = {0};
    struct buffer json;
    struct value value;
    struct error error = {0};
    report_add_reason(report, "length", "12 words, at least 20 are wanted");
    report_add_reason(report, "length", "no text");
    report_add_reason(report, "length", "9 words, at least 20 are wanted");
    buffer_init(&json, 1 << 20);
    report_write_json(report, &json);
    CU_ASSERT_EQUAL_FATAL(json_parse(&arena, buffer_str(&json), &value, &error), 0);
    const struct value *steps = value_member(&value, STR("steps"));
    const struct value *reasons = value_member(&steps->list.items[0], STR("reasons"));
    CU_ASSERT_EQUAL_FATAL(reasons->list.count, 2);
    const struct value *first = &reasons->list.items[0];
    CU_ASSERT(str_is(value_member(first, STR("reason"))->text, "# words, at least # are wanted"));
    CU_ASSERT_EQUAL(value_member(first, STR("count"))->integer, 2);
    buffer_free(&json);
    arena_free(&arena);
    report_destroy(report);
}

static void details_that_are_no_json_are_left_out(void)
{
    struct report *report = report_create();
    struct buffer json;
    report_add_detail(report, "step", "matrix", STR("[[1,2],[3,4]]"));
    report_add_detail(report, "step", "broken", STR("[1,"));
    report_add_detail(report, "step", "matrix", STR("[[5]]"));
    buffer_init(&json, 1 << 20);
    report_write_json(report, &json);
    CU_ASSERT(strstr(json.bytes, "\"step.matrix\":[[5]]") != NULL);
    CU_ASSERT(strstr(json.bytes, "broken") == NULL);
    CU_ASSERT(json_valid(buffer_str(&json)));
    buffer_free(&json);
    report_destroy(report);
}

int main(void)
{
    static const struct check checks[] = {
        {"the newest scores are seen by until", newest_scores_are_seen_by_until},
        {"counts add up and start over", counts_add_up_and_start_over},
        {"reasons fold digits", reasons_fold_digits_and_come_most_frequent_first},
        {"details that are no JSON are left out", details_that_are_no_json_are_left_out},
        {NULL, NULL},
    };
    return check_main("report", checks);
}
