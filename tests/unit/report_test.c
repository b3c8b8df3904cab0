/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json.h"
#include "report.h"
#include "report_reasons.h"

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
    CU_ASSERT_EQUAL(report_most_rejected(report).count, 0);
    report_add_reason(report, "exact", "a duplicate");
    report_add_reason(report, "length", "12 words, at least 20 are wanted");
    report_add_reason(report, "length", "no text");
    report_add_reason(report, "length", "9 words, at least 20 are wanted");
    struct report_rejection most = report_most_rejected(report);
    CHECK_TEXT(most.step, "length");
    CHECK_TEXT(most.why, "# words, at least # are wanted");
    CU_ASSERT_EQUAL(most.count, 2);
    buffer_init(&json, 1 << 20);
    report_write_json(report, &json);
    CU_ASSERT_EQUAL_FATAL(json_parse(&arena, buffer_str(&json), &value, &error), 0);
    const struct value *steps = value_member(&value, STR("steps"));
    const struct value *reasons = value_member(&steps->list.items[1], STR("reasons"));
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

static struct report_field *field_of(const struct report_changes *changes, const char *name)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (strcmp(changes->fields[i].name, name) == 0)
            return &changes->fields[i];
    }
    return NULL;
}

static void set(struct record *record, const char *field, const char *text)
{
    xy_value value = {.type = text ? XY_TEXT : XY_NULL, .text = str_of(text)};
    CU_ASSERT_EQUAL(record_set(record, field, &value), XY_OK);
}

static void changes_are_what_a_step_did(void)
{
    struct record *record = record_create(1);
    struct report_changes source = {0}, step = {0};
    set(record, "gone", "x");
    set(record, "label", "good");
    set(record, "text", "a");
    report_take_changes(&source, record);
    CU_ASSERT_EQUAL(source.count, 3);
    CU_ASSERT_EQUAL(source.records, 0);
    /* The mark of `label` moves as the field before it is taken away. `text` gets what it had;
     * `score` is set and corrected at once. */
    set(record, "label", "bad");
    set(record, "gone", NULL);
    set(record, "text", "a");
    set(record, "score", "1");
    set(record, "score", "2");
    record->base.api->set_weight(&record->base, 1);
    report_take_changes(&step, record);
    CU_ASSERT_EQUAL_FATAL(step.count, 2);
    CU_ASSERT_EQUAL(field_of(&step, "label")->changed, 1);
    CU_ASSERT_EQUAL(field_of(&step, "label")->added, 0);
    CU_ASSERT_EQUAL(field_of(&step, "score")->added, 1);
    CU_ASSERT_EQUAL(field_of(&step, "score")->changed, 0);
    CU_ASSERT_EQUAL(step.records, 1);
    CU_ASSERT_EQUAL(step.weights, 0);
    /* The marks are gone; a new weight is a change without a field. */
    record->base.api->set_weight(&record->base, 2);
    report_take_changes(&step, record);
    CU_ASSERT_EQUAL(field_of(&step, "label")->changed, 1);
    CU_ASSERT_EQUAL(step.records, 2);
    CU_ASSERT_EQUAL(step.weights, 1);
    free(source.fields);
    free(step.fields);
    record_destroy(record);
}

static void fields_beyond_the_marks_are_not_counted(void)
{
    struct record *record = record_create(1);
    struct report_changes changes = {0};
    char name[16];
    for (int i = 0; i < 70; i++) {
        snprintf(name, sizeof(name), "mark_%02d", i);
        set(record, name, "x");
    }
    report_take_changes(&changes, record);
    CU_ASSERT_EQUAL(changes.count, 64);
    set(record, "mark_69", "y");
    set(record, "mark_00", NULL); /* moves the 65th among those that have marks */
    set(record, "mark_64", "y");
    report_take_changes(&changes, record);
    CU_ASSERT_EQUAL(changes.count, 65);
    CU_ASSERT_EQUAL(field_of(&changes, "mark_64")->changed, 1);
    CU_ASSERT_PTR_NULL(field_of(&changes, "mark_69"));
    free(changes.fields);
    record_destroy(record);
}

static void ids_in_reasons_are_one(void)
{
    char folded[REASON_LENGTH];
    report_reason_fold("equals 5c0b33a9e6415c22 (12 bytes)", folded);
    CHECK_TEXT(folded, "equals # (# bytes)");
    report_reason_fold("equals deadbeefdeadbeef", folded);
    CHECK_TEXT(folded, "equals #");
    /* Too long, too short, or within a word: no id. */
    report_reason_fold("deadbeefdeadbeefd deadbeef xdeadbeefdeadbeef", folded);
    CHECK_TEXT(folded, "deadbeefdeadbeefd deadbeef xdeadbeefdeadbeef");
    /* Cut before the character that does not fit: 118 letters leave one byte for two. */
    char text[125] = {0};
    memset(text, 'a', 118);
    memcpy(text + 118, "\xc3\xa9z", 3);
    report_reason_fold(text, folded);
    CU_ASSERT_EQUAL(strlen(folded), 118);
}

int main(void)
{
    static const struct check checks[] = {
        {"the newest scores are seen by until", newest_scores_are_seen_by_until},
        {"counts add up and start over", counts_add_up_and_start_over},
        {"reasons fold digits", reasons_fold_digits_and_come_most_frequent_first},
        {"changes are what a step did", changes_are_what_a_step_did},
        {"fields beyond the marks are not counted", fields_beyond_the_marks_are_not_counted},
        {"ids in reasons are one", ids_in_reasons_are_one},
        {"details that are no JSON are left out", details_that_are_no_json_are_left_out},
        {NULL, NULL},
    };
    return check_main("report", checks);
}
