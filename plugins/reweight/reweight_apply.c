/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "reweight.h"

void reweight_score(const struct reweight *reweight, xy_job *job, const char *name, double value,
                    const char *unit, uint64_t n, const char *help)
{
    const xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                            .high = NAN, .unit = unit, .n = n, .help = help};
    if (reweight->report)
        reweight->report->score(job, &score);
}

struct totals {
    double sum, squares;
    uint64_t weighed, zeros, dropped, unweighed;
};

/* Which rows are brought to mean 1 together. */
static uint32_t group_of(const struct reweight *reweight, const struct rows *rows, size_t row)
{
    return reweight->normalise[0] == 'c' ? rows->groups[row] : 0;
}

/* A group whose weights are all 0 stays so, and is named: its label would be unlearned. */
static void warn_of_group(const struct reweight *reweight, const struct rows *rows, uint32_t group,
                          uint64_t count)
{
    const char *name = group < rows->classes.count ? names_at(&rows->classes, group).ptr : "";
    if (reweight->normalise[0] == 'c')
        xy_log_line(reweight->host, XY_LOG_WARNING, "all %llu weights of the label `%.80s` are 0: "
                    "nothing will be learned of it", (unsigned long long)count, name);
}

static int normalise(const struct reweight *reweight, struct rows *rows)
{
    size_t groups = (size_t)rows->classes.count + 1;
    double *sums = calloc(groups, sizeof(*sums));
    uint64_t *counts = calloc(groups, sizeof(*counts));
    bool scaled = reweight->normalise[0] != 'n';
    if (!sums || !counts) {
        free(sums);
        free(counts);
        return XY_ENOMEM;
    }
    for (size_t i = 0; i < rows->count; i++) {
        if (isnan(rows->factors[i]) || !(rows->prior[i] > 0))
            continue;
        sums[group_of(reweight, rows, i)] += rows->factors[i];
        counts[group_of(reweight, rows, i)]++;
    }
    for (uint32_t k = 0; k < groups; k++)
        if (counts[k] && !(sums[k] > 0))
            warn_of_group(reweight, rows, k, counts[k]);
    for (size_t i = 0; i < rows->count && scaled; i++) {
        uint32_t k = group_of(reweight, rows, i);
        rows->factors[i] *= sums[k] > 0 ? (double)counts[k] / sums[k] : 1;
    }
    free(sums);
    free(counts);
    return XY_OK;
}

/* Bounds a row's weight; one of prior 0 stays out, whatever the floor. */
static double bounded(const struct reweight *reweight, double weight)
{
    if (reweight->clip > 0)
        weight = fmin(weight, reweight->clip);
    return fmax(weight, reweight->floor);
}

static int check_factors(const struct reweight *reweight, xy_job *job, const struct rows *rows)
{
    size_t told = 0, above = 0, live = 0;
    for (size_t i = 0; i < rows->count; i++) {
        told += !isnan(rows->factors[i]);
        live += rows->prior[i] > 0;
        above += rows->factors[i] > 0 && rows->prior[i] > 0;
        if (isinf(rows->factors[i]) || (isnan(rows->factors[i]) && reweight_has_student(reweight)))
            return xy_fail(job, XY_EINVAL, "the student's numbers are not finite at record %zu: "
                           "are there huge or broken values among its features?", rows->index[i]);
    }
    if (told == 0 && rows->count > 0)
        return xy_fail(job, XY_EINVAL, "no record has what `method: %s` needs in `%s`",
                       reweight->method, reweight->scores);
    if (live == 0 && rows->count > 0)
        return xy_fail(job, XY_EINVAL, "all %zu records have the weight 0 already", rows->count);
    if (above == 0 && rows->count > 0 && !(reweight->floor > 0))
        return xy_fail(job, XY_EINVAL, "all %zu weights are 0 by `method: %s`: no record %s; set "
                       "`floor` to go on with equal weights", rows->count, reweight->method,
                       reweight->dev ? "lowers the loss on `dev`" : "counts for anything");
    return XY_OK;
}

static int set_weight(const struct reweight *reweight, xy_job *job, xy_dataset *input, size_t index,
                      double weight, struct totals *totals)
{
    char why[96];
    xy_record *record = input->api->edit(input, index);
    int code = record ? record->api->set_weight(record, weight) : XY_EIO;
    if (code < 0)
        return xy_fail(job, code, "record %zu cannot be given the weight %g", index, weight);
    totals->weighed++;
    if (weight < reweight->drop_below) {
        totals->dropped++;
        snprintf(why, sizeof(why), "weight %.4g by %s, below %g", weight, reweight->method,
                 reweight->drop_below);
        return input->api->verdict(input, index, XY_DROP, why);
    }
    totals->sum += weight;
    totals->squares += weight * weight;
    totals->zeros += !(weight > 0);
    return XY_OK;
}

static void report(const struct reweight *reweight, xy_job *job, const struct totals *totals)
{
    uint64_t kept = totals->weighed - totals->dropped;
    if (totals->unweighed)
        xy_log_line(reweight->host, XY_LOG_WARNING, "%llu records keep the weight they had, since "
                    "they lack what `method: %s` needs", (unsigned long long)totals->unweighed,
                    reweight->method);
    reweight_score(reweight, job, "unweighed", (double)totals->unweighed, "records",
                   totals->weighed + totals->unweighed,
                   "records that keep their weight, lacking what the method needs");
    if (kept == 0)
        return;
    reweight_score(reweight, job, "mean_weight", totals->sum / (double)kept, "", kept,
                   "mean of the weights of the records that stay");
    reweight_score(reweight, job, "zero_share", (double)totals->zeros / (double)kept, "share", kept,
                   "records that stay with weight 0");
    if (totals->squares > 0)
        reweight_score(reweight, job, "effective_size", totals->sum * totals->sum / totals->squares,
                       "records", kept,
                       "how many records of equal weight would tell as much (Kish)");
}

int reweight_apply(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                   struct rows *rows)
{
    struct totals totals = {.unweighed = input->api->count(input) - rows->count};
    int code = check_factors(reweight, job, rows);
    if (code == XY_OK)
        code = normalise(reweight, rows);
    for (size_t i = 0; i < rows->count && code >= 0; i++) {
        if (isnan(rows->factors[i]))
            totals.unweighed++;
        else
            code = set_weight(reweight, job, input, rows->index[i],
                              rows->prior[i] * bounded(reweight, rows->factors[i]), &totals);
    }
    if (code >= 0)
        report(reweight, job, &totals);
    return code < 0 ? code : XY_OK;
}
