/* SPDX-License-Identifier: Apache-2.0 */
#include "grid_axes.h"

#include <stdlib.h>

#include "json_reader.h"

static int say(char *error, size_t size, const char *format, const char *name)
{
    snprintf(error, size, format, name);
    return XY_EINVAL;
}

static struct axis *find_axis(const struct axes *axes, xy_str quoted_key)
{
    for (size_t i = 0; i < axes->count; i++) {
        if (json_is(quoted_key, axes->items[i].name))
            return &axes->items[i];
    }
    return NULL;
}

/* A key as json_next() gives it, with the quotes around it that json_is() wants. */
static xy_str quoted(xy_str key)
{
    return (xy_str){key.ptr - 1, key.len + 2};
}

static int same_json(xy_str a, xy_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static int read_axis(struct axes *axes, xy_str key, xy_str value, char *error, size_t size)
{
    struct axis *axis = &axes->items[axes->count];
    axis->name = calloc(1, key.len + 3);
    if (!axis->name)
        return say(error, size, "out of memory%s", "");
    axes->count++;
    json_decode(quoted(key), axis->name);
    int list = json_kind(value) == '[';
    size_t count = list ? json_count(value) : 1;
    if (count == 0)
        return say(error, size, "the axis `%s` has no values", axis->name);
    axis->values = calloc(count, sizeof(*axis->values));
    if (!axis->values)
        return say(error, size, "out of memory%s", "");
    struct json_cursor at = {0};
    xy_str ignored = {NULL, 0}, item = value;
    while (list ? json_next(value, &at, &ignored, &item) : axis->count == 0)
        axis->values[axis->count++] = (struct axis_value){.json = item, .weight = 1};
    axis->weight_sum = (double)count;
    if (__builtin_mul_overflow(axes->combinations, (uint64_t)count, &axes->combinations))
        return say(error, size, "the grid has more than 2^64 combinations at the axis `%s`",
                   axis->name);
    return XY_OK;
}

static int read_axis_weights(struct axis *axis, xy_str weights, char *error, size_t size)
{
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    while (json_next(weights, &at, &key, &value)) {
        struct axis_value *found = NULL;
        for (size_t i = 0; i < axis->count && !found; i++) {
            /* A text's JSON is its key with quotes; any other value is written bare in the key. */
            if (same_json(axis->values[i].json, quoted(key)) ||
                same_json(axis->values[i].json, key))
                found = &axis->values[i];
        }
        if (!found)
            return say(error, size, "`weights` of the axis `%s` name a value that it does not have",
                       axis->name);
        found->weight = json_number(value, -1);
        if (!(found->weight >= 0))
            return say(error, size, "a weight of the axis `%s` is not a number of at least 0",
                       axis->name);
    }
    axis->weight_sum = 0;
    for (size_t i = 0; i < axis->count; i++)
        axis->weight_sum += axis->values[i].weight;
    if (axis->weight_sum <= 0)
        return say(error, size, "the weights of the axis `%s` are all 0", axis->name);
    return XY_OK;
}

static int read_weights(struct axes *axes, const char *weights, char *error, size_t size)
{
    xy_str map = json_check(xy_text(weights));
    if (json_kind(map) != '{')
        return say(error, size, "`weights` is a map from axes to maps of values and weights%s", "");
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    while (json_next(map, &at, &key, &value)) {
        struct axis *axis = find_axis(axes, quoted(key));
        if (!axis || json_kind(value) != '{')
            return say(error, size, "`weights` is a map from axes of the grid to maps of values "
                       "and weights%s", "");
        int code = read_axis_weights(axis, value, error, size);
        if (code < 0)
            return code;
    }
    axes->weighted = 1;
    return XY_OK;
}

static int read_exclusions(struct axes *axes, const char *exclude, char *error, size_t size)
{
    struct json_cursor at = {0};
    xy_str ignored = {NULL, 0}, item = {NULL, 0};
    axes->exclude = json_check(xy_text(exclude));
    if (json_kind(axes->exclude) != '[')
        return say(error, size, "`exclude` is a list of maps from axes to values%s", "");
    while (json_next(axes->exclude, &at, &ignored, &item)) {
        struct json_cursor within = {0};
        xy_str key = {NULL, 0}, value = {NULL, 0};
        if (json_kind(item) != '{' || json_count(item) == 0)
            return say(error, size, "`exclude` is a list of maps from axes to values%s", "");
        while (json_next(item, &within, &key, &value)) {
            if (!find_axis(axes, quoted(key)))
                return say(error, size, "`exclude` names an axis that the grid does not have%s",
                           "");
        }
    }
    return XY_OK;
}

int axes_read(struct axes *axes, const char *values, const char *weights, const char *exclude,
              char *error, size_t error_size)
{
    xy_str map = json_check(xy_text(values ? values : "{}"));
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    size_t count = json_count(map);
    *axes = (struct axes){.combinations = 1};
    if (count == 0)
        return say(error, error_size, "a grid needs at least one axis: NAME: [value, value]%s", "");
    axes->items = calloc(count, sizeof(*axes->items));
    if (!axes->items)
        return say(error, error_size, "out of memory%s", "");
    while (json_next(map, &at, &key, &value)) {
        int code = read_axis(axes, key, value, error, error_size);
        if (code < 0)
            return code;
    }
    int code = weights ? read_weights(axes, weights, error, error_size) : XY_OK;
    if (code == XY_OK && exclude)
        code = read_exclusions(axes, exclude, error, error_size);
    return code;
}

void axes_free(struct axes *axes)
{
    for (size_t i = 0; i < axes->count; i++) {
        free(axes->items[i].name);
        free(axes->items[i].values);
    }
    free(axes->items);
    *axes = (struct axes){0};
}

void axes_at(const struct axes *axes, uint64_t number, size_t *chosen)
{
    for (size_t i = axes->count; i-- > 0;) {
        chosen[i] = (size_t)(number % axes->items[i].count);
        number /= axes->items[i].count;
    }
}

void axes_draw(const struct axes *axes, uint64_t *random, size_t *chosen)
{
    for (size_t i = 0; i < axes->count; i++) {
        const struct axis *axis = &axes->items[i];
        double at = xy_random_unit(random) * axis->weight_sum;
        size_t k = 0;
        while (k + 1 < axis->count && at >= axis->values[k].weight)
            at -= axis->values[k++].weight;
        /* Rounding may land on a value of weight 0 at the end: step back to one that can be
         * drawn. */
        while (k > 0 && axis->values[k].weight <= 0)
            k--;
        chosen[i] = k;
    }
}

int axes_excluded(const struct axes *axes, const size_t *chosen)
{
    struct json_cursor at = {0};
    xy_str ignored = {NULL, 0}, item = {NULL, 0};
    while (axes->exclude.ptr && json_next(axes->exclude, &at, &ignored, &item)) {
        struct json_cursor within = {0};
        xy_str key = {NULL, 0}, value = {NULL, 0};
        int matches = 1;
        while (matches && json_next(item, &within, &key, &value)) {
            const struct axis *axis = find_axis(axes, quoted(key));
            matches = same_json(axis->values[chosen[axis - axes->items]].json, value);
        }
        if (matches)
            return 1;
    }
    return 0;
}
