/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance kit against plugins that break one rule each (tests/abi/misbehaving_*.c): each is
 * caught under the name of its rule. And against plugins that break none. */
#include "conformance_trial.h"

#include <stdlib.h>

#include "check.h"

#define ABI TEST_BUILD_DIR "/tests/abi/"

/* Does the first line that tells of a broken rule name `rule`, and then `text`? */
static bool names_rule(const char *report, const char *rule, const char *text)
{
    const char *line = strstr(report, "FAIL");
    const char *end = line ? strchr(line, '\n') : NULL;
    const char *found_rule = line ? strstr(line, rule) : NULL;
    const char *found_text = line ? strstr(line, text) : NULL;
    return end && found_rule && found_rule < end && found_text && found_text < end;
}

/* `rule` and `text` of the first broken rule, or NULL for none. */
static void check_plugin(const char *path, const char *rule, const char *text)
{
    struct buffer report;
    buffer_init(&report, 1 << 20);
    /* A plugin that never answers is waited for; one that answers does so at once. */
    uint32_t patience = rule ? 1000 : KIT_JOB_MS;
    int broken = conformance_run_within(path, false, patience, &report);
    bool right = rule ? broken > 0 && names_rule(report.bytes, rule, text)
                      : broken == 0 && !strstr(report.bytes, "not tried");
    CU_ASSERT(right);
    if (!right)
        printf("\n    %s: expected %s: %s, got %d:\n%s", path, rule ? rule : "nothing",
               text ? text : "", broken, report.bytes);
    buffer_free(&report);
}

static void test_misbehaving(void)
{
    static const struct {
        const char *name, *rule, *text;
    } cases[] = {
        {"finishes_twice", "a plain record", "finish() was called 2 times"},
        {"never_finishes", "a plain record", "the job was never finished"},
        {"finishes_and_answers", "a plain record", "called finish() and also answered 0"},
        {"bad_verdict", "a plain record", "a verdict that does not exist"},
        {"drops_silently", "a plain record", "XY_DROP without a reason"},
        {"crashes_on_missing_field", "a record without fields", "it crashed: Segmentation fault"},
        {"crashes_on_huge", "huge texts", "it crashed: Aborted"},
        {"assumes_a_service", "missing services", "it crashed"},
        {"hangs", "empty texts", "it hangs"},
        {"not_repeatable", "the same again", "gave two results"},
        {"refuses_longer", "longer structs", "could be opened before"},
        {"no_help", "options", "option `number` has no help"},
        {"forgets_a_call", "a plain record", "a model call was still out"},
        {"forgets_cancelled_jobs", "cancel", "the job was never finished"},
        {"waits_on_the_loop", "a plain record", "was called on the loop"},
        {"changes_what_it_evaluates", "a plain record", "an evaluator changed a record"},
        {"endless_source_of_nothing", "a plain record", "a source answered XY_OK"},
        {"completes_at_once", "a plain record", "from inside submit()"},
        {"completes_twice", "a plain record", "complete() was called 2 times"},
        {"loses_calls", "a plain record", "a call was never completed"},
        {"miscounts_scores", "a plain record", "2 candidates gave 1 scores"},
        {"unsure_learner", "a plain record", "sum to 1.5, not to 1"},
        {"deaf_format", "a plain record", "3 records were written, and 9 read back"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), ABI "misbehaving_%s.so", cases[i].name);
        check_plugin(path, cases[i].rule, cases[i].text);
    }
}

static void test_behaving(void)
{
    static const char *const kinds[] = {"generator", "condition", "filter", "enhancer", "evaluator",
                                        "learner", "format"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), ABI "template_%s.so", kinds[i]);
        check_plugin(path, NULL, NULL);
    }
    check_plugin(ABI "stutter.so", NULL, NULL);
    check_plugin(ABI "keeps_a_file.so", NULL, NULL);
    check_plugin(ABI "longer.so", NULL, NULL);
    check_plugin(ABI "shorter.so", "options", "has no help"); /* it knows no such member */
}

static void test_report(void)
{
    struct buffer report;
    buffer_init(&report, 1 << 20);
    CU_ASSERT(conformance_run(ABI "no_entry.so", false, &report) < 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.bytes, "exports no xy_plugin_v1()"));
    buffer_clear(&report);
    CU_ASSERT_EQUAL(conformance_run(ABI "template_filter.so", true, &report), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.bytes, "ok    filter `my_plugin`: huge texts\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.bytes, "ok    filter `my_plugin`: cancel\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.bytes, "my_plugin 0.1.0: 1 stage, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.bytes, " 0 broken\n"));
    CU_ASSERT_PTR_NULL(strstr(report.bytes, "note"));
    buffer_free(&report);
}

int main(void)
{
    return check_main("conformance", (const struct check[]){
        {"plugins that keep the rules", test_behaving},
        {"the report", test_report},
        {"plugins that break one rule", test_misbehaving},
        {NULL, NULL},
    });
}
