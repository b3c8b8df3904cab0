/* SPDX-License-Identifier: Apache-2.0 */
#include "mixture.h"

#include <math.h>
#include <stdlib.h>

#include <xylem/plugin.h>

static const double log_two_pi = 1.8378770664093454836;

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The first number of the upper part: where the two parts' sums of squares about their means are
 * least, which is where the means' own weighted squares are most. */
static double best_split(const double *sorted, size_t count, double whole)
{
    double below = 0, most = -INFINITY, split = sorted[count - 1];
    for (size_t i = 1; i < count; i++) {
        below += sorted[i - 1];
        if (sorted[i] <= sorted[i - 1])
            continue;
        double above = whole - below;
        double between = below * below / (double)i + above * above / (double)(count - i);
        if (between > most) {
            most = between;
            split = sorted[i];
        }
    }
    return split;
}

static double log_density(const struct mixture *mixture, int part, double value)
{
    double away = value - mixture->means[part], variance = mixture->variances[part];
    return log(mixture->weights[part]) -
           0.5 * (log_two_pi + log(variance) + away * away / variance);
}

/* The share of part 0 in a number; adds the number's log-likelihood. */
static double share_of(const struct mixture *mixture, double value, double *likelihood)
{
    double low = log_density(mixture, 0, value), high = log_density(mixture, 1, value);
    double most = fmax(low, high), sum = most + log(exp(low - most) + exp(high - most));
    *likelihood += sum;
    return exp(low - sum);
}

static void maximise(struct mixture *mixture, const double *values, const double *shares,
                     size_t count, double least_variance)
{
    for (int part = 0; part < 2; part++) {
        double weight = 1e-15, mean = 0, variance = 0;
        for (size_t i = 0; i < count; i++) {
            double share = part == 0 ? shares[i] : 1 - shares[i];
            weight += share;
            mean += share * values[i];
        }
        mean /= weight;
        for (size_t i = 0; i < count; i++) {
            double share = part == 0 ? shares[i] : 1 - shares[i];
            variance += share * (values[i] - mean) * (values[i] - mean);
        }
        mixture->weights[part] = weight / (double)count;
        mixture->means[part] = mean;
        mixture->variances[part] = variance / weight + least_variance;
    }
}

/* What was the lower part may have wandered past the other. */
static void order_parts(struct mixture *mixture)
{
    struct mixture kept = *mixture;
    if (kept.means[0] <= kept.means[1])
        return;
    for (int part = 0; part < 2; part++) {
        mixture->weights[part] = kept.weights[1 - part];
        mixture->means[part] = kept.means[1 - part];
        mixture->variances[part] = kept.variances[1 - part];
    }
}

static void fit_parts(struct mixture *mixture, const double *values, double *shares, size_t count,
                      const struct mixture_settings *settings)
{
    double before = -INFINITY;
    maximise(mixture, values, shares, count, settings->least_variance);
    while (mixture->passes < settings->most_passes) {
        double likelihood = 0;
        for (size_t i = 0; i < count; i++)
            shares[i] = share_of(mixture, values[i], &likelihood);
        maximise(mixture, values, shares, count, settings->least_variance);
        mixture->passes++;
        likelihood /= (double)count;
        if (fabs(likelihood - before) < settings->tolerance)
            break;
        before = likelihood;
    }
    order_parts(mixture);
}

int mixture_fit(struct mixture *mixture, const double *values, size_t count,
                const struct mixture_settings *settings)
{
    *mixture = (struct mixture){.single = true};
    double whole = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            return XY_EINVAL;
        whole += values[i];
    }
    if (count == 0)
        return XY_EINVAL;
    double *sorted = malloc(2 * count * sizeof(*sorted));
    if (!sorted)
        return XY_ENOMEM;
    memcpy(sorted, values, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_value);
    if (sorted[0] < sorted[count - 1]) {
        double *shares = sorted + count, split = best_split(sorted, count, whole);
        for (size_t i = 0; i < count; i++)
            shares[i] = values[i] < split;
        mixture->single = false;
        fit_parts(mixture, values, shares, count, settings);
    } else {
        mixture->weights[0] = 1;
        mixture->means[0] = mixture->means[1] = sorted[0];
        mixture->variances[0] = mixture->variances[1] = settings->least_variance;
    }
    free(sorted);
    return XY_OK;
}

double mixture_low(const struct mixture *mixture, double value)
{
    double likelihood = 0;
    return mixture->single ? 1 : share_of(mixture, value, &likelihood);
}
