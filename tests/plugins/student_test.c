/* SPDX-License-Identifier: Apache-2.0 */
/* A student of labels that are partly wrong in a known way. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "student");
    stage_host_load(&host, "linear");
}

enum { COUNT = 200, WRONG = 10 }; /* every tenth label is wrong */

static bool is_wrong(size_t i)
{
    return i % 20 == 7 || i % 20 == 16; /* one of each class: 7 is odd, 16 even */
}

/* Texts that say their class in one of several words; `truth` keeps the right label. */
static void make_texts(struct buffer *lines)
{
    static const char *const warm[] = {"red", "orange", "yellow"}, *const cold[] = {"blue", "navy",
                                                                                    "cyan"};
    buffer_init(lines, SIZE_MAX);
    for (size_t i = 0; i < COUNT; i++) {
        const char *truth = i % 2 ? "warm" : "cold";
        const char *label = is_wrong(i) ? (i % 2 ? "cold" : "warm") : truth;
        buffer_printf(lines, "{\"text\":\"thing %zu is %s\",\"label\":\"%s\",\"truth\":\"%s\","
                      "\"p\":%s}\n", i, (i % 2 ? warm : cold)[i % 3], label, truth,
                      is_wrong(i) ? "0.55" : "0.99");
    }
}

static void run(const char *options, const char *lines, struct stage_result *result)
{
    struct instance *student = stage_host_open(&host, XY_ENHANCER, "student", options);
    CU_ASSERT_FATAL(student != NULL);
    stage_host_run(&host, student, lines, result);
    instance_close(student);
}

static void corrects_labels(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    make_texts(&lines);
    run("{learner: linear, threshold: 0.7}", lines.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < COUNT; i++) {
        char truth[16];
        snprintf(truth, sizeof(truth), "%s", stage_text(result.records[i], "truth"));
        CHECK_TEXT(stage_text(result.records[i], "label"), truth);
        CHECK_TEXT(stage_text(result.records[i], "student_label"), truth);
        CU_ASSERT(stage_number(result.records[i], "student_confidence") > 0.7);
        CHECK_TEXT(stage_text(result.records[i], "teacher_label"),
                   !is_wrong(i) ? "" : i % 2 ? "cold" : "warm");
    }
    CU_ASSERT_EQUAL(stage_host_score(&host, "overruled").value, COUNT / WRONG);
    CU_ASSERT(fabs(stage_host_score(&host, "student_agreement").value - 0.9) < 1e-12);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void surer_than_the_teacher(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    make_texts(&lines);
    /* The teacher's 0.55 plus 0.6 is more than any probability: nothing is overruled. */
    run("{learner: linear, threshold: 0.5, confidence: p, margin: 0.6}", lines.bytes, &result);
    CU_ASSERT_EQUAL(stage_host_score(&host, "overruled").value, 0);
    stage_result_free(&result);
    run("{learner: linear, threshold: 0.5, confidence: p}", lines.bytes, &result);
    CU_ASSERT_EQUAL(stage_host_score(&host, "overruled").value, COUNT / WRONG);
    CU_ASSERT_EQUAL(stage_number(result.records[7], "p"),
                    stage_number(result.records[7], "student_confidence"));
    CU_ASSERT_EQUAL(stage_number(result.records[8], "p"), 0.99);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void other_actions(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    make_texts(&lines);
    run("{learner: linear, threshold: 0.7, action: drop}", lines.bytes, &result);
    for (size_t i = 0; i < COUNT; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], is_wrong(i) ? XY_DROP : XY_OK);
    CU_ASSERT(strncmp(result.reasons[7], "the student says \"warm\" with 0.", 31) == 0);
    CU_ASSERT(strstr(result.reasons[7], ", the label is \"cold\"") != NULL);
    stage_result_free(&result);
    run("{learner: linear, threshold: 0.7, action: annotate}", lines.bytes, &result);
    CHECK_TEXT(stage_text(result.records[7], "label"), "cold");
    CHECK_TEXT(stage_text(result.records[7], "student_label"), "warm");
    CHECK_TEXT(stage_text(result.records[7], "teacher_label"), "");
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* Texts that only their own copies could tell the label of: who judges them never saw them, so the
 * student cannot be sure, though it would know them by heart otherwise. */
static void nobody_judges_what_it_learnt(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    buffer_init(&lines, SIZE_MAX);
    for (size_t i = 0; i < 40; i++)
        for (int copy = 0; copy < 3; copy++)
            buffer_printf(&lines, "{\"text\":\"word%zu\",\"label\":\"%s\"}\n", i,
                          i % 2 ? "odd" : "even");
    run("{learner: linear, action: annotate}", lines.bytes, &result);
    for (size_t i = 0; i < result.count; i++)
        CU_ASSERT(stage_number(result.records[i], "student_confidence") < 0.6);
    stage_result_free(&result);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* ---- a learner that is watched --------------------------------------------------------------- */

enum { WATCHED = 60, COPIES = 2 };

static size_t lessons, learnt_too; /* trainings; records that who learnt them was asked about */
static double moved_share;         /* of the labels in the newest lesson that are not the parity */
static size_t soft_lessons, wrong_soft; /* with probabilities; of these rows, not what was said */

static int watched_fit(xy_job *job, const xy_student *student, const xy_examples *examples,
                       uint64_t seed, void **fitted)
{
    (void)job, (void)student, (void)seed;
    bool *learnt = calloc(WATCHED, sizeof(*learnt));
    size_t moved = 0;
    for (size_t i = 0; i < examples->count; i++) {
        long number = strtol(examples->texts[i].ptr + 4, NULL, 10);
        learnt[number] = true;
        moved += examples->labels[i] != number % 2;
        if (!examples->soft)
            continue;
        bool half = number >= WATCHED / 2; /* what watched_predict() said in the stage before */
        wrong_soft += examples->soft[2 * i + half] != 0.95F ||
                      examples->soft[2 * i + !half] != 0.05F;
    }
    soft_lessons += examples->soft != NULL;
    moved_share = (double)moved / (double)examples->count;
    lessons++;
    *fitted = learnt;
    return XY_OK;
}

/* Says the second half of the numbers to be odd, whatever it learnt. */
static int watched_predict(xy_job *job, const xy_student *student, const void *fitted,
                           const xy_examples *examples, float *probabilities)
{
    (void)job, (void)student;
    for (size_t i = 0; i < examples->count; i++) {
        long number = strtol(examples->texts[i].ptr + 4, NULL, 10);
        learnt_too += ((const bool *)fitted)[number];
        probabilities[2 * i + (number >= WATCHED / 2)] = 0.95F;
        probabilities[2 * i + (number < WATCHED / 2)] = 0.05F;
    }
    return XY_OK;
}

static void watched_release(const xy_student *student, void *fitted)
{
    (void)student;
    free(fitted);
}

static const void *watched_service(const xy_host *of, const char *id)
{
    static const xy_learner_service watched = {
        .size = offsetof(xy_learner_service, trace), .fit = watched_fit,
        .predict = watched_predict, .release = watched_release};
    return strcmp(id, XY_LEARNER_SERVICE) == 0 ? &watched : services_find(of, id);
}

/* In no stage is a record, or a copy of its text, judged by a student that learnt it, though from
 * the second on all learn what the students said. */
static void nobody_labels_what_it_learnt(void)
{
    for (int folds = 2; folds <= 5; folds++) {
        start();
        host.services.service = watched_service;
        struct buffer lines;
        struct stage_result result;
        char options[96];
        buffer_init(&lines, SIZE_MAX);
        for (size_t i = 0; i < (size_t)WATCHED * COPIES; i++)
            buffer_printf(&lines, "{\"text\":\"word%zu\",\"label\":\"%s\"}\n", i % WATCHED,
                          i % 2 ? "odd" : "even");
        snprintf(options, sizeof(options), "{learner: linear, folds: %d, stages: 3, threshold: 0}",
                 folds);
        lessons = learnt_too = 0;
        run(options, lines.bytes, &result);
        CU_ASSERT_EQUAL(result.verdict, XY_OK);
        CU_ASSERT_EQUAL(lessons, (size_t)folds * 3);
        CU_ASSERT_EQUAL(learnt_too, 0);
        CU_ASSERT(moved_share > 0.25); /* the last lesson has the students' labels */
        for (size_t i = 0; i < result.count; i++)
            CHECK_TEXT(stage_text(result.records[i], "label"),
                       i % WATCHED >= WATCHED / 2 ? "odd" : "even");
        CU_ASSERT_EQUAL(stage_host_score(&host, "moved_1").value, WATCHED * COPIES / 2);
        CU_ASSERT_EQUAL(soft_lessons, 0);
        stage_result_free(&result);
        buffer_free(&lines);
        stage_host_free(&host);
    }
}

/* The same two stages with `teaches: probabilities`: from the second on each record is learnt as
 * the students of the stage before had it; with a threshold that nobody reaches, as the teacher. */
static void teaches_probabilities(void)
{
    for (int heard = 1; heard >= 0; heard--) {
        start();
        host.services.service = watched_service;
        struct buffer lines;
        struct stage_result result;
        buffer_init(&lines, SIZE_MAX);
        for (size_t i = 0; i < WATCHED; i++)
            buffer_printf(&lines, "{\"text\":\"word%zu\",\"label\":\"%s\"}\n", i,
                          i % 2 ? "odd" : "even");
        lessons = learnt_too = soft_lessons = wrong_soft = 0;
        run(heard ? "{learner: linear, folds: 2, stages: 3, threshold: 0, teaches: probabilities}"
                  : "{learner: linear, folds: 2, stages: 3, threshold: 1, teaches: probabilities}",
            lines.bytes, &result);
        CU_ASSERT_EQUAL(result.verdict, XY_OK);
        CU_ASSERT_EQUAL(lessons, 6);
        CU_ASSERT_EQUAL(soft_lessons, 4);
        CU_ASSERT_EQUAL(wrong_soft, heard ? 0 : 4 * WATCHED / 2);
        CU_ASSERT_EQUAL(learnt_too, 0);
        stage_result_free(&result);
        buffer_free(&lines);
        stage_host_free(&host);
    }
}

/* The students' labels are the next stage's lesson, wrong ones corrected and missing ones filled.
 * What becomes of a record is told against the teacher's label, not against a stage's. */
static void learns_in_stages(void)
{
    start();
    struct buffer lines;
    struct stage_result result;
    make_texts(&lines);
    run("{learner: linear, folds: 2, stages: 3, threshold: 0.5}", lines.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < COUNT; i++) {
        char truth[16];
        snprintf(truth, sizeof(truth), "%s", stage_text(result.records[i], "truth"));
        CHECK_TEXT(stage_text(result.records[i], "label"), truth);
        CHECK_TEXT(stage_text(result.records[i], "teacher_label"),
                   !is_wrong(i) ? "" : i % 2 ? "cold" : "warm");
    }
    CU_ASSERT_EQUAL(stage_host_score(&host, "overruled").value, COUNT / WRONG);
    CU_ASSERT_EQUAL(stage_host_score(&host, "moved_1").value, COUNT / WRONG);
    CU_ASSERT_EQUAL(stage_host_score(&host, "moved_2").value, 0);
    CU_ASSERT(isnan(stage_host_score(&host, "moved_3").value));
    stage_result_free(&result);
    stage_host_add_dataset(&host, "seeds", "{\"text\":\"red\",\"label\":\"warm\"}\n");
    CU_ASSERT(!stage_host_open(&host, XY_ENHANCER, "student",
                               "{learner: linear, train: seeds, stages: 2}"));
    CU_ASSERT(strstr(host.error.text, "no second of the `stages`") != NULL);
    buffer_free(&lines);
    stage_host_free(&host);
}

static void learns_from_seeds(void)
{
    start();
    struct stage_result result;
    stage_host_add_dataset(&host, "seeds",
                           "{\"text\":\"red\",\"label\":\"warm\"}\n{\"text\":\"blue\",\"label\":"
                           "\"cold\"}\n{\"text\":\"unlabelled\"}\n");
    run("{learner: linear, train: seeds, threshold: 0.6}",
        "{\"text\":\"red\",\"label\":\"cold\"}\n{\"text\":\"blue\"}\n{\"label\":\"cold\"}\n"
        "{\"text\":\"green\",\"label\":\"warm\"}\n", &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.records[0], "label"), "warm");
    CHECK_TEXT(stage_text(result.records[1], "label"), "cold"); /* it had none */
    CHECK_TEXT(stage_text(result.records[2], "student_label"), "");
    CHECK_TEXT(stage_text(result.records[3], "label"), "warm"); /* unsure: 0.5 */
    CU_ASSERT_EQUAL(stage_host_score(&host, "filled").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "overruled").value, 1);
    stage_result_free(&result);
    stage_host_free(&host);
}

static void edges(void)
{
    start();
    struct stage_result result;
    run("{learner: linear}", "", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    stage_result_free(&result);
    run("{learner: linear}", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"x\"}\n",
        &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, "all 1 records that the student would learn from have the label `x`: it "
               "needs two labels at least");
    stage_result_free(&result);
    /* A record of weight 0 teaches nothing, its label neither. */
    run("{learner: linear, folds: 2}", "{\"text\":\"a\",\"label\":\"x\",\"@weight\":0}\n"
        "{\"text\":\"b\",\"label\":\"y\",\"@weight\":0}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, "all 1 records that the student would learn from have the weight 0: "
               "there is nothing to learn from");
    stage_result_free(&result);
    stage_host_add_dataset(&host, "weighed", "{\"text\":\"a\",\"label\":\"x\"}\n"
                           "{\"text\":\"b\",\"label\":\"y\",\"@weight\":0}\n");
    run("{learner: linear, train: weighed}", "{\"text\":\"a\",\"label\":\"x\"}\n", &result);
    CHECK_TEXT(result.why, "all 1 records that the student would learn from have the label `x`: it "
               "needs two labels at least");
    stage_result_free(&result);
    /* Vectors may be lists, as JSON lines hold them; one past a float's range is none. */
    run("{learner: linear, vector: v, folds: 2, action: annotate}",
        "{\"v\":[1,0],\"label\":\"x\"}\n{\"v\":[0,1.5],\"label\":\"y\"}\n"
        "{\"v\":[2,0],\"label\":\"x\"}\n{\"v\":[0,2],\"label\":\"y\"}\n"
        "{\"v\":[0,1e60],\"label\":\"y\"}\n{\"label\":\"x\"}\n", &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < 6; i++)
        CHECK_TEXT(stage_text(result.records[i], "student_label"), i > 3 ? "" : i % 2 ? "y" : "x");
    stage_result_free(&result);
    run("{learner: linear}", "{\"label\":\"x\"}\n{\"label\":\"y\"}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK); /* nothing to judge */
    stage_result_free(&result);
    stage_host_free(&host);
}

static void same_again(void)
{
    start();
    struct buffer lines;
    struct stage_result first, second;
    make_texts(&lines);
    run("{learner: linear}", lines.bytes, &first);
    run("{learner: linear}", lines.bytes, &second);
    for (size_t i = 0; i < COUNT; i++)
        CU_ASSERT_EQUAL(stage_number(first.records[i], "student_confidence"),
                        stage_number(second.records[i], "student_confidence"));
    stage_result_free(&first);
    stage_result_free(&second);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* ---- recorded labels ------------------------------------------------------------------------- */

/* FreeAL's movie reviews, labelled by ChatGPT: the right labels before and after, and unparsed ones
 * (-1), which count as wrong, filled. */
static void recorded_labels(void)
{
    start();
    const char *lines = stage_host_reference(&host, "freeal-mr/train.jsonl.gz");
    if (!lines) {
        stage_host_free(&host);
        return;
    }
    struct buffer parsed;
    buffer_init(&parsed, SIZE_MAX);
    while (*lines) { /* an unparsed answer is no label */
        size_t length = strcspn(lines, "\n");
        const char *unparsed = memmem(lines, length, "\"chatgpt\": -1", 13);
        size_t before = unparsed ? (size_t)(unparsed - lines) : length;
        buffer_append(&parsed, lines, before);
        if (unparsed) {
            buffer_append_text(&parsed, "\"none\": 1");
            buffer_append(&parsed, unparsed + 13, length - before - 13);
        }
        buffer_append_char(&parsed, '\n');
        lines += length + 1;
    }
    struct stage_result result;
    run("{learner: linear, label: chatgpt, threshold: 0.95}", parsed.bytes, &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    size_t right = 0, filled = 0, filled_right = 0, overruled = 0, overruled_right = 0;
    for (size_t i = 0; i < result.count; i++) {
        char gold[8], label[8], teacher[8];
        snprintf(gold, sizeof(gold), "%s", stage_text(result.records[i], "gold"));
        snprintf(label, sizeof(label), "%s", stage_text(result.records[i], "chatgpt"));
        snprintf(teacher, sizeof(teacher), "%s", stage_text(result.records[i], "teacher_label"));
        bool good = strcmp(gold, label) == 0;
        right += good;
        if (stage_number(result.records[i], "none") == 1 && label[0]) {
            filled++;
            filled_right += good;
        }
        overruled += teacher[0] != 0;
        overruled_right += teacher[0] != 0 && good;
    }
    printf("(right 7758 -> %zu of %zu; %zu of %zu filled, %zu of %zu overruled are right) ", right,
           result.count, filled_right, filled, overruled_right, overruled);
    CU_ASSERT_EQUAL(result.count, 8662);
    CU_ASSERT(right > 7758);
    CU_ASSERT(filled > 0 && filled_right * 2 > filled); /* better than a coin */
    stage_result_free(&result);
    buffer_free(&parsed);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"corrects labels", corrects_labels},
        {"surer than the teacher", surer_than_the_teacher},
        {"other actions", other_actions},
        {"nobody judges what it learnt", nobody_judges_what_it_learnt},
        {"nobody labels what it learnt", nobody_labels_what_it_learnt},
        {"learns in stages", learns_in_stages},
        {"teaches probabilities", teaches_probabilities},
        {"learns from seeds", learns_from_seeds},
        {"edges", edges},
        {"the same again", same_again},
        {"recorded labels", recorded_labels},
        {NULL, NULL},
    };
    return check_main("student", checks);
}
