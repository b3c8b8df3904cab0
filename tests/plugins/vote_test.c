/* SPDX-License-Identifier: Apache-2.0 */
/* Votes by hand, and the majority and entropy of a recorded panel of six models on four tasks. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void count(const char *options, const char *lines, struct stage_result *result)
{
    struct instance *instance = stage_host_open(&host, XY_ENHANCER, "vote", options);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, result);
    CU_ASSERT_EQUAL(result->verdict, XY_OK);
    instance_close(instance);
}

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "vote");
}

static void samples_of_one_record(void)
{
    start();
    struct stage_result result;
    count(NULL,
          "{\"@parent\":5,\"label\":\"a\"}\n"   /* 0 */
          "{\"@parent\":6,\"label\":\"x\"}\n"   /* 1 */
          "{\"@parent\":5,\"label\":\"b\",\"why\":\"first\"}\n"
          "{\"@parent\":5,\"label\":\"b\",\"why\":\"second\"}\n"
          "{\"@parent\":6}\n"
          "{\"label\":\"alone\"}\n"
          "{\"@parent\":7}\n", &result);
    const int verdicts[] = {XY_DROP, XY_OK, XY_OK, XY_DROP, XY_DROP, XY_OK, XY_DROP};
    for (size_t i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], verdicts[i]);
    CHECK_TEXT(stage_text(result.records[2], "why"), "first");
    CU_ASSERT(fabs(stage_number(result.records[2], "vote_share") - 2.0 / 3) < 1e-12);
    CU_ASSERT_EQUAL(stage_number(result.records[2], "votes"), 3);
    /* H(1/3, 2/3) = log2(3) - 2/3 bits. */
    CU_ASSERT(fabs(stage_number(result.records[2], "vote_entropy") - (log2(3) - 2.0 / 3)) < 1e-12);
    CHECK_TEXT(result.reasons[0], "outvoted: \"b\" has 0.667 of 3 votes");
    CHECK_TEXT(result.reasons[3],
               "another record stands for its vote: \"b\" has 0.667 of 3 votes");
    CU_ASSERT_EQUAL(stage_number(result.records[1], "votes"), 1); /* its sibling did not vote */
    CU_ASSERT_EQUAL(stage_number(result.records[5], "vote_share"), 1);
    CHECK_TEXT(result.reasons[6], "no record of its group has a `label`");
    stage_result_free(&result);
    stage_host_free(&host);
}

static void ties_and_types(void)
{
    start();
    struct stage_result result;
    count("{by: q, keep: all, field: answer, share: sure}",
          "{\"q\":1,\"answer\":7}\n{\"q\":1,\"answer\":9}\n{\"q\":1,\"answer\":9}\n"
          "{\"q\":1,\"answer\":7}\n{\"q\":1}\n{\"answer\":true}\n{\"answer\":true}\n", &result);
    for (size_t i = 0; i < 5; i++) { /* the first of two with two votes each */
        xy_value value;
        CU_ASSERT_EQUAL(result.verdicts[i], XY_OK);
        CU_ASSERT_EQUAL(record_get(result.records[i], "answer", &value), XY_INT);
        CU_ASSERT_EQUAL(value.integer, 7);
        CU_ASSERT_EQUAL(stage_number(result.records[i], "sure"), 0.5);
        CU_ASSERT_EQUAL(stage_number(result.records[i], "vote_entropy"), 1);
    }
    CHECK_TEXT(stage_text(result.records[5], "answer"), "true");
    CU_ASSERT_EQUAL(stage_number(result.records[6], "votes"), 1); /* without `by`: alone */
    stage_result_free(&result);
    stage_host_free(&host);
}

static void weighted(void)
{
    start();
    struct stage_result result;
    count("{by: q, weight: p}",
          "{\"q\":1,\"label\":\"a\",\"p\":0.3}\n{\"q\":1,\"label\":\"b\",\"p\":0.9}\n"
          "{\"q\":1,\"label\":\"a\",\"p\":0.3}\n{\"q\":1,\"label\":\"a\",\"p\":-5}\n"
          "{\"q\":1,\"label\":\"a\"}\n{\"q\":2,\"label\":\"z\"}\n", &result);
    CU_ASSERT_EQUAL(result.verdicts[1], XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[0], XY_DROP);
    CU_ASSERT(fabs(stage_number(result.records[1], "vote_share") - 0.6) < 1e-12);
    CU_ASSERT_EQUAL(result.verdicts[5], XY_OK); /* a lone vote without weight still wins */
    CU_ASSERT_EQUAL(stage_number(result.records[5], "vote_share"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "the votes of 1 of 2 groups all count 0 by `p`"));
    stage_result_free(&result);
    count(NULL, "", &result);
    CU_ASSERT_EQUAL(result.count, 0);
    stage_result_free(&result);
    stage_host_free(&host);
}

static void fields_of_one_record(void)
{
    start();
    struct stage_result result;
    count("{fields: [a, b, c], abstain: [unknown, 'null'], keep: one}",
          "{\"@parent\":5,\"a\":\"x\",\"b\":\"y\",\"c\":\"y\"}\n"
          "{\"@parent\":5,\"a\":\"unknown\",\"b\":\"x\"}\n" /* its own group: not its sibling's */
          "{\"a\":3,\"b\":3,\"c\":3}\n"
          "{\"a\":\"unknown\",\"b\":\"null\"}\n", &result);
    const int verdicts[] = {XY_OK, XY_OK, XY_OK, XY_DROP};
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], verdicts[i]);
    CHECK_TEXT(stage_text(result.records[0], "label"), "y");
    CU_ASSERT(fabs(stage_number(result.records[0], "vote_share") - 2.0 / 3) < 1e-12);
    CU_ASSERT(fabs(stage_number(result.records[0], "vote_entropy") - (log2(3) - 2.0 / 3)) < 1e-12);
    CHECK_TEXT(stage_text(result.records[1], "label"), "x");
    CU_ASSERT_EQUAL(stage_number(result.records[1], "votes"), 1);
    xy_value value;
    CU_ASSERT_EQUAL(record_get(result.records[2], "label", &value), XY_INT);
    CHECK_TEXT(result.reasons[3], "no record of its group has a vote for `label`");
    /* Pairs: 1 of 3, none, 3 of 3. Unanimous: the second and the third of the three that voted. */
    CU_ASSERT(fabs(stage_host_score(&host, "pair_agreement").value - 4.0 / 6) < 1e-12);
    CU_ASSERT(fabs(stage_host_score(&host, "unanimous").value - 2.0 / 3) < 1e-12);
    CU_ASSERT(fabs(stage_host_score(&host, "mean_entropy").value - (log2(3) - 2.0 / 3) / 3) <
              1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "abstained").value, 5);
    CU_ASSERT_EQUAL(stage_host_score(&host, "undecided").value, 1);
    stage_result_free(&result);
    /* The same question to two records: their six votes count together. */
    count("{fields: [a, b, c], by: q, keep: all, field: answer}",
          "{\"q\":1,\"a\":\"x\",\"b\":\"y\",\"c\":\"y\"}\n"
          "{\"q\":1,\"a\":\"x\",\"b\":\"x\",\"c\":\"x\"}\n", &result);
    CHECK_TEXT(stage_text(result.records[0], "answer"), "x");
    CU_ASSERT_EQUAL(stage_number(result.records[1], "votes"), 6);
    CU_ASSERT(fabs(stage_host_score(&host, "pair_agreement").value - 7.0 / 15) < 1e-12);
    stage_result_free(&result);
    stage_host_free(&host);
}

/* ---- the recorded panel ---------------------------------------------------------------------- */

enum { ROOM = 8000 };

/* One record for each row and model of the panel, or, with `wide`, one for each row, with the
 * models' answers as its fields. */
static size_t make_samples(const char *lines, const struct value *panel, bool wide,
                           struct record **records)
{
    struct arena arena = {0};
    size_t made = 0;
    for (int64_t row = 0; *lines; row++) {
        size_t length = strcspn(lines, "\n");
        struct value value;
        struct error error;
        CU_ASSERT_EQUAL_FATAL(json_parse(&arena, (xy_str){lines, length}, &value, &error), 0);
        const struct value *answers = value_member(&value, STR("pred"));
        for (size_t m = 0; m < panel->list.count && made < ROOM; m++) {
            struct value number = value_int(row);
            xy_str model = panel->list.items[m].text;
            if (!wide || m == 0) {
                records[made] = record_create(made);
                record_set_tree(records[made], "row", &number);
                record_set_tree(records[made++], "gold", value_member(&value, STR("gold")));
            }
            const char *field = arena_copy(&arena, model.ptr, model.len);
            record_set_tree(records[made - 1], wide ? field : "label",
                            value_member(answers, model));
        }
        lines += length + (lines[length] == '\n');
    }
    arena_free(&arena);
    return made;
}

/* [n, right] at each level of entropy, as the reference has it, rounded to four digits. */
static void check_levels(const struct stage_result *result, const struct value *levels)
{
    for (size_t l = 0; l < levels->map.count; l++) {
        const struct member *level = &levels->map.members[l];
        char text[16];
        snprintf(text, sizeof(text), "%.*s", (int)level->key.len, level->key.ptr);
        double bits = strtod(text, NULL);
        int64_t n = 0, right = 0;
        for (size_t i = 0; i < result->count; i++) {
            if (result->verdicts[i] != XY_OK ||
                fabs(stage_number(result->records[i], "vote_entropy") - bits) > 6e-5)
                continue;
            char gold[64];
            snprintf(gold, sizeof(gold), "%s", stage_text(result->records[i], "gold"));
            n++;
            right += strcmp(stage_text(result->records[i], "label"), gold) == 0;
        }
        CU_ASSERT_EQUAL(n, level->value.list.items[0].integer);
        CU_ASSERT_EQUAL(right, level->value.list.items[1].integer);
    }
}

static void check_task(const struct member *task, bool wide)
{
    struct stage_host *files = &host;
    const char *path = arena_printf(&files->arena, "llm-annotations-css/%.*s.jsonl.gz",
                                    (int)task->key.len, task->key.ptr);
    const char *lines = stage_host_reference(files, path);
    CU_ASSERT_FATAL(lines != NULL);
    static struct record *records[ROOM];
    const struct value *panel = value_member(&task->value, STR("panel"));
    size_t made = make_samples(lines, panel, wide, records);
    const char *name = arena_printf(&files->arena, "%d %.*s", wide, (int)task->key.len,
                                    task->key.ptr);
    stage_host_add_records(files, name, records, made);
    const char *options = "{by: row}";
    for (size_t m = 0; wide && m < panel->list.count; m++)
        options = arena_printf(&files->arena, "%s%s%.*s", m ? options : "{fields: [",
                               m ? ", " : "", (int)panel->list.items[m].text.len,
                               panel->list.items[m].text.ptr);
    if (wide)
        options = arena_printf(&files->arena, "%s]}", options);
    struct instance *vote = stage_host_open(files, XY_ENHANCER, "vote", options);
    CU_ASSERT_FATAL(vote != NULL);
    struct stage_result result;
    stage_host_run_dataset(files, vote, name, &result);
    int64_t kept = 0, right = 0;
    for (size_t i = 0; i < result.count; i++) {
        if (result.verdicts[i] != XY_OK)
            continue;
        char gold[64];
        snprintf(gold, sizeof(gold), "%s", stage_text(result.records[i], "gold"));
        kept++;
        right += strcmp(stage_text(result.records[i], "label"), gold) == 0;
    }
    CU_ASSERT_EQUAL(kept, value_member(&task->value, STR("n"))->integer);
    CU_ASSERT_EQUAL(right, value_member(&task->value, STR("majority_vote_correct"))->integer);
    check_levels(&result, value_member(&task->value, STR("by_entropy_bits(n,correct)")));
    stage_result_free(&result);
    instance_close(vote);
    for (size_t i = 0; i < made; i++)
        record_destroy(records[i]);
}

static void recorded_panel(void)
{
    start();
    const char *reference = stage_host_reference(&host, "reference-values.json");
    struct value values;
    struct error error;
    if (reference) {
        CU_ASSERT_EQUAL_FATAL(json_parse(&host.arena, str_of(reference), &values, &error), 0);
        const struct value *tasks = value_member(&values, STR("llm-annotations-css"));
        CU_ASSERT_EQUAL(tasks->map.count, 4);
        for (size_t t = 0; t < tasks->map.count; t++)
            check_task(&tasks->map.members[t], false);
        for (size_t t = 0; t < tasks->map.count; t++)
            check_task(&tasks->map.members[t], true);
    }
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"samples of one record", samples_of_one_record},
        {"ties and types", ties_and_types},
        {"weighted", weighted},
        {"fields of one record", fields_of_one_record},
        {"a recorded panel", recorded_panel},
        {NULL, NULL},
    };
    return check_main("vote", checks);
}
