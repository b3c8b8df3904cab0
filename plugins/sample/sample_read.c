/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "sampler.h"

/* Integers up to this size are exact in a double, in which bounds are kept. */
static const double LARGEST_INTEGER = 9007199254740992.0;

static int say(struct samplers *samplers, const struct sampler *sampler, const char *what)
{
    snprintf(samplers->error, sizeof(samplers->error), "`%s`: %s", sampler->field, what);
    return XY_EINVAL;
}

static int no_memory(struct samplers *samplers)
{
    snprintf(samplers->error, sizeof(samplers->error), "out of memory");
    return XY_ENOMEM;
}

/* A key as json_next() gives it, with its quotes. */
static xy_str quoted(xy_str key)
{
    return (xy_str){key.ptr - 1, key.len + 2};
}

static char *decode(xy_str string)
{
    char *out = calloc(1, string.len + 1);
    if (out)
        json_decode(string, out);
    return out;
}

/* A list of values, as likely each, or a map from values to weights. */
static int read_categorical(struct samplers *samplers, struct sampler *sampler, xy_str json)
{
    size_t count = json_count(json);
    bool map = json_kind(json) == '{';
    if ((!map && json_kind(json) != '[') || count == 0)
        return say(samplers, sampler, "`categorical` is a list of values, or a map of weights");
    sampler->kind = SAMPLE_CATEGORICAL;
    sampler->values = calloc(count, sizeof(*sampler->values));
    sampler->bounds = calloc(count, sizeof(*sampler->bounds));
    if (!sampler->values || !sampler->bounds)
        return no_memory(samplers);
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    double sum = 0;
    while (json_next(json, &at, &key, &value)) {
        double weight = map ? json_number(value, -1) : 1;
        if (!(weight >= 0) || isinf(weight))
            return say(samplers, sampler, "a weight is a finite number of at least 0");
        sampler->values[sampler->count] = map ? quoted(key) : value;
        sampler->bounds[sampler->count++] = sum += weight;
    }
    return sum > 0 ? XY_OK : say(samplers, sampler, "the weights are all 0");
}

/* Two items of a list as numbers; NaN where there is none. */
static bool read_pair(xy_str json, double *first, double *second)
{
    if (json_kind(json) != '[' || json_count(json) != 2)
        return false;
    *first = json_number(json_path(json, "0"), NAN);
    *second = json_number(json_path(json, "1"), NAN);
    return isfinite(*first) && isfinite(*second);
}

static int read_uniform(struct samplers *samplers, struct sampler *sampler, xy_str json)
{
    sampler->kind = SAMPLE_UNIFORM;
    if (!read_pair(json, &sampler->low, &sampler->high) || sampler->low > sampler->high)
        return say(samplers, sampler, "`uniform` is [LOWEST, HIGHEST]");
    if (!sampler->integer)
        return isfinite(sampler->high - sampler->low)
                   ? XY_OK : say(samplers, sampler, "the bounds of `uniform` lie too far apart");
    sampler->low = ceil(sampler->low);
    sampler->high = floor(sampler->high);
    if (sampler->low > sampler->high)
        return say(samplers, sampler, "there is no integer between the bounds of `uniform`");
    if (fabs(sampler->low) > LARGEST_INTEGER || fabs(sampler->high) > LARGEST_INTEGER)
        return say(samplers, sampler, "integers are drawn between -2^53 and 2^53");
    return XY_OK;
}

/* The share of a normal distribution that lies below x. */
static double share_below(const struct sampler *sampler, double x)
{
    return 0.5 * erfc((sampler->mean - x) / (sampler->deviation * sqrt(2)));
}

static int read_normal(struct samplers *samplers, struct sampler *sampler, xy_str json, xy_str all)
{
    sampler->kind = SAMPLE_NORMAL;
    if (!read_pair(json, &sampler->mean, &sampler->deviation) || sampler->deviation <= 0)
        return say(samplers, sampler, "`normal` is [MEAN, STANDARD DEVIATION], the latter above 0");
    double edge = sampler->integer ? LARGEST_INTEGER : INFINITY;
    sampler->low = json_number(json_member(all, "min"), -edge);
    sampler->high = json_number(json_member(all, "max"), edge);
    /* With integers the bounds take in what is rounded to them. */
    double margin = sampler->integer ? 0.5 : 0;
    double share = share_below(sampler, sampler->high + margin) -
                   share_below(sampler, sampler->low - margin);
    if (!(share > 1e-4))
        return say(samplers, sampler, "less than 1 in 10,000 of that normal distribution lies "
                   "between `min` and `max`");
    return XY_OK;
}

static int read_date(struct samplers *samplers, struct sampler *sampler, xy_str json, xy_str all)
{
    int64_t days[2] = {0, 0};
    xy_str format = json_member(all, "format");
    bool good = json_kind(json) == '[' && json_count(json) == 2;
    for (size_t i = 0; good && i < 2; i++) {
        xy_str text = json_path(json, i ? "1" : "0");
        good = json_kind(text) == '"' &&
               date_read((xy_str){text.ptr + 1, text.len - 2}, &days[i]);
    }
    if (!good || days[0] > days[1])
        return say(samplers, sampler, "`date` is [FIRST, LAST], each a day as 2026-01-31");
    sampler->kind = SAMPLE_DATE;
    sampler->low = (double)days[0];
    sampler->high = (double)days[1];
    if (format.ptr && (json_kind(format) != '"' || format.len == 2))
        return say(samplers, sampler, "`format` is a text such as \"%d %B %Y\"");
    sampler->format = format.ptr ? decode(format) : strdup("%Y-%m-%d");
    return sampler->format ? XY_OK : no_memory(samplers);
}

static int read_file(struct samplers *samplers, struct sampler *sampler, xy_str json, xy_str all,
                     const char *folder)
{
    xy_str column = json_member(all, "column");
    if (json_kind(json) != '"' || json.len == 2 || json_kind(column) != '"')
        return say(samplers, sampler, "`file` is a path, and `column` names the field to take");
    char *path = decode(json);
    size_t length = path ? strlen(folder) + strlen(path) + 2 : 0;
    sampler->kind = SAMPLE_FILE;
    sampler->column = decode(column);
    sampler->path = path ? calloc(1, length) : NULL;
    if (sampler->path)
        snprintf(sampler->path, length, "%s%s%s", path[0] == '/' ? "" : folder,
                 path[0] == '/' ? "" : "/", path);
    free(path);
    return sampler->path && sampler->column ? XY_OK : no_memory(samplers);
}

/* No key of a sampler is passed over in silence. */
static bool only_known_keys(xy_str json, const char *const *known)
{
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    while (json_next(json, &at, &key, &value)) {
        bool found = false;
        for (size_t i = 0; known[i]; i++)
            found = found || json_is(quoted(key), known[i]);
        if (!found)
            return false;
    }
    return true;
}

static int read_sampler(struct samplers *samplers, struct sampler *sampler, xy_str json,
                        const char *folder)
{
    static const struct {
        const char *keys[5];
    } kinds[] = {{{"categorical"}}, {{"uniform", "integer"}}, {{"normal", "integer", "min", "max"}},
                 {{"date", "format"}}, {{"file", "column"}}};
    if (json_kind(json) == '[')
        return read_categorical(samplers, sampler, json);
    sampler->integer = json_kind(json_member(json, "integer")) == 't';
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        xy_str value = json_member(json, kinds[i].keys[0]);
        if (!value.ptr)
            continue;
        if (!only_known_keys(json, kinds[i].keys))
            return say(samplers, sampler, "a key here belongs to no sampler of this kind");
        switch (i) {
        case 0: return read_categorical(samplers, sampler, value);
        case 1: return read_uniform(samplers, sampler, value);
        case 2: return read_normal(samplers, sampler, value, json);
        case 3: return read_date(samplers, sampler, value, json);
        default: return read_file(samplers, sampler, value, json, folder);
        }
    }
    return say(samplers, sampler, "a sampler is a list of values, or a map with `categorical`, "
               "`uniform`, `normal`, `date` or `file`");
}

int samplers_read(struct samplers *samplers, const char *fields, const char *folder)
{
    xy_str map = json_check(xy_text(fields ? fields : "{}"));
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value = {NULL, 0};
    size_t count = json_count(map);
    if (json_kind(map) != '{' || count == 0) {
        snprintf(samplers->error, sizeof(samplers->error),
                 "name at least one field with its sampler: FIELD: [value, value]");
        return XY_EINVAL;
    }
    samplers->items = calloc(count, sizeof(*samplers->items));
    if (!samplers->items)
        return no_memory(samplers);
    while (json_next(map, &at, &key, &value)) {
        struct sampler *sampler = &samplers->items[samplers->count];
        sampler->field = decode(quoted(key));
        if (!sampler->field)
            return no_memory(samplers);
        samplers->count++;
        int code = read_sampler(samplers, sampler, value, folder);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

void samplers_free(struct samplers *samplers)
{
    for (size_t i = 0; i < samplers->count; i++) {
        struct sampler *sampler = &samplers->items[i];
        free(sampler->field);
        free(sampler->values);
        free(sampler->bounds);
        free(sampler->format);
        free(sampler->path);
        free(sampler->column);
        text_free(&sampler->column_text);
    }
    free(samplers->items);
    *samplers = (struct samplers){0};
}
