/* SPDX-License-Identifier: Apache-2.0 */
#include "vector_column.h"

#include "json_reader.h"

/* How many numbers the record has in the field; 0 for none. */
static size_t length_of(xy_dataset *dataset, uint64_t index, const char *field)
{
    const xy_record *record = dataset->api->at(dataset, index);
    xy_value value = {.type = XY_NULL};
    int type = record ? record->api->get(record, field, &value) : XY_NULL;
    if (type == XY_VECTOR)
        return value.length;
    if (type == XY_JSON && json_kind(json_check(value.text)) == '[')
        return json_count(value.text);
    return type == XY_INT || type == XY_NUMBER || type == XY_BOOL;
}

const float *vector_column(xy_dataset *dataset, xy_job *job, const char *field, const char *whose,
                           uint32_t *width)
{
    *width = 0;
    const float *column = dataset->api->column(dataset, field, width);
    if (column)
        return column;
    uint64_t count = dataset->api->count(dataset), first = 0;
    size_t before = 0;
    for (uint64_t i = 0; i < count && !job->api->cancelled(job); i++) {
        size_t length = length_of(dataset, i, field);
        if (length && before && length != before) {
            xy_say(job, XY_EINVAL, "the vectors in `%s`%s differ in length: record %llu has %zu "
                   "numbers, record %llu has %zu, as when two models embedded them: embed all by "
                   "one", field, whose, (unsigned long long)first + 1, before,
                   (unsigned long long)i + 1, length);
            return NULL;
        }
        if (length && !before)
            first = i;
        before = length ? length : before;
    }
    xy_say(job, XY_EINVAL, "no record%s has a vector in `%s`: put an `embed` step before this one",
           whose, field);
    return NULL;
}
