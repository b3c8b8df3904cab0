/* SPDX-License-Identifier: Apache-2.0 */
/* A student on data small enough to foresee, and on recorded labels of movie reviews. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "benchmark");
    stage_host_load(&host, "linear");
}

static const char *const colours =
    "{\"text\":\"a red car\",\"label\":\"warm\"}\n{\"text\":\"the red house\",\"label\":\"warm\"}\n"
    "{\"text\":\"red wine\",\"label\":\"warm\"}\n{\"text\":\"a blue car\",\"label\":\"cold\"}\n"
    "{\"text\":\"the blue house\",\"label\":\"cold\"}\n{\"text\":\"blue ice\",\"label\":\"cold\"}\n"
    "{\"text\":\"no label here\"}\n";

static void figures_by_hand(void)
{
    start();
    /* Right, right, wrong by its label, a label that training never saw, contaminated and right. */
    stage_host_add_dataset(&host, "gold",
                           "{\"t\":\"red rose\",\"y\":\"warm\"}\n"
                           "{\"t\":\"blue sky\",\"y\":\"cold\"}\n"
                           "{\"t\":\"blue moon\",\"y\":\"warm\"}\n{\"t\":\"red\",\"y\":\"new\"}\n"
                           "{\"t\":\" The  RED\\nhouse\",\"y\":\"warm\"}\n"
                           "{\"t\":\"unlabelled\"}\n");
    struct instance *benchmark =
        stage_host_open(&host, XY_EVALUATOR, "benchmark",
                        "{learner: linear, test: gold, test_text: t, test_label: y, name: tiny}");
    CU_ASSERT_FATAL(benchmark != NULL);
    struct stage_result result;
    stage_host_run(&host, benchmark, colours, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    struct report_score accuracy = stage_host_score(&host, "tiny_accuracy");
    CU_ASSERT(fabs(accuracy.value - 0.6) < 1e-12);
    CU_ASSERT_EQUAL(accuracy.n, 5);
    CU_ASSERT(accuracy.low > 0.2 && accuracy.low < 0.25 && accuracy.high > 0.88);
    /* warm: gold 3, predicted 3, hits 2; cold: 1, 2, 1; new: 1, 0, 0. */
    CU_ASSERT(fabs(stage_host_score(&host, "tiny_macro_f1").value - (4.0 / 6 + 2.0 / 3) / 3) <
              1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "tiny_train_count").value, 6);
    CU_ASSERT_EQUAL(stage_host_score(&host, "tiny_test_count").value, 5);
    CU_ASSERT_EQUAL(stage_host_score(&host, "tiny_contamination").value, 1);
    stage_result_free(&result);
    instance_close(benchmark);
    stage_host_free(&host);
}

static void weights_train(void)
{
    start();
    stage_host_add_dataset(&host, "gold", "{\"text\":\"red\",\"label\":\"warm\"}\n");
    struct instance *benchmark =
        stage_host_open(&host, XY_EVALUATOR, "benchmark", "{learner: linear, test: gold}");
    struct stage_result result;
    const char *light = "{\"text\":\"red\",\"label\":\"cold\",\"@weight\":1}\n"
                        "{\"text\":\"red\",\"label\":\"warm\",\"@weight\":0.1}\n";
    const char *heavy = "{\"text\":\"red\",\"label\":\"cold\",\"@weight\":1}\n"
                        "{\"text\":\"red\",\"label\":\"warm\",\"@weight\":9}\n";
    stage_host_run(&host, benchmark, light, &result);
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").value, 0);
    stage_result_free(&result);
    stage_host_run(&host, benchmark, heavy, &result);
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").value, 1);
    stage_result_free(&result);
    instance_close(benchmark);
    stage_host_free(&host);
}

static void vectors_train(void)
{
    start();
    stage_host_add_dataset(&host, "gold", "{\"label\":\"up\",\"#v\":[0,2]}\n"
                           "{\"label\":\"down\",\"#v\":[0,-1]}\n{\"label\":\"down\"}\n");
    struct instance *benchmark = stage_host_open(&host, XY_EVALUATOR, "benchmark",
                                                 "{learner: linear, test: gold, vector: v}");
    struct stage_result result;
    stage_host_run(&host, benchmark, "{\"label\":\"up\",\"#v\":[1,1]}\n"
                   "{\"label\":\"down\",\"#v\":[1,-1]}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "accuracy").n, 2);
    stage_result_free(&result);
    instance_close(benchmark);
    stage_host_free(&host);
}

static void refuse(const char *lines, const char *test, const char *why)
{
    start();
    stage_host_add_dataset(&host, "gold", test);
    struct instance *benchmark =
        stage_host_open(&host, XY_EVALUATOR, "benchmark", "{learner: linear, test: gold}");
    struct stage_result result;
    stage_host_run(&host, benchmark, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, why);
    stage_result_free(&result);
    instance_close(benchmark);
    stage_host_free(&host);
}

static void clear_errors(void)
{
    refuse("{\"text\":\"a\",\"label\":\"warm\"}\n{\"text\":\"b\",\"label\":\"warm\"}\n",
           "{\"text\":\"red\",\"label\":\"cold\"}\n",
           "all 2 records have the label `warm`: a student needs two labels at least");
    refuse("", "{\"text\":\"red\",\"label\":\"cold\"}\n",
           "there is no record with text and label to learn from");
    refuse(colours, "{\"text\":\"red\"}\n",
           "no record of `test` has both a `text` and a `label`");
}

/* ---- recorded labels ------------------------------------------------------------------------- */

/* Accuracy on the test set after learning from `label_field` of the training set. */
static double learn_reviews(const char *train, const char *test, const char *label_field)
{
    start();
    stage_host_add_dataset(&host, "test", test);
    struct instance *benchmark = stage_host_open(
        &host, XY_EVALUATOR, "benchmark",
        arena_printf(&host.arena, "{learner: linear, test: test, label: %s, test_label: gold}",
                     label_field));
    CU_ASSERT_FATAL(benchmark != NULL);
    struct stage_result result;
    stage_host_run(&host, benchmark, train, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    double accuracy = stage_host_score(&host, "accuracy").value;
    stage_result_free(&result);
    instance_close(benchmark);
    stage_host_free(&host);
    return accuracy;
}

/* FreeAL's movie reviews: TF-IDF and logistic regression of another implementation reach 0.775 from
 * gold labels and 0.779 from ChatGPT's, on 2,000 test rows: a standard error of about 0.009. */
static void recorded_labels(void)
{
    struct stage_host files;
    stage_host_init(&files);
    const char *train = stage_host_reference(&files, "freeal-mr/train.jsonl.gz");
    const char *test = stage_host_reference(&files, "freeal-mr/test.jsonl.gz");
    if (train && test) {
        double gold = learn_reviews(train, test, "gold");
        double teacher = learn_reviews(train, test, "chatgpt");
        printf("(from gold labels %.4f, from the teacher's %.4f) ", gold, teacher);
        CU_ASSERT(gold > 0.755 && teacher > 0.755);
        CU_ASSERT(fabs(gold - teacher) < 0.02);
    }
    stage_host_free(&files);
}

int main(void)
{
    static const struct check checks[] = {
        {"figures by hand", figures_by_hand},
        {"weights train", weights_train},
        {"vectors train", vectors_train},
        {"clear errors", clear_errors},
        {"recorded labels", recorded_labels},
        {NULL, NULL},
    };
    return check_main("benchmark", checks);
}
