/* SPDX-License-Identifier: Apache-2.0 */
/* Temperatures and slopes that are known beforehand, and what cannot be calibrated.
 * tests/recipes/calibrate_test.py compares with plain Python on recorded answers. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "calibrate");
}

static void calibrate(const char *options, const char *lines, int verdict,
                      struct stage_result *result)
{
    struct instance *instance = stage_host_open(&host, XY_ENHANCER, "calibrate", options);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, result);
    CU_ASSERT_EQUAL(result->verdict, verdict);
    instance_close(instance);
}

static void fails(const char *options, const char *lines, const char *why)
{
    struct stage_result result;
    calibrate(options, lines, XY_EINVAL, &result);
    CU_ASSERT(result.why && strstr(result.why, why) != NULL);
    if (result.why && !strstr(result.why, why))
        printf("\n    got %s\n", result.why);
    stage_result_free(&result);
}

static double score(const char *name)
{
    return stage_host_score(&host, name).value;
}

static bool near(double a, double b, double within)
{
    if (fabs(a - b) <= within)
        return true;
    printf("\n    got %.12g, expected %.12g\n", a, b);
    return false;
}

/* Says 0.9 and is right in 3 of 4: 9 to 1 must become 3 to 1, its square root. */
static void temperature_by_hand(void)
{
    start();
    const char *lines = "{\"gold\":\"a\",\"label\":\"a\",\"probabilities\":{\"a\":0.9,\"b\":0.1}}\n"
                        "{\"gold\":\"a\",\"label\":\"a\",\"probabilities\":{\"a\":0.9,\"b\":0.1}}\n"
                        "{\"gold\":\"b\",\"label\":\"b\",\"probabilities\":{\"b\":9,\"a\":1}}\n"
                        "{\"gold\":\"b\",\"label\":\"a\",\"probabilities\":{\"a\":0.9,\"b\":0.1}}\n"
                        "{\"label\":\"b\",\"probabilities\":{\"a\":0.8,\"b\":0.2}}\n"
                        "{\"probabilities\":{\"x\\\"\":0.1,\"y\":0.4,\"z\":0.4}}\n"
                        "{\"label\":\"a\"}\n{\"probabilities\":{\"a\":-1,\"b\":2}}\n";
    struct stage_result result;
    calibrate("{least_rows: 4}", lines, XY_OK, &result);
    CU_ASSERT(near(score("temperature"), 2, 1e-9));
    CHECK_TEXT(stage_text(result.records[0], "confidence"), "0.75");
    CU_ASSERT(near(stage_number(result.records[4], "confidence"), 1.0 / 3, 1e-9)); /* 4:1, 2:1 */
    /* 1 : 4 : 4 becomes 1 : 2 : 2. */
    CU_ASSERT(near(stage_number(result.records[5], "confidence"), 0.4, 1e-9));
    CU_ASSERT(strstr(stage_text(result.records[5], "probabilities"), "{\"x\\\"\":0.") != NULL);
    CHECK_TEXT(stage_text(result.records[6], "confidence"), "");
    CHECK_TEXT(stage_text(result.records[7], "probabilities"), "{\"a\":-1,\"b\":2}");
    CU_ASSERT(near(score("before_error"), 0.15, 1e-12));
    CU_ASSERT(near(score("after_error"), 0, 1e-9));
    CU_ASSERT(near(score("before_likelihood"), -(3 * log(0.9) + log(0.1)) / 4, 1e-12));
    CU_ASSERT(near(score("after_likelihood"), -(3 * log(0.75) + log(0.25)) / 4, 1e-9));
    CU_ASSERT(near(score("before_brier"), (3 * 0.02 + 1.62) / 4, 1e-12));
    CU_ASSERT_EQUAL(score("accuracy"), 0.75);
    CU_ASSERT_EQUAL(score("untouched"), 2);
    CU_ASSERT_EQUAL(score("crossed"), 1); /* the fifth */
    CU_ASSERT(isnan(score("held_out_error"))); /* too few rows */
    stage_result_free(&result);
    stage_host_free(&host);
}

/* 20,000 rows of three classes drawn from known odds, stated to the power `sharper`. */
static void planted_temperature(double sharper)
{
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    uint64_t random = 11;
    for (int i = 0; i < 20000; i++) {
        double p[3], q[3], sum = 0, stated = 0, draw = xy_random_unit(&random);
        for (int j = 0; j < 3; j++)
            sum += p[j] = exp(4 * xy_random_unit(&random) - 2);
        for (int j = 0; j < 3; j++)
            stated += q[j] = pow(p[j] / sum, sharper);
        char gold = draw < p[0] / sum ? 'a' : draw < (p[0] + p[1]) / sum ? 'b' : 'c';
        buffer_printf(&lines, "{\"probabilities\":{\"a\":%.17g,\"b\":%.17g,\"c\":%.17g}%s%c%s}\n",
                      q[0] / stated, q[1] / stated, q[2] / stated, ",\"gold\":\"", gold, "\"");
    }
    struct stage_result result;
    calibrate(NULL, lines.bytes, XY_OK, &result);
    /* The standard error of the temperature is about 1 % here. */
    CU_ASSERT(near(score("temperature"), sharper, 0.04 * sharper));
    CU_ASSERT(score("after_error") < 0.02);
    CU_ASSERT(score("held_out_error") < 0.02);
    CU_ASSERT(score("before_error") > 0.08);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void planted_temperatures(void)
{
    planted_temperature(3);   /* too sure */
    planted_temperature(0.4); /* not sure enough */
}

/* Two stated values and two parameters: the fit meets the mean target of each. 6 rows say 0.9 for
 * `yes`, 4 of them right; 4 say 0.2, 1 right. Targets are 6/7 for yes, 1/7 for no. */
static void platt_by_hand(void)
{
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (int i = 0; i < 10; i++) {
        bool high = i < 6, yes = i < 4 || i == 6;
        if (i % 2)
            buffer_printf(&lines, "{\"gold\":\"%s\",\"probabilities\":{\"no\":%s,\"yes\":%s}}\n",
                          yes ? "yes" : "no", high ? "0.1" : "0.8", high ? "0.9" : "0.2");
        else
            buffer_printf(&lines, "{\"gold\":\"%s\",\"probabilities\":{\"yes\":%s,\"no\":%s}}\n",
                          yes ? "yes" : "no", high ? "0.9" : "0.2", high ? "0.1" : "0.8");
    }
    struct stage_result result;
    calibrate("{method: platt}", lines.bytes, XY_OK, &result);
    double high = (4 * 6.0 / 7 + 2 / 7.0) / 6, low = (6.0 / 7 + 3 / 7.0) / 4;
    CU_ASSERT(near(stage_number(result.records[0], "confidence"), high, 1e-9));
    CU_ASSERT(near(stage_number(result.records[9], "confidence"), 1 - low, 1e-9));
    double slope = (log(high / (1 - high)) - log(low / (1 - low))) / (log(9) + log(4));
    CU_ASSERT(near(score("slope"), slope, 1e-9));
    stage_result_free(&result);
    stage_host_add_dataset(&host, "dev", lines.bytes);
    calibrate("{method: platt, dev: dev}", "{\"probabilities\":{\"no\":0.1,\"yes\":0.9}}\n", XY_OK,
              &result);
    CU_ASSERT(near(stage_number(result.records[0], "confidence"), high, 1e-9));
    stage_result_free(&result);
    fails("{method: platt, least_rows: 1}",
          "{\"gold\":\"a\",\"probabilities\":{\"a\":1,\"b\":1,\"c\":1}}\n",
          "`platt` is for two classes and a record has 3; take `temperature`");
    buffer_free(&lines);
    stage_host_free(&host);
}

/* A confidence is the probability that the label is right: 1 stated, right in 3 of 4. */
static void confidences(void)
{
    start();
    const char *lines = "{\"label\":\"a\",\"gold\":\"a\",\"confidence\":1}\n"
                        "{\"label\":2,\"gold\":2,\"confidence\":1}\n"
                        "{\"label\":\"a\",\"gold\":\"a\",\"confidence\":1}\n"
                        "{\"label\":\"a\",\"gold\":\"b\",\"confidence\":1}\n"
                        "{\"label\":\"a\",\"gold\":\"b\",\"confidence\":1.5}\n"
                        "{\"gold\":\"b\",\"confidence\":0.5}\n"
                        "{\"label\":\"a\",\"confidence\":0.5}\n";
    struct stage_result result;
    calibrate("{of: confidence, least_rows: 4, floor: 0.01}", lines, XY_OK, &result);
    CU_ASSERT(near(stage_number(result.records[0], "confidence"), 0.75, 1e-9));
    CU_ASSERT(near(stage_number(result.records[6], "confidence"), 0.5, 1e-9));
    CU_ASSERT_EQUAL(stage_number(result.records[4], "confidence"), 1.5);
    CU_ASSERT(near(score("before_error"), 0.25, 1e-12));
    CU_ASSERT_EQUAL(score("unusable"), 2);
    stage_result_free(&result);
    stage_host_free(&host);
}

static void little_to_fit_on(void)
{
    start();
    struct stage_result result;
    calibrate(NULL, "", XY_OK, &result);
    CU_ASSERT_EQUAL(result.count, 0);
    stage_result_free(&result);
    fails(NULL, "{\"probabilities\":{\"a\":1,\"b\":0}}\n",
          "only 0 of 1 records can be fitted on, with `gold` and `probabilities`");
    fails("{least_rows: 2}",
          "{\"gold\":\"z\",\"probabilities\":{\"a\":1,\"b\":0}}\n{\"gold\":\"a\"}\n",
          "(1 have gold and no probabilities to use, of 1 gold is none of the classes)");
    /* Right everywhere: the surer the better, so that the scale runs to its bound. */
    calibrate("{least_rows: 2}", "{\"gold\":\"a\",\"probabilities\":{\"a\":0.6,\"b\":0.4}}\n"
              "{\"gold\":\"b\",\"probabilities\":{\"a\":0.4,\"b\":0.6}}\n", XY_OK, &result);
    CU_ASSERT(strstr(host.log, "do not settle the scale") != NULL);
    CU_ASSERT(stage_number(result.records[0], "confidence") > 0.999);
    stage_result_free(&result);
    /* As likely everywhere: nothing to learn, and nothing changes. */
    calibrate("{least_rows: 2}", "{\"gold\":\"a\",\"probabilities\":{\"a\":0.5,\"b\":0.5}}\n"
              "{\"gold\":\"b\",\"probabilities\":{\"a\":0.5,\"b\":0.5}}\n", XY_OK, &result);
    CU_ASSERT_EQUAL(score("temperature"), 1);
    CU_ASSERT_EQUAL(stage_number(result.records[0], "confidence"), 0.5);
    stage_result_free(&result);
    /* One class only among the gold labels: Platt's targets stay short of 1. */
    calibrate("{method: platt, least_rows: 2}",
              "{\"gold\":\"a\",\"probabilities\":{\"a\":0.6,\"b\":0.4}}\n"
              "{\"gold\":\"a\",\"probabilities\":{\"a\":0.7,\"b\":0.3}}\n", XY_OK, &result);
    CU_ASSERT(near(stage_number(result.records[0], "confidence"), 0.75, 1e-6));
    stage_result_free(&result);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"a temperature by hand", temperature_by_hand},
        {"planted temperatures", planted_temperatures},
        {"Platt's method by hand", platt_by_hand},
        {"confidences", confidences},
        {"little to fit on", little_to_fit_on},
        {NULL, NULL},
    };
    return check_main("calibrate", checks);
}
