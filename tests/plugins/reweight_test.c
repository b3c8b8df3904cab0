/* SPDX-License-Identifier: Apache-2.0 */
/* What reweight promises, on a few records whose weights can be worked out by hand; bad input. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* Runs the stage; the reason of a failure is in result.why, that of open() in host.error. */
static bool weigh(const char *options, const char *lines)
{
    stage_result_free(&result);
    result = (struct stage_result){.records = NULL};
    host.log[0] = '\0';
    struct instance *instance = stage_host_open(&host, XY_FILTER, "reweight", options);
    if (!instance)
        return false;
    stage_host_run(&host, instance, lines, &result);
    instance_close(instance);
    return true;
}

static double weight(size_t index)
{
    return result.records[index]->weight;
}

static void check_refusal(const char *options, const char *lines, const char *reason)
{
    CU_ASSERT_FATAL(weigh(options, lines));
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, reason);
}

/* ---- weights that can be worked out ---------------------------------------------------------- */

static void discriminative_is_a_share(void)
{
    static const char lines[] =
        "{\"label\":\"a\",\"p\":{\"a\":0.6,\"b\":0.2}}\n"   /* 0.75 */
        "{\"label\":\"a\",\"p\":{\"a\":0.1,\"b\":0.3}}\n"   /* 0.25 */
        "{\"label\":\"b\",\"p\":{\"a\":0,\"b\":0.5}}\n"     /* 1 */
        "{\"label\":\"c\",\"p\":{\"a\":0.5,\"b\":0.5}}\n"   /* not told */
        "{\"label\":\"a\",\"p\":{\"a\":0,\"b\":0}}\n"       /* nothing to divide by */
        "{\"label\":\"a\",\"p\":{\"a\":-1,\"b\":2}}\n"      /* no probability */
        "{\"label\":\"a\",\"@weight\":0.5}\n";               /* none at all: keeps its own */
    CU_ASSERT_FATAL(weigh("{method: discriminative, scores: p, normalise: none}", lines));
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    static const double plain[] = {0.75, 0.25, 1, 1, 1, 1, 0.5};
    for (size_t i = 0; i < 7; i++)
        CU_ASSERT_DOUBLE_EQUAL(weight(i), plain[i], 1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "unweighed").value, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "4 records keep the weight they had"));
    /* (0.75 + 0.25 + 1)^2 / (0.75^2 + 0.25^2 + 1) */
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "effective_size").value, 4 / 1.625, 1e-9);
    CU_ASSERT_FATAL(weigh("{method: discriminative, scores: p}", lines)); /* mean 1 by label */
    CU_ASSERT_DOUBLE_EQUAL(weight(0), 1.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(weight(1), 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(weight(2), 1, 1e-12);
    CU_ASSERT_FATAL(weigh("{method: discriminative, scores: p, normalise: mean}", lines));
    CU_ASSERT_DOUBLE_EQUAL(weight(0), 1.125, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(weight(2), 1.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "mean_weight").value, 1, 1e-12);
}

static void losses_become_weights(void)
{
    static const char lines[] = "{\"loss\":1}\n{\"loss\":3}\n{\"loss\":1}\n{\"loss\":2}\n"
                                "{\"loss\":\"much\"}\n";
    static const double places[] = {0.75, 0.125, 0.75, 0.375, 1}; /* equal ones share a place */
    CU_ASSERT_FATAL(weigh("{method: loss, scores: loss, normalise: none, temperature: 2}", lines));
    CU_ASSERT_DOUBLE_EQUAL(weight(0), 1, 1e-12); /* the least loss counts as 0 */
    CU_ASSERT_DOUBLE_EQUAL(weight(1), exp(-1), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(weight(3), exp(-0.5), 1e-12);
    CU_ASSERT_EQUAL(weight(4), 1);
    CU_ASSERT_FATAL(weigh("{method: loss, scores: loss, map: quantile, normalise: none}", lines));
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_DOUBLE_EQUAL(weight(i), places[i], 1e-12);
}

static void bounds_and_drops(void)
{
    static const char lines[] = "{\"loss\":0}\n{\"loss\":1}\n{\"loss\":30}\n"
                                "{\"loss\":0,\"@weight\":0}\n";
    CU_ASSERT_FATAL(weigh("{method: loss, scores: loss, normalise: none, clip: 0.9, floor: 0.1, "
                          "drop_below: 0.2}", lines));
    CU_ASSERT_DOUBLE_EQUAL(weight(0), 0.9, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(weight(1), exp(-1), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(weight(2), 0.1, 1e-12);
    CU_ASSERT_EQUAL(weight(3), 0); /* a floor revives nothing */
    CU_ASSERT_EQUAL(result.verdicts[0], XY_OK);
    CU_ASSERT_EQUAL(result.verdicts[2], XY_DROP);
    CHECK_TEXT(result.reasons[2], "weight 0.1 by loss, below 0.2");
    CHECK_TEXT(result.reasons[3], "weight 0 by loss, below 0.2");
}

/* ---- students -------------------------------------------------------------------------------- */

#define GOOD "{\"text\":\"fine warm\",\"label\":\"p\"}\n"
#define BAD "{\"text\":\"dull cold\",\"label\":\"n\"}\n"
#define TURNED "{\"text\":\"fine warm\",\"label\":\"n\"}\n"
#define FOUR(line) line line line line

static void every_student_finds_the_odd_one(void)
{
    static const char *const methods[] = {
        "{method: sungen}", "{method: sungen, folds: 1}", "{method: learned, dev: dev}",
        "{method: influence}", "{method: influence, dev: dev}", "{method: loss}",
        "{method: loss, map: quantile}", "{method: sungen, features: characters}",
    };
    stage_host_add_dataset(&host, "dev", GOOD BAD);
    for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++) {
        CU_ASSERT_FATAL(weigh(methods[m], FOUR(GOOD BAD) TURNED FOUR(GOOD BAD)));
        CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
        for (size_t i = 0; i < result.count; i++)
            if (i != 8)
                CU_ASSERT_TRUE(weight(8) < weight(i));
        CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "mean_weight").value, 1, 1e-9);
    }
}

static void the_dev_set_decides(void)
{
    CU_ASSERT_FATAL(weigh("{method: learned, dev: dev}", FOUR(GOOD BAD) TURNED));
    CU_ASSERT_EQUAL(weight(8), 0);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "zero_share").value, 1.0 / 9, 1e-12);
    CU_ASSERT_TRUE(stage_host_score(&host, "dev_loss_after").value <
                   stage_host_score(&host, "dev_loss_before").value);
    stage_host_add_dataset(&host, "gold", "{\"text\":\"fine warm\",\"truth\":\"p\"}\n"
                                          "{\"text\":\"dull cold\",\"truth\":\"n\"}\n");
    double kept = weight(0);
    CU_ASSERT_FATAL(weigh("{method: learned, dev: gold, dev_label: truth}",
                          FOUR(GOOD BAD) TURNED));
    CU_ASSERT_EQUAL(weight(0), kept);
    stage_host_add_dataset(&host, "half", GOOD);
    CU_ASSERT_FATAL(weigh("{method: learned, dev: half}", FOUR(GOOD BAD) TURNED));
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`dev` has no record of the label `n`"));
}

/* A weight that is there already says how often the record counts. */
static void weights_build_on_weights(void)
{
    CU_ASSERT_FATAL(weigh("{method: loss, normalise: none}", FOUR(GOOD) FOUR(BAD)));
    double alone = weight(0);
    CU_ASSERT_FATAL(weigh("{method: loss, normalise: none}",
                          "{\"text\":\"fine warm\",\"label\":\"p\",\"@weight\":4}\n"
                          "{\"text\":\"dull cold\",\"label\":\"n\",\"@weight\":4}\n"
                          "{\"text\":\"dull cold\",\"label\":\"n\",\"@weight\":0}\n"));
    CU_ASSERT_DOUBLE_EQUAL(weight(0), 4 * alone, 1e-6);
    CU_ASSERT_EQUAL(weight(2), 0);
}

static void same_seed_same_weights(void)
{
    double first[17] = {0};
    size_t others = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        host.services.seed = seed == 3 ? 9 : 7;
        CU_ASSERT_FATAL(weigh("{}", FOUR(GOOD BAD) TURNED FOUR(GOOD BAD)));
        for (size_t i = 0; i < 17; i++) {
            bool differs = first[i] < weight(i) || first[i] > weight(i);
            CU_ASSERT_TRUE(seed != 2 || !differs);
            others += seed == 3 && differs;
            first[i] = weight(i);
        }
    }
    CU_ASSERT_TRUE(others > 0); /* other folds */
    host.services.seed = 0;
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void refuses_options(void)
{
    CU_ASSERT_FALSE(weigh("{method: learned}", ""));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "needs `dev`"));
    CU_ASSERT_FALSE(weigh("{method: discriminative}", ""));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "needs `scores`"));
    CU_ASSERT_FALSE(weigh("{clip: 0.5, floor: 0.6}", ""));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "`floor` is above `clip`"));
    CU_ASSERT_FALSE(weigh("{method: sungem}", ""));
}

static void refuses_what_cannot_be_learned(void)
{
    CU_ASSERT_FATAL(weigh("{}", ""));
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    check_refusal("{}", GOOD GOOD GOOD, "all 3 records have the label `p`: weights are learned "
                  "from records of two labels at least");
    check_refusal("{}", "{\"text\":\"x\"}\n", "no record has both a `text` and a `label` to learn "
                  "from");
    check_refusal("{}", "{\"text\":\"x\",\"label\":\"p\",\"@weight\":0}\n", "all 1 records have "
                  "the weight 0 already: there is nothing to learn from");
    check_refusal("{}", GOOD BAD, "too few records for `folds: 5`: without one of the folds "
                  "there must be records of two labels left; give more, or `folds: 1`");
    stage_host_add_dataset(&host, "empty", "{\"text\":\"no label\"}\n");
    check_refusal("{method: learned, dev: empty}", GOOD BAD, "`dev` has no record with both a "
                  "`text` and a `label`: there is nothing to measure on");
}

static void refuses_weights_of_nothing(void)
{
    check_refusal("{method: loss, scores: none}", GOOD BAD,
                  "no record has what `method: loss` needs in `none`");
    check_refusal("{method: discriminative, scores: p}",
                  "{\"label\":\"a\",\"p\":{\"a\":0,\"b\":1}}\n", "all 1 weights are 0 by `method: "
                  "discriminative`: no record counts for anything; set `floor` to go on with "
                  "equal weights");
    /* All that the dev set says is wrong here. */
    stage_host_add_dataset(&host, "against", "{\"text\":\"fine warm\",\"label\":\"n\"}\n"
                                             "{\"text\":\"dull cold\",\"label\":\"p\"}\n");
    check_refusal("{method: learned, dev: against}", GOOD BAD, "all 2 weights are 0 by `method: "
                  "learned`: no record lowers the loss on `dev`; set `floor` to go on with equal "
                  "weights");
    CU_ASSERT_FATAL(weigh("{method: learned, dev: against, floor: 1}", GOOD BAD));
    CU_ASSERT_EQUAL(weight(0), 1);
    CU_ASSERT_FATAL(weigh("{method: discriminative, scores: p}",
                          "{\"label\":\"a\",\"p\":{\"a\":0,\"b\":1}}\n"
                          "{\"label\":\"b\",\"p\":{\"a\":0,\"b\":1}}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "all 1 weights of the label `a` are 0"));
}

static void refuses_broken_vectors(void)
{
    static const char good[] = "{\"label\":\"a\",\"#v\":[1,0]}\n{\"label\":\"b\",\"#v\":[0,1]}\n"
                               "{\"label\":\"a\",\"#v\":[1,0.5]}\n{\"label\":\"b\",\"#v\":[0,2]}\n";
    CU_ASSERT_FATAL(weigh("{vector: v}", good));
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    /* One number that is not finite would spoil every weight: such a vector is as none. */
    static const char spoilt[] = "{\"label\":\"a\",\"#v\":[1,0]}\n{\"label\":\"b\",\"#v\":[0,1]}\n"
                                 "{\"label\":\"b\",\"#v\":[0,1e60]}\n";
    CU_ASSERT_FATAL(weigh("{vector: v, method: loss}", spoilt));
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "1 records keep the weight they had"));
    check_refusal("{vector: w}", good,
                  "no record has a vector in `w`: put an `embed` step before this one");
    check_refusal("{vector: v}", "{\"label\":\"a\"}\n{\"label\":\"b\",\"v\":[1,2]}\n"
                                 "{\"label\":\"b\",\"#v\":[1,0,2]}\n",
                  "the vectors in `v` differ in length: record 2 has 2 numbers, record 3 has 3, as "
                  "when two models embedded them: embed all by one");
}

static void stops_when_cancelled(void)
{
    host.cancelled = 1;
    CU_ASSERT_FATAL(weigh("{}", FOUR(GOOD BAD)));
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    host.cancelled = 0;
}

int main(void)
{
    static const struct check checks[] = {
        {"discriminative", discriminative_is_a_share},
        {"losses", losses_become_weights},
        {"bounds, drops", bounds_and_drops},
        {"students find the odd one", every_student_finds_the_odd_one},
        {"a dev set", the_dev_set_decides},
        {"weights build on weights", weights_build_on_weights},
        {"the same seed", same_seed_same_weights},
        {"bad options", refuses_options},
        {"nothing to learn", refuses_what_cannot_be_learned},
        {"weights of nothing", refuses_weights_of_nothing},
        {"broken vectors", refuses_broken_vectors},
        {"cancellation", stops_when_cancelled},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "reweight");
    int failed = check_main("reweight", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
