/* SPDX-License-Identifier: Apache-2.0 */
/* How unsure models are of a record, by what their answers left in its fields. */
#include <math.h>

#include "json_reader.h"
#include "select_rows.h"

/* Distributions, one after another; every list of numbers is scaled to sum to 1. */
struct draws {
    xy_job *job;
    double *sum;      /* classes: of the distributions so far */
    size_t classes, count;
    double entropies; /* the sum of theirs */
    bool broken;
};

static double entropy(const double *shares, size_t count, double total)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        if (shares[i] > 0)
            sum -= shares[i] / total * log(shares[i] / total);
    return sum;
}

static void add_draw(struct draws *draws, const double *weights, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        total += weights[i];
        draws->broken = draws->broken || !(weights[i] >= 0);
    }
    if (!draws->classes) {
        draws->classes = count;
        draws->sum = draws->job->api->alloc(draws->job, (count + 1) * sizeof(*draws->sum));
    }
    draws->broken = draws->broken || count < 2 || count != draws->classes || !draws->sum ||
                    !(total > 0) || !isfinite(total);
    if (draws->broken)
        return;
    for (size_t i = 0; i < count; i++)
        draws->sum[i] += weights[i] / total;
    draws->entropies += entropy(weights, count, total);
    draws->count++;
}

/* A list of numbers, or the values of an object. */
static void add_json(struct draws *draws, xy_str list)
{
    struct json_cursor at = {0};
    xy_str key, item;
    size_t count = 0;
    double *weights = draws->job->api->alloc(draws->job,
                                             (json_count(list) + 1) * sizeof(*weights));
    if (!weights) {
        draws->broken = true;
        return;
    }
    while (json_next(list, &at, &key, &item))
        weights[count++] = json_number(item, NAN);
    add_draw(draws, weights, count);
}

static void add_nested(struct draws *draws, xy_str json)
{
    struct json_cursor at = {0};
    xy_str key, item = {NULL, 0};
    bool nested = json_kind(json) == '[' && json_next(json, &at, &key, &item) &&
                  (json_kind(item) == '[' || json_kind(item) == '{');
    if (!nested) {
        add_json(draws, json);
        return;
    }
    at = (struct json_cursor){0};
    while (json_next(json, &at, &key, &item))
        add_json(draws, item);
}

static void add_field(struct draws *draws, const xy_record *record, const char *field)
{
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, field, &value);
    double *weights = NULL;
    if (type == XY_JSON) {
        add_nested(draws, value.text);
        return;
    }
    if (type == XY_VECTOR)
        weights = draws->job->api->alloc(draws->job, (value.length + 1) * sizeof(*weights));
    draws->broken = draws->broken || !weights;
    for (uint32_t i = 0; weights && i < value.length; i++)
        weights[i] = (double)value.vector[i];
    if (weights)
        add_draw(draws, weights, value.length);
}

/* The share of the likeliest class above that of the second. */
static double margin(const struct draws *draws)
{
    double first = 0, second = 0;
    for (size_t i = 0; i < draws->classes; i++) {
        double share = draws->sum[i];
        second = share > first ? first : share > second ? share : second;
        first = share > first ? share : first;
    }
    return (first - second) / (double)draws->count;
}

double rows_confidence(xy_job *job, const xy_record *record, const struct rows_options *options)
{
    struct draws draws = {.job = job};
    if (options->doubt == DOUBT_CONFIDENCE)
        return names_number(record, options->confidence, NAN);
    if (options->doubt == DOUBT_DISAGREEMENT)
        return -names_number(record, options->disagreement, NAN);
    for (size_t i = 0; options->probabilities[i]; i++)
        add_field(&draws, record, options->probabilities[i]);
    if (draws.broken || !draws.count)
        return NAN;
    double whole = entropy(draws.sum, draws.classes, (double)draws.count);
    if (options->doubt == DOUBT_MARGIN)
        return margin(&draws);
    /* Rounding may leave a little below 0, which would order records that no draw tells apart. */
    double information = whole - draws.entropies / (double)draws.count;
    return options->doubt == DOUBT_ENTROPY ? -whole : information > 1e-12 ? -information : 0;
}
