/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of records by their influence, and bad input. The influence itself beside training
 * anew: recipes/influence_test.py. */
#include <math.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

enum { COUNT = 40 };

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "influence");
}

/* Two clouds; record 4 is labelled as the other cloud. One more without a label. */
static void make_rows(struct buffer *lines)
{
    uint64_t state = 1;
    buffer_init(lines, SIZE_MAX);
    for (size_t i = 0; i < COUNT; i++)
        buffer_printf(lines, "{\"x\":%.4f,\"#v\":[%.4f],\"label\":\"%s\"}\n",
                      (double)(i % 2) + xy_random_unit(&state), (double)(i % 2),
                      (i % 2) ^ (i == 4) ? "up" : "down");
    buffer_printf(lines, "{\"x\":0.5,\"#v\":[0.5]}\n");
}

static void run(const char *options, const char *lines, struct stage_result *result)
{
    stage_host_run_filter(&host, "influence", options, lines, result);
}

static void the_most_harmful_goes(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    make_rows(&lines);
    run("{features: [x], share: 0.025}", lines.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i <= COUNT; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], i == 4 ? XY_DROP : XY_OK);
    CU_ASSERT(result.reasons[4] && strstr(result.reasons[4], "place 1 of 40; 1 go"));
    CU_ASSERT(stage_number(result.records[4], "influence") > 0);
    CU_ASSERT(isnan(stage_number(result.records[COUNT], "influence")));
    CU_ASSERT_EQUAL(stage_host_score(&host, "unjudged").value, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "1 of 41 records were let through"));
    stage_result_free(&result);
    /* However great the share, what does no harm stays. */
    run("{features: [x], share: 1}", lines.bytes, &result);
    for (size_t i = 0; i < COUNT; i++) {
        bool harms = stage_number(result.records[i], "influence") > 0;
        CU_ASSERT_EQUAL(result.verdicts[i], harms ? XY_DROP : XY_OK);
    }
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void weights_follow_influence(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    double low = INFINITY, high = -INFINITY;
    make_rows(&lines);
    run("{vector: v, action: weigh, strength: 4, into: i}", lines.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < COUNT; i++) {
        low = fmin(low, stage_number(result.records[i], "i"));
        high = fmax(high, stage_number(result.records[i], "i"));
    }
    for (size_t i = 0; i < COUNT; i++) {
        double influence = stage_number(result.records[i], "i");
        double expected = 2 / (1 + exp(4 * influence / (high - low)));
        CU_ASSERT_DOUBLE_EQUAL(result.records[i]->base.api->weight(&result.records[i]->base),
                               expected, 1e-9);
        CU_ASSERT_EQUAL(result.verdicts[i], XY_OK);
    }
    CU_ASSERT_EQUAL(result.records[COUNT]->base.api->weight(&result.records[COUNT]->base), 1);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void check_refusal(const char *options, const char *lines, const char *why)
{
    stage_host_check_refusal(&host, "influence", options, lines, why);
}

static void refuses(void)
{
    start();
    struct stage_result result;
    static const char two[] = "{\"x\":1,\"#v\":[1],\"label\":\"a\"}\n"
                              "{\"x\":2,\"#v\":[2],\"label\":\"b\"}\n";
    stage_host_add_dataset(&host, "wide", "{\"#v\":[1,2],\"label\":\"a\"}\n");
    stage_host_add_dataset(&host, "bare", "{\"#v\":[1]}\n");
    check_refusal("{features: [x]}", "{\"x\":1,\"label\":\"a\"}\n{\"x\":2,\"label\":\"a\"}\n",
                  "have the label `a`");
    check_refusal("{vector: v, validation: wide}", two,
                  "the vectors of the records have 1 dimensions, those of `validation` 2");
    check_refusal("{features: [x]}", "{\"x\":1,\"label\":\"a\",\"@weight\":0}\n"
                  "{\"x\":2,\"label\":\"b\",\"@weight\":0}\n", "have the weight 0");
    check_refusal("{vector: v, validation: bare}", two, "there is nothing to measure on");
    stage_host_add_dataset(&host, "half", "{\"x\":1,\"label\":\"a\"}\n");
    run("{features: [x], validation: half}", two, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`validation` has no row of the label `b`"));
    CU_ASSERT_PTR_NULL(strstr(host.log, "no row of the label `a`"));
    stage_result_free(&result);
    run("{features: [x]}", "", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    stage_result_free(&result);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "influence", "{}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "influence",
                                       "{vector: v, features: [x]}"));
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"the most harmful goes", the_most_harmful_goes},
        {"weights follow influence", weights_follow_influence},
        {"what it refuses", refuses},
        {0},
    };
    return check_main("influence", checks);
}
