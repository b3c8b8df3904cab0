/* SPDX-License-Identifier: Apache-2.0 */
#include "ppi_estimate.h"

#include <math.h>

/* Newton's method on the distribution, which erfc() gives to full precision. From 0 it climbs
 * without overshooting, since the density only falls. */
double ppi_quantile(double level)
{
    const double density = 0.3989422804014327; /* of the standard normal at 0 */
    double tail = (1 - level) / 2, z = 0;
    for (int i = 0; i < 200; i++) {
        double step = (erfc(z / sqrt(2)) / 2 - tail) / (density * exp(-z * z / 2));
        z += step;
        if (fabs(step) < 1e-15 * (1 + z))
            break;
    }
    return z;
}

void ppi_add_unlabelled(struct ppi_sums *sums, double judge)
{
    sums->unlabelled++;
    sums->judge += judge;
    sums->judge_squared += judge * judge;
}

void ppi_add_labelled(struct ppi_sums *sums, double judge, double gold)
{
    double error = judge - gold;
    sums->labelled++;
    sums->agreeing += judge == gold;
    sums->gold += gold;
    sums->gold_squared += gold * gold;
    sums->said += judge;
    sums->said_squared += judge * judge;
    sums->both += judge * gold;
    sums->error += error;
    sums->error_squared += error * error;
}

static double variance(double sum, double squares, double n)
{
    double mean = sum / n;
    return fmax(squares / n - mean * mean, 0);
}

static struct estimate around(double value, double squared_error, double level)
{
    double half = ppi_quantile(level) * sqrt(squared_error);
    return (struct estimate){value, value - half, value + half};
}

/* The reliance that makes the variance least: cov(judge, gold) / ((1 + n/N) var(judge)). */
static double tuning_of(const struct ppi_sums *sums)
{
    double n = (double)sums->labelled, many = (double)sums->unlabelled;
    double covariance = sums->both / n - sums->said / n * (sums->gold / n);
    double spread = variance(sums->judge + sums->said, sums->judge_squared + sums->said_squared,
                             n + many);
    double tuning = spread > 0 ? covariance / ((1 + n / many) * spread) : 0;
    return fmin(fmax(tuning, 0), 1);
}

struct ppi_result ppi_estimate(const struct ppi_sums *sums, double level, bool tune)
{
    const struct estimate none = {NAN, NAN, NAN};
    double n = (double)sums->labelled, many = (double)sums->unlabelled;
    struct ppi_result result = {.powered = none, .labelled = none, .judge = NAN, .rectifier = NAN,
                                .accuracy = NAN, .tuning = 1};
    if (many > 0)
        result.judge = sums->judge / many;
    if (n > 0) {
        result.rectifier = sums->error / n;
        result.accuracy = (double)sums->agreeing / n;
    }
    if (n < 2)
        return result;
    double gold = sums->gold / n, gold_variance = variance(sums->gold, sums->gold_squared, n);
    result.labelled = around(gold, gold_variance / n, level);
    if (many < 1)
        return result;
    if (!tune) {
        double error = variance(sums->judge, sums->judge_squared, many) / many +
                       variance(sums->error, sums->error_squared, n) / n;
        result.powered = around(result.judge - result.rectifier, error, level);
        return result;
    }
    double t = result.tuning = tuning_of(sums), said = variance(sums->said, sums->said_squared, n);
    double covariance = sums->both / n - sums->said / n * gold;
    double error = t * t * variance(sums->judge, sums->judge_squared, many) / many +
                   fmax(t * t * said + gold_variance - 2 * t * covariance, 0) / n;
    result.powered = around(t * result.judge + gold - t * sums->said / n, error, level);
    return result;
}
