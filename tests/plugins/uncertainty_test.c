/* SPDX-License-Identifier: Apache-2.0 */
/* Confidence, margin and entropy of probabilities whose figures are known. */
#include <math.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

static void run(const char *options, const char *json)
{
    struct instance *stage = stage_host_open(&host, XY_ENHANCER, "uncertainty", options);
    CU_ASSERT_FATAL(stage != NULL);
    stage_host_process(&host, stage, json, &result);
    instance_close(stage);
}

static void check(const char *options, const char *json, double confidence, double margin,
                  double entropy, double label)
{
    run(options, json);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    const struct record *record = result.input;
    CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "uncertainty_confidence"), confidence, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "uncertainty_margin"), margin, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "uncertainty_entropy"), entropy, 1e-7);
    if (isnan(label))
        CU_ASSERT(isnan(stage_number(record, "uncertainty_label")));
    if (!isnan(label))
        CU_ASSERT_DOUBLE_EQUAL(stage_number(record, "uncertainty_label"), label, 1e-7);
    stage_result_free(&result);
}

static void known_figures(void)
{
    check("{}", "{\"scores_probabilities\":{\"a\":0.5,\"b\":0.25,\"c\":0.25}}", 0.5, 0.25,
          1.5 * log(2), NAN);
    check("{probabilities: p, normalised: true}", "{\"p\":{\"a\":0.5,\"b\":0.25,\"c\":0.25}}", 0.5,
          0.25, 1.5 * log(2) / log(3), NAN);
    check("{probabilities: p}", "{\"p\":[0,1]}", 1, 1, 0, NAN);
    check("{probabilities: v}", "{\"#v\":[0.25,0.25,0.25,0.25]}", 0.25, 0, log(4), NAN);
    check("{probabilities: p}", "{\"p\":[2,6]}", 0.75, 0.5, -0.25 * log(0.25) - 0.75 * log(0.75),
          NAN);
    check("{probabilities: p, normalised: true}", "{\"p\":[0.3]}", 1, 1, 0, NAN);
    check("{probabilities: p, label: l}", "{\"l\":\"na\\u00efve \\\"b\\\"\",\"p\":{\"a\":0.9,"
          "\"na\\u00efve \\\"b\\\"\":0.1}}", 0.9, 0.8, -0.1 * log(0.1) - 0.9 * log(0.9), 0.1);
    check("{probabilities: p, label: l}", "{\"l\":2,\"p\":{\"1\":0.5,\"2\":0.5}}", 0.5, 0, log(2),
          0.5);
    check("{probabilities: p, label: l}", "{\"l\":\"other\",\"p\":{\"a\":1}}", 1, 1, 0, 0);
}

static void no_probabilities(void)
{
    static const char *const bad[] = {"{}", "[]", "[0,0]", "[0.5,-0.1]", "{\"a\":null}",
                                      "{\"a\":\"0.5\"}", "0.5", "\"high\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char line[80];
        snprintf(line, sizeof(line), "{\"p\":%s}", bad[i]);
        run("{probabilities: p}", line);
        CU_ASSERT_EQUAL(result.verdict, XY_DROP);
        CU_ASSERT(result.why && strstr(result.why, "`p` holds no probabilities"));
        stage_result_free(&result);
    }
    run("{}", "{}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "there is no field `scores_probabilities`: `probabilities` names the "
                           "one to read");
    stage_result_free(&result);
}

int main(void)
{
    static const struct check checks[] = {
        {"known figures", known_figures},
        {"no probabilities", no_probabilities},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "uncertainty");
    int failed = check_main("uncertainty", checks);
    stage_host_free(&host);
    return failed;
}
