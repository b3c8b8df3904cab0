/* SPDX-License-Identifier: Apache-2.0 */
/* Two normal parts, beside what scikit-learn 1.9.1 fits to the same numbers, and the choice of
 * labels that are surely right. */
#include <math.h>

#include "check.h"
#include "mixture.h"
#include "right_list.h"

static const struct mixture_settings paper = {10, 1e-2, 5e-4};

/* 300 numbers about 0.1 and 100 about 0.7, evenly spread: no generator is needed to have them
 * again. */
static size_t two_heaps(double *values)
{
    size_t count = 0;
    for (int i = 0; i < 300; i++)
        values[count++] = 0.02 + 0.16 * i / 299;
    for (int i = 0; i < 100; i++)
        values[count++] = 0.5 + 0.4 * i / 99;
    return count;
}

static void equals_the_reference(void)
{
    double values[400];
    size_t count = two_heaps(values);
    struct mixture mixture;
    CU_ASSERT_EQUAL(mixture_fit(&mixture, values, count, &paper), XY_OK);
    CU_ASSERT(fabs(mixture.means[0] - 0.099999787284) < 1e-6);
    CU_ASSERT(fabs(mixture.means[1] - 0.699994483608) < 1e-6);
    CU_ASSERT(fabs(mixture.weights[0] - 0.749997435585) < 1e-6);
    CU_ASSERT(fabs(mixture.weights[1] - 0.250002564415) < 1e-6);
    CU_ASSERT(fabs(mixture.variances[0] - 0.002647595857) < 1e-6);
    CU_ASSERT(fabs(mixture.variances[1] - 0.014105524815) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.1) - 0.999999585328) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.25) - 0.992337830215) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.3) - 0.513096246009) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.7) - 0.000000000000) < 1e-6);
}

/* Heaps that lie in each other need several passes, and end by the tolerance or the bound. */
static void heaps_that_overlap(void)
{
    double values[400];
    for (int i = 0; i < 400; i++)
        values[i] = i < 250 ? 0.5 * i / 249 : 0.2 + 0.8 * (i - 250) / 149;
    struct mixture mixture;
    const struct mixture_settings long_run = {200, 1e-9, 5e-4};
    CU_ASSERT_EQUAL(mixture_fit(&mixture, values, 400, &long_run), XY_OK);
    CU_ASSERT(fabs(mixture.means[0] - 0.299126316160) < 1e-6);
    CU_ASSERT(fabs(mixture.means[1] - 0.827829499664) < 1e-6);
    CU_ASSERT(fabs(mixture.weights[0] - 0.844669587015) < 1e-6);
    CU_ASSERT(fabs(mixture.weights[1] - 0.155330412985) < 1e-6);
    CU_ASSERT(fabs(mixture.variances[0] - 0.028450141632) < 1e-6);
    CU_ASSERT(fabs(mixture.variances[1] - 0.012226125950) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.1) - 0.999999999780) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.3) - 0.999996839841) < 1e-6);
    CU_ASSERT(fabs(mixture_low(&mixture, 0.6) - 0.858504267803) < 1e-6);
    CU_ASSERT_EQUAL(mixture_fit(&mixture, values, 400, &(struct mixture_settings){2, 0, 5e-4}),
                    XY_OK);
    CU_ASSERT_EQUAL(mixture.passes, 2);
}

static void order_of_rows_is_nothing(void)
{
    double values[400], turned[400];
    size_t count = two_heaps(values);
    for (size_t i = 0; i < count; i++)
        turned[i] = values[count - 1 - i];
    struct mixture one, two;
    mixture_fit(&one, values, count, &paper);
    mixture_fit(&two, turned, count, &paper);
    CU_ASSERT(fabs(one.means[0] - two.means[0]) < 1e-12);
    CU_ASSERT(fabs(mixture_low(&one, 0.35) - mixture_low(&two, 0.35)) < 1e-9);
}

static void edges(void)
{
    struct mixture mixture;
    const double same[] = {0.25, 0.25, 0.25}, none[] = {0.1, NAN}, far[] = {0.1, INFINITY};
    CU_ASSERT_EQUAL(mixture_fit(&mixture, same, 3, &paper), XY_OK);
    CU_ASSERT(mixture.single);
    CU_ASSERT_EQUAL(mixture_low(&mixture, 0.25), 1);
    CU_ASSERT_EQUAL(mixture_fit(&mixture, none, 2, &paper), XY_EINVAL);
    CU_ASSERT_EQUAL(mixture_fit(&mixture, far, 2, &paper), XY_EINVAL);
    CU_ASSERT_EQUAL(mixture_fit(&mixture, same, 0, &paper), XY_EINVAL);
    const double pair[] = {1, 0};
    CU_ASSERT_EQUAL(mixture_fit(&mixture, pair, 2, &paper), XY_OK);
    CU_ASSERT(mixture_low(&mixture, 0) > 0.99 && mixture_low(&mixture, 1) < 0.01);
}

/* ---- the right list -------------------------------------------------------------------------- */

static void share_of_each_class(void)
{
    /* Class 0: 100 agreeing rows, of which floor(0.29 x 100) = 29 (0.29 x 100 in binary is less);
     * class 1: 14 agreeing, floor(4.06) = 4; class 2: none agree. */
    enum { COUNT = 130 };
    uint32_t labels[COUNT], predicted[COUNT];
    double confidences[COUNT];
    bool right[COUNT];
    struct right_counts counts[3];
    for (uint32_t i = 0; i < COUNT; i++) {
        labels[i] = predicted[i] = i < 100 ? 0 : i < 114 ? 1 : 2;
        confidences[i] = 0.5 + (i * 37 % 100) / 250.0;
        if (i >= 114)
            predicted[i] = i % 2 ? 0 : NAMES_NONE;
    }
    const struct right_rows rows = {labels, predicted, confidences, COUNT, 3};
    CU_ASSERT_EQUAL(right_list_choose(&rows, 0.29, right, counts), XY_OK);
    CU_ASSERT(counts[0].agreeing == 100 && counts[0].right == 29);
    CU_ASSERT(counts[1].agreeing == 14 && counts[1].right == 4);
    CU_ASSERT(counts[2].agreeing == 0 && counts[2].right == 0);
    for (uint32_t i = 0; i < 100; i++) /* each of 100 values once: the 29 highest are 71 to 99 */
        CU_ASSERT_EQUAL(right[i], i * 37 % 100 >= 71);
    for (uint32_t i = 114; i < COUNT; i++)
        CU_ASSERT(!right[i]);
}

static void ties_and_no_numbers(void)
{
    const uint32_t labels[] = {0, 0, 0, 0, NAMES_NONE}, predicted[] = {0, 0, 0, 0, NAMES_NONE};
    const double confidences[] = {NAN, 0.8, 0.8, INFINITY, 0.9};
    bool right[5];
    struct right_counts counts[1];
    const struct right_rows rows = {labels, predicted, confidences, 5, 1};
    CU_ASSERT_EQUAL(right_list_choose(&rows, 0.5, right, counts), XY_OK);
    CU_ASSERT(counts[0].agreeing == 2 && counts[0].right == 1);
    CU_ASSERT(!right[0] && right[1] && !right[2] && !right[3] && !right[4]);
    CU_ASSERT_EQUAL(right_list_choose(&rows, 0, right, counts), XY_OK);
    CU_ASSERT(counts[0].right == 0 && !right[1]);
    CU_ASSERT_EQUAL(right_list_choose(&rows, 1, right, counts), XY_OK);
    CU_ASSERT(right[1] && right[2] && !right[0]);
}

int main(void)
{
    static const struct check checks[] = {
        {"equals the reference", equals_the_reference},
        {"heaps that overlap", heaps_that_overlap},
        {"the order of rows is nothing", order_of_rows_is_nothing},
        {"edges", edges},
        {"a share of each class", share_of_each_class},
        {"ties and no numbers", ties_and_no_numbers},
        {NULL, NULL},
    };
    return check_main("mixture", checks);
}
