/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "dynamics.h"

static const double ADAPTIVE_SHARE = 0.75; /* of the range, as CLLM's code has it */

static int by_number(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Between the two nearest ranks of `count` sorted numbers. */
static double quantile_of(const double *sorted, size_t count, double share)
{
    double rank = share * (double)(count - 1);
    size_t below = (size_t)rank;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (rank - (double)below) * (sorted[above] - sorted[below]);
}

static void find_limits(const struct dynamics_rule *rule, double *confidences, double *aleatorics,
                        size_t count, struct dynamics_limits *limits)
{
    *limits = (struct dynamics_limits){rule->tau, 1 - rule->tau, rule->kappa};
    if (count == 0)
        return;
    qsort(confidences, count, sizeof(*confidences), by_number);
    qsort(aleatorics, count, sizeof(*aleatorics), by_number);
    if (rule->tau_quantile > 0) {
        limits->low = quantile_of(confidences, count, rule->tau_quantile);
        limits->high = quantile_of(confidences, count, 1 - rule->tau_quantile);
    }
    if (rule->kappa_quantile > 0)
        limits->aleatoric = quantile_of(aleatorics, count, rule->kappa_quantile);
    else if (rule->kappa == 0)
        limits->aleatoric = ADAPTIVE_SHARE * (aleatorics[count - 1] - aleatorics[0]);
}

int dynamics_group(const struct dynamics_rule *rule, struct dynamics_measure *measures,
                   size_t count, struct dynamics_limits *limits)
{
    double *numbers = calloc(2 * count + 1, sizeof(*numbers));
    size_t judged = 0;
    if (!numbers)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (!measures[i].judged)
            continue;
        numbers[judged] = measures[i].confidence;
        numbers[count + judged++] = measures[i].aleatoric;
    }
    find_limits(rule, numbers, numbers + count, judged, limits);
    for (size_t i = 0; i < count; i++) {
        struct dynamics_measure *measure = &measures[i];
        if (!measure->judged)
            continue;
        bool certain = measure->aleatoric <= limits->aleatoric;
        measure->group = certain && measure->confidence >= limits->high  ? GROUP_EASY
                         : certain && measure->confidence <= limits->low ? GROUP_HARD
                                                                         : GROUP_AMBIGUOUS;
    }
    free(numbers);
    return XY_OK;
}

bool dynamics_passes(const struct dynamics_measure *measure, const double *limits)
{
    return measure->taken && measure->ensemble >= limits[measure->class_index];
}

int dynamics_ensemble_limits(double threshold, const struct dynamics_measure *measures,
                             size_t count, uint32_t classes, double *limits)
{
    double *numbers = calloc(count + 1, sizeof(*numbers));
    if (!numbers)
        return XY_ENOMEM;
    for (uint32_t k = 0; k < classes; k++) {
        size_t all = 0, passed = 0;
        limits[k] = threshold;
        for (size_t i = 0; i < count; i++) {
            if (!measures[i].judged || measures[i].class_index != k)
                continue;
            numbers[all++] = measures[i].ensemble;
            passed += dynamics_passes(&measures[i], limits);
        }
        if (all == 0 || 2 * passed >= all)
            continue;
        qsort(numbers, all, sizeof(*numbers), by_number);
        limits[k] = fmin(threshold, quantile_of(numbers, all, 0.5));
    }
    free(numbers);
    return XY_OK;
}
