/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "sampler.h"

enum { SECONDS_PER_DAY = 86400, LONGEST_DATE = 256, MOST_DRAWS = 1000000 };

static int set_json(xy_job *job, xy_record *record, const char *field, xy_str json)
{
    char *scratch = job->api->alloc(job, json.len + 1);
    if (!scratch)
        return XY_ENOMEM;
    xy_value value;
    json_value_read(json, scratch, &value);
    return record->api->set(record, field, &value);
}

static xy_str draw_weighted(const struct sampler *sampler, uint64_t *random)
{
    double at = xy_random_unit(random) * sampler->bounds[sampler->count - 1];
    size_t low = 0, high = sampler->count - 1;
    while (low < high) { /* the first whose bound lies above: one of weight 0 never is */
        size_t middle = low + (high - low) / 2;
        if (sampler->bounds[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return sampler->values[low];
}

/* The polar form of Box and Muller (Marsaglia and Bray 1964), without its second value, so that one
 * stream gives one sequence. */
static double draw_normal(uint64_t *random)
{
    for (;;) {
        double x = 2 * xy_random_unit(random) - 1, y = 2 * xy_random_unit(random) - 1;
        double square = x * x + y * y;
        if (square > 0 && square < 1)
            return x * sqrt(-2 * log(square) / square);
    }
}

/* Draws again until one lies within the bounds: the normal distribution cut off there. */
static int draw_bounded(const struct sampler *sampler, uint64_t *random, double *out)
{
    for (int i = 0; i < MOST_DRAWS; i++) {
        double value = sampler->mean + sampler->deviation * draw_normal(random);
        *out = sampler->integer ? nearbyint(value) : value;
        if (*out >= sampler->low && *out <= sampler->high)
            return XY_OK;
    }
    return XY_EINVAL;
}

static int set_number(const struct sampler *sampler, xy_record *record, double number)
{
    if (sampler->integer)
        return xy_record_set_int(record, sampler->field, (int64_t)number);
    return xy_record_set_number(record, sampler->field, number);
}

static int draw_uniform(const struct sampler *sampler, xy_record *record, uint64_t *random)
{
    double width = sampler->high - sampler->low;
    if (!sampler->integer)
        return set_number(sampler, record, sampler->low + xy_random_unit(random) * width);
    uint64_t step = xy_random_below(random, (uint64_t)width + 1);
    return xy_record_set_int(record, sampler->field, (int64_t)sampler->low + (int64_t)step);
}

static int draw_date(const struct sampler *sampler, xy_job *job, xy_record *record,
                     uint64_t *random)
{
    uint64_t days = (uint64_t)(sampler->high - sampler->low) + 1;
    int64_t moment = (int64_t)sampler->low * SECONDS_PER_DAY +
                     (int64_t)xy_random_below(random, days * SECONDS_PER_DAY);
    char text[LONGEST_DATE];
    size_t length = date_write(text, sizeof(text), sampler->format, moment);
    if (length == 0)
        return xy_fail(job, XY_EINVAL, "the date of `%s` is empty or longer than %d bytes",
                       sampler->field, LONGEST_DATE - 1);
    return xy_record_set_text(record, sampler->field, (xy_str){text, length});
}

int sampler_draw(const struct sampler *sampler, xy_job *job, xy_record *record, uint64_t *random)
{
    double number = 0;
    switch (sampler->kind) {
    case SAMPLE_CATEGORICAL:
        return set_json(job, record, sampler->field, draw_weighted(sampler, random));
    case SAMPLE_UNIFORM: return draw_uniform(sampler, record, random);
    case SAMPLE_DATE: return draw_date(sampler, job, record, random);
    case SAMPLE_FILE:
        return set_json(job, record, sampler->field,
                        sampler->values[xy_random_below(random, sampler->count)]);
    default: break;
    }
    if (draw_bounded(sampler, random, &number) < 0)
        return xy_fail(job, XY_EINVAL, "`%s`: no draw of %d lay between `min` and `max`",
                       sampler->field, MOST_DRAWS);
    return set_number(sampler, record, number);
}
