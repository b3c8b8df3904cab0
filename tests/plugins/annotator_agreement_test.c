/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement among annotators: published examples, what suggestions do, and what cannot be told.
 * tests/recipes/annotator_agreement_test.py compares with plain Python. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "annotator_agreement");
}

static void look(const char *options, const char *lines, int verdict, const char *why)
{
    struct instance *instance =
        stage_host_open(&host, XY_EVALUATOR, "annotator_agreement", options);
    CU_ASSERT_FATAL(instance != NULL);
    struct stage_result result;
    stage_host_run(&host, instance, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, verdict);
    if (why)
        CHECK_TEXT(result.why, why);
    stage_result_free(&result);
    instance_close(instance);
}

static void refuses(const char *options, const char *why)
{
    struct instance *instance =
        stage_host_open(&host, XY_EVALUATOR, "annotator_agreement", options);
    CU_ASSERT_PTR_NULL(instance);
    if (instance)
        instance_close(instance);
    CU_ASSERT(strstr(host.error.text, why) != NULL);
}

static double score(const char *name)
{
    return stage_host_score(&host, name).value;
}

static bool near(double a, double b, double within)
{
    if (fabs(a - b) <= within)
        return true;
    printf("\n    got %.10g, expected %.10g\n", a, b);
    return false;
}

/* Krippendorff (2011), "Computing Krippendorff's alpha-reliability", example C: four observers,
 * twelve units, values that are missing; printed: nominal 0.743, ordinal 0.815, interval 0.849. */
static void krippendorff_example(void)
{
    static const char *const observers[] = {"123321412...", "1233224125.3", ".3332342251.",
                                            "12332441251."};
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (int u = 0; u < 12; u++) {
        buffer_printf(&lines, "{\"unit\":%d", u);
        for (int o = 0; o < 4; o++)
            if (observers[o][u] != '.')
                buffer_printf(&lines, ",\"%c\":%c", 'a' + o, observers[o][u]);
        buffer_printf(&lines, "}\n");
    }
    look("{fields: [a, b, c, d], level: nominal}", lines.bytes, XY_OK, NULL);
    CU_ASSERT(near(score("alpha"), 0.743, 0.0005));
    struct report_score alpha = stage_host_score(&host, "alpha");
    CU_ASSERT(alpha.low < alpha.value && alpha.value < alpha.high);
    CU_ASSERT_EQUAL(score("items"), 11); /* the last unit has one value only */
    CU_ASSERT_EQUAL(score("missing"), 7);
    double low = alpha.low;
    look("{fields: [a, b, c, d], level: nominal}", lines.bytes, XY_OK, NULL);
    CU_ASSERT_EQUAL(stage_host_score(&host, "alpha").low, low); /* the same draws each time */
    look("{fields: [a, b, c, d], level: ordinal}", lines.bytes, XY_OK, NULL);
    CU_ASSERT(near(score("alpha"), 0.815, 0.0005));
    look("{fields: [a, b, c, d], level: ordinal, order: ['1', '2', '3', '4', '5']}", lines.bytes,
         XY_OK, NULL);
    CU_ASSERT(near(score("alpha"), 0.815, 0.0005));
    look("{fields: [a, b, c, d], level: interval, bootstrap: 0}", lines.bytes, XY_OK, NULL);
    CU_ASSERT(near(score("alpha"), 0.849, 0.0005));
    CU_ASSERT(isnan(stage_host_score(&host, "alpha").low));
    look("{fields: [a, b, c, d], level: ordinal, order: ['1', '2', '3', '4']}", lines.bytes,
         XY_EINVAL, "the label `5` is not in `order`");
    buffer_free(&lines);
    stage_host_free(&host);
}

/* Fourteen raters, ten subjects, five categories, the worked example of the encyclopaedia's page on
 * Fleiss' kappa: observed 0.378, kappa 0.210. */
static void fleiss_example(void)
{
    static const int table[10][5] = {{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6},
                                     {0, 3, 9, 2, 0},  {2, 2, 8, 1, 1}, {7, 7, 0, 0, 0},
                                     {3, 2, 6, 3, 0},  {2, 5, 3, 2, 2}, {6, 5, 2, 1, 0},
                                     {0, 2, 2, 3, 7}};
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (int s = 0; s < 10; s++) {
        int rater = 0;
        for (int c = 0; c < 5; c++)
            for (int n = 0; n < table[s][c]; n++)
                buffer_printf(&lines, "{\"subject\":%d,\"rater\":%d,\"label\":\"c%d\"}\n", s,
                              rater++, c);
    }
    look("{annotator: rater, by: subject}", lines.bytes, XY_OK, NULL);
    CU_ASSERT(near(score("observed"), 0.378, 0.0005));
    CU_ASSERT(near(score("fleiss"), 0.210, 0.0005));
    CU_ASSERT_EQUAL(score("annotators"), 14);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* The 100 diagnoses of Fleiss, Levin, Paik (2003), table 18.1: kappa 0.68. */
static void cohen_example(void)
{
    static const struct {
        const char *line;
        int times;
    } cells[] = {{"{\"a\":\"p\",\"b\":\"p\"}", 75}, {"{\"a\":\"p\",\"b\":\"n\"}", 1},
                 {"{\"a\":\"p\",\"b\":\"o\"}", 4},  {"{\"a\":\"n\",\"b\":\"p\"}", 5},
                 {"{\"a\":\"n\",\"b\":\"n\"}", 4},  {"{\"a\":\"n\",\"b\":\"o\"}", 1},
                 {"{\"a\":\"o\",\"b\":\"o\"}", 10}};
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++)
        for (int i = 0; i < cells[c].times; i++)
            buffer_printf(&lines, "%s\n", cells[c].line);
    look("{fields: [a, b]}", lines.bytes, XY_OK, NULL);
    struct report_score cohen = stage_host_score(&host, "cohen");
    CU_ASSERT(near(cohen.value, 0.23 / 0.34, 1e-12));
    /* The large-sample standard error is 0.0877: the bootstrap's interval is about as wide. */
    CU_ASSERT(near((cohen.high - cohen.low) / 2 / 1.96, 0.0877, 0.015));
    const char *pairs = stage_host_detail(&host, "annotator_agreement", "pairs");
    CU_ASSERT(pairs && strstr(pairs, "[{\"first\":\"a\",\"second\":\"b\",\"n\":100,"
                              "\"agreement\":0.89,\"kappa\":0.676") == pairs);
    buffer_free(&lines);
    stage_host_free(&host);
}

/* Forty items are labelled by two people who see a suggestion and follow it, forty by two who do
 * not and agree in half of them, which for two labels as frequent is chance. */
static void suggestions(void)
{
    start();
    struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (int i = 0; i < 40; i++) {
        char said = i % 2 ? 'x' : 'y', other = i / 2 % 2 ? 'x' : 'y';
        buffer_printf(&lines, "{\"a\":\"%c\",\"b\":\"%c\",\"saw\":true,\"hint\":\"%c\"}\n", said,
                      said, said);
        buffer_printf(&lines, "{\"a\":\"%c\",\"b\":\"%c\",\"saw\":false,\"hint\":\"%c\"}\n", said,
                      other, said);
    }
    buffer_printf(&lines, "{\"a\":\"x\",\"b\":\"x\"}\n"); /* nobody knows whether they saw one */
    look("{fields: [a, b], shown: saw, suggestion: hint}", lines.bytes, XY_OK, NULL);
    CU_ASSERT_EQUAL(score("shown_alpha"), 1);
    /* 20 of 40 pairs differ; 80 labels, half of each: 1 - 79 * 40 / 3200. */
    CU_ASSERT(near(score("unseen_alpha"), 1 - 79 * 40 / 3200.0, 1e-12));
    struct report_score difference = stage_host_score(&host, "alpha_difference");
    CU_ASSERT(near(difference.value, 79 * 40 / 3200.0, 1e-12));
    CU_ASSERT(difference.low > 0.5);
    CU_ASSERT_EQUAL(score("items"), 81);
    CU_ASSERT_EQUAL(score("shown_items"), 40);
    CU_ASSERT_EQUAL(score("unseen_items"), 40);
    CU_ASSERT_EQUAL(score("shown_follows"), 1);
    CU_ASSERT_EQUAL(score("unseen_follows"), 0.75);
    CU_ASSERT_EQUAL(score("pull"), 0.25);
    CU_ASSERT(stage_host_score(&host, "pull").low > 0.1);
    CU_ASSERT(near(score("follows"), 140.0 / 160, 1e-12));
    look("{fields: [a, b], shown: saw}", "{\"a\":\"x\",\"b\":\"y\",\"saw\":\"yes\"}\n", XY_EINVAL,
         "`saw` of record 0 is neither true nor false");
    look("{fields: [a, b], shown: saw}", "{\"a\":\"x\",\"b\":\"y\",\"saw\":2}\n", XY_EINVAL,
         "`saw` of record 0 is neither true nor false");
    buffer_free(&lines);
    stage_host_free(&host);
}

static void nothing_to_tell(void)
{
    start();
    look("{fields: [a, b]}", "", XY_OK, NULL);
    CU_ASSERT(isnan(score("alpha")));
    look("{fields: [a, b], abstain: [unknown]}",
         "{\"a\":\"x\"}\n{\"b\":\"y\",\"a\":\"unknown\"}\n", XY_OK, NULL);
    CU_ASSERT(isnan(score("alpha")));
    CU_ASSERT_EQUAL(score("missing"), 2);
    CU_ASSERT(strstr(host.log, "no item has labels of two annotators") != NULL);
    /* One label only: all agree, and chance would too. */
    look("{fields: [a, b]}", "{\"a\":\"x\",\"b\":\"x\"}\n{\"a\":\"x\",\"b\":\"x\"}\n", XY_OK, NULL);
    CU_ASSERT_EQUAL(score("observed"), 1);
    CU_ASSERT(isnan(score("alpha")) && isnan(score("fleiss")) && isnan(score("cohen")));
    /* An annotator who labels an item twice counts once, with what he said first. */
    look("{annotator: who, by: q}",
         "{\"q\":1,\"who\":\"a\",\"label\":\"x\"}\n{\"q\":1,\"who\":\"a\",\"label\":\"y\"}\n"
         "{\"q\":1,\"who\":\"b\",\"label\":\"x\"}\n{\"q\":2,\"who\":\"a\",\"label\":\"y\"}\n"
         "{\"q\":2,\"who\":\"b\",\"label\":\"y\"}\n", XY_OK, NULL);
    CU_ASSERT_EQUAL(score("repeated"), 1);
    CU_ASSERT_EQUAL(score("alpha"), 1);
    look("{fields: [a, b], level: interval}", "{\"a\":1,\"b\":\"high\"}\n", XY_EINVAL,
         "the label `high` is no number: an ordinal or interval level needs numbers, or `order`");
    refuses("{fields: [a]}", "`fields` names one annotator, who agrees with nobody");
    refuses("{}", "who votes? Give `fields`");
    refuses("{fields: [a, b], order: [x, y]}", "`order` needs `level: ordinal` or `interval`");
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"Krippendorff's example", krippendorff_example},
        {"an example of Fleiss' kappa", fleiss_example},
        {"an example of Cohen's kappa", cohen_example},
        {"suggestions", suggestions},
        {"nothing to tell", nothing_to_tell},
        {NULL, NULL},
    };
    return check_main("annotator_agreement", checks);
}
