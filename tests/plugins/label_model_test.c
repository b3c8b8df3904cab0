/* SPDX-License-Identifier: Apache-2.0 */
/* Label models: the worked example of Dawid and Skene (1979), ties, types, and what makes no sense.
 * tests/recipes/label_model_test.py compares with plain Python, on drawn and on recorded votes. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "label_model");
}

static void label(const char *options, const char *lines, int verdict, struct stage_result *result)
{
    struct instance *instance = stage_host_open(&host, XY_ENHANCER, "label_model", options);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, result);
    CU_ASSERT_EQUAL(result->verdict, verdict);
    instance_close(instance);
}

static void refuses(const char *options, const char *why)
{
    struct instance *instance = stage_host_open(&host, XY_ENHANCER, "label_model", options);
    CU_ASSERT_PTR_NULL(instance);
    if (instance)
        instance_close(instance);
    CU_ASSERT(strstr(host.error.text, why) != NULL);
}

static void fails(const char *options, const char *lines, const char *why)
{
    struct stage_result result;
    label(options, lines, XY_EINVAL, &result);
    CHECK_TEXT(result.why, why);
    stage_result_free(&result);
}

static double probability(const struct record *record, const char *name)
{
    xy_value value;
    struct value json;
    struct error error;
    if (record_get(record, "probabilities", &value) != XY_JSON ||
        json_parse(&host.arena, value.text, &json, &error) < 0)
        return NAN;
    const struct value *member = value_member(&json, str_of(name));
    return !member ? NAN : member->type == VALUE_INT ? (double)member->integer : member->number;
}

/* Table 1 of the paper: 45 patients; the first observer saw each three times, four others once. */
static const char *const patients[] = {
    "1111111", "3334334", "1122122", "2223121", "2223222", "2223322", "1222111", "3333433",
    "2222223", "2322223", "4444444", "2223343", "1111111", "2223212", "1211111", "1112111",
    "1111111", "1111111", "2222221", "2221322", "2222222", "2222221", "2223222", "2212222",
    "1111111", "1111111", "2322222", "1111111", "1111111", "1121121", "1111111", "3333233",
    "1111111", "2222222", "2223232", "4334343", "2212232", "2323233", "3333432", "1111111",
    "1111111", "1212111", "2322222", "1211111", "2222222",
};

static void worked_example(void)
{
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (int p = 0; p < 45; p++)
        for (int v = 0; v < 7; v++)
            buffer_printf(&lines, "{\"patient\":%d,\"observer\":%d,\"class\":%c}\n", p,
                          v < 3 ? 1 : v - 1, patients[p][v]);
    struct stage_result result;
    label("{field: class, by: patient, annotator: observer, smoothing: 0, iterations: 10000, "
          "tolerance: 1e-9}", lines.bytes, XY_OK, &result);
    double shares[5] = {0}, kept = 0;
    for (size_t i = 0; i < result.count; i++) {
        kept += result.verdicts[i] == XY_OK;
        for (int c = 1; c <= 4 && result.verdicts[i] == XY_OK; c++)
            shares[c] += probability(result.records[i], (char[]){(char)('0' + c), '\0'}) / 45;
    }
    CU_ASSERT_EQUAL(kept, 45);
    /* The paper prints the shares of the classes with two digits. */
    const double printed[] = {0.40, 0.42, 0.11, 0.07};
    for (int c = 0; c < 4; c++)
        if (fabs(shares[c + 1] - printed[c]) > 0.005) {
            printf("\n    class %d: %.4f, in the paper %.2f\n", c + 1, shares[c + 1], printed[c]);
            CU_FAIL("another share than in the paper");
        }
    xy_value value;
    CU_ASSERT_EQUAL(record_get(result.records[0], "class", &value), XY_INT); /* the type stays */
    CU_ASSERT_EQUAL(stage_host_score(&host, "annotators").value, 5);
    CU_ASSERT_EQUAL(stage_host_score(&host, "converged").value, 1);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void majority_and_ties(void)
{
    start();
    struct stage_result result;
    label("{method: majority, fields: [a, b, c, d], abstain: [unknown], keep: all}",
          "{\"a\":\"x\",\"b\":\"y\",\"c\":\"y\",\"d\":\"unknown\"}\n"
          "{\"a\":\"y\",\"b\":\"x\"}\n" /* a tie: what is said first */
          "{\"a\":\"unknown\"}\n", XY_OK, &result);
    CHECK_TEXT(stage_text(result.records[0], "label"), "y");
    CU_ASSERT(fabs(stage_number(result.records[0], "confidence") - 2.0 / 3) < 1e-12);
    CU_ASSERT(fabs(probability(result.records[0], "x") - 1.0 / 3) < 1e-12);
    CHECK_TEXT(stage_text(result.records[1], "label"), "y");
    CU_ASSERT_EQUAL(stage_number(result.records[1], "confidence"), 0.5);
    CHECK_TEXT(stage_text(result.records[2], "label"), "");
    CU_ASSERT_EQUAL(stage_host_score(&host, "undecided").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "abstained").value, 7);
    CU_ASSERT_EQUAL(stage_host_score(&host, "changed").value, 0);
    stage_result_free(&result);
    stage_host_free(&host);
}

static void weights(void)
{
    start();
    struct stage_result result;
    label("{method: weighted, weights: {a: 3, b: 1, c: 1}, fields: [a, b, c]}",
          "{\"a\":\"x\",\"b\":\"y\",\"c\":\"y\"}\n", XY_OK, &result);
    CHECK_TEXT(stage_text(result.records[0], "label"), "x");
    CU_ASSERT(fabs(stage_number(result.records[0], "confidence") - 0.6) < 1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "changed").value, 1);
    stage_result_free(&result);
    /* On gold `a` is right in 3 of 3, `b` in 2 of 3, `c` in none: log-odds of 4/5, 3/5 and 1/5, the
     * last below 0 and so 0. */
    label("{method: weighted, gold: gold, fields: [a, b, c]}",
          "{\"a\":\"x\",\"b\":\"x\",\"c\":\"y\",\"gold\":\"x\"}\n"
          "{\"a\":\"y\",\"b\":\"y\",\"c\":\"x\",\"gold\":\"y\"}\n"
          "{\"a\":\"y\",\"b\":\"x\",\"c\":\"x\",\"gold\":\"y\"}\n"
          "{\"a\":\"x\",\"b\":\"y\",\"c\":\"y\"}\n", XY_OK, &result);
    CHECK_TEXT(stage_text(result.records[3], "label"), "x");
    CU_ASSERT(fabs(stage_number(result.records[3], "confidence") - log(4) / (log(4) + log(1.5))) <
              1e-12);
    stage_result_free(&result);
    fails("{method: weighted, gold: gold, fields: [a, b]}", "{\"a\":\"x\",\"b\":\"y\"}\n",
          "no item with a gold label has a vote: there is nothing to weigh the annotators by");
    fails("{method: weighted, gold: gold, fields: [a, b]}",
          "{\"a\":\"x\",\"b\":\"x\",\"gold\":\"y\"}\n",
          "no annotator is better than chance on the items with gold labels: all weights are 0");
    fails("{method: weighted, weights: {a: 1}, fields: [a, b]}", "{\"a\":\"x\"}\n",
          "`weights` has no weight for the annotator `b`");
    stage_host_free(&host);
}

static void one_record_for_each_vote(void)
{
    start();
    struct stage_result result;
    label("{method: majority, annotator: who}",
          "{\"@parent\":5,\"who\":\"a\",\"label\":\"x\"}\n{\"@parent\":6,\"who\":\"a\"}\n"
          "{\"@parent\":5,\"who\":\"b\",\"label\":\"y\"}\n"
          "{\"@parent\":5,\"who\":\"c\",\"label\":\"y\",\"why\":\"second\"}\n", XY_OK, &result);
    const int verdicts[] = {XY_DROP, XY_DROP, XY_OK, XY_DROP};
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], verdicts[i]);
    CHECK_TEXT(result.reasons[0], "another record stands for its item, which is \"y\"");
    CHECK_TEXT(result.reasons[1], "no annotator has a vote for it");
    stage_result_free(&result);
    fails("{annotator: who}", "{\"label\":\"x\"}\n",
          "record 0 has a vote and no `who` to say whose it is");
    fails("{annotator: who, by: q, gold: gold}",
          "{\"q\":1,\"who\":1,\"label\":\"x\",\"gold\":\"x\"}\n"
          "{\"q\":1,\"who\":2,\"label\":\"x\",\"gold\":\"y\"}\n",
          "one item has two labels in `gold`: `x` and `y`");
    stage_host_free(&host);
}

static void little_to_learn_from(void)
{
    start();
    struct stage_result result;
    label("{fields: [a, b, c]}", "", XY_OK, &result);
    CU_ASSERT_EQUAL(result.count, 0);
    stage_result_free(&result);
    label("{fields: [a, b, c]}", "{\"a\":\"\"}\n{}\n", XY_OK, &result);
    CU_ASSERT_EQUAL(result.verdicts[0], XY_DROP);
    CU_ASSERT(strstr(host.log, "no item has a vote: nothing is labelled") != NULL);
    stage_result_free(&result);
    /* Only one voted: there is nothing to learn, and its votes stand. */
    label("{fields: [a, b, c]}", "{\"a\":\"x\"}\n{\"a\":\"y\"}\n", XY_OK, &result);
    CHECK_TEXT(stage_text(result.records[1], "label"), "y");
    CU_ASSERT(strstr(host.log, "only 1 of the annotators voted") != NULL);
    stage_result_free(&result);
    /* A class that nobody votes for has a probability, and a small one; without smoothing none. */
    label("{fields: [a, b, c], labels: [x, y, z]}",
          "{\"a\":\"x\",\"b\":\"x\",\"c\":\"x\"}\n{\"a\":\"y\",\"b\":\"y\",\"c\":\"y\"}\n", XY_OK,
          &result);
    double seldom = probability(result.records[0], "z");
    CU_ASSERT(seldom > 0 && seldom < 0.01);
    stage_result_free(&result);
    label("{fields: [a, b, c], labels: [x, y, z], smoothing: 0}",
          "{\"a\":\"x\",\"b\":\"x\",\"c\":\"x\"}\n{\"a\":\"y\",\"b\":\"y\",\"c\":\"y\"}\n", XY_OK,
          &result);
    CU_ASSERT_EQUAL(probability(result.records[0], "z"), 0);
    CU_ASSERT_EQUAL(stage_number(result.records[0], "confidence"), 1);
    stage_result_free(&result);
    /* One class only: it is certain. */
    label("{fields: [a, b, c], method: one_coin}", "{\"a\":\"x\",\"b\":\"x\"}\n", XY_OK, &result);
    CU_ASSERT_EQUAL(stage_number(result.records[0], "confidence"), 1);
    stage_result_free(&result);
    /* Functions that say one label or abstain: their votes tell something only to `one_coin`. */
    label("{fields: [a, b, c]}", "{\"a\":\"x\"}\n{\"b\":\"y\"}\n{\"a\":\"x\",\"c\":\"y\"}\n",
          XY_OK, &result);
    CU_ASSERT(strstr(host.log, "3 of the annotators, such as `a`, say one label") != NULL);
    stage_result_free(&result);
    label("{fields: [a, b, c], iterations: 1}",
          "{\"a\":\"x\",\"b\":\"y\",\"c\":\"x\"}\n{\"a\":\"y\",\"b\":\"y\",\"c\":\"x\"}\n", XY_OK,
          &result);
    CU_ASSERT(strstr(host.log, "not converged after 1 iterations") != NULL);
    CU_ASSERT_EQUAL(stage_host_score(&host, "converged").value, 0);
    stage_result_free(&result);
    stage_host_free(&host);
}

static void options_without_sense(void)
{
    start();
    refuses("{}", "who votes? Give `fields`");
    refuses("{fields: [a]}", "`fields` names one annotator");
    refuses("{fields: [a, a]}", "`a` stands twice in `fields`");
    refuses("{fields: [a, b], annotator: who}", "`fields` and `annotator`");
    refuses("{fields: [a, b], method: weighted}", "`weighted` needs `weights`, or `gold`");
    refuses("{fields: [a, b], weights: {a: 1, b: 1}}", "`weights` go with `method: weighted`");
    refuses("{fields: [a, b], method: weighted, weights: {a: 0, b: 0}}", "all `weights` are 0");
    refuses("{fields: [a, b], method: weighted, weights: {a: -1}}", "the weight of `a` is -1");
    refuses("{fields: [a, b], method: weighted, weights: [1, 2]}", "`weights` is no map");
    refuses("{fields: [a, b], method: majority, gold: gold}", "`gold` teaches nothing");
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"the worked example of the paper", worked_example},
        {"majority and ties", majority_and_ties},
        {"weights", weights},
        {"one record for each vote", one_record_for_each_vote},
        {"little to learn from", little_to_learn_from},
        {"options without sense", options_without_sense},
        {NULL, NULL},
    };
    return check_main("label_model", checks);
}
