/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "confident_learning.h"
#include "json_reader.h"
#include "text.h"

enum { CLASSES_MAX = 4096 };

void confident_maps_keep(struct audit *audit, size_t row)
{
    audit->which[audit->rows.count] = row;
    audit->labels[audit->rows.count++] = audit->set.classes[row];
}

/* Numbers the labels that a map has; with `p`, their probabilities. */
static int read_map(struct names *classes, xy_str map, float *p, struct text *scratch)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    while (json_next(map, &cursor, &key, &value)) {
        text_clear(scratch);
        text_add(scratch, key.ptr - 1, key.len + 2); /* room; the key with its quotes */
        if (scratch->failed)
            return XY_ENOMEM;
        xy_str quoted = {key.ptr - 1, key.len + 2};
        xy_str label = {scratch->bytes, json_decode(quoted, scratch->bytes)};
        uint32_t number = names_add(classes, label);
        if (number == NAMES_NONE)
            return XY_ENOMEM;
        double probability = json_number(value, NAN);
        if (!(probability >= 0 && probability <= 1))
            return XY_EINVAL;
        if (p)
            p[number] = (float)probability;
    }
    return XY_OK;
}

static xy_str map_of(const struct confident *confident, const xy_record *record)
{
    xy_str map = json_check(xy_record_text(record, confident->probabilities));
    return json_kind(map) == '{' ? map : (xy_str){NULL, 0};
}

/* All labels that maps name are classes: numbers them before the matrix is made. */
int confident_maps_classes(const struct confident *confident, xy_job *job, xy_dataset *input,
                           struct audit *audit)
{
    struct text scratch = {0};
    int code = XY_OK;
    for (size_t i = 0; i < audit->set.count && code == XY_OK; i++) {
        xy_str map = map_of(confident, input->api->at(input, i));
        code = read_map(&audit->classes, map, NULL, &scratch);
        if (code == XY_EINVAL)
            code = xy_fail(job, code, "record %zu of %zu: `%s` has something other than a "
                           "probability from 0 to 1: %.*s", i + 1, audit->set.count,
                           confident->probabilities, map.len < 120 ? (int)map.len : 120, map.ptr);
        if (code == XY_OK && audit->classes.count > CLASSES_MAX)
            code = xy_fail(job, XY_EINVAL, "`%s` names more than %d labels",
                           confident->probabilities, CLASSES_MAX);
    }
    text_free(&scratch);
    return code;
}

int confident_maps_read(const struct confident *confident, xy_dataset *input, struct audit *audit)
{
    struct text scratch = {0};
    int code = XY_OK;
    for (size_t i = 0; i < audit->set.count && code == XY_OK; i++) {
        xy_str map = map_of(confident, input->api->at(input, i));
        if (!map.ptr || audit->set.classes[i] == NAMES_NONE)
            continue;
        code = read_map(&audit->classes, map,
                        audit->probabilities + audit->rows.count * audit->classes.count, &scratch);
        confident_maps_keep(audit, i);
    }
    text_free(&scratch);
    return code;
}
