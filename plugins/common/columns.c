/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include <math.h>
#include <stdlib.h>

enum { VALUES_MAX = 256, POLL = 4096 };

/* ---- learning -------------------------------------------------------------------------------- */

static bool is_number(xy_str text)
{
    char digits[64];
    char *end = digits;
    if (text.len == 0 || text.len >= sizeof(digits))
        return false;
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    return isfinite(strtod(digits, &end)) && *end == '\0';
}

/* Whether it is a category. One text among numbers ("n/a", "nan") makes it one, and so does a CSV
 * file that is read as text, which nobody would want and the log therefore says. */
static bool holds_text(const struct columns *columns, xy_dataset *dataset, const char *name,
                       uint64_t count)
{
    uint64_t texts = 0, numbers = 0, quoted = 0, first = 0;
    for (uint64_t i = 0; i < count; i++) {
        xy_value value = {.type = XY_NULL};
        const xy_record *record = dataset->api->at(dataset, i);
        int type = record->api->get(record, name, &value);
        if (type == XY_TEXT && texts++ == 0)
            first = i;
        numbers += type == XY_INT || type == XY_NUMBER;
        quoted += type == XY_TEXT && is_number(value.text);
    }
    if (texts && texts == quoted && columns->host)
        xy_log_line(columns->host, XY_LOG_WARNING, "`%s` holds numbers that are texts: each value "
                    "of it is taken as a category; CSV is read as numbers with `types: guess`",
                    name);
    else if (texts && numbers && columns->host)
        xy_log_line(columns->host, XY_LOG_WARNING, "`%s` holds %llu numbers and %llu texts, the "
                    "first in record %llu: each value of it is taken as a category, its numbers "
                    "too", name, (unsigned long long)numbers, (unsigned long long)texts,
                    (unsigned long long)first + 1);
    return texts > 0;
}

/* Numbers the values; how many records have the field, or a negative error. */
static int64_t learn_text(struct columns_field *field, xy_job *job, xy_dataset *dataset,
                          const char *name, uint64_t count)
{
    int64_t seen = 0;
    for (uint64_t i = 0; i < count; i++) {
        char scratch[NAMES_SCRATCH];
        xy_str label = names_label(dataset->api->at(dataset, i), name, scratch);
        if (!label.ptr)
            continue;
        seen++;
        if (names_add(&field->values, label) == NAMES_NONE)
            return XY_ENOMEM;
        if (field->values.count > VALUES_MAX)
            return xy_fail(job, XY_EINVAL, "`%s` has more than %d different texts: it is no "
                           "category, and a feature must be a number or a category", name,
                           VALUES_MAX);
    }
    field->width = field->values.count;
    return seen;
}

static int64_t learn_number(struct columns_field *field, xy_dataset *dataset, const char *name,
                            uint64_t count)
{
    double sum = 0, squares = 0;
    int64_t seen = 0;
    for (uint64_t i = 0; i < count; i++) {
        double number = names_number(dataset->api->at(dataset, i), name, NAN);
        if (!isfinite(number))
            continue;
        seen++;
        sum += number;
    }
    field->mean = seen ? sum / (double)seen : 0;
    for (uint64_t i = 0; i < count; i++) {
        double number = names_number(dataset->api->at(dataset, i), name, NAN) - field->mean;
        squares += isfinite(number) ? number * number : 0;
    }
    /* A field that is the same everywhere tells nothing, and must not be divided by 0. */
    field->scale = squares > 0 ? 1 / sqrt(squares / (double)seen) : 0;
    field->width = 1;
    return seen;
}

int columns_learn(struct columns *columns, xy_job *job, xy_dataset *dataset)
{
    uint64_t count = dataset->api->count(dataset);
    size_t fields = 0;
    while (columns->names[fields])
        fields++;
    columns->fields = calloc(fields + 1, sizeof(*columns->fields));
    if (!columns->fields)
        return XY_ENOMEM;
    columns->dimension = 0;
    for (size_t j = 0; j < fields; j++) {
        struct columns_field *field = &columns->fields[j];
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        field->is_text = holds_text(columns, dataset, columns->names[j], count);
        int64_t seen = field->is_text
                           ? learn_text(field, job, dataset, columns->names[j], count)
                           : learn_number(field, dataset, columns->names[j], count);
        if (seen < 0)
            return (int)seen;
        if (seen == 0)
            return xy_fail(job, XY_EINVAL, "none of the %llu records to learn from has a number or "
                           "a text in `%s`, which `features` names", (unsigned long long)count,
                           columns->names[j]);
        field->start = columns->dimension;
        columns->dimension += field->width;
    }
    return XY_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_field(const struct columns_field *field, const xy_record *record,
                       const char *name, float *row)
{
    if (!field->is_text) {
        double number = names_number(record, name, NAN);
        row[field->start] = (float)((number - field->mean) * field->scale);
        return isfinite(number);
    }
    char scratch[NAMES_SCRATCH];
    xy_str label = names_label(record, name, scratch);
    uint32_t value = label.ptr ? names_find(&field->values, label) : NAMES_NONE;
    if (value != NAMES_NONE)
        row[field->start + value] = 1;
    return label.ptr != NULL;
}

int columns_read(const struct columns *columns, xy_job *job, xy_dataset *dataset,
                 const float **out)
{
    uint64_t count = dataset->api->count(dataset);
    float *rows = job->api->alloc(job, (count * columns->dimension + 1) * sizeof(*rows));
    if (!rows)
        return XY_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        const xy_record *record = dataset->api->at(dataset, i);
        float *row = rows + i * columns->dimension;
        bool whole = true;
        for (size_t j = 0; columns->names[j] && whole; j++)
            whole = read_field(&columns->fields[j], record, columns->names[j], row);
        for (size_t j = 0; j < columns->dimension && !whole; j++)
            row[j] = NAN;
    }
    *out = rows;
    return XY_OK;
}

void columns_free(struct columns *columns)
{
    for (size_t j = 0; columns->fields && columns->names[j]; j++)
        names_free(&columns->fields[j].values);
    free(columns->fields);
    columns->fields = NULL;
    columns->dimension = 0;
}
