/* SPDX-License-Identifier: Apache-2.0 */
/* A joint counted by hand, a learner in cross-validation, and bad input. The methods beside
 * cleanlab: recipes/confident_learning_test.py. */
#include <math.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "confident_learning");
    stage_host_load(&host, "linear");
}

static void run(const char *options, const char *lines, struct stage_result *result)
{
    stage_host_run_filter(&host, "confident_learning", options, lines, result);
}

/* Five of "a", of which the last is "b" by its probabilities; five of "b". Thresholds are 0.74 and
 * 0.8, so that the joint is [[4, 1], [0, 5]]. */
static void make_ten(struct buffer *lines)
{
    buffer_init(lines, SIZE_MAX);
    for (size_t i = 0; i < 10; i++)
        buffer_printf(lines, "{\"label\":\"%s\",\"p\":{\"a\":%s,\"b\":%s}}\n", i < 5 ? "a" : "b",
                      i < 4 ? "0.9" : i == 4 ? "0.1" : "0.2",
                      i < 4 ? "0.1" : i == 4 ? "0.9" : "0.8");
}

static void one_wrong_label_by_hand(void)
{
    start();
    static const char *const methods[] = {"by_noise_rate", "by_class", "both", "joint", "predicted",
                                          "self_confidence", "normalized_margin"};
    struct buffer lines;
    struct stage_result result;
    make_ten(&lines);
    for (size_t m = 0; m < 7; m++) {
        char options[96];
        snprintf(options, sizeof(options), "{probabilities: p, method: %s}", methods[m]);
        run(options, lines.bytes, &result);
        CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
        for (size_t i = 0; i < 10; i++)
            CU_ASSERT_EQUAL(result.verdicts[i], i == 4 ? XY_DROP : XY_OK);
        CHECK_TEXT(result.reasons[4],
                   "\"b\" is likelier than the label \"a\": 0.9000 against 0.1000, normalized "
                   "margin 0.1000; place 1 of 1; of this label 1 in 5 are estimated to be that");
        CHECK_TEXT(stage_text(result.records[4], "label_likelier"), "b");
        CHECK_TEXT(stage_text(result.records[4], "label_issue"), "1");
        CHECK_TEXT(stage_text(result.records[0], "label_likelier"), "");
        CU_ASSERT_DOUBLE_EQUAL(stage_number(result.records[0], "label_confidence"), 0.9, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL(stage_number(result.records[0], "label_margin"), 0.9, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "noise").value, 0.1, 1e-9);
        CHECK_TEXT(stage_host_detail(&host, "confident_learning", "joint"),
                   "{\"labels\":[\"a\",\"b\"],\"counts\":[[4,1],[0,5]]}");
        stage_result_free(&result);
    }
    run("{probabilities: p, action: annotate, into: q}", lines.bytes, &result);
    CU_ASSERT_EQUAL(result.verdicts[4], XY_OK);
    CHECK_TEXT(stage_text(result.records[4], "q_issue"), "1");
    stage_result_free(&result);
    /* Each label keeps five: nothing can go. */
    run("{probabilities: p, least: 5}", lines.bytes, &result);
    CU_ASSERT_EQUAL(result.verdicts[4], XY_OK);
    stage_result_free(&result);
    run("{probabilities: p, share: 0}", lines.bytes, &result);
    CU_ASSERT_EQUAL(result.verdicts[4], XY_OK);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* A fifth of the labels of one class is wrong. */
static void a_learner_in_cross_validation(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    buffer_init(&lines, SIZE_MAX);
    for (size_t i = 0; i < 200; i++)
        buffer_printf(&lines, "{\"text\":\"thing %zu is %s\",\"label\":\"%s\"}\n", i,
                      i % 2 ? "red" : "blue", i % 2 && i % 10 != 7 ? "warm" : "cold");
    run("{learner: linear, method: predicted}", lines.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], i % 10 == 7 ? XY_DROP : XY_OK);
    stage_result_free(&result);
    /* As many as are estimated: nearly all of the 20, and none that is right. */
    size_t found = 0;
    run("{learner: linear}", lines.bytes, &result);
    for (size_t i = 0; i < 200; i++) {
        found += result.verdicts[i] == XY_DROP;
        CU_ASSERT(result.verdicts[i] == XY_OK || i % 10 == 7);
    }
    CU_ASSERT(found >= 15);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "noise").value, 0.1, 0.03);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void what_cannot_be_judged_is_let_through(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    make_ten(&lines);
    buffer_printf(&lines, "{\"label\":\"a\"}\n{\"p\":{\"a\":1}}\n{\"label\":\"a\",\"p\":0.5}\n");
    run("{probabilities: p}", lines.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[4], XY_DROP);
    for (size_t i = 10; i < 13; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], XY_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "3 of 13 records were let through"));
    CU_ASSERT_EQUAL(stage_host_score(&host, "unjudged").value, 3);
    stage_result_free(&result);
    run("{probabilities: p}", "", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void check_refusal(const char *options, const char *lines, const char *why)
{
    stage_host_check_refusal(&host, "confident_learning", options, lines, why);
}

static void refuses(void)
{
    start();
    check_refusal("{probabilities: p}", "{\"label\":\"a\",\"p\":{\"a\":1}}\n", "one label only");
    check_refusal("{probabilities: p}", "{\"x\":1}\n", "there is no label");
    check_refusal("{probabilities: p}", "{\"label\":\"a\",\"p\":{\"a\":0.5,\"b\":1.5}}\n",
                  "record 1 of 1: `p` has something other than a probability from 0 to 1");
    check_refusal("{probabilities: p}", "{\"label\":\"a\",\"p\":{\"a\":0.5,\"b\":null}}\n",
                  "something other than a probability");
    check_refusal("{learner: linear}", "{\"text\":\"p\",\"label\":\"a\"}\n"
                  "{\"text\":\"q\",\"label\":\"a\"}\n", "have the label `a`");
    check_refusal("{learner: linear}", "{\"text\":\"p\",\"label\":\"a\",\"@weight\":0}\n"
                  "{\"text\":\"q\",\"label\":\"b\",\"@weight\":0}\n", "have the weight 0");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "confident_learning", "{}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "confident_learning",
                                       "{learner: linear, probabilities: p}"));
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"one wrong label by hand", one_wrong_label_by_hand},
        {"a learner in cross-validation", a_learner_in_cross_validation},
        {"what is let through", what_cannot_be_judged_is_let_through},
        {"what it refuses", refuses},
        {0},
    };
    return check_main("confident_learning", checks);
}
